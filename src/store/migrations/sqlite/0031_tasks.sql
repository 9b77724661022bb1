-- Tasks of agents that ask the hub.
CREATE TABLE tasks (
    id         TEXT    NOT NULL PRIMARY KEY,
    -- The caller whose task it is.
    owner      TEXT    NOT NULL,
    context    TEXT    NOT NULL,
    -- A word of the protocol.
    state      TEXT    NOT NULL,
    skill      TEXT,
    -- Whether one message is the answer, and there is no task to look at.
    bare       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- When it got its status, in milliseconds since the Unix epoch.
    status_at  INTEGER NOT NULL,
    -- The number of its last entry.
    last_seq   INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    -- Whether a piece of a result is among its entries.
    delivered  INTEGER NOT NULL
);

CREATE INDEX tasks_by_owner ON tasks (owner, status_at, id);
CREATE INDEX tasks_by_context ON tasks (owner, context, status_at, id);
CREATE INDEX tasks_by_status ON tasks (status_at, id);
CREATE INDEX tasks_by_state ON tasks (state, status_at);

-- What happened to each task. Rows are added and never changed.
CREATE TABLE task_entries (
    -- Given by the database, rising.
    nr     INTEGER PRIMARY KEY,
    task   TEXT    NOT NULL,
    -- From 1 within the task, without gaps.
    seq    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    -- 'task', 'message', 'status' or 'artifact'.
    kind   TEXT    NOT NULL,
    -- What happened, encrypted; bound to the task.
    sealed BLOB    NOT NULL,
    UNIQUE (task, seq)
);

-- The messages that tasks have taken, so that a repeat is known.
CREATE TABLE task_messages (
    owner  TEXT    NOT NULL,
    -- Given by the caller.
    id     TEXT    NOT NULL,
    -- The hash of the message.
    digest BLOB    NOT NULL,
    task   TEXT    NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY (owner, id)
);

CREATE INDEX task_messages_by_task ON task_messages (task);
