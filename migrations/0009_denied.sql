-- Mails that their sender's domain denies are counted every few seconds for an alert; they are few.
CREATE INDEX message_denied ON message (id) WHERE 'contradicted' = ANY(marks);

-- Whether any row still names a content, before its file is removed.
CREATE INDEX raw_event_content ON raw_event (content_hash) WHERE content_hash IS NOT NULL;
CREATE INDEX attachment_content ON attachment (content_hash) WHERE content_hash IS NOT NULL;
