//! Weighted: one draw, in which each member's chance is its weight among those that can be used; the others follow by
//! falling weight. A weight of 0 is never drawn while there is another, and comes last. With `sticky` above 1 the same
//! draw holds for so many requests.

use std::cmp::Reverse;

use super::{Order, Ordered, Slot, Turn};

pub(super) struct Weighted;

impl Order for Weighted {
    fn order(&self, turn: Turn<'_>) -> Ordered {
        let (first, left) = turn.staying().unwrap_or_else(|| (drawn(&turn), turn.sticky.saturating_sub(1)));
        let mut order: Vec<usize> = (0..turn.candidates.len()).collect();
        order.sort_by_key(|&at| (at != first, Reverse(turn.candidates[at].weight)));
        let place = turn.candidates.get(first).map_or(0, |candidate| candidate.place);
        Ordered::of(order).remembering((turn.sticky > 1).then_some(Slot::Turn { place, left }))
    }
}

fn drawn(turn: &Turn<'_>) -> usize {
    let mut draw = turn.draw.clone();
    let total: u64 = turn.candidates.iter().map(|candidate| u64::from(candidate.weight)).sum();
    if total == 0 {
        return draw.below(turn.candidates.len() as u64) as usize;
    }
    let mut point = draw.below(total);
    for (at, candidate) in turn.candidates.iter().enumerate() {
        match point.checked_sub(u64::from(candidate.weight)) {
            Some(rest) => point = rest,
            None => return at,
        }
    }
    0
}
