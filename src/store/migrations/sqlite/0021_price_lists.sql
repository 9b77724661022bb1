-- The list of prices that was fetched last.
CREATE TABLE price_lists (
    url        TEXT    NOT NULL PRIMARY KEY,
    -- In milliseconds since the Unix epoch.
    fetched_at INTEGER NOT NULL,
    -- As it came.
    body       BLOB    NOT NULL
);
