-- What changed, for those who look on (GET /api/v1/events): ids only, kept for a day. Triggers write it, in the
-- transaction that changes the thing, whoever does it.

-- Read in order of (xid, n), and only what is of transactions before the oldest one under way: one that began earlier
-- and commits later would otherwise be passed over.
CREATE TABLE change (
    xid        xid8 NOT NULL DEFAULT pg_current_xact_id(),
    n          bigint GENERATED ALWAYS AS IDENTITY,
    tenant     text NOT NULL,
    what       text NOT NULL,
    ticket_id  uuid,
    message_id uuid,
    contact_id uuid,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (xid, n)
);

-- The last one that was forgotten: who knows none later has missed something.
CREATE TABLE change_floor (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    xid xid8 NOT NULL,
    n   bigint NOT NULL
);
INSERT INTO change_floor (xid, n) VALUES ('0', 0);

CREATE FUNCTION lanka_message_came() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO change (tenant, what, ticket_id, message_id)
    SELECT tenant, 'message.added', ticket_id, id FROM after ORDER BY id;
    RETURN NULL;
END $$;
CREATE TRIGGER message_came AFTER INSERT ON message REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION lanka_message_came();

CREATE FUNCTION lanka_message_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO change (tenant, what, ticket_id, message_id)
    SELECT a.tenant, 'message.moved', t.ticket_id, a.id FROM before b JOIN after a USING (id)
        CROSS JOIN LATERAL (VALUES (b.ticket_id), (a.ticket_id)) AS t(ticket_id)
    WHERE a.ticket_id IS DISTINCT FROM b.ticket_id AND t.ticket_id IS NOT NULL
    UNION ALL
    SELECT a.tenant, 'message.updated', a.ticket_id, a.id FROM before b JOIN after a USING (id)
    WHERE (a.subject, a.text, a.call, a.marks, a.progress, a.progress_why, a.identity_id, a.redacted_at)
        IS DISTINCT FROM (b.subject, b.text, b.call, b.marks, b.progress, b.progress_why, b.identity_id, b.redacted_at);
    RETURN NULL;
END $$;
CREATE TRIGGER message_changed AFTER UPDATE ON message REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION lanka_message_changed();

-- A file that was fetched, or lost.
CREATE FUNCTION lanka_attachment_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO change (tenant, what, ticket_id, message_id)
    SELECT m.tenant, 'message.updated', m.ticket_id, m.id FROM (
        SELECT DISTINCT a.message_id FROM before b JOIN after a USING (message_id, ordinal)
        WHERE (a.content_hash, a.lost, a.name) IS DISTINCT FROM (b.content_hash, b.lost, b.name)
    ) c JOIN message m ON m.id = c.message_id;
    RETURN NULL;
END $$;
CREATE TRIGGER attachment_changed AFTER UPDATE ON attachment REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION lanka_attachment_changed();

CREATE FUNCTION lanka_ticket_came() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO change (tenant, what, ticket_id) SELECT tenant, 'ticket.opened', id FROM after ORDER BY number;
    RETURN NULL;
END $$;
CREATE TRIGGER ticket_came AFTER INSERT ON ticket REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION lanka_ticket_came();

CREATE FUNCTION lanka_ticket_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO change (tenant, what, ticket_id)
    SELECT a.tenant, CASE WHEN a.merged_into IS DISTINCT FROM b.merged_into THEN 'ticket.merged' ELSE 'ticket.updated' END, a.id
    FROM before b JOIN after a USING (id)
    WHERE (a.state, a.title, a.kind, a.fault_kind, a.priority, a.owner, a.next_due_at, a.solved_at, a.follow_up_of, a.merged_into)
        IS DISTINCT FROM (b.state, b.title, b.kind, b.fault_kind, b.priority, b.owner, b.next_due_at, b.solved_at, b.follow_up_of, b.merged_into);
    RETURN NULL;
END $$;
CREATE TRIGGER ticket_changed AFTER UPDATE ON ticket REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION lanka_ticket_changed();

CREATE FUNCTION lanka_contact_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO change (tenant, what, contact_id)
    SELECT a.tenant, 'contact.updated', a.id FROM before b JOIN after a USING (id)
    WHERE (a.name, a.kind, a.merged_into, a.erased_at) IS DISTINCT FROM (b.name, b.kind, b.merged_into, b.erased_at);
    RETURN NULL;
END $$;
CREATE TRIGGER contact_changed AFTER UPDATE ON contact REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION lanka_contact_changed();

-- An address that is somebody else's now: both have changed.
CREATE FUNCTION lanka_identity_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO change (tenant, what, contact_id)
    SELECT DISTINCT a.tenant, 'contact.updated', c.contact_id FROM before b JOIN after a USING (id)
        CROSS JOIN LATERAL (VALUES (b.contact_id), (a.contact_id)) AS c(contact_id)
    WHERE a.contact_id <> b.contact_id;
    RETURN NULL;
END $$;
CREATE TRIGGER identity_changed AFTER UPDATE ON identity REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION lanka_identity_changed();

CREATE FUNCTION lanka_suggestion_came() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO change (tenant, what, ticket_id, message_id)
    SELECT s.tenant, 'suggestion.made', m.ticket_id, s.message_id FROM after s LEFT JOIN message m ON m.id = s.message_id;
    RETURN NULL;
END $$;
CREATE TRIGGER suggestion_came AFTER INSERT ON suggestion REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION lanka_suggestion_came();

CREATE FUNCTION lanka_suggestion_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO change (tenant, what, ticket_id, message_id)
    SELECT a.tenant, 'suggestion.answered', m.ticket_id, a.message_id FROM before b JOIN after a USING (id)
        LEFT JOIN message m ON m.id = a.message_id
    WHERE a.state <> b.state;
    RETURN NULL;
END $$;
CREATE TRIGGER suggestion_changed AFTER UPDATE ON suggestion REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION lanka_suggestion_changed();
