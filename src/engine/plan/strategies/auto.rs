//! Auto: the highest score goes first; what a score is made of, and its weights, is `plan/auto.rs`. Now and then another
//! one is tried first, so that what is known of it does not grow old; never while most are unwell. Members whose score
//! is hopeless are put behind the others for a while, which grows each time and always ends.

use std::cmp::Reverse;

use super::{Order, Ordered, Slot, Turn};
use crate::engine::plan::{
    auto::{self, Bench},
    draw::Draw,
};

pub(super) struct Auto;

impl Order for Auto {
    fn order(&self, turn: Turn<'_>) -> Ordered {
        let default = auto::Scoring::default();
        let scoring = turn.scoring.unwrap_or(&default);
        let signals: Vec<_> = turn.candidates.iter().map(|candidate| candidate.signals).collect();
        let scores = auto::scores(&signals, scoring);
        let benched = match turn.slot {
            Some(Slot::Bench(bench)) => bench.as_slice(),
            _ => &[],
        };
        let is_benched: Vec<bool> = turn
            .candidates
            .iter()
            .map(|candidate| benched.iter().any(|one| one.place == candidate.place && one.until > turn.now))
            .collect();
        let mut order: Vec<usize> = (0..turn.candidates.len()).collect();
        order.sort_by_key(|&at| (is_benched[at], Reverse(scores[at].thousandths())));
        if let Some(explored) = explored(&turn, scoring, &is_benched, &scores) {
            order.sort_by_key(|&at| at != explored);
        }
        let places: Vec<usize> = turn.candidates.iter().map(|candidate| candidate.place).collect();
        let slot = Bench::after(benched, &places, &scores, scoring, turn.now).map(Slot::Bench);
        Ordered { order, slot, scores: scores.into_iter().enumerate().collect() }
    }
}

/// The member that is tried first this once, to learn how it does: one that is not far behind, since it is somebody's
/// request.
fn explored(
    turn: &Turn<'_>,
    scoring: &auto::Scoring,
    benched: &[bool],
    scores: &[auto::Score],
) -> Option<usize> {
    let unwell = turn.candidates.iter().filter(|one| one.signals.breaker.is_some_and(|health| health < 1000));
    if unwell.count() * 2 > turn.candidates.len() {
        return None;
    }
    let mut draw: Draw = turn.draw.clone();
    if draw.below(1000) >= u64::from(scoring.exploration) {
        return None;
    }
    let best = scores.iter().map(auto::Score::thousandths).max().unwrap_or_default();
    let near = |at: usize| u64::from(scores[at].thousandths()) * 4 >= u64::from(best) * 3;
    let open: Vec<usize> = (0..benched.len()).filter(|&at| !benched[at] && near(at)).collect();
    open.get(draw.below(open.len() as u64) as usize).copied()
}
