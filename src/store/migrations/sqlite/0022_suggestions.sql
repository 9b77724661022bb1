-- What diagnoses of connections suggest, and what became of it.
CREATE TABLE suggestions (
    id         TEXT    NOT NULL PRIMARY KEY,
    connection TEXT    NOT NULL,
    -- What kind of thing is suggested, as a word.
    kind       TEXT    NOT NULL,
    model      TEXT,
    -- What is to be different in the connection's definition, in JSON.
    patch      TEXT,
    -- What was seen, in words without secrets.
    seen       TEXT    NOT NULL,
    -- In how many diagnoses in a row.
    times      INTEGER NOT NULL,
    -- Times are milliseconds since the Unix epoch.
    first_at   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    -- open, accepted or dismissed.
    state      TEXT    NOT NULL,
    decided_at INTEGER,
    decided_by TEXT
);
