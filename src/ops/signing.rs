//! The key with which the hub signs what it says of itself. Made once and kept by the store, sealed; the public half is for
//! everybody. What is signed, and in which form, is the surface's.

use std::sync::Arc;

use tokio::sync::OnceCell;

use super::ports::{SigningKeyStore, SigningKeyStoreError};
use crate::{
    engine::ports::Clock,
    envelope::{KeyError, SigningKey},
};

/// What the key is called in the store: for agent cards.
const NAME: &str = "agent-card";

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The key could not be read or written.
    #[error(transparent)]
    Store(#[from] SigningKeyStoreError),
    /// The key could not be made or used.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Who has the key. It is made or read when something is to be signed for the first time.
pub struct Signer {
    store: Arc<dyn SigningKeyStore>,
    clock: Arc<dyn Clock>,
    key: OnceCell<Arc<SigningKey>>,
}

impl Signer {
    /// Nothing was signed yet.
    #[must_use]
    pub fn new(store: Arc<dyn SigningKeyStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, key: OnceCell::new() }
    }

    /// The key.
    ///
    /// # Errors
    /// When the store fails, or the system gives no random bytes.
    pub async fn key(&self) -> Result<Arc<SigningKey>, SigningError> {
        self.key.get_or_try_init(|| self.load()).await.cloned()
    }

    async fn load(&self) -> Result<Arc<SigningKey>, SigningError> {
        let kept = self.store.keep(NAME.to_owned(), SigningKey::generate()?, self.clock.now()).await?;
        Ok(Arc::new(SigningKey::read(&kept)?))
    }
}
