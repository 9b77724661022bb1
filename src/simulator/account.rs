//! What the simulator remembers of one key: how much of its limits is used, and which faults were played.
//!
//! It decides what a request meets; it neither waits nor answers.

use std::time::Duration;

use tokio::time::Instant;

use super::dice::Dice;
use super::fault::{Fault, Rule};
use super::script::{Behaviour, Limit, Rate, WindowStart};
use super::subscription::Spent;

/// The memory of one key.
#[derive(Debug, Default)]
pub(super) struct Account {
    ordinal: u64,
    used: u64,
    window: Option<Instant>,
    bucket: Option<(Instant, f64)>,
    played: Vec<u64>,
    pub(super) spent: Spent,
}

/// What a request meets.
#[derive(Debug, PartialEq)]
pub(super) enum Turn {
    /// It is let in.
    Go {
        /// The number of this request among those of its key that were let in, from 1.
        ordinal: u64,
        /// What the rate-limit headers say.
        standing: Standing,
        /// What goes wrong.
        course: Course,
    },
    /// It is refused with 429; `None` means that the account stays dry.
    Refused {
        /// What the rate-limit headers say.
        standing: Standing,
        /// Time until it may come back.
        wait: Option<Duration>,
    },
}

/// Where the key stands with its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Requests in a window.
    pub(super) limit: u64,
    /// Requests left in it.
    pub(super) remaining: u64,
    /// Time until all of them are back.
    pub(super) reset: Duration,
}

/// What goes wrong with one answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Course {
    /// The fault that decides the answer.
    pub(super) main: Option<Fault>,
    /// The faults that only change its looks.
    pub(super) shapes: Vec<Fault>,
}

impl Course {
    /// Whether one of the looks is `fault`.
    pub(super) fn has(&self, fault: &Fault) -> bool {
        self.shapes.contains(fault)
    }

    /// The names of all that is played, for the log.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.main.iter().chain(&self.shapes).map(Fault::name).collect()
    }
}

/// A bucket with nothing in it for the log to say: OpenAI's figures for a busy paying account.
const UNLIMITED: Standing = Standing { limit: 10_000, remaining: 9_999, reset: Duration::from_millis(6) };

impl Account {
    /// The next request of this key.
    pub(super) fn turn(&mut self, behaviour: &Behaviour, seed: u64, key: &str) -> Turn {
        let now = Instant::now();
        if let Some(limit) = behaviour.limit
            && let Err((standing, wait)) = self.check_limit(limit, now)
        {
            return Turn::Refused { standing, wait };
        }
        if let Some(plan) = &behaviour.subscription
            && let Err(wait) = self.spent.take(plan, now)
        {
            let standing = Standing { limit: 1, remaining: 0, reset: wait };
            return Turn::Refused { standing, wait: Some(wait) };
        }
        let mut standing = UNLIMITED;
        if let Some(rate) = behaviour.rate {
            match self.take_rate(rate, now) {
                Ok(left) => standing = left,
                Err((standing, wait)) => return Turn::Refused { standing, wait: Some(wait) },
            }
        }
        if let Some(limit) = behaviour.limit {
            standing = self.take_limit(limit, now);
        }
        self.ordinal += 1;
        Turn::Go { ordinal: self.ordinal, standing, course: self.draw(&behaviour.faults, seed, key) }
    }

    /// Opens a new window if the old one is over, and says whether it has room.
    fn check_limit(&mut self, limit: Limit, now: Instant) -> Result<(), (Standing, Option<Duration>)> {
        let reset = self.until_reset(limit, now);
        if self.window.is_some() && reset == Some(Duration::ZERO) {
            (self.window, self.used) = (None, 0);
        }
        if self.used < limit.requests {
            return Ok(());
        }
        // A window of no requests never begins, so it has no end to wait for either.
        let wait = self.window.and(reset);
        let reset = wait.unwrap_or_default();
        Err((Standing { limit: limit.requests, remaining: 0, reset }, wait))
    }

    fn take_limit(&mut self, limit: Limit, now: Instant) -> Standing {
        self.used += 1;
        let opens = match limit.starts {
            WindowStart::FirstRequest => self.used == 1,
            WindowStart::Exhausted => self.used >= limit.requests,
        };
        if opens {
            self.window = Some(now);
        }
        Standing {
            limit: limit.requests,
            remaining: limit.requests.saturating_sub(self.used),
            reset: self.until_reset(limit, now).unwrap_or_default(),
        }
    }

    fn until_reset(&self, limit: Limit, now: Instant) -> Option<Duration> {
        let length = Duration::from_secs(limit.per_seconds?);
        let since = self.window.map_or(Duration::ZERO, |start| now.duration_since(start));
        Some(length.saturating_sub(since))
    }

    /// Takes one request from a bucket that fills evenly.
    fn take_rate(&mut self, rate: Rate, now: Instant) -> Result<Standing, (Standing, Duration)> {
        let (size, per_second) = match rate {
            Rate::PerSecond(n) => (f64::from(n.max(1)), f64::from(n.max(1))),
            Rate::PerMinute(n) => (f64::from(n.max(1)), f64::from(n.max(1)) / 60.0),
        };
        let (since, had) = self.bucket.unwrap_or((now, size));
        let has = (had + now.duration_since(since).as_secs_f64() * per_second).min(size);
        // Refilling is a sum of fractions: what is short of a whole request by rounding alone counts as whole.
        let enough = has > 1.0 - 1e-6;
        let left = if enough { (has - 1.0).max(0.0) } else { has };
        self.bucket = Some((now, left));
        let standing = Standing {
            limit: size as u64,
            remaining: left as u64,
            reset: Duration::from_secs_f64((size - left) / per_second),
        };
        if enough { Ok(standing) } else { Err((standing, Duration::from_secs_f64((1.0 - has) / per_second))) }
    }

    /// Draws what goes wrong: the first deciding fault that holds, and every change of looks that does. A rule that
    /// comes too late for this request keeps its turn for the next, so that rules in a row play one after the other.
    fn draw(&mut self, rules: &[Rule], seed: u64, key: &str) -> Course {
        self.played.resize(rules.len(), 0);
        let mut course = Course::default();
        for (at, (rule, played)) in rules.iter().zip(&mut self.played).enumerate() {
            let words = [key.as_bytes(), &self.ordinal.to_le_bytes(), &(at as u64).to_le_bytes()];
            let holds = self.ordinal > rule.skip
                && rule.times.is_none_or(|times| *played < times)
                && rule.probability.is_none_or(|p| Dice::new(seed, &words).chance(p));
            if !holds {
                continue;
            }
            if rule.fault.only_shapes() {
                course.shapes.push(rule.fault.clone());
            } else if course.main.is_none() {
                course.main = Some(rule.fault.clone());
            } else {
                continue;
            }
            *played += 1;
        }
        course
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    /// `Ok(remaining)`, or `Err(ms to wait)`.
    fn ask(account: &mut Account, behaviour: &Behaviour) -> Result<u64, Option<u128>> {
        match account.turn(behaviour, 1, "k") {
            Turn::Go { standing, .. } => Ok(standing.remaining),
            Turn::Refused { wait, .. } => Err(wait.map(|wait| wait.as_millis())),
        }
    }

    fn mains(behaviour: &Behaviour, requests: usize) -> Vec<Option<&'static str>> {
        let mut account = Account::default();
        (0..requests)
            .map(|_| match account.turn(behaviour, 1, "k") {
                Turn::Go { course, .. } => course.main.map(|main| main.name()),
                Turn::Refused { .. } => Some("refused"),
            })
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_counts_from_its_first_request() {
        let limit = Limit { requests: 2, per_seconds: Some(10), starts: WindowStart::FirstRequest };
        let (mut account, behaviour) =
            (Account::default(), Behaviour { limit: Some(limit), ..Behaviour::ok() });
        assert_eq!(ask(&mut account, &behaviour), Ok(1));
        pass(4).await;
        assert_eq!(ask(&mut account, &behaviour), Ok(0));
        assert_eq!(ask(&mut account, &behaviour), Err(Some(6_000)));
        pass(6).await;
        assert_eq!(ask(&mut account, &behaviour), Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rest_counts_from_the_last_request() {
        let (mut account, behaviour) = (Account::default(), Behaviour::limited(2, 10));
        assert_eq!(ask(&mut account, &behaviour), Ok(1));
        pass(60).await;
        assert_eq!(ask(&mut account, &behaviour), Ok(0));
        pass(9).await;
        assert_eq!(ask(&mut account, &behaviour), Err(Some(1_000)));
        pass(1).await;
        assert_eq!(ask(&mut account, &behaviour), Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_dry_account_stays_dry() {
        let (mut account, behaviour) = (Account::default(), Behaviour::dry_after(1));
        assert_eq!(ask(&mut account, &behaviour), Ok(0));
        pass(1_000_000).await;
        assert_eq!(ask(&mut account, &behaviour), Err(None));
        assert_eq!(ask(&mut Account::default(), &Behaviour::limited(0, 20)), Err(None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_refills_evenly() {
        let behaviour = Behaviour { rate: Some(Rate::PerMinute(3)), ..Behaviour::ok() };
        let mut account = Account::default();
        for left in [2, 1, 0] {
            assert_eq!(ask(&mut account, &behaviour), Ok(left));
        }
        assert_eq!(ask(&mut account, &behaviour), Err(Some(20_000)));
        for _ in 0..5 {
            pass(20).await;
            assert_eq!(ask(&mut account, &behaviour), Ok(0));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn rules_in_a_row_take_turns() {
        let behaviour = Behaviour::ok()
            .rule(Rule::first(2, Fault::status(500)))
            .rule(Rule::first(1, Fault::Empty200))
            .rule(Rule::after(5, Fault::CutAfterRole));
        let (status, empty, cut) = (Some("status"), Some("empty_200"), Some("cut_after_role"));
        assert_eq!(mains(&behaviour, 7), [status, status, empty, None, None, cut, cut]);
    }

    #[tokio::test(start_paused = true)]
    async fn chance_repeats_with_the_seed() {
        let behaviour = Behaviour::ok().rule(Rule::sometimes(0.5, Fault::status(500)));
        let drawn = mains(&behaviour, 200);
        assert_eq!(drawn, mains(&behaviour, 200));
        let hits = drawn.iter().flatten().count();
        assert!((70..130).contains(&hits), "{hits}");
    }

    #[tokio::test(start_paused = true)]
    async fn looks_add_up() {
        let behaviour = Behaviour::failing(Fault::Crlf)
            .rule(Rule::always(Fault::MissingDone))
            .rule(Rule::always(Fault::CutAfterRole));
        let Turn::Go { course, .. } = Account::default().turn(&behaviour, 1, "k") else {
            unreachable!("no limit is set")
        };
        assert_eq!(course.names(), ["cut_after_role", "crlf", "missing_done"]);
    }
}
