//! Round robin: take turns among the members that can be used, `sticky` requests each, and fall back on the ones after
//! it. The turn is kept per group and shared by all requests for it. It passes on from the member that was used, so that
//! one which is left out does not give its turns to its neighbour for ever.

use super::{Order, Ordered, Slot, Turn};

pub(super) struct RoundRobin;

impl Order for RoundRobin {
    fn order(&self, turn: Turn<'_>) -> Ordered {
        let count = turn.candidates.len();
        let (first, left) = turn.staying().unwrap_or_else(|| (next(&turn), turn.sticky.saturating_sub(1)));
        let place = turn.candidates.get(first).map_or(0, |candidate| candidate.place);
        Ordered::of((first..count).chain(0..first).collect()).remembering(Some(Slot::Turn { place, left }))
    }
}

/// The first candidate behind the one that was used last.
fn next(turn: &Turn<'_>) -> usize {
    let Some(Slot::Turn { place: last, .. }) = turn.slot else { return 0 };
    turn.candidates.iter().position(|candidate| candidate.place > *last).unwrap_or(0)
}
