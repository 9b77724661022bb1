//! Keys to sign with, in memory.

use futures_core::future::BoxFuture;

use super::MemoryStore;
use crate::ops::ports::{SigningKeyStore, SigningKeyStoreError};

impl SigningKeyStore for MemoryStore {
    fn keep(
        &self,
        name: String,
        fresh: Vec<u8>,
        _now: i64,
    ) -> BoxFuture<'_, Result<Vec<u8>, SigningKeyStoreError>> {
        self.now(|state| Ok(state.signing_keys.entry(name).or_insert(fresh).clone()))
    }
}
