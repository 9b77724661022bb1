-- The operator's password: one row, or none. Times are milliseconds since the Unix epoch.
CREATE TABLE admin_password (
    one       BIGINT NOT NULL PRIMARY KEY,
    hash      TEXT COLLATE "C"    NOT NULL,
    -- 1: it must be changed at the first login.
    temporary BIGINT NOT NULL,
    set_at    BIGINT NOT NULL
);

CREATE TABLE admin_sessions (
    id           TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    who          TEXT COLLATE "C"    NOT NULL,
    hash         BYTEA    NOT NULL UNIQUE,
    address      TEXT COLLATE "C",
    agent        TEXT COLLATE "C",
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    must_change  BIGINT NOT NULL
);
