//! What is done beside the requests, again and again: deleting what is older than the operator wants to keep.

use std::{sync::Arc, time::Duration};

use crate::{
    engine::Engine,
    observe::events,
    ops::{
        admin::Admin, idempotency::Idempotency, keys::Keys, ports::McpSessionStore, responses::Responses,
        tasks::Tasks,
    },
    store::{SqlMcpSessions, Sweeper},
};

/// Between two looks for what is old.
const EVERY: Duration = Duration::from_secs(60);

/// Between two batches, so that others come to the database in between.
const PAUSE: Duration = Duration::from_millis(50);

/// Deletes what is old, for as long as the hub runs.
pub(super) async fn sweep(sweeper: Sweeper, engine: Arc<Engine>) {
    loop {
        tokio::time::sleep(EVERY).await;
        loop {
            let retention = engine.snapshot().settings.retention;
            match sweeper.sweep(&retention, engine.clock().now()).await {
                Ok(true) => tokio::time::sleep(PAUSE).await,
                Ok(false) => break,
                Err(error) => {
                    events::sweep_failed(&error);
                    break;
                }
            }
        }
    }
}

/// Forgets MCP sessions that were unused for as long as the operator says, for as long as the hub runs.
pub(super) async fn forget_mcp_sessions(sessions: SqlMcpSessions, engine: Arc<Engine>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let ttl = engine.snapshot().settings.mcp.session_ttl;
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        if let Err(error) = sessions.sweep(engine.clock().now().saturating_sub(ttl)).await {
            events::sweep_failed(&error);
        }
    }
}

/// Forgets tasks of agents that are older, and more, than the operator wants, for as long as the hub runs.
pub(super) async fn forget_tasks(tasks: Tasks) {
    loop {
        tokio::time::sleep(EVERY).await;
        // A failure was logged where it came up.
        while tasks.sweep().await.unwrap_or(false) {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Writes down when keys and sessions were last used, and deletes kept responses and claims that have ended, for as long as
/// the hub runs.
pub(super) async fn keep_house(
    keys: Keys,
    admin: Arc<Admin>,
    responses: Responses,
    idempotency: Idempotency,
) {
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = keys.save_last_used().await {
            events::configuration_warning(&format!("when keys were last used could not be saved: {error}"));
        }
        if let Err(error) = admin.save_last_seen().await {
            events::configuration_warning(&format!(
                "when sessions were last used could not be saved: {error}"
            ));
        }
        // A failure was logged where it came up.
        drop(responses.sweep().await);
        idempotency.sweep().await;
    }
}
