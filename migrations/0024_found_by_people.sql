-- What people type to find something: a ticket's short number, and the id a vendor or a mail gave a message.
CREATE INDEX ticket_number_key ON ticket (number);
CREATE INDEX message_source_key ON message USING hash (source_key);
