//! What the operator's login needs of a store, as a trait.

use std::sync::Arc;

use futures_core::future::BoxFuture;

use super::TokenHash;

/// What is kept of the operator's password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordRecord {
    /// Its hash with all that it takes to check it, in the PHC string format.
    pub hash: String,
    /// Whether the hub made it, for a first login: it must be changed then.
    pub temporary: bool,
    /// When it was set, in milliseconds since the Unix epoch.
    pub set_at: i64,
}

/// A session of somebody who has logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// `ses_` and a UUIDv7 in hexadecimal.
    pub id: Arc<str>,
    /// Who logged in.
    pub who: Arc<str>,
    /// SHA-256 of the token in its cookie.
    pub hash: TokenHash,
    /// From where.
    pub address: Option<Arc<str>>,
    /// What the browser calls itself, clipped.
    pub agent: Option<Arc<str>>,
    /// When it began, in milliseconds since the Unix epoch.
    pub created_at: i64,
    /// When it was last used, as far as that has been written down.
    pub last_seen_at: i64,
    /// When it ends at the latest.
    pub expires_at: i64,
    /// Whether it can do nothing but change the password.
    pub must_change: bool,
}

/// Somewhere to keep the operator's password and the sessions. What changes something has made it durable when it is done.
pub trait AdminStore: Send + Sync {
    /// The password, if there is one.
    fn password(&self) -> BoxFuture<'_, Result<Option<PasswordRecord>, AdminStoreError>>;
    /// Sets the password and ends every session: whoever knew the old one is out.
    fn set_password(&self, password: PasswordRecord) -> BoxFuture<'_, Result<(), AdminStoreError>>;
    /// Adds a session.
    fn open_session(&self, session: SessionRecord) -> BoxFuture<'_, Result<(), AdminStoreError>>;
    /// The sessions that have not ended by `now` (milliseconds since the Unix epoch); deletes the others.
    fn sessions(&self, now: i64) -> BoxFuture<'_, Result<Vec<SessionRecord>, AdminStoreError>>;
    /// Deletes these sessions.
    fn close_sessions(&self, ids: Vec<Arc<str>>) -> BoxFuture<'_, Result<(), AdminStoreError>>;
    /// Writes down when sessions were last used.
    fn touch_sessions(&self, seen: Vec<(Arc<str>, i64)>) -> BoxFuture<'_, Result<(), AdminStoreError>>;
}

/// The store failed.
#[derive(Debug, thiserror::Error)]
#[error("the store of passwords and sessions failed")]
pub struct AdminStoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
