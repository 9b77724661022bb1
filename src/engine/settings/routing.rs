//! How targets are chosen.

use std::time::Duration;

/// The operator's choices for routing.
#[derive(Debug, Clone)]
pub struct Routing {
    /// The strategy for real model names.
    pub default_strategy: Strategy,
    /// How long a connection is left alone when the provider did not say.
    pub retry_after: Duration,
}

impl Default for Routing {
    /// Exhaust, and five minutes: what MultiRouter users are used to.
    fn default() -> Self {
        Self { default_strategy: Strategy::Exhaust, retry_after: Duration::from_secs(300) }
    }
}

/// The order in which a model's targets are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Strategy {
    /// Use the first target until it is limited, then the next (also known as fill-first).
    #[default]
    Exhaust,
    /// Take turns.
    RoundRobin,
}

impl Strategy {
    /// The strategy's name in configuration and receipts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exhaust => "exhaust",
            Self::RoundRobin => "round-robin",
        }
    }
}
