//! Cache-optimised: requests that begin alike go to the same target, so that the provider's prompt cache has their
//! beginning. Each target has a number for each beginning (rendezvous hashing), and the highest wins: when a target comes or
//! goes, only the conversations that were, or now are, its own move.

use std::cmp::Reverse;

use super::{Order, Ordered, Turn};

pub(super) struct CacheOptimized;

impl Order for CacheOptimized {
    fn order(&self, turn: Turn<'_>) -> Ordered {
        Ordered::by_key(&turn, |signals| Reverse(signals.pull))
    }
}
