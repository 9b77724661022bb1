-- Sessions of MCP clients, so that they go on after a restart.
CREATE TABLE mcp_sessions (
    id      TEXT    NOT NULL PRIMARY KEY,
    -- The caller who opened it.
    owner   TEXT    NOT NULL,
    -- What the client said of itself, as JSON.
    opening TEXT    NOT NULL,
    -- In milliseconds since the Unix epoch.
    used_at INTEGER NOT NULL
);

CREATE INDEX mcp_sessions_by_use ON mcp_sessions (used_at);
