-- What agents do in tools of theirs, told by the id of the message it is on.

-- A message is found by the vendor's id alone: agents' tools know nothing of namespaces.
CREATE INDEX message_source_key ON message (hashtextextended(source_key, 0));

-- Closings of conversations, found by the message that each is on.
CREATE INDEX ticket_event_close ON ticket_event (message_id) WHERE kind = 'close';

-- What came before the message that it is on, under its key: decided when that comes.
CREATE TABLE early_act (
    key_hash  uuid NOT NULL,
    raw_event uuid NOT NULL,
    item      integer NOT NULL,
    PRIMARY KEY (key_hash, raw_event, item)
);
