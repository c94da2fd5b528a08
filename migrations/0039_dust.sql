-- What gathers dust is found without reading messages: what each open ticket waits for is kept beside it, as its clocks are.

-- One row an open ticket; none while all that is on it is history that was read in.
CREATE TABLE ticket_wait (
    ticket_id    uuid PRIMARY KEY,
    tenant       text NOT NULL,
    -- When somebody last said or did something on it. Programs do not count.
    moved_at     timestamptz NOT NULL,
    -- The desk waits for the customer.
    awaited      boolean NOT NULL,
    -- The first of the customer's words that nobody has answered; null where none is.
    asked_at     timestamptz,
    -- The first call that nobody took and nobody has returned on this ticket, and its message.
    called_at    timestamptz,
    call_message uuid
) WITH (fillfactor = 85);
CREATE INDEX ticket_wait_moved ON ticket_wait (tenant, awaited, moved_at);
CREATE INDEX ticket_wait_asked ON ticket_wait (tenant, asked_at) WHERE asked_at IS NOT NULL;
CREATE INDEX ticket_wait_called ON ticket_wait (tenant, called_at) WHERE called_at IS NOT NULL;

-- Who has open tickets, and when each of them last took or said something.
CREATE INDEX ticket_owned ON ticket (tenant, owner) WHERE state = 'open' AND merged_into IS NULL AND owner IS NOT NULL;
CREATE INDEX ticket_taken ON ticket (tenant, owner, owner_at) WHERE owner IS NOT NULL;
CREATE INDEX message_of_agent ON message (tenant, sender_name, trusted_at) WHERE direction = 'from_agent' AND auto IS NULL;
CREATE INDEX quarantine_since ON quarantine (tenant, at) WHERE state = 'waiting';

-- Those that are open already are looked at once.
INSERT INTO touched (ticket_id) SELECT id FROM ticket WHERE state = 'open' AND merged_into IS NULL;
