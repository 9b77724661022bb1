//! What backups need of a store.

use futures_core::future::BoxFuture;
use operations::backups::{BackupReason, BackupVerdict, BackupView};

/// Copies a store, and keeps the copies. Each method has made its change durable when its future is done.
pub trait BackupStore: Send + Sync {
    /// Copies all that was recorded before this call, while others go on writing. One copy is made at a time.
    fn create(
        &self,
        reason: BackupReason,
        with_key: bool,
    ) -> BoxFuture<'_, Result<BackupView, BackupStoreError>>;
    /// All backups, newest first. What is no backup is left out.
    fn list(&self) -> BoxFuture<'_, Result<Vec<BackupView>, BackupStoreError>>;
    /// Checks whether a backup can be restored. Changes nothing.
    fn verify(&self, name: String) -> BoxFuture<'_, Result<BackupVerdict, BackupStoreError>>;
    /// Deletes a backup.
    fn delete(&self, name: String) -> BoxFuture<'_, Result<(), BackupStoreError>>;
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum BackupStoreError {
    /// There is no backup of that name.
    #[error("there is no such backup")]
    NotFound,
    /// It cannot be done with this store, or not now; a sentence for the operator.
    #[error("{0}")]
    Refused(String),
    /// The store failed. Was logged.
    #[error("the backup could not be made, read or deleted")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
