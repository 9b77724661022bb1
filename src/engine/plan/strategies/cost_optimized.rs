//! Cost-optimised: the smallest expected cost of this request first, from its size, the answer that it asks for, and the
//! prices of each target; who is used at a flat rate costs nothing more. An unknown price is no price of 0: it goes last.

use super::{Order, Ordered, Turn};

pub(super) struct CostOptimized;

impl Order for CostOptimized {
    fn order(&self, turn: Turn<'_>) -> Ordered {
        Ordered::by_key(&turn, |signals| (signals.cost.is_none(), signals.cost))
    }
}
