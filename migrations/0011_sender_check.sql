-- Messages whose sender could not be checked, because a name server did not answer: asked again when due.
CREATE TABLE sender_check (
    message_id uuid PRIMARY KEY,
    raw_event  uuid NOT NULL,
    tenant     text NOT NULL,
    channel    text NOT NULL,
    tries      integer NOT NULL DEFAULT 0,
    -- When the mail came: what is too old is asked about no more.
    since      timestamptz NOT NULL,
    due_at     timestamptz NOT NULL
);
CREATE INDEX sender_check_due ON sender_check (due_at);

-- The author of what a message passes on, as it says itself: shown, never looked up.
ALTER TABLE message ADD COLUMN forwarded_from text;
