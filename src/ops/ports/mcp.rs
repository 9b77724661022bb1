//! What MCP sessions need of a store: they outlive the process, so that a client goes on after a restart.

use futures_core::future::BoxFuture;

/// A session of the revisions that have any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpSession {
    /// The id that the hub gave it: 122 random bits.
    pub id: String,
    /// The caller who opened it; nobody else may use it.
    pub owner: String,
    /// What the client said of itself when it opened it, as JSON.
    pub opening: String,
    /// When it was last used, in milliseconds since the Unix epoch.
    pub used_at: i64,
}

/// MCP sessions that were written down.
pub trait McpSessionStore: Send + Sync {
    /// Writes a session down. Where there are more than `most` by that, another of its owner's goes; where he has no other,
    /// one of the owner who has the most. Of those it is the one that was not used for longest.
    fn save(&self, session: McpSession, most: usize) -> BoxFuture<'_, Result<(), McpSessionError>>;
    /// The session of that id, if it was used after `since`; notes that it is used at `now`.
    fn resume(
        &self,
        id: String,
        since: i64,
        now: i64,
    ) -> BoxFuture<'_, Result<Option<McpSession>, McpSessionError>>;
    /// Whose session that is, if there is one.
    fn owner(&self, id: String) -> BoxFuture<'_, Result<Option<String>, McpSessionError>>;
    /// How many there are.
    fn count(&self) -> BoxFuture<'_, Result<u64, McpSessionError>>;
    /// Notes when sessions were last used; never earlier than is known. Those that are not there stay forgotten.
    fn touch(&self, used: Vec<(String, i64)>) -> BoxFuture<'_, Result<(), McpSessionError>>;
    /// Forgets a session.
    fn delete(&self, id: String) -> BoxFuture<'_, Result<(), McpSessionError>>;
    /// Forgets those that were last used before `since`. Answers how many.
    fn sweep(&self, since: i64) -> BoxFuture<'_, Result<u64, McpSessionError>>;
}

/// The store failed.
#[derive(Debug, thiserror::Error)]
#[error("the MCP sessions could not be read or written")]
pub struct McpSessionError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// A process that speaks MCP over its standard input and output, as it last said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpProcess {
    /// Its process id.
    pub pid: u32,
    /// When it started, in milliseconds since the Unix epoch.
    pub started_at: i64,
    /// When it was last heard of, in milliseconds since the Unix epoch.
    pub last_heartbeat_at: i64,
    /// Its version of the program.
    pub version: String,
    /// `stdio`.
    pub transport: String,
    /// Whether it is held to its scopes. Always so.
    pub scopes_enforced: bool,
    /// Its scopes.
    pub allowed_scopes: Vec<String>,
    /// How many tools its client is shown.
    pub tool_count: u32,
    /// Whether it was heard of within the last [`McpProcess::STALE_MS`].
    pub is_alive: bool,
}

impl McpProcess {
    /// How long a process may be silent before it is taken for dead, in milliseconds: three times what lies between
    /// two heartbeats.
    pub const STALE_MS: i64 = 15_000;
}

/// The processes that speak MCP over their standard input and output.
pub trait McpProcesses: Send + Sync {
    /// All that were heard of within the last hour, by process id. Reads a few small files.
    fn list(&self) -> Vec<McpProcess>;
}
