-- What must reach the agents' tools, written in the deciding transaction.

-- The lane of a ticket towards a mirror: its sequence has no gap.
CREATE TABLE lane (
    ticket_id     uuid NOT NULL,
    mirror        text NOT NULL,
    last_sequence bigint NOT NULL,
    PRIMARY KEY (ticket_id, mirror)
) WITH (fillfactor = 85);

-- pending → claimed → delivered | dead; a retry is pending again with a later due_at.
CREATE TABLE outbox (
    id            uuid NOT NULL,
    tenant        text NOT NULL,
    mirror        text NOT NULL,
    ticket_id     uuid NOT NULL,
    sequence      bigint NOT NULL,
    change        text NOT NULL,
    message_id    uuid,
    other_ticket  uuid,
    detail        jsonb,
    -- The change in the other lane that must be out first.
    after_id      uuid,
    decided_at    timestamptz NOT NULL,
    state         text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'claimed', 'delivered', 'dead')),
    attempts      integer NOT NULL DEFAULT 0,
    due_at        timestamptz NOT NULL,
    claimed_until timestamptz,
    -- Who claimed it: he holds the advisory lock of this number for as long as he is there.
    claimant      bigint,
    settled_at    timestamptz,
    replies       jsonb NOT NULL DEFAULT '[]',
    why           text,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX outbox_due ON outbox (mirror, due_at, id) WHERE state = 'pending';
CREATE INDEX outbox_lane ON outbox (ticket_id, mirror, sequence) WHERE state IN ('pending', 'claimed');
-- What is not delivered, for counting: delivered rows are many and stay out of it.
CREATE INDEX outbox_open ON outbox (mirror, state, decided_at) WHERE state <> 'delivered';
CREATE INDEX outbox_claimed ON outbox (claimant, claimed_until) WHERE state = 'claimed';

-- Which object a mirror knows under which id of its own.
CREATE TABLE link (
    mirror      text NOT NULL,
    object_kind text NOT NULL,
    object      uuid NOT NULL,
    remote_id   text NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (mirror, object_kind, object)
);
CREATE UNIQUE INDEX link_remote ON link (mirror, object_kind, remote_id);

SELECT lanka_ensure_month(now()), lanka_ensure_month(now() + interval '1 month');
