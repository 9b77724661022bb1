-- Keys with which the hub signs what it says of itself. Encrypted: the database alone signs nothing.
CREATE TABLE signing_keys (
    name       TEXT    NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL, -- milliseconds since the Unix epoch
    sealed     BLOB    NOT NULL
);
