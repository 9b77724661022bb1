//! Changing the key to what is encrypted. Three steps, and whatever stops them in between, everything can be read and the next
//! try goes on: the file gets the new key beside the old one; all that is sealed is sealed anew, in one transaction; the file
//! loses the old key.

use super::{
    Store, StoreError,
    sealed::{self, Readable},
};

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// What was sealed anew, and what could not be read and was left as it is.
    pub found: Readable,
    /// Whether a change that was stopped in the middle was finished. The key is the one of that change.
    pub resumed: bool,
}

impl Store {
    /// Looks whether everything that is encrypted can be read.
    ///
    /// # Errors
    /// When the key or the database cannot be used.
    pub async fn verify_secret(&self) -> Result<Readable, StoreError> {
        let mut connection = self.pools.managing.acquire().await?;
        sealed::look(&mut connection, &self.sealer, |_| true).await
    }

    /// Seals everything with a new key, and forgets the old one. Nobody else may use the store meanwhile. With
    /// `leave`, what cannot be read is no reason to refuse.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] and [`StoreError::SecretKey`]: nothing was changed. Others: the next try goes on.
    pub async fn rotate_secret(&self, leave: bool) -> Result<Rotated, StoreError> {
        let before = self.verify_secret().await?;
        if !before.lost.is_empty() && !leave {
            return Err(StoreError::Unreadable { rows: before.lost_rows(), places: before.lost_places() });
        }
        if !self.sealer.is_there()? {
            self.sealer.prepare()?;
            return Ok(Rotated { found: before, resumed: false });
        }
        let resumed = self.sealer.begin_change()?;
        let found = self.seal_anew().await?;
        self.sealer.end_change()?;
        Ok(Rotated { found, resumed })
    }

    async fn seal_anew(&self) -> Result<Readable, StoreError> {
        let mut transaction = self.pools.managing.begin().await?;
        let found = sealed::seal_anew(&mut transaction, &self.sealer).await?;
        transaction.commit().await?;
        Ok(found)
    }
}

#[cfg(test)]
pub(super) mod tests;
