//! Why a caller could not be identified. The words are for the caller; none of them repeats what it presented.

use std::time::Duration;

/// A token that identifies nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No token was presented.
    #[error("no key was given; send one as `Authorization: Bearer tvm_…`")]
    Missing,
    /// The hub never issued this token.
    #[error("this key is not known here; check that it was copied whole and belongs to this hub")]
    Unknown,
    /// The key was revoked, or replaced by a rotation.
    #[error("this key was revoked; ask the hub's operator for a new one")]
    Revoked,
    /// The key's time is over.
    #[error("this key has expired; ask the hub's operator for a new one")]
    Expired,
    /// Too many failures came from this address.
    #[error("too many wrong keys from this address; try again in {} s", seconds(*retry_after))]
    Throttled {
        /// How long the address stays refused.
        retry_after: Duration,
    },
}

impl AuthError {
    /// The error as a stable word, for logs and counters.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "key_missing",
            Self::Unknown => "key_unknown",
            Self::Revoked => "key_revoked",
            Self::Expired => "key_expired",
            Self::Throttled { .. } => "auth_throttled",
        }
    }
}

/// Whole seconds, rounded up, so that nobody comes back a moment too early.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
