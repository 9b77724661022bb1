-- Sessions of MCP clients, so that they go on after a restart.
CREATE TABLE mcp_sessions (
    id      TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    -- The caller who opened it.
    owner   TEXT COLLATE "C"    NOT NULL,
    -- What the client said of itself, as JSON.
    opening TEXT COLLATE "C"    NOT NULL,
    -- In milliseconds since the Unix epoch.
    used_at BIGINT NOT NULL
);

CREATE INDEX mcp_sessions_by_use ON mcp_sessions (used_at);
