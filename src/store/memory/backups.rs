//! Backups of a store in memory: there are none, and none can be made.

use futures_core::future::BoxFuture;
use operations::backups::{BackupReason, BackupVerdict, BackupView};

use super::MemoryStore;
use crate::ops::ports::{BackupStore, BackupStoreError};

impl BackupStore for MemoryStore {
    fn create(
        &self,
        _reason: BackupReason,
        _with_key: bool,
    ) -> BoxFuture<'_, Result<BackupView, BackupStoreError>> {
        let why = "the store is in memory, and has no files to copy".to_owned();
        Box::pin(std::future::ready(Err(BackupStoreError::Refused(why))))
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<BackupView>, BackupStoreError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn verify(&self, _name: String) -> BoxFuture<'_, Result<BackupVerdict, BackupStoreError>> {
        Box::pin(std::future::ready(Err(BackupStoreError::NotFound)))
    }

    fn delete(&self, _name: String) -> BoxFuture<'_, Result<(), BackupStoreError>> {
        Box::pin(std::future::ready(Err(BackupStoreError::NotFound)))
    }
}
