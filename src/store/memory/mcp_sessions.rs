//! MCP sessions in memory.

use std::{cmp::Reverse, collections::HashMap};

use futures_core::future::BoxFuture;

use super::MemoryStore;
use crate::ops::ports::{McpProcess, McpProcesses, McpSession, McpSessionError, McpSessionStore};

impl McpSessionStore for MemoryStore {
    fn save(&self, session: McpSession, most: usize) -> BoxFuture<'_, Result<(), McpSessionError>> {
        self.now(|state| {
            let sessions = &mut state.mcp_sessions;
            sessions.retain(|other| other.id != session.id);
            while sessions.len() >= most
                && let Some(gives) = one_too_many(sessions, &session.owner)
            {
                sessions.remove(gives);
            }
            sessions.push(session);
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

/// Where the session is that makes room for another of `owner`'s: one of the owner who has the most, the new one counted
/// in; of several his own.
fn one_too_many(sessions: &[McpSession], owner: &str) -> Option<usize> {
    let mut shares: HashMap<&str, usize> = HashMap::new();
    for one in sessions {
        *shares.entry(&one.owner).or_default() += 1;
    }
    let first = sessions.iter().enumerate().min_by_key(|(_, one)| {
        let is_own = one.owner == owner;
        let share = shares.get(&*one.owner).copied().unwrap_or_default() + usize::from(is_own);
        (Reverse((share, is_own)), one.used_at, Reverse(one.id.as_str()))
    });
    first.map(|(at, _)| at)
}

impl McpProcesses for MemoryStore {
    /// What is in memory alone has no other processes.
    fn list(&self) -> Vec<McpProcess> {
        Vec::new()
    }
}
