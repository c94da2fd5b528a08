-- Views for reports (Grafana, Metabase): documented and stable. Columns may be added; what is there keeps its name and
-- meaning. No name, address, text or vendor's id is in them: a report needs none, and whoever reads them sees none.

CREATE VIEW report_ticket AS
SELECT k.tenant, k.id AS ticket_id, k.number, k.state, k.priority, k.kind AS kinds, k.opened_at,
    coalesce(k.first_response_at, s.first_response_at) AS first_response_at,
    extract(epoch FROM coalesce(k.first_response_at, s.first_response_at) - k.opened_at)::bigint AS first_response_s,
    k.last_at, k.solved_at, CASE WHEN k.state = 'closed' THEN k.closed_at END AS closed_at, k.follow_up_of,
    s.channels, s.from_customer, s.from_agent, s.calls, s.notes, s.automatic,
    (SELECT count(*) FROM ticket_participant p WHERE p.ticket_id = k.id) AS participants
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

CREATE VIEW report_message AS
SELECT m.tenant, m.id AS message_id, m.ticket_id, k.number AS ticket_number, i.contact_id, m.channel, m.kind AS channel_kind,
    m.direction, m.occurred_at, m.received_at, m.priority, m.matter_kind AS kinds, m.auto AS automatic,
    'internal' = ANY(m.marks) AS is_note, m.call IS NOT NULL AS is_call, m.call->>'outcome' AS call_outcome,
    (m.call->>'talk_s')::bigint AS talk_s, m.progress, coalesce(k.opened_by = m.id, false) AS opened_ticket,
    m.redacted_at IS NOT NULL AS is_removed
FROM message m LEFT JOIN ticket k ON k.id = m.ticket_id LEFT JOIN identity i ON i.id = m.identity_id;

CREATE VIEW report_contact AS
SELECT c.tenant, c.id AS contact_id, c.kind, c.first_at,
    (SELECT max(i.last_at) FROM identity i WHERE i.contact_id = c.id) AS last_at,
    (SELECT count(*) FROM identity i WHERE i.contact_id = c.id) AS addresses,
    (SELECT coalesce(array_agg(DISTINCT i.scheme), '{}') FROM identity i WHERE i.contact_id = c.id) AS schemes,
    t.tickets, t.open_tickets
FROM contact c CROSS JOIN LATERAL (
    SELECT count(*) AS tickets, count(*) FILTER (WHERE k.state = 'open') AS open_tickets
    FROM ticket_participant p JOIN ticket k ON k.id = p.ticket_id WHERE p.contact_id = c.id AND k.merged_into IS NULL
) t WHERE c.merged_into IS NULL AND c.erased_at IS NULL;

CREATE VIEW report_channel_day AS
SELECT m.tenant, m.channel, m.kind AS channel_kind, m.occurred_at::date AS day,
    count(*) FILTER (WHERE m.direction = 'from_customer' AND m.auto IS NULL) AS from_customer,
    count(*) FILTER (WHERE m.direction = 'from_agent' AND m.auto IS NULL AND NOT 'internal' = ANY(m.marks)) AS from_agent,
    count(*) FILTER (WHERE m.call IS NOT NULL) AS calls,
    count(*) FILTER (WHERE m.call->>'outcome' = 'missed') AS missed_calls,
    count(*) FILTER (WHERE m.auto IS NOT NULL) AS automatic,
    count(*) FILTER (WHERE m.progress = 'failed') AS failed,
    count(*) FILTER (WHERE k.opened_by = m.id) AS tickets_opened
FROM message m LEFT JOIN ticket k ON k.id = m.ticket_id GROUP BY m.tenant, m.channel, m.kind, m.occurred_at::date;

COMMENT ON VIEW report_ticket IS 'One row a ticket. Those that were merged into another are not in it.';
COMMENT ON COLUMN report_ticket.tenant IS 'The firm.';
COMMENT ON COLUMN report_ticket.ticket_id IS 'lanka''s id.';
COMMENT ON COLUMN report_ticket.number IS 'The short number that people say.';
COMMENT ON COLUMN report_ticket.state IS 'open or closed.';
COMMENT ON COLUMN report_ticket.priority IS 'high, normal or low.';
COMMENT ON COLUMN report_ticket.kinds IS 'service, problem, feedback: any of them, or none.';
COMMENT ON COLUMN report_ticket.opened_at IS 'When the first thing was said on it.';
COMMENT ON COLUMN report_ticket.first_response_at IS 'When the desk first answered; notes and automatic mail are no answer. Null until then.';
COMMENT ON COLUMN report_ticket.first_response_s IS 'Seconds from opened_at to first_response_at, by the clock, not by service hours.';
COMMENT ON COLUMN report_ticket.last_at IS 'When the last thing was said on it.';
COMMENT ON COLUMN report_ticket.solved_at IS 'When it was solved, where a tool tells.';
COMMENT ON COLUMN report_ticket.closed_at IS 'When it was closed; null while it is open.';
COMMENT ON COLUMN report_ticket.follow_up_of IS 'The ticket that it continues.';
COMMENT ON COLUMN report_ticket.channels IS 'Names of the channels that it came over.';
COMMENT ON COLUMN report_ticket.from_customer IS 'What customers said; calls count, automatic mail does not.';
COMMENT ON COLUMN report_ticket.from_agent IS 'What the desk said to them; calls count, notes and automatic mail do not.';
COMMENT ON COLUMN report_ticket.calls IS 'Calls, either way.';
COMMENT ON COLUMN report_ticket.notes IS 'Notes for colleagues.';
COMMENT ON COLUMN report_ticket.automatic IS 'Automatic mail, either way.';
COMMENT ON COLUMN report_ticket.participants IS 'Contacts who take part.';

COMMENT ON VIEW report_message IS 'One row a message; a call is a message. What was erased keeps its row, and says nothing.';
COMMENT ON COLUMN report_message.tenant IS 'The firm.';
COMMENT ON COLUMN report_message.message_id IS 'lanka''s id.';
COMMENT ON COLUMN report_message.ticket_id IS 'The ticket it is on now; null on none.';
COMMENT ON COLUMN report_message.ticket_number IS 'That ticket''s short number.';
COMMENT ON COLUMN report_message.contact_id IS 'Whose it is, or whom it was said to, as it stands now.';
COMMENT ON COLUMN report_message.channel IS 'The configured channel''s name.';
COMMENT ON COLUMN report_message.channel_kind IS 'Its kind: imap, webchat, ….';
COMMENT ON COLUMN report_message.direction IS 'from_customer or from_agent.';
COMMENT ON COLUMN report_message.occurred_at IS 'When it was said.';
COMMENT ON COLUMN report_message.received_at IS 'When lanka stored it.';
COMMENT ON COLUMN report_message.priority IS 'high, normal or low: of what it says.';
COMMENT ON COLUMN report_message.kinds IS 'service, problem, feedback: of what it says.';
COMMENT ON COLUMN report_message.automatic IS 'Why it is taken for automatic: bounce, vacation, list, …; null for what a person wrote.';
COMMENT ON COLUMN report_message.is_note IS 'Written for colleagues.';
COMMENT ON COLUMN report_message.is_call IS 'A call.';
COMMENT ON COLUMN report_message.call_outcome IS 'answered, voicemail, missed, busy or failed.';
COMMENT ON COLUMN report_message.talk_s IS 'Seconds of talk.';
COMMENT ON COLUMN report_message.progress IS 'How far what the desk sent has come: sent, delivered, read, played or failed.';
COMMENT ON COLUMN report_message.opened_ticket IS 'Its ticket began with it.';
COMMENT ON COLUMN report_message.is_removed IS 'It was taken back or erased.';

COMMENT ON VIEW report_contact IS 'One row a contact, without name or address. Those who were merged or erased are not in it.';
COMMENT ON COLUMN report_contact.tenant IS 'The firm.';
COMMENT ON COLUMN report_contact.contact_id IS 'lanka''s id.';
COMMENT ON COLUMN report_contact.kind IS 'person, organisation or shared.';
COMMENT ON COLUMN report_contact.first_at IS 'When it was first heard of.';
COMMENT ON COLUMN report_contact.last_at IS 'When it was last heard of.';
COMMENT ON COLUMN report_contact.addresses IS 'How many addresses it has.';
COMMENT ON COLUMN report_contact.schemes IS 'Of which kinds these are: mailto, tel, ….';
COMMENT ON COLUMN report_contact.tickets IS 'Tickets it takes part in.';
COMMENT ON COLUMN report_contact.open_tickets IS 'Those of them that are open.';

COMMENT ON VIEW report_channel_day IS 'One row a channel and day on which something was said there.';
COMMENT ON COLUMN report_channel_day.tenant IS 'The firm.';
COMMENT ON COLUMN report_channel_day.channel IS 'The configured channel''s name.';
COMMENT ON COLUMN report_channel_day.channel_kind IS 'Its kind.';
COMMENT ON COLUMN report_channel_day.day IS 'The day it was said, in the time zone of the session that asks (SET timezone).';
COMMENT ON COLUMN report_channel_day.from_customer IS 'What customers said; calls count, automatic mail does not.';
COMMENT ON COLUMN report_channel_day.from_agent IS 'What the desk said to them; calls count, notes and automatic mail do not.';
COMMENT ON COLUMN report_channel_day.calls IS 'Calls, either way.';
COMMENT ON COLUMN report_channel_day.missed_calls IS 'Calls that nobody took.';
COMMENT ON COLUMN report_channel_day.automatic IS 'Automatic mail, either way.';
COMMENT ON COLUMN report_channel_day.failed IS 'What the desk sent and could not be delivered.';
COMMENT ON COLUMN report_channel_day.tickets_opened IS 'Tickets that began with it.';
