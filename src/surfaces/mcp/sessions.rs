//! Sessions of the revisions that have any: whose they are, how many there may be, and that they outlive the process. The
//! messages of a session that stands are the library's business.

mod held;
mod kept;
mod stream;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use futures_util::{Stream, future::join_all};
use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::{
        common::server_side_http::{ServerSseMessage, session_id},
        streamable_http_server::{
            StreamableHttpServerConfig,
            session::{
                RestoreOutcome, SessionId, SessionManager,
                local::{LocalSessionManager, LocalSessionManagerError},
            },
        },
    },
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::{
    held::{Held, Standing},
    kept::Kept,
    stream::{Served, read_ahead},
};
use crate::{engine::ports::Clock, observe::events, ops::ports::McpSessionStore};

pub(super) use self::kept::Settings;

/// How often it is looked for sessions that nobody uses.
const LOOK: Duration = Duration::from_secs(60);

/// How often it is looked whether the operator has switched the server off.
const LOOK_FOR_SWITCH: Duration = Duration::from_secs(1);

/// How long a session may take to hear that it is over. One that does not hear ends with its last stream.
const PARTING: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// Who sent the HTTP request that is being answered: the library asks for sessions by their id alone.
    pub(super) static CALLER: Arc<str>;
}

/// All sessions.
pub(super) struct Sessions {
    standing: LocalSessionManager,
    held: Held,
    kept: Arc<Kept>,
}

impl Sessions {
    pub(super) fn new(store: Arc<dyn McpSessionStore>, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        let mut standing = LocalSessionManager::default();
        // The library counts messages alone: it would cut a stream that waits, and a call that takes its time.
        standing.session_config.keep_alive = None;
        let kept = Arc::new(Kept { store, clock, settings });
        Self { standing, held: Held::default(), kept }
    }

    /// Looks after the sessions for as long as there is somebody to use them.
    pub(super) fn look_after(self: &Arc<Self>) {
        let sessions = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                let Some(sessions) = sessions.upgrade() else { return };
                sessions.look().await;
            }
        });
    }

    /// Ends all sessions whenever the operator switches the server off, for as long as there is somebody to use them. They
    /// stay written down: when it is on again, their clients find them.
    pub(super) fn end_when_off(self: &Arc<Self>) {
        let sessions = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK_FOR_SWITCH).await;
                let Some(sessions) = sessions.upgrade() else { return };
                if !(sessions.kept.settings)().enabled {
                    // What each says has been logged by then.
                    drop(join_all(sessions.held.end_all().iter().map(|id| sessions.end(id))).await);
                }
            }
        });
    }

    /// How many stand in this process.
    pub(super) fn standing(&self) -> usize {
        self.held.len()
    }

    async fn look(&self) {
        let round = self.held.look(self.kept.clock.now());
        if !round.used.is_empty()
            && let Err(error) = self.kept.store.touch(round.used).await
        {
            events::mcp_sessions_not_noted(&error);
        }
        for id in round.idle {
            // What it says has been logged by then.
            drop(self.end(&id).await);
        }
    }

    /// The configuration with the store in it.
    pub(super) fn kept_in(&self, mut config: StreamableHttpServerConfig) -> StreamableHttpServerConfig {
        config.session_store = Some(Arc::<Kept>::clone(&self.kept));
        config
    }

    /// Whether the session is this caller's, wherever it is.
    pub(super) async fn is_of(&self, id: &str, caller: &str) -> bool {
        self.owner(id).await.is_some_and(|owner| *owner == *caller)
    }

    /// Whether the session is somebody else's, wherever it is.
    pub(super) async fn is_anothers(&self, id: &str, caller: &str) -> bool {
        self.owner(id).await.is_some_and(|owner| *owner != *caller)
    }

    async fn owner(&self, id: &str) -> Option<Arc<str>> {
        match self.held.owner(id) {
            Some(owner) => Some(owner),
            None => self.kept.store.owner(id.to_owned()).await.ok().flatten().map(Arc::from),
        }
    }

    /// Opens a session of the transport of 2024. It ends with [`Sessions::end_sse`], or makes room for another.
    pub(super) async fn open_sse(
        &self,
        owner: Arc<str>,
        messages: mpsc::Sender<ClientJsonRpcMessage>,
        ending: CancellationToken,
    ) -> SessionId {
        let id = session_id();
        self.make_room(&owner).await;
        self.held.take_in_sse(&id, owner, messages, ending, self.kept.clock.now());
        id
    }

    /// Where messages go of a session of the transport of 2024, if it is this caller's.
    pub(super) fn line(&self, id: &str, caller: &str) -> Option<mpsc::Sender<ClientJsonRpcMessage>> {
        self.held.line(id, caller, self.kept.clock.now())
    }

    pub(super) fn end_sse(&self, id: &str) {
        self.held.remove(id);
    }

    async fn make_room(&self, owner: &str) {
        while let Some(oldest) = self.held.one_too_many(owner, (self.kept.settings)().sessions.max(1)) {
            // Its client can still take it up again: it is written down.
            drop(self.end(&oldest).await);
        }
    }

    async fn end(&self, id: &SessionId) -> Result<(), LocalSessionManagerError> {
        self.held.remove(id);
        let ended = tokio::time::timeout(PARTING, self.standing.close_session(id)).await;
        ended.unwrap_or(Ok(()))
    }

    fn hold(&self, id: &SessionId, owner: Arc<str>, served: std::sync::Weak<()>) {
        self.held.take_in(id, owner, served, self.kept.clock.now());
    }
}

impl SessionManager for Sessions {
    type Error = LocalSessionManagerError;
    type Transport = Served;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let owner = CALLER.try_with(Arc::clone).unwrap_or_default();
        self.make_room(&owner).await;
        let (id, transport) = self.standing.create_session().await?;
        let (transport, served) = Served::new(transport);
        self.hold(&id, owner, served);
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
        let caller = CALLER.try_with(Arc::clone).unwrap_or_default();
        match self.held.enter(id, &caller, self.kept.clock.now()) {
            Standing::Theirs => self.standing.has_session(id).await,
            Standing::Ended => self.end(id).await.map(|()| false),
            Standing::Elsewhere => Ok(false),
        }
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        // Beside a request the library says so when what served a session has ended. If its client has taken it up
        // again meanwhile, somebody else serves it now.
        let asked = CALLER.try_with(|_| ()).is_ok();
        if !asked && self.held.is_served(id) {
            return Ok(());
        }
        self.end(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let open = self.held.open(id);
        Ok(read_ahead(self.standing.create_stream(id, message).await?, open))
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), Self::Error> {
        self.standing.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let open = self.held.open(id);
        Ok(read_ahead(self.standing.create_standalone_stream(id).await?, open))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let open = self.held.open(id);
        Ok(read_ahead(self.standing.resume(id, last_event_id).await?, open))
    }

    async fn restore_session(&self, id: SessionId) -> Result<RestoreOutcome<Self::Transport>, Self::Error> {
        let owner = CALLER.try_with(Arc::clone).unwrap_or_default();
        self.make_room(&owner).await;
        Ok(match self.standing.restore_session(Arc::clone(&id)).await? {
            RestoreOutcome::Restored(transport) => {
                let (transport, served) = Served::new(transport);
                self.hold(&id, owner, served);
                RestoreOutcome::Restored(transport)
            }
            RestoreOutcome::AlreadyPresent => RestoreOutcome::AlreadyPresent,
            _ => RestoreOutcome::NotSupported,
        })
    }
}
