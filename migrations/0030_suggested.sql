-- What agents were told of suggestions, by the ticket: each message of a thread may point to the same other ticket, and they hear of
-- that once.

CREATE INDEX outbox_suggested ON outbox (ticket_id) WHERE change = 'suggestion.made';
