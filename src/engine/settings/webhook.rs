//! Whom the hub tells of events, and which there are.

use std::sync::Arc;

use super::Secret;

/// Something that happens to the hub's budgets, quotas and accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HookEvent {
    /// A budget is used to the part from which on it warns.
    BudgetWarning,
    /// A budget is used up.
    BudgetExceeded,
    /// A quota's window has little left.
    QuotaNearlyUsed,
    /// A quota's window is used up.
    QuotaExhausted,
    /// A quota's window of which one of these was told has room again.
    QuotaReset,
    /// A provider's host is left alone.
    BreakerOpened,
    /// A provider's host serves again.
    BreakerClosed,
    /// An account, or one model on it, is left alone for a while.
    ConnectionLocked,
    /// An account is taken for dead: only its owner can help it.
    ConnectionTerminal,
    /// An account, or one model on it, may be used again.
    ConnectionRecovered,
}

impl HookEvent {
    /// Every event.
    pub const ALL: [Self; 10] = [
        Self::BudgetWarning,
        Self::BudgetExceeded,
        Self::QuotaNearlyUsed,
        Self::QuotaExhausted,
        Self::QuotaReset,
        Self::BreakerOpened,
        Self::BreakerClosed,
        Self::ConnectionLocked,
        Self::ConnectionTerminal,
        Self::ConnectionRecovered,
    ];

    /// The event's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BudgetWarning => "budget.warning",
            Self::BudgetExceeded => "budget.exceeded",
            Self::QuotaNearlyUsed => "quota.nearly_used",
            Self::QuotaExhausted => "quota.exhausted",
            Self::QuotaReset => "quota.reset",
            Self::BreakerOpened => "breaker.opened",
            Self::BreakerClosed => "breaker.closed",
            Self::ConnectionLocked => "connection.locked",
            Self::ConnectionTerminal => "connection.terminal",
            Self::ConnectionRecovered => "connection.recovered",
        }
    }

    /// Whether somebody who wrote `pattern` means it: its name, its kind as in `quota.*`, or `*`.
    #[must_use]
    pub fn is_meant(self, pattern: &str) -> bool {
        let name = self.as_str();
        match pattern.strip_suffix('*') {
            Some(start) => (start.is_empty() || start.ends_with('.')) && name.starts_with(start),
            None => name == pattern,
        }
    }
}

/// One program that is told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its name.
    pub id: Arc<str>,
    /// Where it is told. Not shown: such URLs often are credentials.
    pub url: Secret,
    /// Of what.
    pub events: Vec<HookEvent>,
    /// What messages are signed with.
    pub secret: Option<Secret>,
    /// Whether it may be at an address of this machine or network.
    pub allow_private: bool,
}
