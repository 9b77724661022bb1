//! Keys without a hub: where a running one is found, and how the store is used when none runs.

use std::{path::Path, sync::Arc};

use super::SystemClock;
use crate::{
    auth::KeyIndex,
    engine::{
        caller::{Caller, CallerKind},
        ports::Clock,
    },
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

/// The operations on keys, straight on the store, for a caller with every scope: whoever can read and write the
/// data directory. To be used while no hub runs; the returned store is closed by the caller.
///
/// # Errors
/// When the data directory is in use or cannot be used.
pub async fn keys_of_store(data_dir: &Path) -> Result<(Keys, Caller, Store), KeysError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let data_dir = DataDir::lock(data_dir)?;
    let store = Store::open(&data_dir, WriterLimits::default(), Arc::clone(&clock)).await?;
    let index = Arc::new(KeyIndex::new(Arc::clone(&clock)));
    let keys = Keys::load(Arc::new(store.keys()), index, clock).await?;
    let caller = Caller {
        id: "local".into(),
        name: "local".into(),
        kind: CallerKind::Local,
        scopes: operations::Scopes::all(),
        address: None,
    };
    Ok((keys, caller, store))
}
