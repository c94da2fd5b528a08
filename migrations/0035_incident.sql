-- The same thing again and again: what many speak of at once, and what one customer comes back for.

-- What customers and monitoring said within the window, to be held against what is usual. Rows go when they leave it.
CREATE TABLE heard (
    message_id   uuid PRIMARY KEY,
    tenant       text NOT NULL,
    contact_id   uuid NOT NULL,
    -- The firm he writes for, by its domain.
    organisation text,
    at           timestamptz NOT NULL,
    -- Beginnings of words, and what they stand for.
    terms        text[] NOT NULL,
    is_trouble   boolean NOT NULL,
    -- The subject that it answers, hashed.
    echo         text,
    is_alert     boolean NOT NULL
);
CREATE INDEX heard_at ON heard (tenant, at);
CREATE INDEX heard_contact ON heard (contact_id);

-- How often terms are said: a decayed count of contacts, under a hash of the term, so that it is bounded and gives away no
-- word. Bucket -1 counts all contacts.
CREATE TABLE term_rate (
    tenant text NOT NULL,
    bucket integer NOT NULL,
    count  double precision NOT NULL,
    at     timestamptz NOT NULL,
    PRIMARY KEY (tenant, bucket)
) WITH (fillfactor = 85);

-- How far among the changes (table change) it was listened.
CREATE TABLE heard_until (
    tenant text PRIMARY KEY,
    place  text NOT NULL
);

-- One thing that many speak of at once.
CREATE TABLE incident (
    id           uuid PRIMARY KEY,
    tenant       text NOT NULL,
    -- What people say on the telephone.
    number       bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    -- Of several customers, or of several people of one organisation.
    sort         text NOT NULL CHECK (sort IN ('customers', 'organisation')),
    organisation text,
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    -- What carries it, the most telling first.
    terms        text[] NOT NULL,
    -- Different customers (or people) at the onset, and how many of them would be usual.
    count        integer NOT NULL,
    expected     double precision NOT NULL,
    -- When the first of its contacts came, when it was found, when the last contact came.
    began_at     timestamptz NOT NULL,
    found_at     timestamptz NOT NULL,
    last_at      timestamptz NOT NULL,
    ended_at     timestamptz,
    -- quiet, resolved, or the agent who closed it.
    ended_by     text,
    -- That it is over was said aloud.
    is_over_said boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX incident_number ON incident (number);
CREATE INDEX incident_open ON incident (tenant) WHERE state = 'open' OR NOT is_over_said;
CREATE INDEX incident_found ON incident (tenant, found_at);

-- Tickets on it. One that an agent took off stays off.
CREATE TABLE incident_ticket (
    incident_id uuid NOT NULL REFERENCES incident ON DELETE CASCADE,
    ticket_id   uuid NOT NULL,
    -- lanka, or the agent who put it there.
    by          text NOT NULL DEFAULT 'lanka',
    since       timestamptz NOT NULL,
    is_alert    boolean NOT NULL DEFAULT false,
    off_at      timestamptz,
    off_by      text,
    PRIMARY KEY (incident_id, ticket_id)
);
CREATE INDEX incident_ticket_ticket ON incident_ticket (ticket_id);

-- A customer who came back on one thing: the last time that it was said.
CREATE TABLE again (
    ticket_id  uuid PRIMARY KEY,
    tenant     text NOT NULL,
    contact_id uuid NOT NULL,
    times      integer NOT NULL,
    since      timestamptz NOT NULL,
    said_at    timestamptz NOT NULL
);
CREATE INDEX again_contact ON again (contact_id);

-- Tickets of one customer on one thing.
CREATE TABLE ticket_relation (
    ticket_id uuid NOT NULL,
    other     uuid NOT NULL,
    kind      text NOT NULL DEFAULT 'again',
    at        timestamptz NOT NULL,
    PRIMARY KEY (ticket_id, other, kind)
);
CREATE INDEX ticket_relation_other ON ticket_relation (other);

CREATE VIEW report_incident AS
SELECT i.tenant, i.id AS incident_id, i.number, i.sort, i.state, i.terms, i.count AS customers_at_onset, i.expected, i.began_at, i.found_at,
    extract(epoch FROM i.found_at - i.began_at)::bigint AS found_after_s, i.last_at, i.ended_at, i.ended_by,
    (SELECT count(*) FROM incident_ticket t WHERE t.incident_id = i.id AND t.off_at IS NULL AND NOT t.is_alert) AS tickets,
    (SELECT count(*) FROM incident_ticket t WHERE t.incident_id = i.id AND t.off_at IS NULL AND t.is_alert) AS alerts
FROM incident i;
COMMENT ON VIEW report_incident IS 'One row a thing that many spoke of at once.';
COMMENT ON COLUMN report_incident.tenant IS 'The firm.';
COMMENT ON COLUMN report_incident.incident_id IS 'lanka''s id.';
COMMENT ON COLUMN report_incident.number IS 'The short number that people say.';
COMMENT ON COLUMN report_incident.sort IS 'customers: of several customers; organisation: of several people of one.';
COMMENT ON COLUMN report_incident.state IS 'open or closed.';
COMMENT ON COLUMN report_incident.terms IS 'Beginnings of the words that carry it, and names of [incidents.words].';
COMMENT ON COLUMN report_incident.customers_at_onset IS 'Different customers (or people) who spoke of it when it was found.';
COMMENT ON COLUMN report_incident.expected IS 'How many of them would have been usual.';
COMMENT ON COLUMN report_incident.began_at IS 'When the first of its contacts came.';
COMMENT ON COLUMN report_incident.found_at IS 'When it was found.';
COMMENT ON COLUMN report_incident.found_after_s IS 'Seconds between these.';
COMMENT ON COLUMN report_incident.last_at IS 'When its last contact came.';
COMMENT ON COLUMN report_incident.ended_at IS 'When it was over; null while it is open.';
COMMENT ON COLUMN report_incident.ended_by IS 'quiet, resolved (its alerts), or the agent who closed it.';
COMMENT ON COLUMN report_incident.tickets IS 'Tickets of customers on it.';
COMMENT ON COLUMN report_incident.alerts IS 'Tickets of alerts on it.';
