//! What a budget says of a target, for whoever plans.

use crate::engine::settings::Tier;

/// What the budgets say of a request to one target. The order is from the mildest to the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// There is money left, or nobody minds.
    Within,
    /// A soft budget is used up: only accounts of this tier, or of one behind it, as long as there are any.
    Degrade(Tier),
    /// A strict budget is used up: the reservation would be refused.
    UsedUp {
        /// When its next window begins, in milliseconds since the Unix epoch.
        until: i64,
    },
}
