//! Round robin: take turns among the targets that may be used, and fall back on the ones after it.
//! The place is kept per name that was asked for, and is shared by all requests for it.

use super::{
    directory::Candidates,
    memory::{Advance, Memory},
};

/// The order of the candidates from the next place on, and the place after it.
pub(super) fn order(
    candidates: &Candidates,
    memory: &Memory,
    eligible: impl Fn(usize) -> bool,
) -> (Vec<usize>, Option<Advance>) {
    let count = candidates.targets.len();
    if count == 0 {
        return (Vec::new(), None);
    }
    let place = memory.place(&candidates.name) % count;
    let order: Vec<usize> = (place..count).chain(0..place).collect();
    // The turn passes on from the one that is used, so that a target which is left
    // out does not give its turns to its neighbour for ever.
    let advance = order
        .iter()
        .copied()
        .find(|&at| eligible(at))
        .map(|used| Advance { name: candidates.name.clone(), place: (used + 1) % count });
    (order, advance)
}
