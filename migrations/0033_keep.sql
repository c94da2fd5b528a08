-- What is kept of each ticket beside its thread: clocks on the desk's promises, and what customers were told by itself.

-- Tickets that changed, to be looked at anew. Many rows of one ticket are one look; whoever takes them deletes them.
CREATE TABLE touched (
    n         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id uuid NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02);

-- Whoever writes down what follows from a look says so (lanka.keeping), and brings about no other.
CREATE FUNCTION lanka_ticket_touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('lanka.keeping', true) IS DISTINCT FROM 'on' THEN
        INSERT INTO touched (ticket_id) SELECT DISTINCT ticket_id FROM after WHERE ticket_id IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ticket_touched AFTER INSERT ON change REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION lanka_ticket_touched();

-- Since when the desk waits for the customer, as an agent said; null when it does not.
ALTER TABLE ticket ADD COLUMN awaited_since timestamptz;
-- When the ticket must be looked at next although nothing happens: a warning, a breach.
ALTER TABLE ticket ADD COLUMN keep_at timestamptz;
CREATE INDEX ticket_keep ON ticket (keep_at) WHERE keep_at IS NOT NULL;

-- The clocks of a ticket, worked out anew from what happened whenever that changes.
CREATE TABLE ticket_clock (
    ticket_id    uuid NOT NULL,
    tenant       text NOT NULL,
    -- first_answer: from the first thing said to the first answer. next_answer: from a later question to its answer,
    -- one round each. solution: from the first thing said to the closing that stands.
    clock        text NOT NULL CHECK (clock IN ('first_answer', 'next_answer', 'solution')),
    round        integer NOT NULL,
    started_at   timestamptz NOT NULL,
    -- Seconds of service time that it may take.
    target_s     bigint NOT NULL,
    -- Seconds of service time that it took, or took until it was paused; null while it runs.
    worked_s     bigint,
    -- When the target is, or was, used up; null while it is paused.
    due_at       timestamptz,
    warn_at      timestamptz,
    paused_since timestamptz,
    ended_at     timestamptz,
    -- When it was said aloud that it runs out, and that it has.
    warned_at    timestamptz,
    breached_at  timestamptz,
    PRIMARY KEY (ticket_id, clock, round)
);
CREATE INDEX ticket_clock_running ON ticket_clock (tenant, due_at) WHERE ended_at IS NULL;

-- What customers were told by itself, or were not, and why: once for each of the events.
CREATE TABLE notice (
    -- The message that it answers, or that the event came by.
    message_id uuid NOT NULL,
    -- acknowledged, taken, awaited, solved.
    kind       text NOT NULL,
    tenant     text NOT NULL,
    ticket_id  uuid NOT NULL,
    contact_id uuid,
    at         timestamptz NOT NULL,
    -- It goes by mail.
    by_mail    boolean NOT NULL DEFAULT false,
    -- Why it was not sent; null when it was given to be carried.
    withheld   text,
    PRIMARY KEY (message_id, kind)
);
CREATE INDEX notice_ticket ON notice (ticket_id, kind);
CREATE INDEX notice_contact ON notice (contact_id, at) WHERE withheld IS NULL;

CREATE OR REPLACE FUNCTION lanka_ticket_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO change (tenant, what, ticket_id)
    SELECT a.tenant, CASE WHEN a.merged_into IS DISTINCT FROM b.merged_into THEN 'ticket.merged' ELSE 'ticket.updated' END, a.id
    FROM before b JOIN after a USING (id)
    WHERE (a.state, a.title, a.kind, a.fault_kind, a.priority, a.owner, a.awaited_since, a.next_due_at, a.solved_at, a.follow_up_of, a.merged_into)
        IS DISTINCT FROM (b.state, b.title, b.kind, b.fault_kind, b.priority, b.owner, b.awaited_since, b.next_due_at, b.solved_at, b.follow_up_of, b.merged_into);
    RETURN NULL;
END $$;
