//! Connections that are open: they are told when the hub stops, and waited for. Also those that have left HTTP for
//! another protocol, which the HTTP library does not see any more.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

/// How long those that are cut may take for their last words.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How far the stop has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd)]
enum Phase {
    /// There is none.
    #[default]
    Serving,
    /// What runs may end, and nothing more.
    Draining,
    /// The patience is over.
    Cut,
}

/// The server's side.
#[derive(Debug, Clone, Default)]
pub(super) struct Stays(Arc<watch::Sender<Phase>>);

/// A connection's side. The server waits until it is dropped.
#[derive(Debug, Clone)]
pub(super) struct Stay(watch::Receiver<Phase>);

impl Stays {
    /// For a new connection, or one that is about to leave HTTP.
    pub(super) fn enter(&self) -> Stay {
        Stay(self.0.subscribe())
    }

    /// Asks all to end when what they run has ended.
    pub(super) fn drain(&self) {
        self.0.send_replace(Phase::Draining);
    }

    /// Waits until none is left.
    pub(super) async fn left(&self) {
        self.0.closed().await;
    }

    /// Tells those that are left to end now.
    pub(super) async fn cut(&self) {
        self.0.send_replace(Phase::Cut);
        drop(tokio::time::timeout(LAST_WORDS, self.left()).await);
    }
}

impl Stay {
    /// Waits until the hub stops.
    pub(super) async fn draining(&mut self) {
        self.reached(Phase::Draining).await;
    }

    /// Waits until the hub's patience is over.
    pub(super) async fn cut(&mut self) {
        self.reached(Phase::Cut).await;
    }

    async fn reached(&mut self, phase: Phase) {
        if self.0.wait_for(|now| *now >= phase).await.is_err() {
            // There is no server any more that could say anything.
            std::future::pending::<()>().await;
        }
    }
}
