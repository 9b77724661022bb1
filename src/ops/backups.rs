//! Operations on backups, and what is done with them by the hours: making one when it is time, and letting the oldest go. How a
//! store is copied is the store's.

use std::sync::Arc;

use operations::backups::{
    BackupDeleted, BackupReason, BackupVerdict, BackupView, Backups as Listed, CreateBackup, NameBackup,
};

use super::{
    OpError,
    ports::{BackupStore, BackupStoreError},
};

/// Executes the operations on backups.
pub struct Backups {
    store: Arc<dyn BackupStore>,
}

impl Backups {
    /// The backups of this store.
    #[must_use]
    pub fn new(store: Arc<dyn BackupStore>) -> Self {
        Self { store }
    }

    /// Makes one because somebody asks.
    ///
    /// # Errors
    /// When one is being made already, the store cannot be copied, or the disk is full.
    pub async fn create(&self, args: CreateBackup) -> Result<BackupView, OpError> {
        let made = self.store.create(BackupReason::Asked, !args.without_key).await;
        made.map_err(|error| failed(error, ""))
    }

    /// Lists them, newest first.
    ///
    /// # Errors
    /// When their folder cannot be read.
    pub async fn list(&self) -> Result<Listed, OpError> {
        let backups = self.store.list().await.map_err(|error| failed(error, ""))?;
        Ok(Listed { backups })
    }

    /// Checks whether one can be restored.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn verify(&self, args: NameBackup) -> Result<BackupVerdict, OpError> {
        let name = args.backup;
        self.store.verify(name.clone()).await.map_err(|error| failed(error, &name))
    }

    /// Deletes one.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn delete(&self, args: NameBackup) -> Result<BackupDeleted, OpError> {
        let name = args.backup;
        self.store.delete(name.clone()).await.map_err(|error| failed(error, &name))?;
        Ok(BackupDeleted { name })
    }

    /// When the last one by the schedule was made, in milliseconds since the Unix epoch. One from after `now` was made by a
    /// clock that was ahead, and says nothing.
    ///
    /// # Errors
    /// When their folder cannot be read.
    pub async fn last_scheduled(&self, now: i64) -> Result<Option<i64>, OpError> {
        let all = self.list().await?.backups;
        let scheduled = all.iter().filter(|backup| backup.reason == BackupReason::Schedule);
        Ok(scheduled.map(|backup| backup.made_at).filter(|at| *at <= now).max())
    }

    /// Makes one because it is time, and lets the oldest go: of those that were made by the schedule, and of those that were
    /// made before an upgrade, the newest `keep` stay. What somebody asked for stays.
    ///
    /// # Errors
    /// When the backup cannot be made, or an old one not be deleted.
    pub async fn make_scheduled(&self, keep: usize) -> Result<BackupView, OpError> {
        let made = self.store.create(BackupReason::Schedule, true).await;
        let made = made.map_err(|error| failed(error, ""))?;
        let all = self.list().await?.backups;
        for reason in [BackupReason::Schedule, BackupReason::Upgrade] {
            for old in all.iter().filter(|backup| backup.reason == reason).skip(keep.max(1)) {
                let gone = self.store.delete(old.name.clone()).await;
                gone.map_err(|error| failed(error, &old.name))?;
            }
        }
        Ok(made)
    }
}

fn failed(error: BackupStoreError, name: &str) -> OpError {
    match error {
        BackupStoreError::NotFound => OpError::NotFound { noun: "backup", name: name.to_owned() },
        BackupStoreError::Refused(text) => OpError::Conflict(text),
        error @ BackupStoreError::Failed(_) => OpError::Store(Box::new(error)),
    }
}
