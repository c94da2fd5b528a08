-- In which queue a ticket is, and whether the desk waits for its customer: told by what was said and done, whenever it comes.

-- When an agent last said that the desk waits, and when that last ended: what is the later of the two stands
-- (awaited_since). Both are kept, so that neither has to come first.
ALTER TABLE ticket ADD COLUMN awaited_at timestamptz;
ALTER TABLE ticket ADD COLUMN resumed_at timestamptz;

-- The queue, and why: which message leads there by which rule, and where somebody put it.
ALTER TABLE ticket ADD COLUMN queue text;
ALTER TABLE ticket ADD COLUMN queued jsonb;
CREATE INDEX ticket_queue ON ticket (tenant, queue) WHERE state = 'open' AND merged_into IS NULL;

-- Agents' acts on tickets are found by their messages.
DROP INDEX ticket_event_act;
CREATE INDEX ticket_event_act ON ticket_event (message_id)
    WHERE kind IN ('close', 'reopen', 'assign', 'await', 'resume', 'route');

CREATE OR REPLACE FUNCTION lanka_ticket_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO change (tenant, what, ticket_id)
    SELECT a.tenant, CASE WHEN a.merged_into IS DISTINCT FROM b.merged_into THEN 'ticket.merged' ELSE 'ticket.updated' END, a.id
    FROM before b JOIN after a USING (id)
    WHERE (a.state, a.title, a.kind, a.fault_kind, a.priority, a.owner, a.awaited_since, a.queue, a.next_due_at, a.solved_at,
            a.follow_up_of, a.merged_into)
        IS DISTINCT FROM (b.state, b.title, b.kind, b.fault_kind, b.priority, b.owner, b.awaited_since, b.queue, b.next_due_at,
            b.solved_at, b.follow_up_of, b.merged_into);
    RETURN NULL;
END $$;

-- As it was, with two columns more.
CREATE OR REPLACE VIEW report_ticket AS
SELECT k.tenant, k.id AS ticket_id, k.number, k.state, k.priority, k.kind AS kinds, k.opened_at,
    coalesce(k.first_response_at, s.first_response_at) AS first_response_at,
    extract(epoch FROM coalesce(k.first_response_at, s.first_response_at) - k.opened_at)::bigint AS first_response_s,
    k.last_at, k.solved_at, CASE WHEN k.state = 'closed' THEN k.closed_at END AS closed_at, k.follow_up_of,
    s.channels, s.from_customer, s.from_agent, s.calls, s.notes, s.automatic,
    (SELECT count(*) FROM ticket_participant p WHERE p.ticket_id = k.id) AS participants,
    k.queue, k.awaited_since
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

COMMENT ON COLUMN report_ticket.queue IS 'The queue that it is in; null for tickets from before there were queues.';
COMMENT ON COLUMN report_ticket.awaited_since IS 'Since when the desk waits for the customer; null when it does not.';
