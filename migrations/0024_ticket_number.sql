-- What people say to find a ticket.
CREATE INDEX ticket_number_key ON ticket (number);
