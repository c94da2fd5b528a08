-- Which matter: tickets with their participants and the keys that lead to them.

CREATE SEQUENCE ticket_number;

CREATE TABLE ticket (
    id                uuid PRIMARY KEY,
    tenant            text NOT NULL,
    -- What people say on the telephone.
    number            bigint NOT NULL DEFAULT nextval('ticket_number'),
    state             text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    title             text NOT NULL DEFAULT '',
    -- Help-desk practice; null until it is filled.
    kind              text[] NOT NULL DEFAULT '{}',
    fault_kind        text,
    priority          text NOT NULL DEFAULT 'normal' CHECK (priority IN ('high', 'normal', 'low')),
    owner             text,
    contract_id       uuid,
    opened_at         timestamptz NOT NULL,
    last_at           timestamptz NOT NULL,
    first_response_at timestamptz,
    next_due_at       timestamptz,
    solved_at         timestamptz,
    closed_at         timestamptz,
    follow_up_of      uuid,
    -- The message that it began with.
    opened_by         uuid NOT NULL,
    merged_into       uuid
) WITH (fillfactor = 85);
CREATE INDEX ticket_open ON ticket (tenant, id) WHERE state = 'open' AND merged_into IS NULL;

-- A ticket is a matter with participants, not one contact's.
CREATE TABLE ticket_participant (
    contact_id  uuid NOT NULL REFERENCES contact,
    ticket_id   uuid NOT NULL REFERENCES ticket,
    role        text NOT NULL DEFAULT 'customer',
    entitled_by text NOT NULL,
    since       timestamptz NOT NULL,
    PRIMARY KEY (contact_id, ticket_id)
);
CREATE INDEX ticket_participant_ticket ON ticket_participant (ticket_id);

-- Keys that lead to a ticket: a message's own id, a conversation, a number of the matter, and
-- messages that were pointed at before they came (kind 'wanted').
CREATE TABLE ticket_reference (
    key_hash   uuid NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('message', 'conversation', 'hint', 'number', 'wanted')),
    name       text NOT NULL DEFAULT '',
    tenant     text NOT NULL,
    ticket_id  uuid,
    message_id uuid NOT NULL,
    direction  text NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX ticket_reference_key ON ticket_reference (key_hash, at DESC);
CREATE INDEX ticket_reference_ticket ON ticket_reference (ticket_id, kind);
CREATE INDEX ticket_reference_message ON ticket_reference (message_id);

-- Everything that happened to a ticket, append-only. Updates about messages that have not come have no ticket.
CREATE TABLE ticket_event (
    id         uuid NOT NULL,
    tenant     text NOT NULL,
    ticket_id  uuid,
    kind       text NOT NULL,
    message_id uuid,
    by         text NOT NULL DEFAULT 'lanka',
    data       jsonb NOT NULL DEFAULT '{}',
    at         timestamptz NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX ticket_event_ticket ON ticket_event (ticket_id);

-- Updates that came before the message they are about, under its key. They leave with its coming, when
-- their rows in ticket_event, raw_item and seen are mended.
CREATE TABLE early_update (
    key_hash   uuid NOT NULL,
    event_id   uuid NOT NULL,
    raw_event  uuid NOT NULL,
    item       integer NOT NULL,
    seen_scope text NOT NULL,
    seen_key   uuid NOT NULL,
    PRIMARY KEY (key_hash, event_id)
);
