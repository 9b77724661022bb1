-- Webhooks that clients have told about their tasks.
CREATE TABLE task_hooks (
    -- Given by the database, rising.
    nr       INTEGER PRIMARY KEY,
    task     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    -- The version of the protocol that it is told in.
    version  TEXT    NOT NULL,
    -- The last entry that it was told of, or that was given up.
    told_seq INTEGER NOT NULL,
    -- Address and credentials, encrypted; bound to task and id.
    sealed   BLOB    NOT NULL,
    UNIQUE (task, id)
);

-- What they were not told.
CREATE TABLE task_dead_letters (
    -- Given by the database, rising.
    nr    INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL,
    owner TEXT    NOT NULL,
    task  TEXT    NOT NULL,
    hook  TEXT    NOT NULL,
    seq   INTEGER NOT NULL,
    host  TEXT    NOT NULL,
    tries INTEGER NOT NULL,
    why   TEXT    NOT NULL
);

CREATE INDEX task_dead_letters_by_owner ON task_dead_letters (owner, nr);
