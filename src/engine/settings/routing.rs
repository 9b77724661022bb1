//! How targets are chosen.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Hidden, Mapping, Resilience, Scoring, Waiting};

/// Names that mean more than one model and are always there.
pub const VIRTUAL_MODELS: [&str; 2] = [AUTO, ROUND_ROBIN];

/// Every target, ordered by [`Routing::auto`].
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
    /// Whether a session stays with the target that answered it last.
    pub affinity: Adherence,
    /// How `auto` chooses among all targets: [`Strategy::Auto`], or [`Strategy::AutoRanked`].
    pub auto: Strategy,
    /// How `auto` scores.
    pub scoring: Scoring,
    /// Where names lead that mean nothing else; the first rule that takes a name counts. Written in a section of its own.
    pub map: Arc<[Mapping]>,
    /// Whether the nearest of what is served answers for well-known models that nobody serves.
    pub substitute: bool,
    /// Models that are neither listed nor chosen unless they are named.
    pub hidden: Arc<Hidden>,
}

/// What makes requests one session, which stays with the target that answered it last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Adherence {
    /// Nothing.
    Off,
    /// The client's own word: a header, `prompt_cache_key`, or `metadata.user_id`.
    #[default]
    Session,
    /// The same, and where the client has no word for it, the beginning of the conversation.
    Beginning,
}

impl Default for Routing {
    /// Exhaust, and five minutes: what MultiRouter users are used to.
    fn default() -> Self {
        Self {
            default_strategy: Strategy::Exhaust,
            retry_after: Duration::from_secs(300),
            affinity: Adherence::Session,
            auto: Strategy::Auto,
            scoring: Scoring::default(),
            map: Arc::default(),
            substitute: false,
            hidden: Arc::default(),
            wait: Waiting::default(),
            resilience: Resilience::default(),
        }
    }
}

/// The order in which the members of a group are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    /// The better of two that are drawn.
    P2c,
    /// The one that was given the least.
    LeastUsed,
    /// The smallest expected cost.
    CostOptimized,
    /// The smallest context window that fits.
    ContextOptimized,
    /// What is untouched, then what starts anew soonest.
    ResetAware,
    /// The window that starts anew soonest.
    ResetWindow,
    /// The most quota left.
    Headroom,
    /// The one that saw the request's beginning before.
    CacheOptimized,
    /// The last that gave a good answer.
    Lkgp,
    /// The highest score of six factors.
    Auto,
    /// The best rank.
    AutoRanked,
}

impl Strategy {
    /// Every strategy, in the order in which they are listed to people.
    pub const ALL: [Self; 17] = [
        Self::Priority,
        Self::Exhaust,
        Self::RoundRobin,
        Self::Weighted,
        Self::Random,
        Self::StrictRandom,
        Self::P2c,
        Self::LeastUsed,
        Self::CostOptimized,
        Self::ContextOptimized,
        Self::ResetAware,
        Self::ResetWindow,
        Self::Headroom,
        Self::CacheOptimized,
        Self::Lkgp,
        Self::Auto,
        Self::AutoRanked,
    ];

    /// Whether the strategy looks at what is known of a target, rather than at its place alone.
    #[must_use]
    pub const fn looks(self) -> bool {
        !matches!(
            self,
            Self::Priority
                | Self::Exhaust
                | Self::RoundRobin
                | Self::Weighted
                | Self::Random
                | Self::StrictRandom
                | Self::Lkgp
        )
    }

    /// Whether the strategy remembers something from one request to the next.
    #[must_use]
    pub const fn remembers(self) -> bool {
        matches!(self, Self::RoundRobin | Self::Weighted | Self::StrictRandom | Self::Lkgp | Self::Auto)
    }

    /// Whether the strategy spreads requests over members of which none is to be preferred to another for long, so that a
    /// session may stay with one of them. The others have an order that means something.
    #[must_use]
    pub const fn spreads(self) -> bool {
        matches!(
            self,
            Self::RoundRobin
                | Self::Weighted
                | Self::Random
                | Self::StrictRandom
                | Self::P2c
                | Self::LeastUsed
                | Self::Headroom
                | Self::Auto
        )
    }

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
            Self::P2c => "p2c",
            Self::LeastUsed => "least-used",
            Self::CostOptimized => "cost-optimized",
            Self::ContextOptimized => "context-optimized",
            Self::ResetAware => "reset-aware",
            Self::ResetWindow => "reset-window",
            Self::Headroom => "headroom",
            Self::CacheOptimized => "cache-optimized",
            Self::Lkgp => "lkgp",
            Self::Auto => "auto",
            Self::AutoRanked => "auto-ranked",
        }
    }
}
