//! What an account is to its owner, in terms of money.

use serde::{Deserialize, Serialize};

/// What an account is to its owner. The order is the one in which accounts are used up where a strategy goes by tier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Paid by the month, whatever is used of it.
    Subscription,
    /// Paid by the token.
    #[default]
    Key,
    /// Paid by the token, and little.
    Cheap,
    /// Not paid for.
    Free,
}

impl Tier {
    /// Every tier, the first to be used first.
    pub const ALL: [Self; 4] = [Self::Subscription, Self::Key, Self::Cheap, Self::Free];

    /// The tier's name in configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subscription => "subscription",
            Self::Key => "key",
            Self::Cheap => "cheap",
            Self::Free => "free",
        }
    }
}
