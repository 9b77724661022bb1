//! Asking a provider whether an account can be used, past everything that requests go through: nothing is held against
//! the account, nothing is counted, and no receipt is written.

use std::{sync::Arc, time::Duration};

use futures_core::future::BoxFuture;

use crate::engine::{
    fault::Fault,
    settings::{Connection, Timeouts},
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
    /// Puts a short question to a model and waits for the whole answer.
    fn ask(
        &self,
        connection: Arc<Connection>,
        model: String,
        timeouts: Timeouts,
    ) -> BoxFuture<'static, Result<ProbeAnswer, Fault>>;
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
