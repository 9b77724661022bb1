-- What was made over the management API: definitions in the language of the configuration file.
CREATE TABLE documents (
    section    TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    -- Grows with every change and outlives a deletion, so that no version is ever seen twice.
    version    INTEGER NOT NULL,
    -- The definition, encrypted; bound to section and id. NULL where it was deleted.
    sealed     BLOB,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (section, id)
);

-- Who changed what, or tried to. Each row carries a hash of itself and of the one before.
CREATE TABLE audit (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    caller      TEXT    NOT NULL,
    caller_name TEXT    NOT NULL,
    operation   TEXT    NOT NULL,
    outcome     TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    -- The rest of the entry, as JSON; secrets were masked.
    detail      TEXT    NOT NULL,
    hash        BLOB    NOT NULL
);

CREATE INDEX audit_by_target ON audit (target, id);
CREATE INDEX audit_by_caller ON audit (caller, id);

-- What a change to a document can be taken back with.
CREATE TABLE document_changes (
    -- The number of its row in the audit log.
    change         INTEGER PRIMARY KEY,
    section        TEXT    NOT NULL,
    id             TEXT    NOT NULL,
    -- The definition before, encrypted like the document; NULL where there was none.
    sealed_before  BLOB,
    version_after  INTEGER NOT NULL
);

-- Where the audit log ends: its last number and hash. One row; whoever adds to the log takes its turn here.
CREATE TABLE audit_head (
    one  INTEGER PRIMARY KEY,
    id   INTEGER NOT NULL,
    hash BLOB    NOT NULL
);

INSERT INTO audit_head (one, id, hash) VALUES (1, 0, '');
