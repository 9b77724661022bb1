//! Context-optimised: the smallest context window that the request fits into goes first, so that long windows are left
//! for long requests. Those that it does not fit into were left out before; an unknown window goes last.

use super::{Order, Ordered, Turn};

pub(super) struct ContextOptimized;

impl Order for ContextOptimized {
    fn order(&self, turn: Turn<'_>) -> Ordered {
        Ordered::by_key(&turn, |signals| (signals.context.is_none(), signals.context))
    }
}
