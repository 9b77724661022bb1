//! MCP sessions in memory.

use futures_core::future::BoxFuture;

use super::MemoryStore;
use crate::ops::ports::{McpProcess, McpProcesses, McpSession, McpSessionError, McpSessionStore};

impl McpSessionStore for MemoryStore {
    fn save(&self, session: McpSession, most: usize) -> BoxFuture<'_, Result<(), McpSessionError>> {
        self.now(|state| {
            let sessions = &mut state.mcp_sessions;
            sessions.retain(|other| other.id != session.id);
            sessions.push(session);
            sessions.sort_by(|a, b| b.used_at.cmp(&a.used_at).then_with(|| a.id.cmp(&b.id)));
            sessions.truncate(most);
            Ok(())
        })
    }

    fn resume(
        &self,
        id: String,
        since: i64,
        now: i64,
    ) -> BoxFuture<'_, Result<Option<McpSession>, McpSessionError>> {
        self.now(|state| {
            let found = state.mcp_sessions.iter_mut().find(|one| one.id == id && one.used_at > since);
            Ok(found.map(|session| {
                session.used_at = now;
                session.clone()
            }))
        })
    }

    fn owner(&self, id: String) -> BoxFuture<'_, Result<Option<String>, McpSessionError>> {
        self.now(|state| Ok(state.mcp_sessions.iter().find(|one| one.id == id).map(|one| one.owner.clone())))
    }

    fn count(&self) -> BoxFuture<'_, Result<u64, McpSessionError>> {
        self.now(|state| Ok(state.mcp_sessions.len() as u64))
    }

    fn touch(&self, used: Vec<(String, i64)>) -> BoxFuture<'_, Result<(), McpSessionError>> {
        self.now(|state| {
            for (id, at) in used {
                if let Some(session) = state.mcp_sessions.iter_mut().find(|one| one.id == id) {
                    session.used_at = session.used_at.max(at);
                }
            }
            Ok(())
        })
    }

    fn delete(&self, id: String) -> BoxFuture<'_, Result<(), McpSessionError>> {
        self.now(|state| {
            state.mcp_sessions.retain(|one| one.id != id);
            Ok(())
        })
    }

    fn sweep(&self, since: i64) -> BoxFuture<'_, Result<u64, McpSessionError>> {
        self.now(|state| {
            let before = state.mcp_sessions.len();
            state.mcp_sessions.retain(|one| one.used_at >= since);
            Ok(u64::try_from(before - state.mcp_sessions.len()).unwrap_or(u64::MAX))
        })
    }
}

impl McpProcesses for MemoryStore {
    /// What is in memory alone has no other processes.
    fn list(&self) -> Vec<McpProcess> {
        Vec::new()
    }
}
