-- Which agent has a ticket, as the tool tells in which he took it, and since when: of two who are told, the later one has it.
-- Agents' acts on tickets are found by their messages: closings, openings again, and who has it.

ALTER TABLE ticket ADD COLUMN owner_at timestamptz;

DROP INDEX ticket_event_close;
CREATE INDEX ticket_event_act ON ticket_event (message_id) WHERE kind IN ('close', 'reopen', 'assign');
