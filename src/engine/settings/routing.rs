//! How targets are chosen.

use std::time::Duration;

use super::{Resilience, Waiting};

/// Names that mean more than one model and are always there.
pub const VIRTUAL_MODELS: [&str; 2] = [AUTO, ROUND_ROBIN];

/// Every target in the configured order.
pub const AUTO: &str = "auto";

/// Every connection in turn.
pub const ROUND_ROBIN: &str = "multirouter-auto";

/// The operator's choices for routing.
#[derive(Debug, Clone)]
pub struct Routing {
    /// The strategy for real model names.
    pub default_strategy: Strategy,
    /// How long a connection is left alone when the provider did not say.
    pub retry_after: Duration,
    /// Whether a request waits while everybody is left alone.
    pub wait: Waiting,
    /// How long what is left alone, and what is tried again. Written in a section of its own.
    pub resilience: Resilience,
}

impl Default for Routing {
    /// Exhaust, and five minutes: what MultiRouter users are used to.
    fn default() -> Self {
        Self {
            default_strategy: Strategy::Exhaust,
            retry_after: Duration::from_secs(300),
            wait: Waiting::default(),
            resilience: Resilience::default(),
        }
    }
}

/// The order in which the members of a group are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Strategy {
    /// The configured order.
    Priority,
    /// Use the first account until it is limited, then the next (also known as fill-first): the configured order, by
    /// the name that it has between accounts.
    #[default]
    Exhaust,
    /// Take turns.
    RoundRobin,
    /// Draw by weight.
    Weighted,
    /// A new order each time.
    Random,
    /// Everybody once in a random order, and again.
    StrictRandom,
}

impl Strategy {
    /// Every strategy, in the order in which they are listed to people.
    pub const ALL: [Self; 6] =
        [Self::Priority, Self::Exhaust, Self::RoundRobin, Self::Weighted, Self::Random, Self::StrictRandom];

    /// The strategy's name in configuration and receipts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::Exhaust => "exhaust",
            Self::RoundRobin => "round-robin",
            Self::Weighted => "weighted",
            Self::Random => "random",
            Self::StrictRandom => "strict-random",
        }
    }
}
