-- What kind of problem and feedback a message brings, what an agent said of a ticket, and what such corrections taught.

-- Whose the problem is (own, unclear, fault), what it does (hinders, prevents), and what the feedback says (complaint, wish, praise).
ALTER TABLE message ADD COLUMN problem text;
ALTER TABLE message ADD COLUMN effect text;
ALTER TABLE message ADD COLUMN feedback text[] NOT NULL DEFAULT '{}';
-- What an agent said of the ticket that it opened: it goes where the message goes, and stands over what the words say.
ALTER TABLE message ADD COLUMN classified jsonb;

-- ticket.fault_kind is filled from here on: own, unclear, hinders or prevents, the gravest of its messages.
ALTER TABLE ticket ADD COLUMN feedback text[] NOT NULL DEFAULT '{}';
ALTER TABLE ticket ADD COLUMN classified jsonb;
-- How often its customers have asked since anybody answered them.
ALTER TABLE ticket ADD COLUMN unanswered integer NOT NULL DEFAULT 0;

-- Corrections in the order in which they were made; those that stand are looked up in the messages.
CREATE INDEX message_classified ON message (tenant, id) WHERE classified IS NOT NULL;

-- What corrections taught: counts of hashed words, no texts. One row a training; the latest is in force if it is on.
CREATE TABLE triage_model (
    tenant      text NOT NULL,
    version     integer NOT NULL,
    trained_at  timestamptz NOT NULL,
    corrections integer NOT NULL,
    -- Corrections that were held back, and how well the rules and the model did on them (macro F1 of kind).
    held_back   integer NOT NULL,
    rules_f1    real NOT NULL,
    model_f1    real NOT NULL,
    is_on       boolean NOT NULL,
    model       jsonb NOT NULL,
    PRIMARY KEY (tenant, version)
);

CREATE OR REPLACE FUNCTION lanka_ticket_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO change (tenant, what, ticket_id)
    SELECT a.tenant, CASE WHEN a.merged_into IS DISTINCT FROM b.merged_into THEN 'ticket.merged' ELSE 'ticket.updated' END, a.id
    FROM before b JOIN after a USING (id)
    WHERE (a.state, a.title, a.kind, a.fault_kind, a.feedback, a.priority, a.owner, a.awaited_since, a.queue, a.next_due_at, a.solved_at,
            a.follow_up_of, a.merged_into)
        IS DISTINCT FROM (b.state, b.title, b.kind, b.fault_kind, b.feedback, b.priority, b.owner, b.awaited_since, b.queue, b.next_due_at,
            b.solved_at, b.follow_up_of, b.merged_into);
    RETURN NULL;
END $$;

-- As they were, with columns more.
CREATE OR REPLACE VIEW report_ticket AS
SELECT k.tenant, k.id AS ticket_id, k.number, k.state, k.priority, k.kind AS kinds, k.opened_at,
    coalesce(k.first_response_at, s.first_response_at) AS first_response_at,
    extract(epoch FROM coalesce(k.first_response_at, s.first_response_at) - k.opened_at)::bigint AS first_response_s,
    k.last_at, k.solved_at, CASE WHEN k.state = 'closed' THEN k.closed_at END AS closed_at, k.follow_up_of,
    s.channels, s.from_customer, s.from_agent, s.calls, s.notes, s.automatic,
    (SELECT count(*) FROM ticket_participant p WHERE p.ticket_id = k.id) AS participants,
    k.queue, k.awaited_since, k.fault_kind, k.feedback
FROM ticket k CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(DISTINCT m.channel), '{}') AS channels,
        count(*) FILTER (WHERE m.direction = 'from_customer' AND m.auto IS NULL) AS from_customer,
        count(*) FILTER (WHERE m.direction = 'from_agent' AND m.auto IS NULL AND NOT 'internal' = ANY(m.marks)) AS from_agent,
        count(*) FILTER (WHERE m.call IS NOT NULL) AS calls,
        count(*) FILTER (WHERE 'internal' = ANY(m.marks)) AS notes,
        count(*) FILTER (WHERE m.auto IS NOT NULL) AS automatic,
        min(m.occurred_at) FILTER (WHERE m.direction = 'from_agent' AND m.auto IS NULL AND NOT 'internal' = ANY(m.marks)
            AND m.occurred_at >= k.opened_at) AS first_response_at
    FROM message m WHERE m.ticket_id = k.id
) s WHERE k.merged_into IS NULL;
CREATE OR REPLACE VIEW report_message AS
SELECT m.tenant, m.id AS message_id, m.ticket_id, k.number AS ticket_number, i.contact_id, m.channel, m.kind AS channel_kind,
    m.direction, m.occurred_at, m.received_at, m.priority, m.matter_kind AS kinds, m.auto AS automatic,
    'internal' = ANY(m.marks) AS is_note, m.call IS NOT NULL AS is_call, m.call->>'outcome' AS call_outcome,
    (m.call->>'talk_s')::bigint AS talk_s, m.progress, coalesce(k.opened_by = m.id, false) AS opened_ticket,
    m.redacted_at IS NOT NULL AS is_removed, m.problem, m.effect, m.feedback
FROM message m LEFT JOIN ticket k ON k.id = m.ticket_id LEFT JOIN identity i ON i.id = m.identity_id;
COMMENT ON COLUMN report_ticket.fault_kind IS 'own: the customer''s own doing; unclear: nobody can tell; hinders, prevents: what a fault does. Null without a problem.';
COMMENT ON COLUMN report_ticket.feedback IS 'complaint, wish, praise: any of them, or none.';
COMMENT ON COLUMN report_message.problem IS 'own, unclear or fault; null without a problem.';
COMMENT ON COLUMN report_message.effect IS 'hinders or prevents; null where it cannot be told.';
COMMENT ON COLUMN report_message.feedback IS 'complaint, wish, praise: any of them, or none.';
