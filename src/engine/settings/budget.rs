//! Budgets as the operator wrote them: what may be spent, by whom, in which window. What was spent is not known here;
//! that is `engine::budget`.

use std::sync::Arc;

use super::{Tier, Usd};

/// One budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// Its name.
    pub id: Arc<str>,
    /// Whose money, or which.
    pub scope: Scope,
    /// What may be spent within one window.
    pub limit: Usd,
    /// How long that holds.
    pub window: Window,
    /// Minutes after midnight (UTC) at which windows begin.
    pub reset_minute: u16,
    /// Whether it refuses.
    pub mode: Mode,
    /// The part of the limit from which on it warns, from 0 to 1.
    pub warn: f64,
    /// What a soft one does when it is used up.
    pub over: Over,
    /// What happens where a price is not known.
    pub unknown_price: UnknownPrice,
}

/// What a budget counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// What each caller spends, each with the whole limit.
    EachCaller,
    /// What the caller with this id or name spends.
    Caller(Arc<str>),
    /// What is spent at accounts of this tier.
    Tier(Tier),
    /// What is spent at this provider, by its id.
    Provider(Arc<str>),
}

/// How long a limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// From one reset time to the next day's.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first of a month to the first of the next.
    Month,
}

impl Window {
    /// Every window, the shortest first.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The window's name in configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// Whether a budget refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A request that does not fit is refused.
    Strict,
    /// It only counts, and tells.
    Soft,
}

/// What a soft budget does when it is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// It says so in the log.
    Warn,
    /// Requests go to accounts of this tier or a later one, as long as there are any.
    Degrade(Tier),
}

/// What happens to a request whose price is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownPrice {
    /// It passes, and counts nothing.
    Allow,
    /// It is refused at this target.
    Refuse,
}
