//! The strategies, one file each with its semantics in the head. A strategy orders the members of one group that can be
//! used now; who cannot is no concern of it. A new one is a file, a variant of [`Strategy`] and a row here.

mod priority;
mod random;
mod round_robin;
mod strict_random;
mod weighted;

use super::{draw::Draw, memory::Slot};
use crate::engine::settings::Strategy;

/// Orders the members of a group.
pub(super) trait Order: Sync {
    /// An order of all candidates, and what is to be remembered when it is used.
    fn order(&self, turn: Turn<'_>) -> Ordered;
}

/// What a strategy decides by.
pub(super) struct Turn<'a> {
    /// The members that can be used now, in the configured order. Never empty.
    pub(super) candidates: &'a [Candidate],
    /// Requests in a row that stay with one member.
    pub(super) sticky: u32,
    /// What it remembered.
    pub(super) slot: Option<&'a Slot>,
    /// Its chance.
    pub(super) draw: Draw,
}

/// A member as strategies see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// Its place in the configured order, gaps included.
    pub(super) place: usize,
    /// Its share.
    pub(super) weight: u32,
}

/// A strategy's word: indexes of candidates, the best first, each of them once.
pub(super) struct Ordered {
    pub(super) order: Vec<usize>,
    pub(super) slot: Option<Slot>,
}

/// The implementation of a strategy.
pub(super) fn of(strategy: Strategy) -> &'static dyn Order {
    match strategy {
        Strategy::Priority | Strategy::Exhaust => &priority::Priority,
        Strategy::RoundRobin => &round_robin::RoundRobin,
        Strategy::Weighted => &weighted::Weighted,
        Strategy::Random => &random::Random,
        Strategy::StrictRandom => &strict_random::StrictRandom,
    }
}

impl Turn<'_> {
    /// The index of the candidate that has this place.
    fn at(&self, place: usize) -> Option<usize> {
        self.candidates.binary_search_by_key(&place, |candidate| candidate.place).ok()
    }

    /// The index of the candidate whose turn it still is, and how many requests it has left after this one.
    fn staying(&self) -> Option<(usize, u32)> {
        let Some(Slot::Turn { place, left }) = self.slot else { return None };
        let left = left.checked_sub(1)?.min(self.sticky.saturating_sub(1));
        Some((self.at(*place)?, left))
    }
}
