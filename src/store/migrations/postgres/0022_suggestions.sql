-- What diagnoses of connections suggest, and what became of it.
CREATE TABLE suggestions (
    id         TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    connection TEXT COLLATE "C"    NOT NULL,
    -- What kind of thing is suggested, as a word.
    kind       TEXT COLLATE "C"    NOT NULL,
    model      TEXT COLLATE "C",
    -- What is to be different in the connection's definition, in JSON.
    patch      TEXT COLLATE "C",
    -- What was seen, in words without secrets.
    seen       TEXT COLLATE "C"    NOT NULL,
    -- In how many diagnoses in a row.
    times      BIGINT NOT NULL,
    -- Times are milliseconds since the Unix epoch.
    first_at   BIGINT NOT NULL,
    last_at    BIGINT NOT NULL,
    -- open, accepted or dismissed.
    state      TEXT COLLATE "C"    NOT NULL,
    decided_at BIGINT,
    decided_by TEXT COLLATE "C"
);
