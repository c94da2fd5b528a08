-- A mail that lost its references is found by what it quotes, or by its subject: keyed hashes, as all keys are.
ALTER TABLE ticket_reference DROP CONSTRAINT ticket_reference_kind_check;
ALTER TABLE ticket_reference ADD CONSTRAINT ticket_reference_kind_check
    CHECK (kind IN ('message', 'conversation', 'group', 'hint', 'number', 'wanted', 'subject', 'passage'));
