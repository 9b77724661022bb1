//! Headroom: who has the most left of its quotas goes first, by the share of the window that is nearest to its end. Who
//! has no known quota has all of it left.

use std::cmp::Reverse;

use super::{Order, Ordered, Turn};

pub(super) struct Headroom;

impl Order for Headroom {
    fn order(&self, turn: Turn<'_>) -> Ordered {
        Ordered::by_key(&turn, |signals| Reverse(signals.left.unwrap_or(1000)))
    }
}
