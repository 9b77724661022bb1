//! What outlives the process: keys, cooldowns, receipts, kept responses, claims and leases of budgets, in SQLite below the data directory or in
//! PostgreSQL, and an in-memory twin for tests. The only place with SQL. What the rows mean is said by the ports of `engine`, `auth` and `ops`.

mod admin;
mod audit;
mod backups;
mod captures;
mod chain;
mod claims;
#[cfg(test)]
mod contract;
mod cooldowns;
mod data_dir;
mod documents;
mod error;
mod events;
mod glance;
mod heartbeat;
mod inspector;
mod keys;
mod leases;
mod locations;
mod mcp_sessions;
mod memory;
mod mirror;
mod oauth;
mod postgres;
mod price_lists;
mod receipt_text;
mod receipts;
mod responses;
mod retention;
mod rollup;
mod rotation;
mod runtime;
mod seal;
mod sealed;
mod signing_keys;
mod sql;
mod sqlite;
mod suggestions;
mod tasks;
#[cfg(test)]
mod tests;
mod tool_calls;
mod traces;
mod usage;
mod windows;
mod writer;

pub use admin::SqlAdmin;
pub use audit::SqlAudit;
pub use backups::{BackupProblem, Restored, SqlBackups, restore, restore_into};
pub use captures::SqlCaptures;
pub use claims::SqlClaims;
pub use data_dir::DataDir;
pub use documents::SqlDocuments;
pub use error::StoreError;
pub use glance::{Glance, glance};
pub use heartbeat::{Heartbeat, Heartbeats};
pub use inspector::SqlInspector;
pub use keys::SqlKeys;
pub use leases::SqlLeases;
pub use mcp_sessions::SqlMcpSessions;
pub use memory::MemoryStore;
pub use oauth::SqlOAuth;
pub use postgres::PostgresProblem;
pub use price_lists::SqlPriceLists;
pub use receipts::SqlReceipts;
pub use responses::SqlResponses;
pub use retention::Sweeper;
pub use rotation::Rotated;
pub use runtime::RuntimeFile;
pub use seal::KeyProblem;
pub use sealed::Readable;
pub use signing_keys::SqlSigningKeys;
pub use suggestions::SqlSuggestions;
pub use tasks::SqlTasks;
pub use tool_calls::SqlToolCalls;
pub use usage::SqlUsage;
pub use writer::{Writer, WriterLimits};

use std::sync::Arc;

use crate::engine::{
    ports::{Clock, CooldownRecord, WindowRecord},
    settings::Secret,
};
use postgres::HubLock;
use seal::Sealer;
use sql::Pools;

/// An open database, with a writer running beside it.
pub struct Store {
    pools: Pools,
    writer: Writer,
    sealer: Arc<Sealer>,
    responses: SqlResponses,
    claims: SqlClaims,
    backups: SqlBackups,
    // Keeps the lock as long as the database is open.
    data_dir: DataDir,
    // The same of a database that others can reach.
    hub_lock: Option<HubLock>,
}

impl Store {
    /// Opens the SQLite database of a data directory: [`Store::open_at`] without an address.
    ///
    /// # Errors
    /// [`StoreError`], worded for the operator.
    pub async fn open(
        data_dir: &DataDir,
        limits: WriterLimits,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        Self::open_at(data_dir, None, limits, clock).await
    }

    /// Opens the PostgreSQL database at an address, or else the SQLite database of the data directory; brings its
    /// schema up to date, and starts the writer on the current tokio runtime.
    ///
    /// # Errors
    /// [`StoreError`], worded for the operator.
    pub async fn open_at(
        data_dir: &DataDir,
        url: Option<&Secret>,
        limits: WriterLimits,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        backups::none_is_half_done(data_dir)?;
        let (pools, hub_lock) = match url {
            None => {
                Box::pin(backups::before_upgrade(data_dir, &*clock)).await?;
                (sqlite::open(&data_dir.database()).await?, None)
            }
            Some(url) => postgres::open(url).await.map(|(pools, lock)| (pools, Some(lock)))?,
        };
        let writer = Writer::start(pools.writing.clone(), limits, Arc::clone(&clock));
        let server = url.map(|_| pools.managing.clone());
        let backups = SqlBackups::new(data_dir.clone(), server, writer.clone(), clock);
        let sealer = Arc::new(Sealer::new(data_dir.path()));
        let responses = SqlResponses::new(pools.managing.clone(), writer.clone(), Arc::clone(&sealer));
        let claims = SqlClaims::new(pools.managing.clone(), Arc::clone(&sealer));
        Ok(Self { pools, writer, sealer, responses, claims, backups, data_dir: data_dir.clone(), hub_lock })
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> SqlKeys {
        SqlKeys::new(self.pools.managing.clone())
    }

    /// The receipts, for reading.
    #[must_use]
    pub fn receipts(&self) -> SqlReceipts {
        SqlReceipts::new(self.pools.managing.clone())
    }

    /// The operator's password and the sessions.
    #[must_use]
    pub fn admin(&self) -> SqlAdmin {
        SqlAdmin::new(self.pools.managing.clone())
    }

    /// The sums of usage, for reading.
    #[must_use]
    pub fn usage(&self) -> SqlUsage {
        SqlUsage::new(self.pools.managing.clone())
    }

    /// The leases of budgets.
    #[must_use]
    pub fn leases(&self) -> SqlLeases {
        SqlLeases::new(self.pools.managing.clone())
    }

    /// What was made over the management API.
    #[must_use]
    pub fn documents(&self) -> SqlDocuments {
        SqlDocuments::new(self.pools.managing.clone(), Arc::clone(&self.sealer))
    }

    /// The audit log.
    #[must_use]
    pub fn audit(&self) -> SqlAudit {
        SqlAudit(self.pools.managing.clone())
    }

    /// The tokens of connections, and logins under way.
    #[must_use]
    pub fn oauth(&self) -> SqlOAuth {
        SqlOAuth::new(self.pools.managing.clone(), Arc::clone(&self.sealer))
    }

    /// Who looks at the database.
    #[must_use]
    pub fn inspector(&self) -> SqlInspector {
        SqlInspector::new(self.pools.managing.clone(), self.data_dir.database())
    }

    /// The backups.
    #[must_use]
    pub fn backups(&self) -> SqlBackups {
        self.backups.clone()
    }

    /// The kept responses.
    #[must_use]
    pub fn responses(&self) -> SqlResponses {
        self.responses.clone()
    }

    /// The list of prices that was fetched last.
    #[must_use]
    pub fn price_lists(&self) -> SqlPriceLists {
        SqlPriceLists::new(self.pools.managing.clone())
    }

    /// Keys to sign with.
    #[must_use]
    pub fn signing_keys(&self) -> SqlSigningKeys {
        SqlSigningKeys::new(self.pools.managing.clone(), Arc::clone(&self.sealer))
    }

    /// The sessions of MCP clients.
    #[must_use]
    pub fn mcp_sessions(&self) -> SqlMcpSessions {
        SqlMcpSessions::new(self.pools.managing.clone())
    }

    /// The record of tool calls.
    #[must_use]
    pub fn tool_calls(&self) -> SqlToolCalls {
        SqlToolCalls(self.pools.managing.clone())
    }

    /// Tasks of agents that ask the hub.
    #[must_use]
    pub fn tasks(&self) -> SqlTasks {
        SqlTasks::new(self.pools.managing.clone(), Arc::clone(&self.sealer))
    }

    /// What diagnoses of connections suggest.
    #[must_use]
    pub fn suggestions(&self) -> SqlSuggestions {
        SqlSuggestions::new(self.pools.managing.clone())
    }

    /// The processes that speak MCP over their standard input and output, next to this data directory.
    #[must_use]
    pub fn mcp_processes(&self, clock: Arc<dyn Clock>) -> Heartbeats {
        Heartbeats::new(self.data_dir.path(), clock)
    }

    /// Messages that were captured word for word.
    #[must_use]
    pub fn captures(&self) -> SqlCaptures {
        SqlCaptures::new(self.pools.managing.clone(), Arc::clone(&self.sealer))
    }

    /// The claims on idempotency keys.
    #[must_use]
    pub fn claims(&self) -> SqlClaims {
        self.claims.clone()
    }

    /// Reads the key to what is encrypted, or makes one: for a hub that will need it, which should rather not start
    /// than find out later. It is read or made on demand otherwise.
    ///
    /// # Errors
    /// [`StoreError::SecretKey`].
    pub fn prepare_secret(&self) -> Result<(), StoreError> {
        self.sealer.prepare()
    }

    /// The sink of receipts and cooldowns.
    #[must_use]
    pub fn writer(&self) -> Writer {
        self.writer.clone()
    }

    /// The cooldowns that have not ended by `now` (milliseconds since the Unix epoch); deletes those that have.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn load_cooldowns(&self, now: i64) -> Result<Vec<CooldownRecord>, StoreError> {
        Ok(cooldowns::load(&self.pools.managing, now).await?)
    }

    /// The windows of quotas that have not ended by `now` (milliseconds since the Unix epoch); deletes those that have.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn load_windows(&self, now: i64) -> Result<Vec<WindowRecord>, StoreError> {
        Ok(windows::load(&self.pools.managing, now).await?)
    }

    /// What deletes what is old.
    #[must_use]
    pub fn sweeper(&self) -> Sweeper {
        Sweeper::new(self.pools.managing.clone(), self.writer.clone())
    }

    /// Writes what is queued and closes the database: for an orderly stop, which loses nothing. What is
    /// recorded from now on is dropped and counted.
    ///
    /// # Errors
    /// [`StoreError::NotWritten`] when the database failed to the end.
    pub async fn close(&self) -> Result<(), StoreError> {
        let written = self.writer.close().await;
        self.pools.close().await;
        self.hub_lock.iter().for_each(HubLock::release);
        events::closed(self.data_dir.path());
        written
    }
}
