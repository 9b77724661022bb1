-- Messages of requests word for word, where the operator has them kept.
CREATE TABLE captures (
    -- Given by the database, rising.
    seq         INTEGER PRIMARY KEY,
    request_id  TEXT    NOT NULL,
    -- When the request arrived, in milliseconds since the Unix epoch.
    at          INTEGER NOT NULL,
    -- What the row counts towards the bound of all.
    bytes       INTEGER NOT NULL,
    -- The bytes of all rows before it: how much is held needs no sum.
    byte_offset INTEGER NOT NULL,
    -- The messages, encrypted; bound to the request.
    sealed      BLOB    NOT NULL
);

CREATE INDEX captures_by_request ON captures (request_id);
CREATE INDEX captures_by_time ON captures (at);
CREATE INDEX captures_by_offset ON captures (byte_offset);
