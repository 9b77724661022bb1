-- Times are milliseconds since the Unix epoch. Only types and clauses that PostgreSQL has too.

CREATE TABLE api_keys (
    id           TEXT    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL,
    prefix       TEXT    NOT NULL,
    hash         BLOB    NOT NULL UNIQUE,
    scopes       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER,
    last_used_at INTEGER,
    -- 1: this key is what its name means. A rotated key in its grace lives on without the name.
    holds_name   INTEGER NOT NULL
);

CREATE UNIQUE INDEX api_keys_by_held_name ON api_keys (name) WHERE holds_name = 1;

CREATE TABLE cooldowns (
    connection  TEXT    NOT NULL,
    -- Empty: the whole connection.
    model       TEXT    NOT NULL,
    fingerprint INTEGER NOT NULL,
    until_at    INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    message     TEXT    NOT NULL,
    PRIMARY KEY (connection, model)
);

CREATE TABLE receipts (
    -- Given by the database, rising: receipts are trimmed and listed by it.
    seq           INTEGER PRIMARY KEY,
    id            TEXT    NOT NULL,
    at            INTEGER NOT NULL,
    caller        TEXT    NOT NULL,
    model         TEXT    NOT NULL,
    connection    TEXT,
    status        INTEGER NOT NULL,
    outcome       TEXT    NOT NULL,
    input_tokens  INTEGER,
    output_tokens INTEGER,
    total_ms      INTEGER NOT NULL,
    -- JSON of what is shown and not searched.
    detail        TEXT    NOT NULL
);

CREATE INDEX receipts_by_id ON receipts (id);
