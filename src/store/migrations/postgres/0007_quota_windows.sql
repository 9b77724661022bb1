-- How far accounts have used their quotas. Amounts are in the unit's parts; what they mean is the ledger's to say.
CREATE TABLE quota_windows (
    connection   TEXT COLLATE "C"    NOT NULL,
    name         TEXT COLLATE "C"    NOT NULL,
    -- Empty: all that the account is used for.
    model        TEXT COLLATE "C"    NOT NULL,
    fingerprint  BIGINT NOT NULL,
    limit_amount BIGINT,
    used         BIGINT NOT NULL,
    as_of        BIGINT NOT NULL,
    resets_at    BIGINT NOT NULL,
    state        TEXT COLLATE "C"    NOT NULL,
    PRIMARY KEY (connection, name, model)
);
