-- Suggestions, whose an address was, and what denied mails answer, are decided anew with the people that they are about.

-- What pointed there does not any more.
ALTER TABLE suggestion DROP CONSTRAINT suggestion_state_check;
ALTER TABLE suggestion ADD CONSTRAINT suggestion_state_check
    CHECK (state IN ('open', 'accepted', 'rejected', 'overtaken', 'withdrawn'));
CREATE INDEX suggestion_target ON suggestion (target);

-- What a mail answers that its sender's domain denies.
ALTER TABLE ticket_reference DROP CONSTRAINT ticket_reference_kind_check;
ALTER TABLE ticket_reference ADD CONSTRAINT ticket_reference_kind_check
    CHECK (kind IN ('message', 'conversation', 'group', 'hint', 'number', 'wanted', 'doubted', 'subject', 'passage', 'topic'));

-- Names that a message gives: whose an address was depends on them.
ALTER TABLE message ADD COLUMN names text[] NOT NULL DEFAULT '{}';

-- That a platform told of somebody who is reached elsewhere.
ALTER TABLE fact DROP CONSTRAINT fact_kind_check;
ALTER TABLE fact ADD CONSTRAINT fact_kind_check
    CHECK (kind IN ('name', 'claim', 'number', 'company', 'desk_message', 'left', 'entered'));

-- The message that brought the identity: where that is, there its id goes.
ALTER TABLE identity ADD COLUMN opened_by uuid;

-- Identities that turned out to be part of another one. Their ids, and those of the contacts that they were, stay valid.
CREATE TABLE former_identity (
    id        uuid PRIMARY KEY,
    tenant    text NOT NULL,
    now       uuid NOT NULL,
    opened_by uuid NOT NULL
);
CREATE INDEX former_identity_now ON former_identity (now);

-- Where the contacts are that identities were, or were once.
CREATE VIEW identity_now AS
    SELECT id, contact_id FROM identity
    UNION ALL SELECT f.id, i.contact_id FROM former_identity f JOIN identity i ON i.id = f.now;
