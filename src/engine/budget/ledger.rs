//! The sums of one account: plain arithmetic, no clock, no locks, no store.

use crate::engine::settings::Usd;

/// What a window's money is used for. Always: what is reserved is not spent yet, and in a strict budget the two together
/// stay within the limit until a cost turns out higher than what was reserved for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ledger {
    /// When the window began, in milliseconds since the Unix epoch.
    window: i64,
    spent: Usd,
    reserved: Usd,
    /// What is written down as spent already: only so much may be used.
    leased: Usd,
    /// Whether leases are needed at all.
    durable: bool,
    /// What is waiting for a lease.
    wanting: Usd,
    warned: bool,
}

/// Whether there is room for a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// It is reserved.
    Reserved,
    /// It would go beyond the limit.
    None,
    /// It is within the limit, and not written down yet.
    NotLeased,
}

impl Ledger {
    /// A ledger that goes on from a lease: what is leased counts as spent.
    pub(super) const fn new(window: i64, leased: Usd, durable: bool) -> Self {
        Self {
            window,
            spent: leased,
            reserved: Usd::ZERO,
            leased,
            durable,
            wanting: Usd::ZERO,
            warned: false,
        }
    }

    /// Begins a new window, if it is a later one; gives what was spent in the one that ended. A clock that was set back
    /// begins none.
    pub(super) fn roll(&mut self, window: i64) -> Option<Usd> {
        if window <= self.window {
            return None;
        }
        let (spent, wanting) = (self.spent, self.wanting);
        *self = Self { wanting, ..Self::new(window, Usd::ZERO, self.durable) };
        Some(spent)
    }

    /// Reserves `amount` where that is within `limit` (`None`: there is none that refuses).
    pub(super) fn reserve(&mut self, amount: Usd, limit: Option<Usd>) -> Room {
        let after = self.used() + amount;
        match limit {
            Some(limit) if after > limit => return Room::None,
            Some(_) if self.durable && after > self.leased => return Room::NotLeased,
            Some(_) | None => {}
        }
        self.reserved = self.reserved + amount;
        Room::Reserved
    }

    /// Puts what something did cost in the place of what was reserved for it, in the window in which that was.
    pub(super) fn settle(&mut self, window: i64, reserved: Usd, cost: Usd) {
        if window == self.window {
            self.reserved = self.reserved.less(reserved);
            self.spent = self.spent + cost;
        }
    }

    /// Notes that a reservation waits for a lease.
    pub(super) fn want(&mut self, amount: Usd) {
        self.wanting = self.wanting + amount;
    }

    /// Notes that it waits no longer.
    pub(super) fn want_no_more(&mut self, amount: Usd) {
        self.wanting = self.wanting.less(amount);
    }

    /// What is to be written down next, if it is time: a slice more than is used, ahead of need. Where the budget refuses,
    /// no more than its limit, unless more was spent.
    pub(super) fn next_lease(&self, limit: Usd, refuses: bool) -> Option<Usd> {
        let slice = slice(limit);
        let needed = self.used() + self.wanting;
        if !self.durable || needed + Usd::from_pico(slice.pico() / 2) <= self.leased {
            return None;
        }
        let goal = needed + slice;
        let goal = if refuses { goal.min(limit).max(self.used()) } else { goal };
        (goal > self.leased).then_some(goal)
    }

    /// Notes what was written down for a window.
    pub(super) fn lease(&mut self, window: i64, leased: Usd) {
        if window == self.window {
            self.leased = self.leased.max(leased);
        }
    }

    /// Gives back what is leased and not used; what is left is to be written down.
    pub(super) fn give_back(&mut self) -> Option<Usd> {
        let used = self.used();
        (self.durable && self.leased != used).then(|| {
            self.leased = used;
            used
        })
    }

    /// Begins the window anew: what was spent is forgiven, what is reserved stays. Gives what was spent, and what is to be
    /// written down in place of the lease.
    pub(super) fn forgive(&mut self) -> (Usd, Usd) {
        let spent = std::mem::take(&mut self.spent);
        self.leased = self.reserved;
        self.warned = false;
        (spent, self.leased)
    }

    /// Takes back that it was forgiven: it could not be written down.
    pub(super) fn unforgive(&mut self, window: i64, spent: Usd) {
        if window == self.window {
            self.spent = self.spent + spent;
        }
    }

    /// What is set aside.
    pub(super) const fn reserved(&self) -> Usd {
        self.reserved
    }

    /// Whether the first request that goes beyond this part of the limit has just done so.
    pub(super) fn warns(&mut self, limit: Usd, part: f64) -> bool {
        let reached = self.used().dollars() >= limit.dollars() * part;
        reached && !std::mem::replace(&mut self.warned, true)
    }

    pub(super) fn is_used_up(&self, limit: Usd) -> bool {
        self.used() >= limit
    }

    /// Spent and reserved.
    pub(super) fn used(&self) -> Usd {
        self.spent + self.reserved
    }

    pub(super) const fn spent(&self) -> Usd {
        self.spent
    }

    pub(super) const fn window(&self) -> i64 {
        self.window
    }
}

/// How much is leased at a time: a twentieth of the limit. A crash loses no more than that.
pub(super) fn slice(limit: Usd) -> Usd {
    Usd::from_pico(limit.pico().div_ceil(20))
}
