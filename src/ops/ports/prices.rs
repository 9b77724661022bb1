//! What the operations on prices need: somebody who fetches lists, and a store that keeps the last one.

use bytes::Bytes;
use futures_core::future::BoxFuture;

/// Somebody who fetches what the operator named.
pub trait Download: Send + Sync {
    /// Fetches `url`, within a time and a size of its own.
    fn download(&self, url: &str) -> BoxFuture<'static, Result<Bytes, DownloadError>>;
}

/// Why nothing was fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DownloadError(pub String);

/// A list as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedList {
    /// Where from.
    pub url: String,
    /// When, in milliseconds since the Unix epoch.
    pub fetched_at: i64,
    /// What came.
    pub body: Vec<u8>,
}

/// The last list of prices.
pub trait PriceListStore: Send + Sync {
    /// Keeps a list in place of all others.
    fn put(&self, list: FetchedList) -> BoxFuture<'_, Result<(), PriceListError>>;
    /// The list that was fetched from there.
    fn fetched_from(&self, url: String) -> BoxFuture<'_, Result<Option<FetchedList>, PriceListError>>;
}

/// The store failed.
#[derive(Debug, thiserror::Error)]
#[error("the list of prices could not be read or written: {0}")]
pub struct PriceListError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
