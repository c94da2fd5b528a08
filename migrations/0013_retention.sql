-- Retention: what is removed by age, and the contents that nothing names afterwards.

-- The instant of a UUIDv7, to the millisecond.
CREATE FUNCTION lanka_uuid_time(id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) $$;

-- Contents that a row named which was removed. Written where the row is removed; a content that nothing
-- names any more then goes, and its line here after it, so that a crash leaves no file behind.
CREATE TABLE unnamed_content (
    content_hash bytea PRIMARY KEY CHECK (octet_length(content_hash) = 32)
);
