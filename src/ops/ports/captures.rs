//! What the operations need of a store that keeps messages word for word.

use futures_core::future::BoxFuture;

/// The messages of one request, for the store.
pub struct StoredCapture {
    /// The hub's request id.
    pub request_id: String,
    /// When the request arrived, in milliseconds since the Unix epoch.
    pub at: i64,
    /// The messages, in a form that the store does not know. It encrypts it.
    pub payload: Vec<u8>,
}

/// Messages of requests.
pub trait CaptureStore: Send + Sync {
    /// Keeps the messages of a request, and deletes some of the oldest where all together take more than `max_bytes`.
    fn keep(&self, capture: StoredCapture, max_bytes: u64) -> BoxFuture<'_, Result<(), CaptureStoreError>>;
    /// The messages of one request, as they were given. Such that cannot be decrypted are reported to the log and not found.
    fn of_request(&self, id: String) -> BoxFuture<'_, Result<Option<Vec<u8>>, CaptureStoreError>>;
    /// Deletes a batch of those that arrived before `before` (milliseconds since the Unix epoch); says whether there may be
    /// more.
    fn sweep(&self, before: i64) -> BoxFuture<'_, Result<bool, CaptureStoreError>>;
}

/// The store failed. Was logged.
#[derive(Debug, thiserror::Error)]
#[error("the captured messages could not be read or written")]
pub struct CaptureStoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
