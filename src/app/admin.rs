//! The operator's login without a hub: straight on the store, for the time in which none runs.

use std::{path::Path, sync::Arc};

use super::{LocalError, SystemClock};
use crate::{
    auth::local_caller,
    engine::{ports::Clock, settings::Secret},
    ops::admin::Admin,
    store::{DataDir, Store, WriterLimits},
};

/// The operator's login, with every right: whoever can read and write the data directory has them anyway.
pub struct LocalAdmin {
    admin: Admin,
    store: Store,
}

impl LocalAdmin {
    /// Opens the store.
    ///
    /// # Errors
    /// When the data directory is in use or cannot be used.
    pub async fn open(data_dir: &Path, url: Option<&Secret>) -> Result<Self, LocalError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let data_dir = DataDir::lock(data_dir)?;
        let store = Store::open_at(&data_dir, url, WriterLimits::default(), Arc::clone(&clock)).await?;
        let admin = Admin::load(Arc::new(store.admin()), clock).await?;
        Ok(Self { admin, store })
    }

    /// Sets the password; without one, sets and answers one that has to be changed at the first login.
    ///
    /// # Errors
    /// When it was not set.
    pub async fn set_password(&self, new: Option<String>) -> Result<Option<String>, LocalError> {
        let caller = local_caller();
        match new {
            Some(new) => {
                self.admin.set_password(&caller, Secret::new(new)).await?;
                Ok(None)
            }
            None => Ok(Some(self.admin.reset_password(&caller).await?.expose().to_owned())),
        }
    }

    /// Closes the store.
    ///
    /// # Errors
    /// When something could not be written.
    pub async fn close(self) -> Result<(), LocalError> {
        Ok(self.store.close().await?)
    }
}
