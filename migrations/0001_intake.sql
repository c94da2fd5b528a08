-- Intake: deliveries as they arrived, and what guards against taking one in twice.

-- Tables partitioned by month on a UUIDv7. Their first column is the partition key.
CREATE FUNCTION lanka_partitioned() RETURNS text[] LANGUAGE sql IMMUTABLE AS
$$ SELECT ARRAY['raw_event', 'raw_item', 'message', 'attachment', 'decision', 'ticket_event', 'outbox'] $$;

-- The smallest UUIDv7 of an instant: its 48 bits of milliseconds, and zeros.
CREATE FUNCTION lanka_uuid_floor(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid $$;

-- Makes the month's partition of every partitioned table, if it is missing. Two daemons may call it at once.
CREATE FUNCTION lanka_ensure_month(at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month timestamptz := date_trunc('month', at, 'UTC');
    parent text;
    child text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('lanka_ensure_month', 0));
    FOREACH parent IN ARRAY lanka_partitioned() LOOP
        child := parent || '_' || to_char(month AT TIME ZONE 'UTC', 'YYYYMM');
        IF to_regclass(parent) IS NOT NULL AND to_regclass(child) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', child, parent,
                lanka_uuid_floor(month), lanka_uuid_floor(month + interval '1 month'));
        END IF;
    END LOOP;
END $$;

-- A delivery exactly as it arrived. Bodies over the limit are in the content store, named by content_hash.
-- Identical bytes that come again point at the first body (same_as) and keep none of their own.
CREATE TABLE raw_event (
    id           uuid NOT NULL,
    tenant       text NOT NULL,
    channel      text NOT NULL,
    kind         text NOT NULL,
    received_at  timestamptz NOT NULL,
    trusted_at   timestamptz,
    origin       text NOT NULL DEFAULT '',
    body         bytea,
    content_hash bytea CHECK (octet_length(content_hash) = 32),
    same_as      uuid,
    bytes        bigint NOT NULL,
    -- History that is read in calls nobody, also when it is read again: its changes are not queued for mirrors.
    quiet        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (id),
    CHECK (num_nonnulls(body, content_hash, same_as) = 1)
) PARTITION BY RANGE (id);

-- Deliveries that wait for ingest. Narrow, because it is the queue: claimed with SKIP LOCKED in the
-- transaction that settles them, so that a crash gives them back by itself.
CREATE TABLE raw_pending (
    raw_event uuid PRIMARY KEY,
    bytes     bigint NOT NULL,
    -- As the raw_event's.
    quiet     boolean NOT NULL DEFAULT false
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);

-- The only guard against duplicates. For raw bodies: scope 'raw/<tenant>/<channel>', message_id is the
-- raw_event with the bytes. For messages: scope '<tenant>/<namespace>', message_id the message.
CREATE TABLE seen (
    scope      text NOT NULL,
    key_hash   uuid NOT NULL,
    message_id uuid NOT NULL,
    first_at   timestamptz NOT NULL,
    PRIMARY KEY (scope, key_hash)
);

-- How far an intake has read: UIDVALIDITY and UID of a folder, inode and offset of a file.
CREATE TABLE cursor (
    tenant   text NOT NULL,
    channel  text NOT NULL,
    source   text NOT NULL,
    state    jsonb NOT NULL,
    moved_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, channel, source)
);

-- What could not be understood or taken in, in sight of a person until he retries or drops it.
CREATE TABLE quarantine (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     text NOT NULL,
    channel    text NOT NULL,
    kind       text NOT NULL,
    -- NULL for what was too large to be stored at all.
    raw_event  uuid,
    origin     text NOT NULL DEFAULT '',
    code       text NOT NULL,
    detail     text NOT NULL,
    at         timestamptz NOT NULL,
    state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'retried', 'dropped')),
    state_at   timestamptz
);
CREATE INDEX quarantine_waiting ON quarantine (id) WHERE state = 'waiting';
CREATE INDEX quarantine_raw_event ON quarantine (raw_event);

-- Keyed hashes of what was erased: intake, import and replay do not take it in again.
CREATE TABLE tombstone (
    key_hash  uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL
);
