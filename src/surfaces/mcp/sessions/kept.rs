//! The sessions that were written down, so that they outlive the process.

use std::sync::Arc;

use async_trait::async_trait;
use rmcp::transport::streamable_http_server::session::{SessionState, SessionStore, SessionStoreError};

use super::{super::opening, CALLER};
use crate::{
    engine::{ports::Clock, settings::Mcp},
    ops::ports::{McpSession, McpSessionStore},
};

/// What the operator chose, as of now.
pub(in super::super) type Settings = Box<dyn Fn() -> Arc<Mcp> + Send + Sync>;

/// Where they are.
pub(super) struct Kept {
    pub(super) store: Arc<dyn McpSessionStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: Settings,
}

#[async_trait]
impl SessionStore for Kept {
    async fn load(&self, id: &str) -> Result<Option<SessionState>, SessionStoreError> {
        let now = self.clock.now();
        let ttl = i64::try_from((self.settings)().session_ttl.as_millis()).unwrap_or(i64::MAX);
        let caller = CALLER.try_with(Arc::clone).unwrap_or_default();
        // Looked at first: what is another's is not to be kept alive by a guess.
        if self.store.owner(id.to_owned()).await?.as_deref() != Some(&*caller) {
            return Ok(None);
        }
        let session = self.store.resume(id.to_owned(), now.saturating_sub(ttl), now).await?;
        session.map(|session| Ok(SessionState::new(serde_json::from_str(&session.opening)?))).transpose()
    }

    async fn store(&self, id: &str, state: &SessionState) -> Result<(), SessionStoreError> {
        let owner = CALLER.try_with(|caller| caller.to_string()).unwrap_or_default();
        let opening = serde_json::to_string(&state.initialize_params)?;
        if opening.len() > opening::LIMIT {
            // It was refused. The library keeps also what failed.
            return Err("what opened the session is too large to be kept".into());
        }
        let used_at = self.clock.now();
        let session = McpSession { id: id.to_owned(), owner, opening, used_at };
        Ok(self.store.save(session, (self.settings)().sessions).await?)
    }

    async fn delete(&self, id: &str) -> Result<(), SessionStoreError> {
        Ok(self.store.delete(id.to_owned()).await?)
    }
}
