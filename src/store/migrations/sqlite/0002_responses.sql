-- Responses that the hub keeps for a caller. An id is known to its owner alone.
CREATE TABLE responses (
    -- Given by the database, rising: the oldest give way first.
    seq        INTEGER PRIMARY KEY,
    owner      TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- What the row counts towards the bound of all rows.
    bytes      INTEGER NOT NULL,
    -- Encrypted; bound to owner and id.
    sealed     BLOB    NOT NULL,
    UNIQUE (owner, id)
);

CREATE INDEX responses_by_end ON responses (expires_at);

-- Which connection's provider keeps a response. No content.
CREATE TABLE response_locations (
    -- As above.
    seq         INTEGER PRIMARY KEY,
    owner       TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    connection  TEXT    NOT NULL,
    fingerprint INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    UNIQUE (owner, id)
);

CREATE INDEX response_locations_by_end ON response_locations (expires_at);
