//! What signing needs of a store: a key that is made once, and is the same for ever.

use futures_core::future::BoxFuture;

/// Keys to sign with, which never leave the hub. The store encrypts them.
pub trait SigningKeyStore: Send + Sync {
    /// Keeps `fresh` (PKCS #8) under a name, unless there is a key already; answers the one that is there then. One that cannot be
    /// decrypted any more gives way to the fresh one. When it is done it is durable. `now`: milliseconds since the Unix epoch.
    fn keep(
        &self,
        name: String,
        fresh: Vec<u8>,
        now: i64,
    ) -> BoxFuture<'_, Result<Vec<u8>, SigningKeyStoreError>>;
}

/// The store failed.
#[derive(Debug, thiserror::Error)]
#[error("the key to sign with could not be read or written")]
pub struct SigningKeyStoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
