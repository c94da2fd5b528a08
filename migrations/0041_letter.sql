-- What the desk writes to its own people by the clock: each letter once for each day that it is due and each recipient.

-- Since when a letter of the configuration is known: nothing is written for days before.
CREATE TABLE letter_since (
    tenant text NOT NULL,
    name   text NOT NULL,
    since  timestamptz NOT NULL,
    PRIMARY KEY (tenant, name)
);

CREATE TABLE letter (
    id         uuid PRIMARY KEY,
    tenant     text NOT NULL,
    -- Its name in the configuration, and the day that it is of.
    name       text NOT NULL,
    slot       date NOT NULL,
    -- An address, or `mirror:` and a mirror's name.
    recipient  text NOT NULL,
    -- What is sent, the same at every attempt; gone once it was.
    body       bytea,
    state      text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts   integer NOT NULL DEFAULT 0,
    -- Not to be sent before; of one that is being sent, when others may try.
    due_at     timestamptz NOT NULL,
    made_at    timestamptz NOT NULL,
    settled_at timestamptz,
    -- What the last failure said; no address.
    why        text,
    UNIQUE (tenant, name, slot, recipient)
);
CREATE INDEX letter_due ON letter (due_at) WHERE state = 'pending';
