//! Why an operation was not done. Surfaces map the code word to their own shape of error.

use operations::{Invalid, Scope};

use crate::{
    auth::NoEntropy,
    engine::{caller::Caller, refusal::Refusal},
};

/// An operation that was not done. Nothing was changed, except where [`OpError::Interrupted`] says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum OpError {
    /// The caller does not hold a scope that it needs.
    #[error("this needs the scope `{scope}`, which the caller does not hold")]
    Forbidden {
        /// What is missing.
        scope: Scope,
    },
    /// What was named does not exist.
    #[error("there is no {noun} `{name}`")]
    NotFound {
        /// What kind of thing.
        noun: &'static str,
        /// As the caller named it.
        name: String,
    },
    /// What was kept is gone, and what was asked cannot be done without it.
    #[error(
        "the {noun} `{name}`, which this needs, is gone or cannot be read any more; start anew without it"
    )]
    Lost {
        /// What kind of thing.
        noun: &'static str,
        /// Its id.
        name: String,
    },
    /// It is larger than the hub keeps or reads.
    #[error("the {noun} is too large; the most is {most} {unit}")]
    TooLarge {
        /// What kind of thing.
        noun: &'static str,
        /// The bound.
        most: u64,
        /// In what the bound is counted.
        unit: &'static str,
    },
    /// The arguments are not what the operation takes.
    #[error("the arguments could not be read: {0}")]
    Malformed(String),
    /// It does not go together with what is there.
    #[error("{0}")]
    Conflict(String),
    /// It was changed since the caller looked at it.
    #[error("the {noun} `{name}` has version {version} by now; look at it again before you change it")]
    Stale {
        /// What kind of thing.
        noun: &'static str,
        /// As the caller named it.
        name: String,
        /// Its version now.
        version: u64,
    },
    /// What holds for the caller forbids it.
    #[error("{}", .0.message.trim_end_matches('.'))]
    Denied(Box<Refusal>),
    /// The engine refuses; its reason, as a sentence.
    #[error("{}", .0.trim_end_matches('.'))]
    Refused(String),
    /// An argument cannot be accepted.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The store failed; the source tells why and is for the log.
    #[error("the store could not be read or written; the hub's log tells more")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The operating system gave no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The hub is stopping; whether the change was made is to be looked up.
    #[error("the hub stopped while it worked on this; look up whether it was done")]
    Interrupted,
}

impl OpError {
    /// The error as a stable word.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Forbidden { .. } => "forbidden",
            Self::NotFound { .. } => "not_found",
            Self::Lost { .. } => "lost",
            Self::TooLarge { .. } => "too_large",
            Self::Malformed(_) => "malformed",
            Self::Conflict(_) => "conflict",
            Self::Stale { .. } => "stale",
            Self::Denied(refusal) => refusal.code.as_str(),
            Self::Refused(_) => "refused",
            Self::Invalid(_) => "invalid_argument",
            Self::Store(_) => "store_failed",
            Self::NoEntropy(_) => "no_entropy",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Goes on only with a caller that holds `scope`.
pub(super) fn require(caller: &Caller, scope: Scope) -> Result<(), OpError> {
    if caller.may(scope) { Ok(()) } else { Err(OpError::Forbidden { scope }) }
}
