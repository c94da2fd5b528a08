-- Short texts that agents answer with: read from files, offered on tickets, and which were used.

-- The words of a text in its language: stems where Postgres knows the language, else the words as they are.
CREATE FUNCTION lanka_ready_words(language text, whole text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    plain text := translate(left(whole, 20000), '/.-@<&+~_', '         ');
BEGIN
    RETURN CASE language
        WHEN 'fi' THEN to_tsvector('finnish', plain)
        WHEN 'sv' THEN to_tsvector('swedish', plain)
        WHEN 'en' THEN to_tsvector('english', plain)
        WHEN 'da' THEN to_tsvector('danish', plain)
        WHEN 'no' THEN to_tsvector('norwegian', plain)
        WHEN 'de' THEN to_tsvector('german', plain)
        WHEN 'nl' THEN to_tsvector('dutch', plain)
        WHEN 'fr' THEN to_tsvector('french', plain)
        WHEN 'es' THEN to_tsvector('spanish', plain)
        WHEN 'ru' THEN to_tsvector('russian', plain)
        ELSE to_tsvector('simple', plain)
    END;
END $$;

-- The answers as the directory held them when it was last read. What is gone there stays for the counts.
CREATE TABLE ready_answer (
    -- Its path below the directory, without the ending.
    id            text PRIMARY KEY,
    -- Null: every firm's.
    tenant        text,
    title         text NOT NULL,
    language      text NOT NULL,
    -- service, problem, feedback; empty: any.
    kinds         text[] NOT NULL DEFAULT '{}',
    -- chat, mail, call: what its ticket came by; empty: any.
    alike         text[] NOT NULL DEFAULT '{}',
    words         text[] NOT NULL DEFAULT '{}',
    -- Domains of the customers it is for; empty: all.
    organisations text[] NOT NULL DEFAULT '{}',
    text          text NOT NULL,
    hash          bytea NOT NULL,
    read_at       timestamptz NOT NULL,
    gone_at       timestamptz,
    -- A: what it is called and asked by. D: what it says.
    search        tsvector NOT NULL
);
CREATE INDEX ready_answer_search ON ready_answer USING gin (search);

-- What was said while there were ready answers, to be looked at: what fits a question, what an answer was made of.
-- Whoever takes the rows deletes them.
CREATE TABLE ready_look (
    n          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     text NOT NULL,
    ticket_id  uuid NOT NULL,
    message_id uuid NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02);

CREATE FUNCTION lanka_ready_look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM ready_answer WHERE gone_at IS NULL) THEN
        INSERT INTO ready_look (tenant, ticket_id, message_id)
        SELECT tenant, ticket_id, message_id FROM after WHERE what = 'message.added' AND ticket_id IS NOT NULL ORDER BY n;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ready_look AFTER INSERT ON change REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION lanka_ready_look();

-- What was offered on a ticket, each answer once, for which message.
CREATE TABLE ready_offer (
    ticket_id  uuid NOT NULL,
    answer_id  text NOT NULL,
    tenant     text NOT NULL,
    message_id uuid NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (ticket_id, answer_id)
);
CREATE INDEX ready_offer_answer ON ready_offer (answer_id);
CREATE INDEX ready_offer_message ON ready_offer (message_id);

-- Which agents' answers were made of a ready one.
CREATE TABLE ready_answer_use (
    message_id uuid NOT NULL,
    answer_id  text NOT NULL,
    tenant     text NOT NULL,
    -- said: whoever gave the answer named it. found: its sentences are in the answer.
    by         text NOT NULL CHECK (by IN ('said', 'found')),
    at         timestamptz NOT NULL,
    PRIMARY KEY (message_id, answer_id)
);
CREATE INDEX ready_answer_use_answer ON ready_answer_use (answer_id, at);

CREATE VIEW report_ready_answer AS
SELECT a.id AS answer_id, a.tenant, a.title, a.language, a.kinds, a.gone_at IS NULL AS is_there, a.read_at,
    coalesce(o.offered, 0) AS offered, coalesce(u.used, 0) AS used, u.last_used_at
FROM ready_answer a
    LEFT JOIN (SELECT answer_id, count(*) AS offered FROM ready_offer GROUP BY answer_id) o ON o.answer_id = a.id
    LEFT JOIN (SELECT answer_id, count(*) AS used, max(at) AS last_used_at FROM ready_answer_use GROUP BY answer_id) u
        ON u.answer_id = a.id;

COMMENT ON VIEW report_ready_answer IS 'One row a ready answer; those whose file is gone too, as long as they are counted.';
COMMENT ON COLUMN report_ready_answer.answer_id IS 'Its path below the directory of ready answers, without the ending.';
COMMENT ON COLUMN report_ready_answer.tenant IS 'The firm it is for; null when it is every firm''s.';
COMMENT ON COLUMN report_ready_answer.title IS 'What it is called.';
COMMENT ON COLUMN report_ready_answer.language IS 'Its language (ISO 639-1).';
COMMENT ON COLUMN report_ready_answer.kinds IS 'service, problem, feedback: what it answers; empty when any.';
COMMENT ON COLUMN report_ready_answer.is_there IS 'Its file is there still.';
COMMENT ON COLUMN report_ready_answer.read_at IS 'When its file was last read with what it says now.';
COMMENT ON COLUMN report_ready_answer.offered IS 'Tickets on which it was offered, of those that are kept.';
COMMENT ON COLUMN report_ready_answer.used IS 'Answers to customers that were made of it, of those that are kept.';
COMMENT ON COLUMN report_ready_answer.last_used_at IS 'When the last of them was given.';
