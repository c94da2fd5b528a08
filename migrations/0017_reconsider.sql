-- Deciding anew, from all that is known, when evidence comes late.

-- What deciding needs of a message beside its columns: keyed hashes and flags.
ALTER TABLE message ADD COLUMN outline jsonb;

-- The desk's messages: to whom they went, and who answered them.
ALTER TABLE fact DROP CONSTRAINT fact_kind_check;
ALTER TABLE fact ADD CONSTRAINT fact_kind_check CHECK (kind IN ('name', 'claim', 'number', 'company', 'desk_message'));

-- Where claims of an address are found.
ALTER TABLE identity ADD COLUMN claim_key uuid;
CREATE INDEX identity_claim ON identity (claim_key) WHERE claim_key IS NOT NULL;
CREATE INDEX fact_identity ON fact (identity_id);

-- People of whom something came that may change what was decided before.
CREATE TABLE reconsider (
    contact_id uuid PRIMARY KEY,
    tenant     text NOT NULL,
    -- Its changes are not queued for mirrors: history that was imported.
    quiet      boolean NOT NULL,
    since      timestamptz NOT NULL
);

-- What a matter is about, beside its numbers.
ALTER TABLE ticket_reference DROP CONSTRAINT ticket_reference_kind_check;
ALTER TABLE ticket_reference ADD CONSTRAINT ticket_reference_kind_check
    CHECK (kind IN ('message', 'conversation', 'group', 'hint', 'number', 'wanted', 'subject', 'passage', 'topic'));
