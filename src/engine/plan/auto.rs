//! The arithmetic of `auto`: six factors from 0 to 1,000 for each member, their weighted mean, and the bench for members
//! whose score is hopeless. All in whole numbers, so that an explanation can be checked by hand.

use serde::{Deserialize, Serialize};

use super::inputs::Signals;
pub use crate::engine::settings::Scoring;

/// What an unknown cost, latency or task fit counts as: neither good nor bad.
const NEUTRAL: u16 = 500;

/// What an unknown share of successes counts as: most attempts succeed.
const UNTRIED: u16 = 900;

/// Added to latencies before they are compared: below it a difference means nothing, in milliseconds.
const LATENCY_GRAIN: u64 = 50;

/// The factors of one member, in thousandths, and what they come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// The share of quota that is left; all of it where none is known.
    pub quota: u16,
    /// How well its provider is.
    pub health: u16,
    /// The cheapest member's cost divided by this one's.
    pub cost: u16,
    /// The quickest member's latency divided by this one's.
    pub latency: u16,
    /// How good the model is at what the request is about.
    pub task: u16,
    /// The share of attempts that succeeded.
    pub stability: u16,
    /// The weighted mean, in thousandths of thousandths.
    pub total: u32,
}

/// The scores of members that are compared with each other.
#[must_use]
pub fn scores(members: &[&Signals], scoring: &Scoring) -> Vec<Score> {
    let cheapest = members.iter().filter_map(|one| one.cost).min();
    let dearest = members.iter().filter_map(|one| one.cost).max().unwrap_or_default();
    // A fiftieth of the dearest: so that a free member does not make all others look equally bad.
    let grain = (dearest / 50).max(1);
    let quickest = members.iter().filter_map(|one| one.p95_ms).min();
    let of = |signals: &&Signals| {
        let cost = ratio(cheapest, signals.cost, grain);
        let latency = ratio(quickest.map(u64::from), signals.p95_ms.map(u64::from), LATENCY_GRAIN);
        Score {
            quota: signals.left.unwrap_or(1000).min(1000),
            health: signals.breaker.unwrap_or(1000).min(1000),
            cost,
            latency,
            task: signals.task_fit.unwrap_or(NEUTRAL).min(1000),
            stability: signals.success.unwrap_or(UNTRIED).min(1000),
            total: 0,
        }
        .weighed(scoring)
    };
    members.iter().map(of).collect()
}

/// The best divided by this one, in thousandths.
fn ratio(best: Option<u64>, own: Option<u64>, grain: u64) -> u16 {
    let (Some(best), Some(own)) = (best, own) else { return NEUTRAL };
    let share = (u128::from(best) + u128::from(grain)) * 1000 / (u128::from(own) + u128::from(grain));
    u16::try_from(share.min(1000)).unwrap_or(1000)
}

impl Score {
    fn weighed(mut self, scoring: &Scoring) -> Self {
        let weights = scoring.weights;
        let pairs = [
            (self.quota, weights.quota),
            (self.health, weights.health),
            (self.cost, weights.cost),
            (self.latency, weights.latency),
            (self.task, weights.task),
            (self.stability, weights.stability),
        ];
        let sum: u64 = pairs.iter().map(|(factor, weight)| u64::from(*factor) * u64::from(*weight)).sum();
        let weights: u64 = pairs.iter().map(|(_, weight)| u64::from(*weight)).sum();
        self.total = (sum * 1000 / weights.max(1)).try_into().unwrap_or(u32::MAX);
        self
    }

    /// The score as it is compared: the whole, in thousandths of thousandths.
    #[must_use]
    pub const fn thousandths(&self) -> u32 {
        self.total
    }
}

/// A member that sits on the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bench {
    /// Which one.
    pub place: usize,
    /// Until when, in milliseconds since the Unix epoch.
    pub until: i64,
    /// How many times in a row it has been there.
    pub times: u32,
}

impl Bench {
    /// The bench after these scores; `None` where nothing changes.
    #[must_use]
    pub fn after(
        bench: &[Self],
        places: &[usize],
        scores: &[Score],
        scoring: &Scoring,
        now: i64,
    ) -> Option<Vec<Self>> {
        let hopeless = |score: &Score| score.total < u32::from(scoring.bench_below) * 1000;
        let mut after: Vec<Self> = bench
            .iter()
            .filter(|one| now < one.until.saturating_add(scoring.bench_longest_ms))
            .copied()
            .collect();
        let mut changed = after.len() != bench.len();
        for (place, _) in places.iter().zip(scores).filter(|(_, score)| hopeless(score)) {
            let before = after.iter().position(|one| one.place == *place);
            let times = before.map_or(0, |at| after[at].times);
            if before.is_some_and(|at| after[at].until > now) {
                continue;
            }
            let wait = scoring.bench_ms.saturating_mul(1 << times.min(16)).min(scoring.bench_longest_ms);
            after.retain(|one| one.place != *place);
            after.push(Self {
                place: *place,
                until: now.saturating_add(wait),
                times: times.saturating_add(1),
            });
            changed = true;
        }
        changed.then_some(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::settings::AutoMode;

    #[test]
    fn each_factor_counts_by_its_weight() {
        let good = Signals { cost: Some(100), p95_ms: Some(100), ..Signals::default() };
        let dear = Signals { cost: Some(1_000), ..good };
        let slow = Signals { p95_ms: Some(1_000), ..good };
        let best = |mode: AutoMode, members: &[&Signals]| {
            let scoring = Scoring { weights: mode.weights(), ..Scoring::default() };
            let scores = scores(members, &scoring);
            (0..members.len()).max_by_key(|&at| scores[at].total)
        };
        assert_eq!(best(AutoMode::CostSaver, &[&dear, &slow]), Some(1));
        assert_eq!(best(AutoMode::ShipFast, &[&dear, &slow]), Some(0));
    }

    #[test]
    fn the_arithmetic_is_what_the_documentation_says() {
        let (one, other) = (
            Signals {
                cost: Some(200),
                p95_ms: Some(350),
                left: Some(500),
                breaker: Some(500),
                ..Signals::default()
            },
            Signals {
                cost: Some(100),
                p95_ms: Some(150),
                success: Some(700),
                task_fit: Some(900),
                ..Signals::default()
            },
        );
        let scores = scores(&[&one, &other], &Scoring::default());
        // (100 + 4) / (200 + 4), with a grain of a fiftieth of 200; (150 + 50) / (350 + 50).
        let first = Score {
            quota: 500,
            health: 500,
            cost: 509,
            latency: 500,
            task: 500,
            stability: 900,
            total: 533_800,
        };
        let second = Score {
            quota: 1000,
            health: 1000,
            cost: 1000,
            latency: 1000,
            task: 900,
            stability: 700,
            total: 964_000,
        };
        assert_eq!(scores, [first, second]);
    }

    #[test]
    fn the_bench_grows_and_ends() {
        let scoring = Scoring::default();
        let hopeless = [Score { total: 100_000, ..Score::default() }];
        let mut bench = Vec::new();
        let mut now = 0;
        for minutes in [5, 10, 20, 30, 30] {
            bench = Bench::after(&bench, &[3], &hopeless, &scoring, now).unwrap_or_default();
            assert_eq!(bench.first().map(|one| one.until - now), Some(minutes * 60_000));
            assert_eq!(
                Bench::after(&bench, &[3], &hopeless, &scoring, now + 1),
                None,
                "it sits there already"
            );
            now += minutes * 60_000;
        }
        let good = [Score { total: 900_000, ..Score::default() }];
        assert_eq!(Bench::after(&bench, &[3], &good, &scoring, now), None);
        assert_eq!(Bench::after(&bench, &[3], &good, &scoring, now + 30 * 60_000), Some(Vec::new()));
    }
}
