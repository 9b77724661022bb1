-- The tokens of connections that people log in to.
CREATE TABLE oauth_credentials (
    connection TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    -- Which application at which login server they are of.
    binding    BIGINT NOT NULL,
    -- 'ready' or 'needs_login'.
    state      TEXT COLLATE "C"    NOT NULL,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT,
    -- Why somebody must log in, in words without secrets.
    error      TEXT COLLATE "C",
    updated_at BIGINT NOT NULL,
    -- Tokens, scopes and whose account it is, encrypted; bound to the connection.
    sealed     BYTEA    NOT NULL
);
