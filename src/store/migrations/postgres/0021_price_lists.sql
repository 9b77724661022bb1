-- The list of prices that was fetched last.
CREATE TABLE price_lists (
    url        TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    -- In milliseconds since the Unix epoch.
    fetched_at BIGINT NOT NULL,
    -- As it came.
    body       BYTEA    NOT NULL
);
