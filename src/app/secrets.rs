//! The key to what is encrypted, looked at and changed while no hub runs.

use std::sync::Arc;

use super::SystemClock;
use crate::{
    config::Boot,
    engine::ports::Clock,
    store::{DataDir, Readable, Store, StoreError, WriterLimits},
};

/// Seals everything with a new key; says what was done. With `leave`, what cannot be read stays as it is.
///
/// # Errors
/// [`StoreError`], worded for the operator.
pub async fn rotate_secret(boot: &Boot, leave: bool) -> Result<String, StoreError> {
    let store = open(boot).await?;
    let done = store.rotate_secret(leave).await;
    store.close().await?;
    let done = done?;
    let mut said = format!("A new key is in use: {} rows were encrypted anew.", done.found.rows);
    if done.resumed {
        said.insert_str(0, "A change of the key that was stopped in the middle is finished. ");
    }
    if !done.found.lost.is_empty() {
        let places = done.found.lost_places();
        said.push_str(&format!(" Left as they are, because nobody can read them: {places}."));
    }
    said.push_str(
        "\nBackups that were made before hold the old key, or need it where they were made without: make a new backup, \
         and delete those if the old key is known to others.",
    );
    Ok(said)
}

/// Says whether everything that is encrypted can be read.
///
/// # Errors
/// [`StoreError`], worded for the operator.
pub async fn verify_secret(boot: &Boot) -> Result<Readable, StoreError> {
    let store = open(boot).await?;
    let found = store.verify_secret().await;
    store.close().await?;
    found
}

async fn open(boot: &Boot) -> Result<Store, StoreError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let data_dir = DataDir::lock(&boot.data_dir)?;
    // How many receipts are kept is for the hub to say.
    Store::open_at(&data_dir, boot.store_url.as_ref(), WriterLimits::keeping(u64::MAX), clock).await
}
