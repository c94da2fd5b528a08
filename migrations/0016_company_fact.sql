-- The firm somebody writes for: with the full name worth a suggestion. What is stored is older and holds.
ALTER TABLE fact DROP CONSTRAINT fact_kind_check;
ALTER TABLE fact ADD CONSTRAINT fact_kind_check CHECK (kind IN ('name', 'company', 'claim', 'number')) NOT VALID;
