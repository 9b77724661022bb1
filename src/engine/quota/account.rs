//! The windows of one account, behind one short lock. Nothing is awaited while it is held.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use super::{
    amounts::Amounts, counter::Counter, learned::Learned, record, state::WindowState, view::Blocked,
};
use crate::{
    engine::{
        ports::{Reading, WindowRecord, WindowSink},
        settings::{Connection, Heed, Quota, Unit},
    },
    observe::events,
};

/// Windows that a provider tells of, per account. When more come, the one that ends first is forgotten.
const LEARNED: usize = 64;

/// Part of a limit that may be used before the store hears of it again; what it knows is ahead by as much.
const LEAD: u64 = 50;

/// One account.
pub(super) struct Account {
    id: Arc<str>,
    pub(super) fingerprint: u64,
    /// Whether there is any window, so that accounts without one cost no lock.
    any: AtomicBool,
    windows: Mutex<Windows>,
    sink: Arc<dyn WindowSink>,
}

#[derive(Default)]
struct Windows {
    counters: Vec<Counter>,
    learned: Vec<Learned>,
    heed: Heed,
}

/// What one request took of one counter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    counter: u64,
    amount: u64,
    /// The slot in which a use is counted; `None`: it is reserved until it is known.
    slot: Option<i64>,
}

impl Account {
    pub(super) fn new(connection: &Connection, sink: Arc<dyn WindowSink>) -> Self {
        let account = Self {
            id: Arc::clone(&connection.id),
            fingerprint: connection.fingerprint,
            any: AtomicBool::new(false),
            windows: Mutex::default(),
            sink,
        };
        account.configure(&connection.allowance.quota);
        account
    }

    /// Takes the owner's word, also in place of an earlier one. A limit that stays keeps its count.
    pub(super) fn configure(&self, quota: &Quota) {
        let mut windows = self.windows();
        let mut old = std::mem::take(&mut windows.counters);
        for limit in &quota.limits {
            let mut counter = Counter::new(limit.clone(), next_id());
            let same = |one: &Counter| one.name == counter.name && one.limit.model == limit.model;
            if let Some(at) = old.iter().position(same) {
                counter.adopt(old.swap_remove(at));
            }
            windows.counters.push(counter);
        }
        windows.heed = quota.heed;
        self.note_any(&windows);
    }

    /// Takes over what an earlier run knew.
    pub(super) fn restore(&self, kept: &WindowRecord, now: i64) {
        let mut windows = self.windows();
        match record::read(kept) {
            Some(record::Kept::Counted(slots)) => {
                let same = |one: &&mut Counter| one.name == kept.name && one.limit.model == kept.model;
                if let Some(counter) = windows.counters.iter_mut().find(same) {
                    counter.restore(slots.into_iter(), now);
                }
            }
            Some(record::Kept::Told(learned)) => windows.learned.push(*learned),
            None => {}
        }
        self.note_any(&windows);
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.any.load(Ordering::Relaxed)
    }

    /// Looks at the windows about a model, after what has ended is forgotten.
    pub(super) fn look<T>(
        &self,
        model: &str,
        now: i64,
        mut see: impl FnMut(&Counter, T) -> T,
        mut hear: impl FnMut(&Learned, &Heed, T) -> T,
        start: T,
    ) -> T {
        let mut windows = self.windows();
        let Windows { counters, learned, heed } = &mut *windows;
        let mut found = start;
        for counter in counters.iter_mut().filter(|counter| counter.is_about(model)) {
            counter.roll(now);
            found = see(counter, found);
        }
        for window in learned.iter().filter(|window| window.is_about(model)) {
            found = hear(window, heed, found);
        }
        found
    }

    /// Takes a request's share of every window, or of none.
    ///
    /// # Errors
    /// The window that has no room, and until when.
    pub(super) fn reserve(&self, model: &str, guess: Amounts, now: i64) -> Result<Vec<Share>, Blocked> {
        let mut windows = self.windows();
        let Windows { counters, learned, heed } = &mut *windows;
        let told = learned.iter().filter(|window| window.is_about(model));
        for window in told {
            if let Some(until) = window.blocks(heed, now) {
                return Err(Blocked { window: Arc::clone(&window.name), until });
            }
        }
        for counter in counters.iter_mut().filter(|counter| counter.is_about(model)) {
            counter.roll(now);
            let wanted = wanted(counter, guess);
            if counter.left() < wanted {
                let until = counter.free_at(wanted, now);
                return Err(Blocked { window: Arc::clone(&counter.name), until });
            }
        }
        let mut shares = Vec::new();
        for counter in counters.iter_mut().filter(|counter| counter.is_about(model)) {
            let amount = wanted(counter, guess);
            let slot = match guess.in_unit(counter.limit.unit) {
                Some(_) => {
                    counter.reserve(amount);
                    None
                }
                None => Some(counter.add(amount, now)),
            };
            shares.push(Share { counter: counter.id, amount, slot });
            self.spent(counter, amount, now);
        }
        Ok(shares)
    }

    /// A request is over: what was reserved becomes what it took.
    pub(super) fn settle(&self, shares: &[Share], took: Amounts, now: i64) {
        self.each(shares, now, |account, counter, share| {
            if let (None, Some(took)) = (share.slot, took.in_unit(counter.limit.unit)) {
                counter.unreserve(share.amount);
                counter.add(took, now);
                account.spent(counter, took.saturating_sub(share.amount), now);
            }
        });
    }

    /// A request took nothing.
    pub(super) fn release(&self, shares: &[Share], now: i64) {
        self.each(shares, now, |_, counter, share| match share.slot {
            Some(slot) => counter.take_back(share.amount, slot),
            None => counter.unreserve(share.amount),
        });
    }

    fn each(&self, shares: &[Share], now: i64, mut act: impl FnMut(&Self, &mut Counter, &Share)) {
        let mut windows = self.windows();
        for share in shares {
            // A limit that was taken out of the configuration meanwhile is owed nothing.
            if let Some(counter) = windows.counters.iter_mut().find(|counter| counter.id == share.counter) {
                counter.roll(now);
                act(self, counter, share);
            }
        }
    }

    /// Takes the provider's word on its windows.
    pub(super) fn learn(&self, model: &Arc<str>, readings: &[Reading], now: i64) {
        let mut windows = self.windows();
        let Windows { learned, heed, .. } = &mut *windows;
        for reading in readings {
            let about = reading.of_model.then(|| Arc::clone(model));
            let same = |one: &Learned| *one.name == *reading.name && one.model == about;
            let window = match learned.iter().position(same) {
                Some(at) => learned.get_mut(at),
                None => {
                    make_room(learned, now);
                    learned.push(Learned::new(reading.name.into(), about));
                    learned.last_mut()
                }
            };
            let Some(window) = window else { continue };
            window.take(reading, now);
            self.warn(window, heed);
            if window.is_news() {
                window.told = Some((window.used, window.resets_at));
                self.sink.window(record::told(&self.id, self.fingerprint, window));
            }
        }
        self.note_any(&windows);
    }

    fn warn(&self, window: &mut Learned, heed: &Heed) {
        let filling = window.is_long() && window.used >= heed.warn;
        if filling && !window.warned {
            events::window_filling(&self.id, &window.name, window.used);
        }
        window.warned = filling;
    }

    /// Every window as it stands.
    pub(super) fn states(&self, now: i64) -> Vec<WindowState> {
        let mut windows = self.windows();
        windows.counters.iter_mut().for_each(|counter| counter.roll(now));
        let counted = windows.counters.iter().map(|counter| WindowState::counted(counter, now));
        let told = windows.learned.iter().map(|window| WindowState::told(window, now));
        counted.chain(told).collect()
    }

    /// Tells the store of every counter as it stands: the last word of an orderly stop.
    pub(super) fn save(&self, now: i64) {
        for counter in &mut self.windows().counters {
            counter.roll(now);
            counter.lead = 0;
            self.sink.window(record::counted(&self.id, self.fingerprint, counter, 0, now));
        }
    }

    /// The store's figure is ahead of the count, so that a hub that is killed has counted too much rather than too
    /// little; it hears of it again when the count has caught up.
    fn spent(&self, counter: &mut Counter, amount: u64, now: i64) {
        if amount <= counter.lead {
            counter.lead -= amount;
            return;
        }
        counter.lead = (counter.limit.amount / LEAD).max(1);
        self.sink.window(record::counted(&self.id, self.fingerprint, counter, counter.lead, now));
    }

    fn note_any(&self, windows: &Windows) {
        let any = !(windows.counters.is_empty() && windows.learned.is_empty());
        self.any.store(any, Ordering::Relaxed);
    }

    // A poisoned lock means that a panic happened while it was held; counts are changed by single steps that cannot fail.
    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a request needs of a window. One that is larger than the whole window waits for it to be empty: whether it is
/// too large is the provider's to say.
fn wanted(counter: &Counter, guess: Amounts) -> u64 {
    let amount = match counter.limit.unit {
        Unit::Requests => 1,
        Unit::Credits => counter.limit.each,
        unit => guess.in_unit(unit).unwrap_or_default(),
    };
    amount.min(counter.limit.amount)
}

fn make_room(learned: &mut Vec<Learned>, now: i64) {
    if learned.len() < LEARNED {
        return;
    }
    learned.retain(|window| window.ends_at() > now);
    while learned.len() >= LEARNED {
        let first = learned.iter().enumerate().min_by_key(|(_, window)| window.ends_at()).map(|(at, _)| at);
        first.map(|at| learned.swap_remove(at));
    }
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
