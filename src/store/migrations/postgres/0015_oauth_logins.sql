-- Logins that a browser has not come back from.
CREATE TABLE oauth_logins (
    -- SHA-256 of the state with which it comes back.
    state      BYTEA    NOT NULL PRIMARY KEY,
    login      TEXT COLLATE "C"    NOT NULL,
    connection TEXT COLLATE "C"    NOT NULL,
    binding    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- PKCE's verifier, the nonce and the redirect URL, encrypted; bound to login and connection.
    sealed     BYTEA    NOT NULL
);

CREATE INDEX oauth_logins_by_end ON oauth_logins (expires_at);
