//! The heartbeat of a process that speaks MCP over its standard input and output. What it writes is the store's business.

use std::{path::Path, time::Duration};

use tokio::task::JoinHandle;

use super::now_ms;
use crate::{observe::events, store::Heartbeat};

/// How often the process says that it lives.
const EVERY: Duration = Duration::from_secs(5);

/// Beats until it is stopped.
pub struct Heart(JoinHandle<()>);

impl Heart {
    /// For a process with these scopes, whose client sees so many tools.
    #[must_use]
    pub fn start(data_dir: &Path, scopes: Vec<String>, tools: u32) -> Self {
        let heartbeat = Heartbeat::new(data_dir, now_ms(), scopes, tools);
        Self(tokio::spawn(async move {
            loop {
                if let Err(error) = heartbeat.beat(now_ms()) {
                    events::heartbeat_failed(&error);
                }
                tokio::time::sleep(EVERY).await;
            }
        }))
    }

    /// Stops, and takes its files along.
    pub async fn stop(self) {
        self.0.abort();
        drop(self.0.await);
    }
}

/// Says in the log that this process relays to the hub there.
pub fn relaying(hub: &str) {
    events::relaying(hub);
}

/// Says in the log that the hub is gone that this process relayed to.
pub fn relay_lost() {
    events::relay_lost();
}
