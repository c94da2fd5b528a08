-- Who may use the API: what a token may do, and for which firm. The token itself is nowhere: only its SHA-256, which
-- is enough for 256 random bits. A row that was revoked stays, for the journals name it.
CREATE TABLE api_token (
    id           uuid PRIMARY KEY,
    name         text NOT NULL,
    tenant       text NOT NULL,
    scopes       text[] NOT NULL,
    token_hash   bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    -- To the minute.
    last_used_at timestamptz,
    revoked_at   timestamptz
);
CREATE UNIQUE INDEX api_token_name ON api_token (name) WHERE revoked_at IS NULL;
