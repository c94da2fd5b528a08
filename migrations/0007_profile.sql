-- Names to be asked of the vendor, for people whose deliveries bring none: one question an identity.

CREATE TABLE profile (
    identity_id   uuid PRIMARY KEY,
    channel       text NOT NULL,
    state         text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'claimed', 'done', 'dead')),
    attempts      integer NOT NULL DEFAULT 0,
    due_at        timestamptz NOT NULL,
    claimed_until timestamptz,
    why           text
);
CREATE INDEX profile_due ON profile (due_at) WHERE state = 'pending';
CREATE INDEX profile_claimed ON profile (claimed_until) WHERE state = 'claimed';
