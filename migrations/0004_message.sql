-- What was said, and why it is where it is.

CREATE TABLE message (
    id           uuid NOT NULL,
    tenant       text NOT NULL,
    raw_event    uuid NOT NULL,
    item         integer NOT NULL,
    channel      text NOT NULL,
    kind         text NOT NULL,
    namespace    text NOT NULL,
    source_key   text NOT NULL,
    direction    text NOT NULL CHECK (direction IN ('from_customer', 'from_agent')),
    -- The contact is the identity's, so that a join or split of contacts moves no message.
    identity_id  uuid,
    ticket_id    uuid,
    sender_name  text,
    occurred_at  timestamptz NOT NULL,
    trusted_at   timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    subject      text,
    text         text NOT NULL DEFAULT '',
    -- The person's own words; null when they are the whole text.
    own_text     text,
    call         jsonb,
    assurance    smallint NOT NULL,
    auto         text,
    marks        text[] NOT NULL DEFAULT '{}',
    matter_kind  text[] NOT NULL DEFAULT '{}',
    priority     text NOT NULL DEFAULT 'normal',
    numbers      text[] NOT NULL DEFAULT '{}',
    -- An agent put it where it is: no late evidence moves it.
    pinned       boolean NOT NULL DEFAULT false,
    -- The event time of the edit whose text this is: an older one that comes later changes nothing.
    edited_at    timestamptz,
    redacted_at  timestamptz,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX message_ticket ON message (ticket_id);
CREATE INDEX message_identity ON message (identity_id);

CREATE TABLE attachment (
    message_id   uuid NOT NULL,
    ordinal      integer NOT NULL,
    name         text,
    media_type   text NOT NULL,
    bytes        bigint NOT NULL DEFAULT 0,
    content_hash bytea CHECK (octet_length(content_hash) = 32),
    -- A URL or media id while the bytes are with the vendor.
    remote       text,
    inline       boolean NOT NULL DEFAULT false,
    -- Why the bytes are not here and will not come.
    lost         text,
    PRIMARY KEY (message_id, ordinal)
) PARTITION BY RANGE (message_id);

-- Attachments to be fetched from the vendor.
CREATE TABLE media_job (
    message_id    uuid NOT NULL,
    ordinal       integer NOT NULL,
    tenant        text NOT NULL,
    channel       text NOT NULL,
    state         text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'claimed', 'done', 'dead')),
    attempts      integer NOT NULL DEFAULT 0,
    due_at        timestamptz NOT NULL,
    claimed_until timestamptz,
    expires_at    timestamptz,
    why           text,
    PRIMARY KEY (message_id, ordinal)
);
CREATE INDEX media_job_due ON media_job (due_at) WHERE state = 'pending';

-- One delivered item, addressable and redactable by itself: a vendor's batch holds several customers.
CREATE TABLE raw_item (
    raw_event    uuid NOT NULL,
    item         integer NOT NULL,
    role         text NOT NULL CHECK (role IN ('first', 'repeat', 'leg', 'update')),
    what         text NOT NULL,
    source_key   text NOT NULL,
    message_id   uuid,
    duplicate_of uuid,
    redacted_at  timestamptz,
    PRIMARY KEY (raw_event, item)
) PARTITION BY RANGE (raw_event);
CREATE INDEX raw_item_message ON raw_item (message_id);

-- Why: the reasons of each decision, with the ids that were given out at arrival. Masks, no values.
CREATE TABLE decision (
    message_id uuid NOT NULL,
    tenant     text NOT NULL,
    contact_id uuid,
    ticket_id  uuid,
    resolution text NOT NULL,
    placement  text NOT NULL,
    reasons    jsonb NOT NULL,
    at         timestamptz NOT NULL
) PARTITION BY RANGE (message_id);
CREATE INDEX decision_message ON decision (message_id);
