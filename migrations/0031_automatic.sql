-- Programs that answer mail are counted before they are answered: those on a ticket, and every few seconds all of the last hour, for
-- an alert. (Mail of lists is written by people; a receipt comes of reading.)
CREATE INDEX message_automatic_ticket ON message (ticket_id, id)
    WHERE direction = 'from_customer' AND auto IN ('bounce', 'vacation', 'generated');
CREATE INDEX message_automatic ON message (id)
    WHERE direction = 'from_customer' AND auto IN ('bounce', 'vacation', 'generated');
