//! What can go wrong with a target, and how far it reaches. Which status a client sees is
//! decided elsewhere (`code.rs`); here it is only said what happened, to whom, and for how long.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::StatusCode;

use super::ports::Reading;

/// A failure of one attempt.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What happened.
    pub kind: FaultKind,
    /// The provider's HTTP status, when there was one.
    pub status: Option<u16>,
    /// In words, without secrets and without the bodies of either side.
    pub message: String,
    /// How long the provider asked to be left alone.
    pub retry_after: Option<Duration>,
    /// The provider's own answer, kept where the client should see it unchanged.
    pub answer: Option<Box<PassedOn>>,
    /// What the provider told of the account's windows.
    pub readings: Option<Box<[Reading]>>,
}

/// A provider's error answer that is the client's to read.
#[derive(Debug, Clone)]
pub struct PassedOn {
    /// The provider's status.
    pub status: StatusCode,
    /// The provider's body, in the client's dialect.
    pub body: Bytes,
}

/// The kinds of failure. The kind alone decides scope and consequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The request itself is at fault (400, 413, 422, …): no other target would help.
    InvalidRequest,
    /// The request is longer than the model's context.
    ContextLength,
    /// The provider's content filter refused the request, or what would have been the answer.
    ContentFilter,
    /// The connection's credential was refused (401, 403).
    Unauthorized,
    /// The credential has expired or was revoked: it will not come back by itself.
    CredentialExpired,
    /// The account was closed, suspended or banned.
    Deactivated,
    /// The account has no money or credit left (402).
    PaymentRequired,
    /// The provider does not know the model on this connection (404).
    ModelNotFound,
    /// The account does not do this, or not now, and that says nothing about generation: a count of tokens, an
    /// embedding or something kept was refused.
    Unserved,
    /// There is no token for the account: its owner must log in, or the login server does not answer.
    NoToken,
    /// A rate limit or quota of the account is used up (429).
    RateLimited,
    /// A rate limit or the capacity of one model is used up; the account's other models have limits of their own.
    ModelLimited,
    /// The model's quota of the day is used up: until the provider's midnight, where it says nothing else.
    DailyQuota,
    /// The provider failed or is overloaded (408, 5xx).
    Unavailable,
    /// No connection could be made, or it broke before the answer started.
    Unreachable,
    /// The proxy that the connection is reached through failed: the provider was not reached at all.
    ProxyFailed,
    /// A deadline passed.
    TimedOut(Stage),
    /// The answer was empty or not in the promised format.
    Malformed,
    /// The answer ended before it was complete.
    Cut,
    /// The provider reported an error inside a stream.
    InStream,
}

/// The deadlines of an attempt, in the order in which they can pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Until the connection stands.
    Connect,
    /// Until the status line.
    ResponseStart,
    /// Until the first content.
    FirstContent,
    /// Between two pieces of an answer.
    Idle,
    /// Until the end of the request.
    Total,
}

/// How far a failure reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Only this request.
    Request,
    /// This model on this connection.
    Model,
    /// The whole connection, until a time that is known or configured.
    Connection,
    /// The connection, shortly: it may be back at the next request.
    Transient,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 24] = [
        Self::InvalidRequest,
        Self::ContextLength,
        Self::ContentFilter,
        Self::Unauthorized,
        Self::CredentialExpired,
        Self::Deactivated,
        Self::PaymentRequired,
        Self::ModelNotFound,
        Self::Unserved,
        Self::NoToken,
        Self::RateLimited,
        Self::ModelLimited,
        Self::DailyQuota,
        Self::Unavailable,
        Self::Unreachable,
        Self::ProxyFailed,
        Self::TimedOut(Stage::Connect),
        Self::TimedOut(Stage::ResponseStart),
        Self::TimedOut(Stage::FirstContent),
        Self::TimedOut(Stage::Idle),
        Self::TimedOut(Stage::Total),
        Self::Malformed,
        Self::Cut,
        Self::InStream,
    ];

    /// How far a failure of this kind reaches.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Self::InvalidRequest
            | Self::ContextLength
            | Self::ContentFilter
            | Self::Unserved
            | Self::NoToken
            | Self::TimedOut(Stage::Total) => Scope::Request,
            Self::ModelNotFound | Self::ModelLimited | Self::DailyQuota => Scope::Model,
            Self::Unauthorized
            | Self::CredentialExpired
            | Self::Deactivated
            | Self::PaymentRequired
            | Self::RateLimited => Scope::Connection,
            Self::Unavailable
            | Self::Unreachable
            | Self::ProxyFailed
            | Self::TimedOut(_)
            | Self::Malformed
            | Self::Cut
            | Self::InStream => Scope::Transient,
        }
    }

    /// Whether another target may be tried, as long as the client has seen no content.
    #[must_use]
    pub const fn fails_over(self) -> bool {
        !self.is_verdict() && !matches!(self, Self::TimedOut(Stage::Total))
    }

    /// Whether this is the provider's verdict on the request itself, which is the client's to read.
    #[must_use]
    pub const fn is_verdict(self) -> bool {
        matches!(self, Self::InvalidRequest | Self::ContextLength | Self::ContentFilter)
    }

    /// Whether this failure, when it is confirmed, means that the account is dead until its owner does something.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::CredentialExpired | Self::Deactivated | Self::PaymentRequired)
    }

    /// Whether this failure means that an allowance is used up, rather than that something is broken.
    #[must_use]
    pub const fn is_exhaustion(self) -> bool {
        matches!(self, Self::RateLimited | Self::ModelLimited | Self::DailyQuota | Self::PaymentRequired)
    }

    /// The kind as it is written in the store, in logs and in error bodies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::ContextLength => "context_length",
            Self::ContentFilter => "content_filter",
            Self::Unauthorized => "unauthorized",
            Self::CredentialExpired => "credential_expired",
            Self::Deactivated => "deactivated",
            Self::PaymentRequired => "payment_required",
            Self::ModelNotFound => "model_not_found",
            Self::Unserved => "unserved",
            Self::NoToken => "no_token",
            Self::RateLimited => "rate_limited",
            Self::ModelLimited => "model_limited",
            Self::DailyQuota => "daily_quota",
            Self::Unavailable => "unavailable",
            Self::Unreachable => "unreachable",
            Self::ProxyFailed => "proxy_failed",
            Self::TimedOut(Stage::Connect) => "connect_timeout",
            Self::TimedOut(Stage::ResponseStart) => "response_start_timeout",
            Self::TimedOut(Stage::FirstContent) => "first_content_timeout",
            Self::TimedOut(Stage::Idle) => "idle_timeout",
            Self::TimedOut(Stage::Total) => "total_timeout",
            Self::Malformed => "malformed",
            Self::Cut => "cut",
            Self::InStream => "in_stream_error",
        }
    }

    /// The kind that [`Self::as_str`] wrote, for reading the store.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Fault {
    /// A failure with nothing but a kind and words.
    #[must_use]
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, status: None, message: message.into(), retry_after: None, answer: None, readings: None }
    }

    /// The same failure with the provider's status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status.as_u16());
        self
    }

    /// Whether this speaks of the provider's host rather than of one account or model: what the breaker counts. Not every
    /// 5xx does: 529 says that a model is busy, 501 that something is not offered.
    #[must_use]
    pub const fn is_of_host(&self) -> bool {
        match self.kind {
            FaultKind::Unavailable => matches!(self.status, None | Some(408 | 500 | 502 | 503 | 504)),
            FaultKind::TimedOut(stage) => !matches!(stage, Stage::Total),
            FaultKind::Unreachable | FaultKind::Cut | FaultKind::InStream => true,
            _ => false,
        }
    }

    /// A deadline that passed.
    #[must_use]
    pub fn timed_out(stage: Stage, after: Duration) -> Self {
        let what = match stage {
            Stage::Connect => "no connection",
            Stage::ResponseStart => "no answer",
            Stage::FirstContent => "no content",
            Stage::Idle => "nothing more",
            Stage::Total => "no complete answer",
        };
        Self::new(FaultKind::TimedOut(stage), format!("{what} within {} s", after.as_secs_f32()))
    }
}
