//! Power of two choices: two members drawn at random, and the better of the two is used; the others keep their order
//! behind it. The worse of two is seldom the worst of all, and a queue that grows is seen at once, which a fixed or a
//! random order cannot do. Better is who has less to do for how quickly it answers and how often it fails: the requests
//! in flight (and this one) times the usual latency, divided by the share of successes and of quota that is left.

use std::cmp::Ordering;

use super::{Order, Ordered, Signals, Turn};

/// What an unknown latency counts as, in milliseconds: quick enough to be tried, so that it becomes known.
const UNKNOWN_MS: u32 = 300;

/// What an unknown share of successes counts as, in thousandths.
const UNKNOWN_SUCCESS: u16 = 900;

pub(super) struct P2c;

impl Order for P2c {
    fn order(&self, turn: Turn<'_>) -> Ordered {
        let mut order: Vec<usize> = (0..turn.candidates.len()).collect();
        if order.len() > 1 {
            let mut draw = turn.draw;
            let one = draw.below(order.len() as u64) as usize;
            let other = (one + 1 + draw.below(order.len() as u64 - 1) as usize) % order.len();
            let load = |at: usize| load(turn.candidates[at].signals);
            let (first, second) = match load(one).total_cmp(&load(other)) {
                Ordering::Greater => (other, one),
                Ordering::Less | Ordering::Equal => (one, other),
            };
            order.sort_by_key(|&at| (at != first, at != second));
        }
        Ordered::of(order)
    }
}

/// How long a request would about wait and how often it would be wasted; less is better.
fn load(signals: &Signals) -> f64 {
    let work = f64::from(signals.in_flight) + 1.0;
    let latency = f64::from(signals.p95_ms.unwrap_or(UNKNOWN_MS)) + 10.0;
    let success = f64::from(signals.success.unwrap_or(UNKNOWN_SUCCESS)) / 1000.0;
    let health = f64::from(signals.breaker.unwrap_or(1000)) / 1000.0;
    let quota = f64::from(signals.left.unwrap_or(1000)) / 1000.0;
    // A tenth of a quota is still a tenth, not nothing: close to the end it weighs heavily, before it hardly at all.
    work * latency / (success * health * (0.2 + 0.8 * quota)).max(0.001)
}
