-- Whose is it: contacts, their identities, what was stated, and the journal of joins.

CREATE TABLE contact (
    id          uuid PRIMARY KEY,
    tenant      text NOT NULL,
    kind        text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'organisation', 'shared')),
    name        text,
    first_at    timestamptz NOT NULL,
    -- Set when another contact took it in; its id is then in `alias` too and works for ever.
    merged_into uuid,
    erased_at   timestamptz
);

-- One address. A number that changes hands begins a new epoch; the old one keeps its past.
CREATE TABLE identity (
    id           uuid PRIMARY KEY,
    tenant       text NOT NULL,
    scheme       text NOT NULL,
    scope        text NOT NULL DEFAULT '',
    value        text NOT NULL,
    epoch        integer NOT NULL DEFAULT 1,
    contact_id   uuid NOT NULL REFERENCES contact,
    assurance    smallint NOT NULL,
    names        text[] NOT NULL DEFAULT '{}',
    first_at     timestamptz NOT NULL,
    last_at      timestamptz NOT NULL,
    last_ticket  uuid,
    last_message uuid,
    UNIQUE (tenant, scheme, scope, value, epoch)
) WITH (fillfactor = 85);
CREATE INDEX identity_contact ON identity (contact_id);

-- One name, claim or number read out of one message. For look-up only, so the value is a keyed hash.
CREATE TABLE fact (
    id          uuid PRIMARY KEY,
    tenant      text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('name', 'claim', 'number')),
    name        text NOT NULL DEFAULT '',
    role        text CHECK (role IN ('secret', 'public', 'organisation')),
    key_hash    uuid NOT NULL,
    mask        text NOT NULL,
    place       text NOT NULL,
    identity_id uuid NOT NULL,
    message_id  uuid NOT NULL,
    channel     text NOT NULL,
    assurance   smallint NOT NULL,
    at          timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    -- Looked up and found to be somebody else's: counted as a failed guess.
    refused     boolean NOT NULL DEFAULT false
);
CREATE INDEX fact_key ON fact (key_hash, at DESC);
CREATE INDEX fact_message ON fact (message_id);
CREATE INDEX fact_refused ON fact (tenant, received_at) WHERE refused;

-- Evidence between two identities.
CREATE TABLE edge (
    id         uuid PRIMARY KEY,
    tenant     text NOT NULL,
    identity_a uuid NOT NULL,
    identity_b uuid NOT NULL,
    class      text NOT NULL,
    bits       smallint NOT NULL,
    state      text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'off', 'refused')),
    message_id uuid NOT NULL,
    by_message uuid,
    at         timestamptz NOT NULL
);
CREATE INDEX edge_a ON edge (identity_a);
CREATE INDEX edge_b ON edge (identity_b);

-- Journal of joins and splits, append-only: what moved, by whom, why, so that it can be taken apart.
CREATE TABLE contact_link (
    id         uuid PRIMARY KEY,
    tenant     text NOT NULL,
    act        text NOT NULL CHECK (act IN ('join', 'split')),
    keep       uuid NOT NULL,
    other      uuid NOT NULL,
    identities uuid[] NOT NULL DEFAULT '{}',
    edges      uuid[] NOT NULL DEFAULT '{}',
    message_id uuid,
    by         text NOT NULL DEFAULT 'lanka',
    why        text NOT NULL DEFAULT '',
    at         timestamptz NOT NULL
);
CREATE INDEX contact_link_keep ON contact_link (keep);
CREATE INDEX contact_link_other ON contact_link (other);

-- Ids that were merged away keep working everywhere. `now` is resolved to the end when it is written.
CREATE TABLE alias (
    id     uuid PRIMARY KEY,
    object text NOT NULL CHECK (object IN ('contact', 'ticket')),
    now    uuid NOT NULL,
    at     timestamptz NOT NULL
);
CREATE INDEX alias_now ON alias (now);

-- A join that evidence points to but does not carry. An agent's answer is remembered.
CREATE TABLE suggestion (
    id          uuid PRIMARY KEY,
    tenant      text NOT NULL,
    message_id  uuid NOT NULL,
    target_kind text NOT NULL CHECK (target_kind IN ('contact', 'ticket')),
    target      uuid NOT NULL,
    by_message  uuid NOT NULL,
    class       text,
    bits        smallint NOT NULL,
    why         text NOT NULL,
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'rejected', 'overtaken')),
    at          timestamptz NOT NULL
);
CREATE INDEX suggestion_message ON suggestion (message_id);
CREATE INDEX suggestion_open ON suggestion (tenant, at) WHERE state = 'open';
