//! The strategies, one file each with its semantics in the head. A strategy orders the members of one group that can be
//! used now; who cannot is no concern of it. A new one is a file, a variant of [`Strategy`] and a row here.

mod auto;
mod auto_ranked;
mod cache_optimized;
mod context_optimized;
mod cost_optimized;
mod headroom;
mod least_used;
mod lkgp;
mod p2c;
mod priority;
mod random;
mod reset_aware;
mod reset_window;
mod round_robin;
mod strict_random;
mod weighted;

use super::{
    auto::{Score, Scoring},
    draw::Draw,
    inputs::Signals,
    memory::Slot,
};
use crate::engine::settings::Strategy;

/// Orders the members of a group.
pub(super) trait Order: Sync {
    /// An order of all candidates, and what is to be remembered when it is used.
    fn order(&self, turn: Turn<'_>) -> Ordered;
}

/// What a strategy decides by.
pub(super) struct Turn<'a> {
    /// The members that can be used now, in the configured order. Never empty.
    pub(super) candidates: &'a [Candidate<'a>],
    /// Requests in a row that stay with one member.
    pub(super) sticky: u32,
    /// What it remembered.
    pub(super) slot: Option<&'a Slot>,
    /// Its chance.
    pub(super) draw: Draw,
    /// The time, in milliseconds since the Unix epoch.
    pub(super) now: i64,
    /// How members are scored, for `auto`.
    pub(super) scoring: Option<&'a Scoring>,
}

/// A member as strategies see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'a> {
    /// Its place in the configured order, gaps included.
    pub(super) place: usize,
    /// Its share.
    pub(super) weight: u32,
    /// What is known of it; of a group, what is known of the target that it leads to first.
    pub(super) signals: &'a Signals,
}

/// A strategy's word: indexes of candidates, the best first, each of them once.
pub(super) struct Ordered {
    pub(super) order: Vec<usize>,
    pub(super) slot: Option<Slot>,
    /// The reckoning of each candidate, by index, where there was one.
    pub(super) scores: Vec<(usize, Score)>,
}

impl Ordered {
    /// An order that leaves nothing to be remembered.
    fn of(order: Vec<usize>) -> Self {
        Self { order, slot: None, scores: Vec::new() }
    }

    /// The smallest key first; equals keep the configured order.
    fn by_key<K: Ord>(turn: &Turn<'_>, key: impl Fn(&Signals) -> K) -> Self {
        let mut order: Vec<usize> = (0..turn.candidates.len()).collect();
        order.sort_by_cached_key(|&at| key(turn.candidates[at].signals));
        Self::of(order)
    }

    /// Puts a member before all others, if that is not much worse than what the strategy says: where there are scores, it
    /// must have nine tenths of the best. Says whether it stands there.
    pub(super) fn puts_first(&mut self, member: usize) -> bool {
        let best = self.scores.iter().map(|(_, score)| score.thousandths()).max();
        let own = self.scores.iter().find(|(at, _)| *at == member).map(|(_, score)| score.thousandths());
        if best.zip(own).is_some_and(|(best, own)| u64::from(own) * 10 < u64::from(best) * 9) {
            return false;
        }
        if let Some(at) = self.order.iter().position(|at| *at == member) {
            self.order[..=at].rotate_right(1);
        }
        true
    }

    /// The same, with something to be remembered.
    fn remembering(mut self, slot: Option<Slot>) -> Self {
        self.slot = slot;
        self
    }
}

/// The implementation of a strategy.
pub(super) fn of(strategy: Strategy) -> &'static dyn Order {
    match strategy {
        Strategy::Priority | Strategy::Exhaust => &priority::Priority,
        Strategy::RoundRobin => &round_robin::RoundRobin,
        Strategy::Weighted => &weighted::Weighted,
        Strategy::Random => &random::Random,
        Strategy::StrictRandom => &strict_random::StrictRandom,
        Strategy::P2c => &p2c::P2c,
        Strategy::LeastUsed => &least_used::LeastUsed,
        Strategy::CostOptimized => &cost_optimized::CostOptimized,
        Strategy::ContextOptimized => &context_optimized::ContextOptimized,
        Strategy::ResetAware => &reset_aware::ResetAware,
        Strategy::ResetWindow => &reset_window::ResetWindow,
        Strategy::Headroom => &headroom::Headroom,
        Strategy::CacheOptimized => &cache_optimized::CacheOptimized,
        Strategy::Lkgp => &lkgp::Lkgp,
        Strategy::Auto => &auto::Auto,
        Strategy::AutoRanked => &auto_ranked::AutoRanked,
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
