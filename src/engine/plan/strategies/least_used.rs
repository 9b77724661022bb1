//! Least used: who was given the fewest requests within the last hour goes first; those in flight count already. Since
//! the count is of an hour and not of a lifetime, a member that is new takes its share, not everything.

use super::{Order, Ordered, Turn};

pub(super) struct LeastUsed;

impl Order for LeastUsed {
    fn order(&self, turn: Turn<'_>) -> Ordered {
        Ordered::by_key(&turn, |signals| signals.used)
    }
}
