-- The operator's password: one row, or none. Times are milliseconds since the Unix epoch.
CREATE TABLE admin_password (
    one       INTEGER NOT NULL PRIMARY KEY,
    hash      TEXT    NOT NULL,
    -- 1: it must be changed at the first login.
    temporary INTEGER NOT NULL,
    set_at    INTEGER NOT NULL
);

CREATE TABLE admin_sessions (
    id           TEXT    NOT NULL PRIMARY KEY,
    who          TEXT    NOT NULL,
    hash         BLOB    NOT NULL UNIQUE,
    address      TEXT,
    agent        TEXT,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    must_change  INTEGER NOT NULL
);
