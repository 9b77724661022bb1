//! The simulated provider behind the hub: it listens for as long as the test's runtime lives, and its log says
//! who was called.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use trivium::simulator::{Entry, Script, Simulator};

/// A simulator that listens.
#[derive(Clone)]
pub(super) struct Provider {
    pub(super) simulator: Simulator,
    pub(super) address: SocketAddr,
}

impl Provider {
    pub(super) async fn start() -> Self {
        let simulator = Simulator::new(Script::default(), 1);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(simulator.clone().serve(listener, std::future::pending()));
        Self { simulator, address }
    }

    /// The requests that this account received, oldest first. Accounts are told apart by the end of their keys.
    pub(super) fn calls(&self, account: &str) -> Vec<Entry> {
        let end = format!(".{account}");
        let mut log = self.simulator.log();
        log.retain(|entry| entry.key.as_deref().is_some_and(|key| key.ends_with(&end)));
        log
    }
}
