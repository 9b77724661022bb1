//! Last known good: who served the last answer goes first while that is not too long ago, then the configured order.
//! Unlike priority it does not go back to a member that failed as soon as that may be tried again.

use super::{Order, Ordered, Slot, Turn};

/// How long a good answer is a recommendation, in milliseconds.
const TRUSTED_MS: i64 = 60 * 60 * 1000;

pub(super) struct Lkgp;

impl Order for Lkgp {
    fn order(&self, turn: Turn<'_>) -> Ordered {
        let good = match turn.slot {
            Some(Slot::Good { place, at }) if turn.now - at < TRUSTED_MS => turn.at(*place),
            _ => None,
        };
        let mut order: Vec<usize> = (0..turn.candidates.len()).collect();
        order.sort_by_key(|&at| Some(at) != good);
        Ordered::of(order)
    }
}
