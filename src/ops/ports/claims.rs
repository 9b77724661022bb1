//! What idempotency needs of a store: claims on keys, and the answers that were given under them.

use std::sync::Arc;

use futures_core::future::BoxFuture;

/// Claims on idempotency keys. What belongs to one owner is never found in the name of another.
pub trait ClaimStore: Send + Sync {
    /// Claims an id for its owner, unless it is claimed and that claim has not ended: then answers what was found, and
    /// changes nothing. Deletes some of what has ended, and the owner's oldest claims until with this one there are no
    /// more than `most`. When it is done it is durable.
    fn claim(&self, claim: Claim, most: u32) -> BoxFuture<'_, Result<Option<Claimed>, ClaimStoreError>>;
    /// Notes how the request of a claim ended. Deletes the oldest claims with answers, of any owner, until all take no
    /// more than `max_bytes`. A claim that has given way meanwhile stays away. When it is done it is durable.
    fn finish(
        &self,
        place: ClaimPlace,
        ending: ClaimEnding,
        max_bytes: u64,
    ) -> BoxFuture<'_, Result<(), ClaimStoreError>>;
    /// Forgets a claim: nothing came of its request that would have to be remembered.
    fn release(&self, place: ClaimPlace) -> BoxFuture<'_, Result<(), ClaimStoreError>>;
    /// Deletes all that has ended by `now` (milliseconds since the Unix epoch). Answers how many claims those were.
    fn sweep(&self, now: i64) -> BoxFuture<'_, Result<u64, ClaimStoreError>>;
}

/// Whose claim it is, and on what.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimPlace {
    /// The caller's id.
    pub owner: Arc<str>,
    /// What stands for the route and the key: a hash, so that the key itself is not kept.
    pub id: Arc<str>,
}

/// A claim for the store.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Whose, and on what.
    pub place: ClaimPlace,
    /// The hash of the request.
    pub request: [u8; 32],
    /// When it is made, in milliseconds since the Unix epoch.
    pub created_at: i64,
    /// When it ends, likewise.
    pub expires_at: i64,
}

/// A claim that was there already.
#[derive(Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The hash of its request.
    pub request: [u8; 32],
    /// How that request ended.
    pub ending: Option<ClaimEnding>,
}

/// How the request of a claim ended. Not to be printed: the answer is what people said.
#[derive(Clone, PartialEq, Eq)]
pub enum ClaimEnding {
    /// With this answer, in a form that the store does not know. It encrypts it. One that cannot be decrypted is found
    /// as [`ClaimEnding::NotKept`].
    Answered(Vec<u8>),
    /// With an answer that is not kept: it was too large.
    NotKept,
}

/// The store failed. Was logged.
#[derive(Debug, thiserror::Error)]
#[error("the idempotency keys could not be read or written")]
pub struct ClaimStoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
