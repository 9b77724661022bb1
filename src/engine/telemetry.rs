//! What was seen of each target lately: how often it was asked, how often it answered, how long that took, and what it is
//! working on now. Kept in memory, for routing; what is kept for people is in the receipts.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{pipeline::Engine, ports::Target};

/// Models per connection of which something is remembered; more are not, until the hub starts anew.
const MODELS: usize = 512;

/// Pieces into which the last hour is cut.
const SLICES: usize = 12;

/// The length of one, in milliseconds.
const SLICE_MS: i64 = 60 * 60 * 1000 / SLICES as i64;

/// Latencies that are remembered: of the last answers, and not older than an hour.
const LATENCIES: usize = 64;

/// How long it is believed how long answers take while there are no new ones, in milliseconds.
const STALE_MS: i64 = 60 * 1000;

/// Attempts below which a share of successes is mixed with what is usual, and how many of those ten are good.
const PRIOR: (u32, u32) = (9, 10);

/// What was seen of all targets.
#[derive(Debug, Default)]
pub struct Telemetry {
    seen: RwLock<HashMap<Arc<str>, Connection>>,
}

#[derive(Debug)]
struct Connection {
    fingerprint: u64,
    models: HashMap<Arc<str>, Arc<Seen>>,
}

/// What was seen of one target.
#[derive(Debug, Default)]
pub struct Seen {
    in_flight: AtomicU32,
    past: Mutex<Past>,
}

#[derive(Debug, Default)]
struct Past {
    slices: [Slice; SLICES],
    latencies: Vec<(i64, u32)>,
    next: usize,
    /// The last answer to how long it takes, and when it was found; `None` once that has to be found anew.
    p95: Option<(i64, Option<u32>)>,
    /// The last look, without what is in flight, and when it was taken; `None` once something happened.
    last: Option<(i64, Sight)>,
}

/// Attempts of five minutes.
#[derive(Debug, Clone, Copy, Default)]
struct Slice {
    /// Which five minutes, counted from the Unix epoch.
    number: i64,
    begun: u32,
    good: u32,
    bad: u32,
}

/// What was seen, while a plan is made.
pub struct View<'a> {
    seen: RwLockReadGuard<'a, HashMap<Arc<str>, Connection>>,
}

/// What is said of one target at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sight {
    /// Attempts that are running.
    pub in_flight: u32,
    /// Attempts of the last hour, running ones included.
    pub used: u32,
    /// The time to the first content that 95 of 100 of the last answers kept, in milliseconds.
    pub p95_ms: Option<u32>,
    /// How many of 1,000 attempts of the last hour succeeded; below ten attempts it leans to 900.
    pub success: Option<u16>,
}

/// An attempt that is running; says how it ended, or was given up, when it is dropped.
#[derive(Debug)]
pub struct Watch {
    seen: Option<Arc<Seen>>,
}

impl Telemetry {
    /// Notes that an attempt begins.
    #[must_use]
    pub fn begin(&self, target: &Target, now: i64) -> Watch {
        let seen = self.of(target).or_else(|| self.make(target));
        if let Some(seen) = &seen {
            seen.in_flight.fetch_add(1, Ordering::Relaxed);
            seen.past().slice(now).begun += 1;
        }
        Watch { seen }
    }

    /// A look at all targets. Holds a read lock: to be dropped before anything is awaited.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        View { seen: self.seen.read().unwrap_or_else(PoisonError::into_inner) }
    }

    fn of(&self, target: &Target) -> Option<Arc<Seen>> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        let connection = seen.get(&target.connection.id)?;
        let same = connection.fingerprint == target.connection.fingerprint;
        same.then(|| connection.models.get(&target.model)).flatten().map(Arc::clone)
    }

    fn make(&self, target: &Target) -> Option<Arc<Seen>> {
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        let fingerprint = target.connection.fingerprint;
        let fresh = || Connection { fingerprint, models: HashMap::new() };
        let connection = seen.entry(Arc::clone(&target.connection.id)).or_insert_with(fresh);
        if connection.fingerprint != fingerprint {
            *connection = fresh();
        }
        if connection.models.len() >= MODELS && !connection.models.contains_key(&target.model) {
            return None;
        }
        Some(Arc::clone(connection.models.entry(Arc::clone(&target.model)).or_default()))
    }

    /// Forgets the connections that are no longer configured.
    pub fn retain(&self, is_configured: impl Fn(&str) -> bool) {
        self.seen.write().unwrap_or_else(PoisonError::into_inner).retain(|id, _| is_configured(id));
    }
}

impl View<'_> {
    /// What is known of a target.
    #[must_use]
    pub fn sight(&self, target: &Target, now: i64) -> Sight {
        let Some(connection) = self.seen.get(&target.connection.id) else { return Sight::default() };
        if connection.fingerprint != target.connection.fingerprint {
            return Sight::default();
        }
        connection.models.get(&target.model).map(|seen| seen.sight(now)).unwrap_or_default()
    }
}

impl Engine {
    /// What was seen of a target lately.
    #[must_use]
    pub fn seen(&self, target: &Target) -> Sight {
        self.knowledge().telemetry.view().sight(target, self.clock().now())
    }
}

impl Watch {
    /// An attempt of which nothing is remembered.
    #[must_use]
    pub const fn idle() -> Self {
        Self { seen: None }
    }

    /// The attempt gave content after so many milliseconds.
    pub fn answered(&self, took_ms: u32, now: i64) {
        if let Some(seen) = &self.seen {
            let mut past = seen.past();
            past.slice(now).good += 1;
            past.took(took_ms, now);
        }
    }

    /// The attempt failed, by no fault of the request; an answer that broke later is one more failure.
    pub fn failed(&self, now: i64) {
        if let Some(seen) = &self.seen {
            seen.past().slice(now).bad += 1;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(seen) = &self.seen {
            seen.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Seen {
    fn past(&self) -> std::sync::MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sight(&self, now: i64) -> Sight {
        let mut past = self.past();
        let known = past.last.filter(|(at, _)| now - at < STALE_MS).map(|(_, known)| known);
        let known = known.unwrap_or_else(|| {
            let known = past.look(now);
            past.last = Some((now, known));
            known
        });
        Sight { in_flight: self.in_flight.load(Ordering::Relaxed), ..known }
    }
}

impl Past {
    fn look(&mut self, now: i64) -> Sight {
        let last = now.div_euclid(SLICE_MS) - SLICES as i64;
        let (mut used, mut good, mut bad) = (0, 0, 0);
        for slice in self.slices.iter().filter(|slice| slice.number > last) {
            used += slice.begun;
            good += slice.good;
            bad += slice.bad;
        }
        let tried = good + bad;
        let success = (tried > 0).then(|| {
            let share = u64::from(good + PRIOR.0) * 1000 / u64::from(tried + PRIOR.1);
            u16::try_from(share).unwrap_or(1000)
        });
        Sight { in_flight: 0, used, p95_ms: self.p95(now), success }
    }

    fn slice(&mut self, now: i64) -> &mut Slice {
        self.last = None;
        let number = now.div_euclid(SLICE_MS);
        let at = usize::try_from(number.rem_euclid(SLICES as i64)).unwrap_or_default();
        let slice = &mut self.slices[at];
        if slice.number != number {
            *slice = Slice { number, ..Slice::default() };
        }
        slice
    }

    fn took(&mut self, ms: u32, now: i64) {
        self.p95 = None;
        if self.latencies.len() < LATENCIES {
            self.latencies.push((now, ms));
        } else {
            self.latencies[self.next] = (now, ms);
            self.next = (self.next + 1) % LATENCIES;
        }
    }

    /// What [`Sight::p95_ms`] says. Looked for once for each new latency, or within a minute, as old ones go.
    fn p95(&mut self, now: i64) -> Option<u32> {
        match self.p95 {
            Some((at, found)) if now - at < STALE_MS => found,
            _ => {
                let found = self.find_p95(now);
                self.p95 = Some((now, found));
                found
            }
        }
    }

    fn find_p95(&self, now: i64) -> Option<u32> {
        let oldest = now - SLICE_MS * SLICES as i64;
        let mut fresh = [0_u32; LATENCIES];
        let mut count = 0;
        for (_, ms) in self.latencies.iter().filter(|(at, _)| *at > oldest) {
            fresh[count] = *ms;
            count += 1;
        }
        let fresh = &mut fresh[..count];
        let at = (count * 95).div_ceil(100).checked_sub(1)?;
        Some(*fresh.select_nth_unstable(at).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60 * 1000;

    #[test]
    fn an_hour_is_remembered_and_no_more() {
        let seen = Seen::default();
        for nth in 0..10 {
            let mut past = seen.past();
            past.slice(nth * MINUTE).begun += 1;
            past.slice(nth * MINUTE).good += 1;
            past.took(100, nth * MINUTE);
        }
        let sight = seen.sight(10 * MINUTE);
        assert_eq!((sight.used, sight.p95_ms, sight.success), (10, Some(100), Some(950)));
        let later = seen.sight(80 * MINUTE);
        assert_eq!((later.used, later.p95_ms, later.success), (0, None, None));
    }

    #[test]
    fn the_slowest_twentieth_does_not_count_and_the_oldest_give_way() {
        let seen = Seen::default();
        for nth in 1..=100_u32 {
            seen.past().took(nth, 0);
        }
        // Of the last 64, 37 to 100, the 61st.
        assert_eq!(seen.sight(1).p95_ms, Some(97));
    }

    #[test]
    fn what_is_known_is_looked_for_anew_when_something_happened() {
        let seen = Seen::default();
        assert_eq!(seen.sight(0).used, 0);
        seen.past().slice(1).begun += 1;
        assert_eq!(seen.sight(1).used, 1);
        seen.past().slice(2).bad += 1;
        assert_eq!(seen.sight(2).success, Some(818), "one of one failed, mixed with nine of ten");
    }

    #[test]
    fn what_runs_is_counted_until_it_is_dropped() {
        let seen = Arc::new(Seen::default());
        seen.in_flight.fetch_add(1, Ordering::Relaxed);
        let watch = Watch { seen: Some(Arc::clone(&seen)) };
        assert_eq!(seen.sight(0).in_flight, 1);
        drop(watch);
        assert_eq!(seen.sight(0).in_flight, 0);
    }
}
