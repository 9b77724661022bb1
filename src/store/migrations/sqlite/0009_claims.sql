-- Idempotency keys of callers, and the answers that were given under them.
CREATE TABLE idempotency_claims (
    -- Given by the database, rising: the oldest give way first.
    seq        INTEGER PRIMARY KEY,
    owner      TEXT    NOT NULL,
    -- The hash of the route and the key.
    id         TEXT    NOT NULL,
    -- The hash of the request.
    request    BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    -- How the request ended: NULL while that is not known, 'answered', 'not_kept'.
    ending     TEXT,
    -- What the row counts towards the bound of all answers.
    bytes      INTEGER NOT NULL,
    -- The answer, encrypted; bound to owner and id.
    sealed     BLOB,
    UNIQUE (owner, id)
);

CREATE INDEX idempotency_claims_by_end ON idempotency_claims (expires_at);
CREATE INDEX idempotency_claims_by_age ON idempotency_claims (owner, seq);
-- Answers alone: the count of their bytes reads nothing else.
CREATE INDEX idempotency_claims_by_bytes ON idempotency_claims (seq, bytes) WHERE sealed IS NOT NULL;
