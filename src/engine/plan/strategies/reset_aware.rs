//! Reset-aware: what is not used before its window starts anew is lost. First the accounts that are untouched in both
//! windows (five hours and a week), which starts their windows running; then the one whose week starts anew soonest; then
//! the configured order. An account without windows is no such account: it comes last, in the configured order. A
//! subscription of which nothing is known yet has windows all the same, and is untouched as far as anybody knows: its
//! first answer will tell. (This is how MultiVibe chooses.)

use super::{Order, Ordered, Signals, Turn};
use crate::engine::settings::Tier;

pub(super) struct ResetAware;

impl Order for ResetAware {
    fn order(&self, turn: Turn<'_>) -> Ordered {
        Ordered::by_key(&turn, |signals| {
            let nearest = signals.week.and_then(|week| week.resets_at).unwrap_or(i64::MAX);
            match (has_windows(signals), is_untouched(signals)) {
                (true, true) => (0, 0),
                (true, false) => (1, nearest),
                (false, _) => (2, 0),
            }
        })
    }
}

fn has_windows(signals: &Signals) -> bool {
    signals.five_hours.is_some() || signals.week.is_some() || signals.tier == Tier::Subscription
}

fn is_untouched(signals: &Signals) -> bool {
    [signals.five_hours, signals.week].into_iter().flatten().all(|window| window.used == 0)
}
