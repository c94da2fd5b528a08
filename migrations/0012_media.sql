-- Files are fetched under claims that end with their process, and held against what the vendor says of them.
ALTER TABLE media_job ADD COLUMN claimant bigint;
-- SHA-256 of the bytes as the delivery states it.
ALTER TABLE media_job ADD COLUMN sha256 bytea CHECK (octet_length(sha256) = 32);

CREATE INDEX media_job_claimed ON media_job (claimant, claimed_until) WHERE state = 'claimed';
-- What is not done, for counting.
CREATE INDEX media_job_open ON media_job (tenant, channel, state) WHERE state <> 'done';

-- What came before files were fetched at all: tried now, but for imported history, which asks nobody.
INSERT INTO media_job (message_id, ordinal, tenant, channel, due_at)
SELECT a.message_id, a.ordinal, m.tenant, m.channel, now() FROM attachment a JOIN message m ON m.id = a.message_id
    JOIN raw_event r ON r.id = m.raw_event
WHERE a.remote IS NOT NULL AND a.content_hash IS NULL AND a.lost IS NULL AND m.redacted_at IS NULL AND NOT r.quiet
ON CONFLICT DO NOTHING;

UPDATE attachment a SET lost = 'left with the vendor when history was imported'
WHERE remote IS NOT NULL AND content_hash IS NULL AND lost IS NULL
    AND NOT EXISTS (SELECT 1 FROM media_job j WHERE j.message_id = a.message_id AND j.ordinal = a.ordinal);
