//! Sessions of the revisions that have any: whose they are, how many there may be, and that they outlive the process. The
//! messages of a session that stands are the library's business.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::Stream;
use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::{
        WorkerTransport,
        common::server_side_http::ServerSseMessage,
        streamable_http_server::{
            StreamableHttpServerConfig,
            session::{
                RestoreOutcome, SessionId, SessionManager, SessionState, SessionStore, SessionStoreError,
                local::{LocalSessionManager, LocalSessionManagerError, LocalSessionWorker},
            },
        },
    },
};

use super::super::Handles;
use crate::{
    engine::{Engine, settings::Mcp},
    ops::ports::{McpSession, McpSessionStore},
};

/// How often it is looked whether the server was switched off.
const LOOK: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// Who sent the HTTP request that is being answered: the library asks for sessions by their id alone.
    pub(super) static CALLER: Arc<str>;
}

/// A session that stands in this process.
struct Held {
    owner: Arc<str>,
    used_at: i64,
}

/// All sessions.
pub(super) struct Sessions {
    standing: LocalSessionManager,
    held: Mutex<HashMap<SessionId, Held>>,
    kept: Arc<Kept>,
}

/// The sessions that were written down.
struct Kept {
    store: Arc<dyn McpSessionStore>,
    engine: Arc<Engine>,
}

impl Sessions {
    pub(super) fn new(handles: &Handles) -> Self {
        let kept = Kept { store: Arc::clone(&handles.mcp_sessions), engine: Arc::clone(&handles.engine) };
        Self { standing: LocalSessionManager::default(), held: Mutex::default(), kept: Arc::new(kept) }
    }

    /// The configuration with the store in it.
    pub(super) fn kept_in(&self, mut config: StreamableHttpServerConfig) -> StreamableHttpServerConfig {
        config.session_store = Some(Arc::<Kept>::clone(&self.kept));
        config
    }

    /// Whether the session is this caller's, wherever it is.
    pub(super) async fn is_of(&self, id: &str, caller: &str) -> bool {
        if let Some(held) = self.lock().get(id) {
            return &*held.owner == caller;
        }
        self.kept.store.owner(id.to_owned()).await.ok().flatten().as_deref() == Some(caller)
    }

    /// Ends all sessions whenever the operator switches the server off, for as long as there is somebody to use them.
    pub(super) fn end_when_off(self: &Arc<Self>) {
        let sessions = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                let Some(sessions) = sessions.upgrade() else { return };
                if !sessions.kept.settings().enabled {
                    sessions.end_all().await;
                }
            }
        });
    }

    async fn end_all(&self) {
        let all: Vec<SessionId> = self.lock().keys().cloned().collect();
        for id in all {
            // What it says has been logged by then.
            drop(self.close_session(&id).await);
        }
    }

    /// How many stand in this process.
    pub(super) fn standing(&self) -> usize {
        self.lock().len()
    }

    fn hold(&self, id: &SessionId) {
        let now = self.kept.engine.clock().now();
        let owner = CALLER.try_with(Arc::clone).unwrap_or_default();
        self.lock().insert(Arc::clone(id), Held { owner, used_at: now });
    }

    /// Whether the session stands and is the caller's; it is used now, if it is.
    fn enter(&self, id: &SessionId) -> bool {
        let now = self.kept.engine.clock().now();
        let mut held = self.lock();
        let own = |held: &&mut Held| CALLER.try_with(|caller| *caller == held.owner).unwrap_or(false);
        let Some(held) = held.get_mut(id).filter(own) else { return false };
        held.used_at = now;
        true
    }

    /// The session that makes room for another, if there are as many as there may be.
    fn one_too_many(&self) -> Option<SessionId> {
        let held = self.lock();
        if held.len() < self.kept.settings().sessions {
            return None;
        }
        held.iter().min_by_key(|(_, held)| held.used_at).map(|(id, _)| Arc::clone(id))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionManager for Sessions {
    type Error = LocalSessionManagerError;
    type Transport = WorkerTransport<LocalSessionWorker>;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        // Its client can still take it up again: it is written down.
        if let Some(oldest) = self.one_too_many() {
            self.close_session(&oldest).await?;
        }
        let (id, transport) = self.standing.create_session().await?;
        self.hold(&id);
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.standing.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        if !self.enter(id) {
            return Ok(false);
        }
        self.standing.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.lock().remove(id);
        self.standing.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.standing.create_stream(id, message).await
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), Self::Error> {
        self.standing.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.standing.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.standing.resume(id, last_event_id).await
    }

    async fn restore_session(&self, id: SessionId) -> Result<RestoreOutcome<Self::Transport>, Self::Error> {
        if let Some(oldest) = self.one_too_many() {
            self.close_session(&oldest).await?;
        }
        let restored = self.standing.restore_session(Arc::clone(&id)).await?;
        if matches!(restored, RestoreOutcome::Restored(_)) {
            self.hold(&id);
        }
        Ok(restored)
    }
}

impl Kept {
    fn settings(&self) -> Arc<Mcp> {
        Arc::clone(&self.engine.snapshot().settings.mcp)
    }
}

#[async_trait]
impl SessionStore for Kept {
    async fn load(&self, id: &str) -> Result<Option<SessionState>, SessionStoreError> {
        let now = self.engine.clock().now();
        let ttl = i64::try_from(self.settings().session_ttl.as_millis()).unwrap_or(i64::MAX);
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
        let used_at = self.engine.clock().now();
        let session = McpSession { id: id.to_owned(), owner, opening, used_at };
        Ok(self.store.save(session, self.settings().sessions).await?)
    }

    async fn delete(&self, id: &str) -> Result<(), SessionStoreError> {
        Ok(self.store.delete(id.to_owned()).await?)
    }
}
