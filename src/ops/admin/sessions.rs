//! The operations on sessions.

use std::sync::Arc;

use operations::{
    Operation,
    sessions::{List, ListSessions, Revoke, RevokeSession, RevokedSessions, SessionList, SessionView},
};

use super::{Admin, failed, to_the_end};
use crate::{
    engine::caller::Caller,
    ops::{OpError, error::require},
};

impl Admin {
    /// Lists the sessions that are alive, newest first.
    ///
    /// # Errors
    /// [`OpError::Forbidden`].
    pub fn list(&self, caller: &Caller, args: ListSessions) -> Result<SessionList, OpError> {
        require(caller, List::SCOPE)?;
        List::check(args)?;
        let mut alive = self.inner.sessions.alive();
        alive.sort_by(|one, other| other.id.cmp(&one.id));
        let view = |session: &crate::auth::ports::SessionRecord| SessionView {
            id: session.id.to_string(),
            who: session.who.to_string(),
            address: session.address.as_deref().map(str::to_owned),
            agent: session.agent.as_deref().map(str::to_owned),
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            expires_at: session.expires_at,
            current: session.id == caller.id,
        };
        Ok(SessionList { sessions: alive.iter().map(view).collect() })
    }

    /// Ends a session, or all.
    ///
    /// # Errors
    /// [`OpError`]; not found when there is no such session.
    pub async fn revoke(&self, caller: &Caller, args: RevokeSession) -> Result<RevokedSessions, OpError> {
        require(caller, Revoke::SCOPE)?;
        let wanted = Revoke::check(args)?.session;
        self.end(wanted).await
    }

    /// Ends the session of who asks.
    ///
    /// # Errors
    /// [`OpError`].
    pub async fn log_out(&self, caller: &Caller) -> Result<RevokedSessions, OpError> {
        self.end(caller.id.to_string()).await
    }

    async fn end(&self, wanted: String) -> Result<RevokedSessions, OpError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let _one_at_a_time = inner.changing.lock().await;
            let all = wanted == "all";
            let alive = inner.sessions.alive().into_iter();
            let ids: Vec<Arc<str>> =
                alive.map(|session| session.id).filter(|id| all || **id == *wanted).collect();
            if ids.is_empty() && !all {
                return Err(OpError::NotFound { noun: "session", name: wanted });
            }
            inner.store.close_sessions(ids.clone()).await.map_err(failed)?;
            inner.sessions.remove(|session| ids.contains(&session.id));
            Ok(RevokedSessions { sessions: ids.iter().map(|id| id.to_string()).collect() })
        })
        .await
    }
}
