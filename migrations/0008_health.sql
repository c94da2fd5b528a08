-- How every way in and out does, as the daemon that works it last said: for commands, which live in other processes.
-- One row a name, written over when something changes and every ten seconds otherwise.

CREATE TABLE health (
    side        text NOT NULL CHECK (side IN ('channel', 'mirror')),
    name        text NOT NULL,
    state       text NOT NULL CHECK (state IN ('starting', 'untried', 'ok', 'failing', 'dead', 'parked')),
    -- Since when it is in this state; failing, dead and parked are one.
    since       timestamptz NOT NULL,
    worked_at   timestamptz,
    -- Attempts in a row that failed.
    failures    bigint NOT NULL,
    -- One sentence without customers' data; empty when all is well.
    why         text NOT NULL,
    -- The daemon that said so, for as long as it is there. NULL: it stopped.
    reporter    uuid,
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (side, name)
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 500);
