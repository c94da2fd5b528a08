-- A number that its owner left: what is later is of the next epoch, somebody else's. And how far
-- what we sent has come.

ALTER TABLE identity ADD COLUMN closed_at timestamptz;

-- The greatest of what receipts said: sent, failed, delivered, read, played.
ALTER TABLE message ADD COLUMN progress text;
ALTER TABLE message ADD COLUMN progress_why text;

ALTER TABLE ticket_reference DROP CONSTRAINT ticket_reference_kind_check;
ALTER TABLE ticket_reference ADD CONSTRAINT ticket_reference_kind_check
    CHECK (kind IN ('message', 'conversation', 'group', 'hint', 'number', 'wanted'));
