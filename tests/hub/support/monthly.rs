//! Accounts that are paid by the month, as the simulator plays them.

use trivium::simulator::{Allotment, Behaviour, RetryAfter, Script, Subscription, Told};

pub(crate) const HOUR: u64 = 3_600;
pub(crate) const DAY: u64 = 24 * HOUR;

/// A script whose time of day is the hub's, so that both mean the same by a moment.
pub(crate) fn script() -> Script {
    Script { epoch: Some(u64::try_from(super::START / 1000).unwrap()), ..Script::default() }
}

/// A window of so many requests, of which some are used, and which ends in so many seconds.
pub(crate) const fn window(requests: u64, used: u64, ends: u64) -> Allotment {
    Allotment { requests, used, ends_in_seconds: Some(ends) }
}

/// An account with a window of five hours and one of a week, which says in its headers how far they are used, and when it
/// refuses nothing but that.
pub(crate) fn account(told: Told, five_hours: Allotment, week: Allotment) -> Behaviour {
    let subscription = Subscription { told, five_hours: Some(five_hours), week: Some(week) };
    Behaviour { subscription: Some(subscription), retry_after: RetryAfter::None, ..Behaviour::ok() }
}
