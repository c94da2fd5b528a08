-- Mails that their sender's domain denies are counted every few seconds for an alert; they are few.
CREATE INDEX message_denied ON message (id) WHERE 'contradicted' = ANY(marks);
