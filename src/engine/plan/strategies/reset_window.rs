//! Reset window: who has a window that starts anew soonest goes first, whichever window it is. Accounts of which no such
//! time is known keep the configured order behind them.

use super::{Order, Ordered, Turn};

pub(super) struct ResetWindow;

impl Order for ResetWindow {
    fn order(&self, turn: Turn<'_>) -> Ordered {
        Ordered::by_key(&turn, |signals| signals.resets_at.unwrap_or(i64::MAX))
    }
}
