//! What outlives the process: keys, cooldowns, receipts, kept responses, claims and leases of budgets in SQLite below the data directory, and an in-memory
//! twin for tests. The only place with SQL. What the rows mean is said by the ports of `engine`, `auth` and `ops`.

mod admin;
mod claims;
#[cfg(test)]
mod contract;
mod cooldowns;
mod data_dir;
mod error;
mod events;
mod keys;
mod leases;
mod locations;
mod memory;
mod receipt_text;
mod receipts;
mod responses;
mod runtime;
mod seal;
mod sqlite;
#[cfg(test)]
mod tests;
mod windows;
mod writer;

pub use admin::SqliteAdmin;
pub use claims::SqliteClaims;
pub use data_dir::DataDir;
pub use error::StoreError;
pub use keys::SqliteKeys;
pub use leases::SqliteLeases;
pub use memory::MemoryStore;
pub use receipts::SqliteReceipts;
pub use responses::SqliteResponses;
pub use runtime::RuntimeFile;
pub use seal::KeyProblem;
pub use writer::{Writer, WriterLimits};

use std::sync::Arc;

use crate::engine::ports::{Clock, CooldownRecord, WindowRecord};
use seal::Sealer;
use sqlite::Pools;

/// An open database, with a writer running beside it.
pub struct Store {
    pools: Pools,
    writer: Writer,
    sealer: Arc<Sealer>,
    responses: SqliteResponses,
    claims: SqliteClaims,
    // Keeps the lock as long as the database is open.
    data_dir: DataDir,
}

impl Store {
    /// Opens the database of a data directory, brings its schema up to date, and starts the writer on the
    /// current tokio runtime.
    ///
    /// # Errors
    /// [`StoreError`], worded for the operator.
    pub async fn open(
        data_dir: &DataDir,
        limits: WriterLimits,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let pools = sqlite::open(&data_dir.database()).await?;
        let writer = Writer::start(pools.writing.clone(), limits, clock);
        let sealer = Arc::new(Sealer::new(data_dir.path()));
        let responses = SqliteResponses::new(pools.managing.clone(), writer.clone(), Arc::clone(&sealer));
        let claims = SqliteClaims::new(pools.managing.clone(), Arc::clone(&sealer));
        Ok(Self { pools, writer, sealer, responses, claims, data_dir: data_dir.clone() })
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> SqliteKeys {
        SqliteKeys::new(self.pools.managing.clone())
    }

    /// The receipts, for reading.
    #[must_use]
    pub fn receipts(&self) -> SqliteReceipts {
        SqliteReceipts::new(self.pools.managing.clone())
    }

    /// The operator's password and the sessions.
    #[must_use]
    pub fn admin(&self) -> SqliteAdmin {
        SqliteAdmin::new(self.pools.managing.clone())
    }

    /// The leases of budgets.
    #[must_use]
    pub fn leases(&self) -> SqliteLeases {
        SqliteLeases::new(self.pools.managing.clone())
    }

    /// The kept responses.
    #[must_use]
    pub fn responses(&self) -> SqliteResponses {
        self.responses.clone()
    }

    /// The claims on idempotency keys.
    #[must_use]
    pub fn claims(&self) -> SqliteClaims {
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

    /// Writes what is queued and closes the database: for an orderly stop, which loses nothing. What is
    /// recorded from now on is dropped and counted.
    ///
    /// # Errors
    /// [`StoreError::NotWritten`] when the database failed to the end.
    pub async fn close(&self) -> Result<(), StoreError> {
        let written = self.writer.close().await;
        self.pools.close().await;
        events::closed(self.data_dir.path());
        written
    }
}
