//! Ranked: FreeRouter's waterfall. The best rank that can be used goes first (a lower number is a better rank), and each
//! failure goes one step down. Ranks are the operator's; models without one follow in the configured order. Who has used up
//! a quota was left out before, so that a request goes straight to the best route that has some left.

use super::{Order, Ordered, Turn};

pub(super) struct AutoRanked;

impl Order for AutoRanked {
    fn order(&self, turn: Turn<'_>) -> Ordered {
        Ordered::by_key(&turn, |signals| signals.rank.unwrap_or(u32::MAX))
    }
}
