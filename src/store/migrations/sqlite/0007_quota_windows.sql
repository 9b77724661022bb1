-- How far accounts have used their quotas. Amounts are in the unit's parts; what they mean is the ledger's to say.
CREATE TABLE quota_windows (
    connection   TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    -- Empty: all that the account is used for.
    model        TEXT    NOT NULL,
    fingerprint  INTEGER NOT NULL,
    limit_amount INTEGER,
    used         INTEGER NOT NULL,
    as_of        INTEGER NOT NULL,
    resets_at    INTEGER NOT NULL,
    state        TEXT    NOT NULL,
    PRIMARY KEY (connection, name, model)
);
