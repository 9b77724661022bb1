-- Which tools were called over MCP, by whom and how it ended. Each row carries a hash of itself and of the one before.
CREATE TABLE tool_calls (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    caller      TEXT    NOT NULL,
    caller_name TEXT    NOT NULL,
    tool        TEXT    NOT NULL,
    outcome     TEXT    NOT NULL,
    -- In milliseconds.
    took_ms     INTEGER NOT NULL,
    -- The rest of the row, as JSON; secrets were masked.
    detail      TEXT    NOT NULL,
    hash        BLOB    NOT NULL
);

CREATE INDEX tool_calls_by_time ON tool_calls (at);
CREATE INDEX tool_calls_by_tool ON tool_calls (tool, id);
CREATE INDEX tool_calls_by_caller ON tool_calls (caller, id);

-- Where the record ends: its last number and hash. One row; whoever adds to it takes its turn here.
CREATE TABLE tool_calls_head (
    one  INTEGER PRIMARY KEY,
    id   INTEGER NOT NULL,
    hash BLOB    NOT NULL
);

INSERT INTO tool_calls_head (one, id, hash) VALUES (1, 0, '');
