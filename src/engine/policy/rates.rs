//! How often callers have asked, and how many tokens that took: counts in windows that begin by the clock. Counts of an hour
//! and more survive a restart, as those of quotas do: what the store knows is ahead by up to a fiftieth of the limit, so that
//! a kill counts too much rather than too little, and no request waits for it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::engine::{
    caller::Caller,
    code::Code,
    ports::{Clock, WindowRecord, WindowSink},
    refusal::Refusal,
    settings::{Counted, KEY_WINDOWS, KeyLimits, KeyWindow, WINDOWS},
};

/// What callers are called among the accounts whose windows are kept. No connection's id has a colon.
const KEPT_AS: &str = "key:";

/// Callers that are counted at a time: more than there can be keys. When there are more, those that have nothing under way
/// and no window that counts are forgotten; if there is none, whoever is new is refused.
const CALLERS: usize = 65_536;

/// When somebody may try again who has as many requests under way as may be.
const SOON: Duration = Duration::from_secs(1);

/// The counts of all callers that are limited.
pub struct Rates {
    callers: Mutex<HashMap<Arc<str>, Arc<Counts>>>,
    /// What was kept of an earlier run, for callers that have not come yet.
    kept: Mutex<HashMap<Arc<str>, Vec<WindowRecord>>>,
    sink: Arc<dyn WindowSink>,
    clock: Arc<dyn Clock>,
}

/// The counts of one caller.
struct Counts {
    /// The caller's name among those that are kept.
    kept_as: Arc<str>,
    windows: Mutex<[Count; KEY_WINDOWS]>,
    running: AtomicU64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    /// When the window ends, in milliseconds since the Unix epoch.
    end: i64,
    used: u64,
    /// What the store knows.
    recorded: u64,
    /// The limit that it was counted against last.
    limit: Option<u64>,
}

/// A request that was let in and counted. Its place among those under way is free when it is dropped.
pub struct Ticket {
    rates: Arc<Rates>,
    counts: Arc<Counts>,
    limits: KeyLimits,
    told: Told,
}

/// What a client is told of its limits: the window of each kind that is nearest to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// Of requests.
    pub requests: Option<Gauge>,
    /// Of tokens.
    pub tokens: Option<Gauge>,
}

/// How a window stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauge {
    /// What fits.
    pub limit: u64,
    /// What is left.
    pub remaining: u64,
    /// Until it begins anew.
    pub reset: Duration,
}

/// Keeps nothing.
struct Nowhere;

impl WindowSink for Nowhere {
    fn window(&self, _: WindowRecord) {}
}

impl Rates {
    /// Counts that go on from what an earlier run kept, and are kept for the next.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, sink: Arc<dyn WindowSink>, kept: &[WindowRecord]) -> Self {
        let mut by_caller: HashMap<Arc<str>, Vec<WindowRecord>> = HashMap::new();
        for record in kept.iter().filter(|record| record.connection.starts_with(KEPT_AS)) {
            by_caller.entry(Arc::clone(&record.connection)).or_default().push(record.clone());
        }
        Self { callers: Mutex::default(), kept: Mutex::new(by_caller), sink, clock }
    }

    /// Counts that nobody keeps.
    #[must_use]
    pub fn volatile(clock: Arc<dyn Clock>) -> Self {
        Self::new(clock, Arc::new(Nowhere), &[])
    }

    /// Counts a request of `caller`, if its limits have room for it.
    ///
    /// # Errors
    /// When they have not.
    pub(super) fn enter(self: &Arc<Self>, caller: &Caller, limits: KeyLimits) -> Result<Ticket, Refusal> {
        let counts = self.counts(caller, self.clock.now()).ok_or_else(|| {
            Refusal::new(Code::RateLimited, "The hub counts for as many callers as it can.").retry_after(SOON)
        })?;
        let (mut windows, now) = self.windows(&counts);
        roll(&mut windows, &limits, now);
        if let Some((window, count, limit)) = fullest(&windows) {
            let refusal = refused(caller, window, count, limit, now);
            return Err(Refusal { rate: Some(Box::new(told(&windows, now))), ..refusal });
        }
        if let Some(most) = limits.concurrent
            && counts.running.load(Ordering::Relaxed) >= most
        {
            let text =
                format!("The key `{}` has {most} requests under way, which is its limit.", caller.name);
            let refusal = Refusal::new(Code::RateLimited, text).retry_after(SOON);
            return Err(Refusal { rate: Some(Box::new(told(&windows, now))), ..refusal });
        }
        counts.running.fetch_add(1, Ordering::Relaxed);
        self.add(&counts, &mut windows, Counted::Requests, 1, now);
        let told = told(&windows, now);
        drop(windows);
        Ok(Ticket { rates: Arc::clone(self), counts, limits, told })
    }

    /// The refusal that a request of `caller` would get now. Counts nothing.
    pub(super) fn full(&self, caller: &Caller, limits: KeyLimits) -> Option<Refusal> {
        let counts = self.counts(caller, self.clock.now())?;
        let (windows, now) = self.windows(&counts);
        let mut windows = *windows;
        roll(&mut windows, &limits, now);
        if let Some((window, count, limit)) = fullest(&windows) {
            return Some(refused(caller, window, count, limit, now));
        }
        let most = limits.concurrent.filter(|most| counts.running.load(Ordering::Relaxed) >= *most)?;
        let text = format!("The key `{}` has {most} requests under way, which is its limit.", caller.name);
        Some(Refusal::new(Code::RateLimited, text).retry_after(SOON))
    }

    /// Tells the store how every window stands exactly: for an orderly stop.
    pub fn save(&self) {
        let now = self.clock.now();
        let all: Vec<Arc<Counts>> = lock(&self.callers).values().map(Arc::clone).collect();
        for counts in all {
            let mut windows = lock(&counts.windows);
            for (window, count) in WINDOWS.iter().zip(windows.iter_mut()) {
                if count.recorded != count.used && count.end > now {
                    count.recorded = count.used;
                    self.keep(&counts, window, count, now);
                }
            }
        }
    }

    /// The windows of a caller, and the time. It is read under their lock: else who read it earlier and came later would roll
    /// windows back that the other had begun, and what was counted in them would be lost.
    fn windows<'a>(&self, counts: &'a Counts) -> (MutexGuard<'a, [Count; KEY_WINDOWS]>, i64) {
        let windows = lock(&counts.windows);
        let now = self.clock.now();
        (windows, now)
    }

    /// The counts of a caller; `None` when there is no room for a new one.
    fn counts(&self, caller: &Caller, now: i64) -> Option<Arc<Counts>> {
        let mut callers = lock(&self.callers);
        if let Some(counts) = callers.get(&caller.id) {
            return Some(Arc::clone(counts));
        }
        if callers.len() >= CALLERS {
            callers.retain(|_, counts| counts.matters(now));
        }
        if callers.len() >= CALLERS {
            return None;
        }
        let kept_as: Arc<str> = format!("{KEPT_AS}{}", caller.id).into();
        let kept = lock(&self.kept).remove(&kept_as).unwrap_or_default();
        let mut windows = [Count::default(); KEY_WINDOWS];
        for (window, count) in WINDOWS.iter().zip(windows.iter_mut()) {
            // One that has ended meanwhile is rolled over before it is looked at.
            if let Some(record) = kept.iter().find(|record| *record.name == *window.name) {
                *count = Count {
                    end: record.resets_at,
                    used: record.used,
                    recorded: record.used,
                    limit: record.limit,
                };
            }
        }
        let counts = Arc::new(Counts { kept_as, windows: Mutex::new(windows), running: AtomicU64::new(0) });
        callers.insert(Arc::clone(&caller.id), Arc::clone(&counts));
        Some(counts)
    }

    fn add(
        &self,
        counts: &Counts,
        windows: &mut [Count; KEY_WINDOWS],
        counted: Counted,
        amount: u64,
        now: i64,
    ) {
        for (window, count) in WINDOWS.iter().zip(windows.iter_mut()) {
            if window.counted != counted {
                continue;
            }
            count.used = count.used.saturating_add(amount);
            if let Some(limit) = count.limit
                && window.durable
                && count.used > count.recorded
            {
                count.recorded = count.used.saturating_add(limit / 50);
                self.keep(counts, window, count, now);
            }
        }
    }

    fn keep(&self, counts: &Counts, window: &KeyWindow, count: &Count, now: i64) {
        if !window.durable || count.limit.is_none() {
            return;
        }
        self.sink.window(WindowRecord {
            connection: Arc::clone(&counts.kept_as),
            name: window.name.into(),
            model: None,
            fingerprint: 0,
            limit: count.limit,
            used: count.recorded,
            as_of: now,
            resets_at: count.end,
            state: String::new(),
        });
    }
}

impl Counts {
    /// Whether anything would be lost if it were forgotten.
    fn matters(&self, now: i64) -> bool {
        let counts = |count: &Count| count.limit.is_some() && count.end > now && count.used > 0;
        self.running.load(Ordering::Relaxed) > 0 || lock(&self.windows).iter().any(counts)
    }
}

impl Ticket {
    /// What the client is told, as of when it was let in.
    #[must_use]
    pub const fn told(&self) -> Told {
        self.told
    }

    /// Counts the tokens that the request took.
    pub(in crate::engine) fn took(&self, tokens: u64) {
        let (mut windows, now) = self.rates.windows(&self.counts);
        roll(&mut windows, &self.limits, now);
        self.rates.add(&self.counts, &mut windows, Counted::Tokens, tokens, now);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.counts.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Begins the windows anew that have ended. A clock that was set back begins them too, so that nobody is shut out until it
/// has caught up.
fn roll(windows: &mut [Count; KEY_WINDOWS], limits: &KeyLimits, now: i64) {
    for ((window, count), limit) in WINDOWS.iter().zip(windows.iter_mut()).zip(limits.windows) {
        let end = window.end(now);
        if count.end != end {
            *count = Count { end, ..Count::default() };
        }
        count.limit = limit;
    }
}

/// The window without room that begins anew last.
fn fullest(windows: &[Count; KEY_WINDOWS]) -> Option<(&'static KeyWindow, &Count, u64)> {
    let full = WINDOWS.iter().zip(windows).filter_map(|(window, count)| {
        let limit = count.limit.filter(|limit| count.used >= *limit)?;
        Some((window, count, limit))
    });
    full.max_by_key(|(_, count, _)| count.end)
}

fn told(windows: &[Count; KEY_WINDOWS], now: i64) -> Told {
    let gauge = |counted: Counted| {
        let gauges = WINDOWS.iter().zip(windows).filter(|(window, _)| window.counted == counted);
        let gauges = gauges.filter_map(|(_, count)| {
            let limit = count.limit?;
            Some(Gauge { limit, remaining: limit.saturating_sub(count.used), reset: until(count.end, now) })
        });
        gauges.min_by_key(|gauge| gauge.remaining)
    };
    Told { requests: gauge(Counted::Requests), tokens: gauge(Counted::Tokens) }
}

fn refused(caller: &Caller, window: &KeyWindow, count: &Count, limit: u64, now: i64) -> Refusal {
    let text =
        format!("The key `{}` has used its {limit} {} of this {}.", caller.name, window.unit(), window.span);
    Refusal::new(Code::RateLimited, text).retry_after(until(count.end, now))
}

fn until(end: i64, now: i64) -> Duration {
    Duration::from_millis(end.saturating_sub(now).max(0).unsigned_abs())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is a few sums that cannot panic half-way.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
