//! What `auth` and the operations on keys need of a store, as a trait. How the rows are kept is the store's.

mod admin;

use std::sync::Arc;

use futures_core::future::BoxFuture;
use operations::{Scope, Scopes, keys::KeyPolicy};

pub use admin::{AdminStore, AdminStoreError, PasswordRecord, SessionRecord};

/// SHA-256 of a token. The token itself is never kept: 256 random bits cannot be guessed from
/// their hash, so no salt and no slow hash is needed.
pub type TokenHash = [u8; 32];

/// A key that the hub issued.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyRecord {
    /// `key_` and a UUIDv7 in hexadecimal: ids sort by the time of creation.
    pub id: Arc<str>,
    /// Name for people.
    pub name: Arc<str>,
    /// The first characters of the token.
    pub prefix: Arc<str>,
    /// SHA-256 of the whole token.
    pub hash: TokenHash,
    /// What the key may do.
    pub scopes: Scopes,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at: i64,
    /// When it ends by itself, in milliseconds since the Unix epoch.
    pub expires_at: Option<i64>,
    /// When it was revoked, in milliseconds since the Unix epoch.
    pub revoked_at: Option<i64>,
    /// When it was last accepted, as far as this has been written down.
    pub last_used_at: Option<i64>,
    /// Rises with every change that [`KeyStore::update`] makes; 1 at first.
    pub version: u64,
    /// Why it is not accepted, where an operator has disabled it; may be empty.
    pub disabled: Option<Arc<str>>,
    /// What holds for it beside its scopes.
    pub policy: Arc<KeyPolicy>,
}

impl KeyRecord {
    /// Whether the key has ended by `now` (milliseconds since the Unix epoch).
    #[must_use]
    pub fn has_ended(&self, now: i64) -> bool {
        self.revoked_at.is_some() || self.expires_at.is_some_and(|end| end <= now)
    }
}

/// Scopes as one text for a row: their names with spaces between.
#[must_use]
pub fn scopes_to_text(scopes: Scopes) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
}

/// The scopes of [`scopes_to_text`]. A name that this program does not know gives no right.
#[must_use]
pub fn scopes_from_text(text: &str) -> Scopes {
    text.split_whitespace().filter_map(|word| word.parse::<Scope>().ok()).collect()
}

/// How a rotated key ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// At once; milliseconds since the Unix epoch.
    Revoked(i64),
    /// By itself, at this time; milliseconds since the Unix epoch.
    Expires(i64),
}

/// Somewhere to keep keys. Every method that changes something has made it durable when its future is done.
pub trait KeyStore: Send + Sync {
    /// Adds a key, which from then on holds its name. A holder that has ended by the new key's
    /// `created_at` gives the name up.
    fn insert(&self, record: KeyRecord) -> BoxFuture<'_, Result<(), KeyStoreError>>;

    /// The key with this id, or else those of this name that are alive at `now`: the one that
    /// holds the name first, then rotated ones in their grace.
    fn find(&self, key: String, now: i64) -> BoxFuture<'_, Result<Vec<KeyRecord>, KeyStoreError>>;

    /// Up to `limit` keys whose id is greater than `after`, in the order of their ids.
    fn page(&self, after: Option<String>, limit: u32)
    -> BoxFuture<'_, Result<Vec<KeyRecord>, KeyStoreError>>;

    /// Every key, ended ones included.
    fn all(&self) -> BoxFuture<'_, Result<Vec<KeyRecord>, KeyStoreError>>;

    /// Puts a key's scopes, end, policy and whether it is disabled in the place of what is kept, if that is of the version
    /// before `record`'s.
    fn update(&self, record: KeyRecord) -> BoxFuture<'_, Result<(), KeyStoreError>>;

    /// Revokes these keys and answers them as they are then; one that was revoked before keeps its time.
    fn revoke(&self, ids: Vec<Arc<str>>, now: i64) -> BoxFuture<'_, Result<Vec<KeyRecord>, KeyStoreError>>;

    /// Ends a key that holds its name and adds its successor, both or neither; answers the old key as it is then.
    fn rotate(
        &self,
        old: Arc<str>,
        ending: Ending,
        successor: KeyRecord,
    ) -> BoxFuture<'_, Result<KeyRecord, KeyStoreError>>;

    /// Writes down when keys were last used (milliseconds since the Unix epoch); never moves a time back.
    fn touch_last_used(&self, used: Vec<(Arc<str>, i64)>) -> BoxFuture<'_, Result<(), KeyStoreError>>;

    /// Deletes keys that ended before `before` (milliseconds since the Unix epoch), so that years of rotation
    /// do not pile up. The newest key always stays: a store that had keys never looks like a fresh one.
    fn forget_ended(&self, before: i64) -> BoxFuture<'_, Result<u64, KeyStoreError>>;
}

/// Why a store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// Another key that is alive holds the name.
    #[error("another living key has this name")]
    NameTaken,
    /// The key to rotate is not there, or no longer holds its name.
    #[error("the key was rotated or ended in the meantime")]
    NotCurrent,
    /// The key to change is of another version by now.
    #[error("the key was changed in the meantime")]
    Stale,
    /// The store failed.
    #[error("the key store failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
