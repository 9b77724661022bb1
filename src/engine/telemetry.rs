//! What was seen of each target lately: how often it was asked, how often it answered, how long that took, and what it is
//! working on now. Kept in memory, for routing; what is kept for people is in the receipts.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
};

use super::ports::Target;

/// Models per connection of which something is remembered; more are not, until the hub starts anew.
const MODELS: usize = 512;

/// Pieces into which the last hour is cut.
const SLICES: usize = 12;

/// The length of one, in milliseconds.
const SLICE_MS: i64 = 60 * 60 * 1000 / SLICES as i64;

/// Latencies that are remembered: of the last answers, and not older than an hour.
const LATENCIES: usize = 64;

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

    /// What is known of a target.
    #[must_use]
    pub fn sight(&self, target: &Target, now: i64) -> Sight {
        self.of(target).map(|seen| seen.sight(now)).unwrap_or_default()
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

impl Watch {
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
        let past = self.past();
        let last = now.div_euclid(SLICE_MS) - SLICES as i64;
        let (mut used, mut good, mut bad) = (0, 0, 0);
        for slice in past.slices.iter().filter(|slice| slice.number > last) {
            used += slice.begun;
            good += slice.good;
            bad += slice.bad;
        }
        let tried = good + bad;
        let success = (tried > 0).then(|| {
            let share = u64::from(good + PRIOR.0) * 1000 / u64::from(tried + PRIOR.1);
            u16::try_from(share).unwrap_or(1000)
        });
        Sight { in_flight: self.in_flight.load(Ordering::Relaxed), used, p95_ms: past.p95(now), success }
    }
}

impl Past {
    fn slice(&mut self, now: i64) -> &mut Slice {
        let number = now.div_euclid(SLICE_MS);
        let at = usize::try_from(number.rem_euclid(SLICES as i64)).unwrap_or_default();
        let slice = &mut self.slices[at];
        if slice.number != number {
            *slice = Slice { number, ..Slice::default() };
        }
        slice
    }

    fn took(&mut self, ms: u32, now: i64) {
        if self.latencies.len() < LATENCIES {
            self.latencies.push((now, ms));
        } else {
            self.latencies[self.next] = (now, ms);
            self.next = (self.next + 1) % LATENCIES;
        }
    }

    fn p95(&self, now: i64) -> Option<u32> {
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
