//! Asking a provider whether an account can be used, past everything that requests go through: nothing is held against
//! the account, nothing is counted, and no receipt is written.

use std::{sync::Arc, time::Duration};

use canon::Dialect;
use futures_core::future::BoxFuture;

use crate::engine::{
    fault::Fault,
    settings::{AuthStyle, Connection, Timeouts},
};

/// Somebody who can ask providers.
pub trait Prober: Send + Sync {
    /// Goes as far on the way to the provider's host as it comes: `dns`, `tcp`, `tls`, or `proxy`. The last step is the one
    /// that failed, if one did. Each may take `connect`.
    fn reach(&self, connection: Arc<Connection>, connect: Duration) -> BoxFuture<'static, Vec<ProbeStep>>;
    /// The provider's own list of models, in its order.
    fn models(
        &self,
        connection: Arc<Connection>,
        connect: Duration,
    ) -> BoxFuture<'static, Result<Vec<String>, Fault>>;
    /// The list of models where and how `way` says, which need not be what the connection says.
    fn look(
        &self,
        connection: Arc<Connection>,
        way: Way,
        connect: Duration,
    ) -> BoxFuture<'static, Result<Vec<String>, Missed>>;
    /// Whether the provider tells of a model when it is asked for that one alone. Some do of models that are on no list.
    fn has(&self, connection: Arc<Connection>, model: String, connect: Duration) -> BoxFuture<'static, bool>;
    /// Puts a short question to a model and waits for the whole answer.
    fn ask(
        &self,
        connection: Arc<Connection>,
        model: String,
        timeouts: Timeouts,
    ) -> BoxFuture<'static, Result<ProbeAnswer, Fault>>;
}

/// How a provider is asked for its models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The dialect, of which the headers and the query follow.
    pub dialect: Dialect,
    /// The URL below which the list is.
    pub base: String,
    /// How the key is sent.
    pub auth: AuthStyle,
}

impl Way {
    /// The way that a connection says; `None` where it has no endpoint.
    #[must_use]
    pub fn of(connection: &Connection) -> Option<Self> {
        let dialect = Dialect::ALL.into_iter().find(|one| connection.endpoints.contains_key(one))?;
        let base = connection.endpoints.get(&dialect)?.clone();
        Some(Self { dialect, base, auth: connection.provider.auth.clone() })
    }
}

/// Why there was no list.
#[derive(Debug, Clone)]
pub struct Missed {
    /// What happened.
    pub fault: Fault,
    /// Where the answer says that the list is instead, where it says so.
    pub location: Option<String>,
}

impl From<Fault> for Missed {
    fn from(fault: Fault) -> Self {
        Self { fault, location: None }
    }
}

/// A step on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeStep {
    /// Which one, as a word.
    pub step: &'static str,
    /// What it took.
    pub took: Duration,
    /// What went wrong, in words without secrets; `None`: nothing.
    pub error: Option<String>,
}

/// What an answer took, where the provider tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProbeAnswer {
    /// Tokens of the question.
    pub input_tokens: Option<u64>,
    /// Tokens of the answer.
    pub output_tokens: Option<u64>,
}
