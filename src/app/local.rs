//! Operations without a hub: on the configuration and the store, while none runs. Whoever can read and write the data
//! directory has every right anyway.

use std::{path::Path, sync::Arc};

use operations::{Definition, Operation};
use serde_json::Value;

use super::{StartError, SystemClock, configuration::Configured, hub};
use crate::{
    auth::{KeyIndex, local_caller},
    engine::ports::Clock,
    ops::{
        OpError,
        registry::{Asked, Registry},
    },
    outbound::Client,
    store::{DataDir, RuntimeFile, Store, StoreError, WriterLimits},
};

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The data directory or the database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A part of the hub could not be put together.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The operation was not done.
    #[error(transparent)]
    Operation(#[from] OpError),
    /// What was answered is not what the operation answers.
    #[error("the answer could not be read: {0}")]
    Answer(#[from] serde_json::Error),
}

/// Where the hub that uses `data_dir` listens, and the secret that it lets commands of its user in with.
///
/// # Errors
/// When its runtime file cannot be read.
pub fn running_hub(data_dir: &Path) -> Result<Option<(String, String)>, StoreError> {
    let file = RuntimeFile::of_running_hub(data_dir)?;
    Ok(file.map(|file| (file.base_url, file.secret.expose().to_owned())))
}

/// The parts of a hub, put together to work on its data and not to listen.
pub struct Local {
    operations: Arc<Registry>,
    store: Store,
}

impl Local {
    /// Opens the store.
    ///
    /// # Errors
    /// When the data directory is in use or cannot be used.
    pub async fn open(configured: Configured) -> Result<Self, LocalError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let data_dir = DataDir::lock(&configured.loaded.boot.data_dir)?;
        let url = configured.loaded.boot.store_url.clone();
        // How many receipts are kept is for the hub to say.
        let limits = WriterLimits::keeping(u64::MAX);
        let store = Store::open_at(&data_dir, url.as_ref(), limits, Arc::clone(&clock)).await?;
        let index = Arc::new(KeyIndex::new(Arc::clone(&clock)));
        // No browser comes back to a hub that does not run, and no request is made.
        let around = hub::Around {
            transport: Arc::new(Client::new()),
            receipts: Arc::new(store.writer()),
            captures: None,
            public_url: String::new(),
            loopback: None,
        };
        // On the heap, as in a hub: what it awaits is large.
        let core = Box::pin(hub::Core::new(configured, &store, &index, &clock, around)).await?;
        Ok(Self { operations: core.operations, store })
    }

    /// Executes an operation.
    ///
    /// # Errors
    /// When it was not done.
    pub async fn call<O: Operation>(&self, args: O::Args) -> Result<O::Result, LocalError> {
        let Some(definition) = Definition::named(O::NAME) else {
            return Err(OpError::NotFound { noun: "operation", name: O::NAME.to_owned() }.into());
        };
        let answer = self.call_by(definition, serde_json::to_value(args)?).await?;
        Ok(serde_json::from_value(answer)?)
    }

    /// Executes an operation that is known by its definition.
    ///
    /// # Errors
    /// When it was not done.
    pub async fn call_by(&self, definition: &'static Definition, args: Value) -> Result<Value, LocalError> {
        let asked = Asked::new(local_caller(), "cli", None);
        Ok(self.operations.call(asked, definition, args).await?)
    }

    /// Closes the store.
    ///
    /// # Errors
    /// When something could not be written.
    pub async fn close(self) -> Result<(), LocalError> {
        Ok(self.store.close().await?)
    }
}
