-- What reports count by: when and where a customer first said something on a ticket, and for which organisation. Kept with
-- the clocks, so that a merge, a move or a late message mends it.

-- When it arrived (of history, when a server that we trust had it); null while no customer has said anything.
ALTER TABLE ticket ADD COLUMN asked_at timestamptz;
-- The channel by which he said it.
ALTER TABLE ticket ADD COLUMN asked_on text;
-- The domain of the customers' mail, by what is proven of them, whoever spoke first; null where anybody can have an address.
ALTER TABLE ticket ADD COLUMN organisation text;

CREATE INDEX ticket_asked ON ticket (tenant, asked_at) WHERE asked_at IS NOT NULL AND merged_into IS NULL;
CREATE INDEX ticket_clock_started ON ticket_clock (tenant, started_at);

-- As it was, with columns more.
CREATE OR REPLACE VIEW report_ticket AS
SELECT k.tenant, k.id AS ticket_id, k.number, k.state, k.priority, k.kind AS kinds, k.opened_at,
    coalesce(k.first_response_at, s.first_response_at) AS first_response_at,
    extract(epoch FROM coalesce(k.first_response_at, s.first_response_at) - k.opened_at)::bigint AS first_response_s,
    k.last_at, k.solved_at, CASE WHEN k.state = 'closed' THEN k.closed_at END AS closed_at, k.follow_up_of,
    s.channels, s.from_customer, s.from_agent, s.calls, s.notes, s.automatic,
    (SELECT count(*) FROM ticket_participant p WHERE p.ticket_id = k.id) AS participants,
    k.queue, k.awaited_since, k.fault_kind, k.feedback, k.asked_at, k.asked_on, k.organisation
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
COMMENT ON COLUMN report_ticket.asked_at IS 'When a customer first said something on it; null when none has (what the desk began, automatic mail). By this lanka report counts.';
COMMENT ON COLUMN report_ticket.asked_on IS 'The channel by which he said it.';
COMMENT ON COLUMN report_ticket.organisation IS 'The domain of its customers'' mail; null where anybody can have an address, or none is proven.';

CREATE VIEW report_clock AS
SELECT c.tenant, c.ticket_id, k.number AS ticket_number, k.organisation, c.clock, c.round, c.channel, c.rule, c.contract,
    c.started_at, c.target_s, c.worked_s, c.due_at, c.paused_since, c.ended_at,
    CASE WHEN c.due_at < c.ended_at THEN 'breached' WHEN c.ended_at IS NOT NULL THEN 'met' WHEN c.due_at <= now() THEN 'breached'
        WHEN c.paused_since IS NOT NULL THEN 'paused' ELSE 'running' END AS state
FROM ticket_clock c JOIN ticket k ON k.id = c.ticket_id WHERE k.merged_into IS NULL;
COMMENT ON VIEW report_clock IS 'One row a promise about time: a ticket has one of its first answer, one of each further answer, one of its solution.';
COMMENT ON COLUMN report_clock.tenant IS 'The firm.';
COMMENT ON COLUMN report_clock.ticket_id IS 'lanka''s id.';
COMMENT ON COLUMN report_clock.ticket_number IS 'The short number that people say.';
COMMENT ON COLUMN report_clock.organisation IS 'Its ticket''s.';
COMMENT ON COLUMN report_clock.clock IS 'first_answer, next_answer or solution.';
COMMENT ON COLUMN report_clock.round IS 'Which time of it, from 1.';
COMMENT ON COLUMN report_clock.channel IS 'The channel by which the customer said what it began with.';
COMMENT ON COLUMN report_clock.rule IS 'The rule that set its target; null where a contract itself did.';
COMMENT ON COLUMN report_clock.contract IS 'The customer''s contract; null without one.';
COMMENT ON COLUMN report_clock.started_at IS 'When the customer began to wait.';
COMMENT ON COLUMN report_clock.target_s IS 'Seconds of service time that it may take.';
COMMENT ON COLUMN report_clock.worked_s IS 'Seconds of service time that it took, or took until it was paused; null while it runs.';
COMMENT ON COLUMN report_clock.due_at IS 'When the target is, or was, used up; null while it is paused.';
COMMENT ON COLUMN report_clock.paused_since IS 'Since when the desk waits for the customer; null when it does not.';
COMMENT ON COLUMN report_clock.ended_at IS 'When it was done; null while it is not.';
COMMENT ON COLUMN report_clock.state IS 'met, breached, paused or running.';

-- Those that are there already are looked at once.
INSERT INTO touched (ticket_id) SELECT id FROM ticket WHERE merged_into IS NULL;
