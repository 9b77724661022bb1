//! Looking at the database while the hub uses it.

use futures_core::future::BoxFuture;

/// Somebody who can look at the database.
pub trait Inspector: Send + Sync {
    /// Looks whether it is sound; with `repair` it rebuilds indexes and writes the log into the file first.
    fn inspect(&self, repair: bool) -> BoxFuture<'_, Result<Inspected, InspectError>>;
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspected {
    /// `sqlite`, `postgres` or `memory`.
    pub kind: &'static str,
    /// What is damaged.
    pub damage: Vec<String>,
    /// Bytes of the database, where that is known.
    pub bytes: Option<u64>,
    /// Bytes of the log beside it.
    pub log_bytes: Option<u64>,
    /// The last step of the schema that it has.
    pub schema: i64,
    /// The last one that this program knows.
    pub latest: i64,
}

/// The store failed.
#[derive(Debug, thiserror::Error)]
#[error("the database could not be looked at")]
pub struct InspectError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
