-- What lanka says is kept as a value with a stable code, and put into words where it is read.

-- Rows of before have a finished text in `why`; new ones leave that empty. What agents say themselves stays in `why`.
ALTER TABLE suggestion ADD COLUMN says jsonb;
ALTER TABLE suggestion ALTER COLUMN why SET DEFAULT '';
ALTER TABLE contact_link ADD COLUMN says jsonb;
