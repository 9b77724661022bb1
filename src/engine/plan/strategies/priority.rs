//! Priority: the configured order is the whole strategy. Stay with the first member until it is limited or fails, then
//! go to the next; go back to the first as soon as it may be used again. Between accounts this is what MultiRouter calls
//! exhaust and others fill-first: one account is used up before the next one is touched.

use super::{Order, Ordered, Turn};

pub(super) struct Priority;

impl Order for Priority {
    fn order(&self, turn: Turn<'_>) -> Ordered {
        Ordered::of((0..turn.candidates.len()).collect())
    }
}
