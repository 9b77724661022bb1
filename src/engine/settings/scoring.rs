//! How `auto` weighs what it knows: six factors, their weights, and named sets of weights.

use serde::{Deserialize, Serialize};

/// What `auto` goes by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scoring {
    /// How much each factor counts.
    pub weights: Weights,
    /// How many of 1,000 requests go to another member first, to learn how it does.
    pub exploration: u16,
    /// A score below this, in thousandths, puts a member behind the others for a while.
    pub bench_below: u16,
    /// How long that while is the first time, in milliseconds; it doubles each time.
    pub bench_ms: i64,
    /// The longest while, in milliseconds.
    pub bench_longest_ms: i64,
}

/// How much each factor counts. Only their proportions matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weights {
    /// The share of quota that is left.
    pub quota: u16,
    /// How well the provider is, by its breaker.
    pub health: u16,
    /// What the request is expected to cost, compared with the cheapest.
    pub cost: u16,
    /// The time to the first content, compared with the quickest.
    pub latency: u16,
    /// How good the model is at what the request is about.
    pub task: u16,
    /// The share of attempts that succeed.
    pub stability: u16,
}

impl Default for Scoring {
    /// Balanced weights; one of twenty requests explores; below a fifth of the best possible score a member is benched for
    /// 5 minutes, and at most for 30 (as OmniRoute does).
    fn default() -> Self {
        Self {
            weights: Weights::default(),
            exploration: 50,
            bench_below: 200,
            bench_ms: 5 * 60 * 1000,
            bench_longest_ms: 30 * 60 * 1000,
        }
    }
}

impl Default for Weights {
    fn default() -> Self {
        AutoMode::Balanced.weights()
    }
}

/// Named sets of weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AutoMode {
    /// A bit of everything.
    #[default]
    Balanced,
    /// Answers soon.
    ShipFast,
    /// Answers cheaply.
    CostSaver,
    /// The model that is best at it.
    QualityFirst,
    /// Who has failed least.
    ReliabilityFirst,
    /// Who has the most quota left and is well, for when the network is poor and accounts are few.
    OfflineFriendly,
}

impl AutoMode {
    /// Every mode, in the order in which they are listed to people.
    pub const ALL: [Self; 6] = [
        Self::Balanced,
        Self::ShipFast,
        Self::CostSaver,
        Self::QualityFirst,
        Self::ReliabilityFirst,
        Self::OfflineFriendly,
    ];

    /// The mode's name in configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Balanced => "balanced",
            Self::ShipFast => "ship-fast",
            Self::CostSaver => "cost-saver",
            Self::QualityFirst => "quality-first",
            Self::ReliabilityFirst => "reliability-first",
            Self::OfflineFriendly => "offline-friendly",
        }
    }

    /// Its weights; each set adds up to 100.
    #[must_use]
    pub const fn weights(self) -> Weights {
        let [quota, health, cost, latency, task, stability] = match self {
            Self::Balanced => [20, 25, 20, 15, 12, 8],
            Self::ShipFast => [10, 27, 8, 35, 8, 12],
            Self::CostSaver => [14, 16, 45, 8, 10, 7],
            Self::QualityFirst => [12, 16, 4, 6, 45, 17],
            Self::ReliabilityFirst => [14, 38, 5, 10, 8, 25],
            Self::OfflineFriendly => [38, 30, 10, 7, 8, 7],
        };
        Weights { quota, health, cost, latency, task, stability }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_of_weights_adds_up_to_a_hundred() {
        for mode in AutoMode::ALL {
            let Weights { quota, health, cost, latency, task, stability } = mode.weights();
            assert_eq!(quota + health + cost + latency + task + stability, 100, "{}", mode.as_str());
        }
    }
}
