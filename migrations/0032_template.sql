-- An answer that is sent as a template: {"name", "language", "parameters"}. What it says in words is the message's text.
ALTER TABLE answer ADD COLUMN template jsonb;
