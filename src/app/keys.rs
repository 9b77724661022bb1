//! Keys without a hub: where a running one is found, and how the store is used when none runs.

use std::{path::Path, sync::Arc};

use operations::keys::{
    CreateKey, CreatedKey, GetKey, KeyPage, KeyView, ListKeys, RevokeKey, RevokedKeys, RotateKey, UpdateKey,
};

use super::SystemClock;
use crate::{
    auth::{KeyIndex, local_caller},
    engine::{caller::Caller, ports::Clock},
    ops::{OpError, keys::Keys},
    store::{DataDir, RuntimeFile, Store, StoreError, WriterLimits},
};

/// Why the keys could not be reached.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The data directory or the database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operation was not done.
    #[error(transparent)]
    Operation(#[from] OpError),
}

/// Where the hub that uses `data_dir` listens, and the secret that it lets commands of its user in with.
///
/// # Errors
/// When its runtime file cannot be read.
pub fn running_hub(data_dir: &Path) -> Result<Option<(String, String)>, KeysError> {
    let file = RuntimeFile::of_running_hub(data_dir)?;
    Ok(file.map(|file| (file.base_url, file.secret.expose().to_owned())))
}

/// The operations on keys, straight on the store, with every right: whoever can read and write the data
/// directory has them anyway. For the time in which no hub runs.
pub struct LocalKeys {
    keys: Keys,
    caller: Caller,
    store: Store,
}

impl LocalKeys {
    /// Opens the store.
    ///
    /// # Errors
    /// When the data directory is in use or cannot be used.
    pub async fn open(data_dir: &Path) -> Result<Self, KeysError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let data_dir = DataDir::lock(data_dir)?;
        let store = Store::open(&data_dir, WriterLimits::default(), Arc::clone(&clock)).await?;
        let index = Arc::new(KeyIndex::new(Arc::clone(&clock)));
        let keys = Keys::load(Arc::new(store.keys()), index, clock).await?;
        Ok(Self { keys, caller: local_caller(), store })
    }

    /// Makes a key.
    ///
    /// # Errors
    /// When it was not made.
    pub async fn create(&self, args: CreateKey) -> Result<CreatedKey, KeysError> {
        Ok(self.keys.create(&self.caller, args).await?)
    }

    /// Lists keys.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn list(&self, args: ListKeys) -> Result<KeyPage, KeysError> {
        Ok(self.keys.list(&self.caller, args).await?)
    }

    /// Shows a key.
    ///
    /// # Errors
    /// When there is none.
    pub async fn get(&self, args: GetKey) -> Result<KeyView, KeysError> {
        Ok(self.keys.get(&self.caller, args).await?)
    }

    /// Changes a key.
    ///
    /// # Errors
    /// When it was not changed.
    pub async fn update(&self, args: UpdateKey) -> Result<KeyView, KeysError> {
        Ok(self.keys.update(&self.caller, args).await?)
    }

    /// Ends a key.
    ///
    /// # Errors
    /// When it was not ended.
    pub async fn revoke(&self, args: RevokeKey) -> Result<RevokedKeys, KeysError> {
        Ok(self.keys.revoke(&self.caller, args).await?)
    }

    /// Gives a key a new text.
    ///
    /// # Errors
    /// When it got none.
    pub async fn rotate(&self, args: RotateKey) -> Result<CreatedKey, KeysError> {
        Ok(self.keys.rotate(&self.caller, args).await?)
    }

    /// Closes the store.
    ///
    /// # Errors
    /// When something could not be written.
    pub async fn close(self) -> Result<(), KeysError> {
        Ok(self.store.close().await?)
    }
}
