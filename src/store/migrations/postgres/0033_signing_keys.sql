-- Keys with which the hub signs what it says of itself. Encrypted: the database alone signs nothing.
CREATE TABLE signing_keys (
    name       TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL, -- milliseconds since the Unix epoch
    sealed     BYTEA    NOT NULL
);
