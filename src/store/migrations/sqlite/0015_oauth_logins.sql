-- Logins that a browser has not come back from.
CREATE TABLE oauth_logins (
    -- SHA-256 of the state with which it comes back.
    state      BLOB    NOT NULL PRIMARY KEY,
    login      TEXT    NOT NULL,
    connection TEXT    NOT NULL,
    binding    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- PKCE's verifier, the nonce and the redirect URL, encrypted; bound to login and connection.
    sealed     BLOB    NOT NULL
);

CREATE INDEX oauth_logins_by_end ON oauth_logins (expires_at);
