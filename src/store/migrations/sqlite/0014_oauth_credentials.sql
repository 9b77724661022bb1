-- The tokens of connections that people log in to.
CREATE TABLE oauth_credentials (
    connection TEXT    NOT NULL PRIMARY KEY,
    -- Which application at which login server they are of.
    binding    INTEGER NOT NULL,
    -- 'ready' or 'needs_login'.
    state      TEXT    NOT NULL,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER,
    -- Why somebody must log in, in words without secrets.
    error      TEXT,
    updated_at INTEGER NOT NULL,
    -- Tokens, scopes and whose account it is, encrypted; bound to the connection.
    sealed     BLOB    NOT NULL
);
