//! What the planner sees of the windows: whether a target is out, and how much is left of it.

use std::sync::Arc;

use arc_swap::Guard;

use super::{Accounts, account::Account, counter::Counter, learned::Learned};
use crate::engine::settings::{Connection, Heed, Span};

/// The windows at one moment. Cheap to make and to ask; holds no lock between two questions.
pub struct QuotaView {
    accounts: Option<Guard<Arc<Accounts>>>,
    now: i64,
}

/// A window that is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// Its name.
    pub window: Arc<str>,
    /// When there is room again, in milliseconds since the Unix epoch.
    pub until: i64,
}

/// How far one window is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// The share that is used or reserved, from 0 to 1.
    pub used: f32,
    /// When it is whole again, in milliseconds since the Unix epoch, where that is known.
    pub resets_at: Option<i64>,
}

/// What is left of a model at an account. The default is that of an account of which nothing is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Headroom {
    /// The window that keeps requests out for the longest, if any does.
    pub blocked: Option<Blocked>,
    /// What is left of the window that is used the furthest, from 0 to 1; `None`: there is no window.
    pub remaining: Option<f32>,
    /// The window of five hours, where there is one.
    pub five_hours: Option<Share>,
    /// The window of a week, where there is one.
    pub week: Option<Share>,
    /// When the first of the windows that have been used is whole again, in milliseconds since the Unix epoch.
    pub soonest_reset: Option<i64>,
}

impl QuotaView {
    pub(super) const fn new(accounts: Option<Guard<Arc<Accounts>>>, now: i64) -> Self {
        Self { accounts, now }
    }

    /// A view in which there are no windows.
    #[must_use]
    pub const fn none() -> Self {
        Self { accounts: None, now: 0 }
    }

    /// What is left of `model` on `connection`.
    #[must_use]
    pub fn of(&self, connection: &Connection, model: &str) -> Headroom {
        let Some(account) = self.account(connection) else { return Headroom::default() };
        let now = self.now;
        account.look(
            model,
            now,
            |counter, mut found: Headroom| {
                found.counted(counter, now);
                found
            },
            |window, heed, mut found| {
                found.told(window, heed, now);
                found
            },
            Headroom::default(),
        )
    }

    /// The window that keeps `model` on `connection` out, if one does.
    #[must_use]
    pub fn blocked(&self, connection: &Connection, model: &str) -> Option<Blocked> {
        let account = self.account(connection)?;
        let now = self.now;
        account.look(
            model,
            now,
            |counter, found| longer(found, full(counter, now)),
            |window, heed, found| longer(found, kept_out(window, heed, now)),
            None,
        )
    }

    fn account(&self, connection: &Connection) -> Option<&Account> {
        let account = self.accounts.as_ref()?.get(&connection.id)?;
        (account.fingerprint == connection.fingerprint && !account.is_empty()).then_some(account)
    }
}

impl Headroom {
    fn counted(&mut self, counter: &Counter, now: i64) {
        let used = counter.taken() as f64 / counter.limit.amount.max(1) as f64;
        let resets_at = Some(counter.ends_at(now)).filter(|ends| *ends > now);
        self.window(Some(counter.limit.span), used, resets_at);
        self.blocked = longer(self.blocked.take(), full(counter, now));
    }

    fn told(&mut self, window: &Learned, heed: &Heed, now: i64) {
        let resets_at = Some(window.ends_at()).filter(|ends| *ends > now);
        self.window(window.span, window.used_at(now), resets_at);
        self.blocked = longer(self.blocked.take(), kept_out(window, heed, now));
    }

    fn window(&mut self, span: Option<Span>, used: f64, resets_at: Option<i64>) {
        #[expect(clippy::cast_possible_truncation, reason = "a share needs no more digits")]
        let used = used.clamp(0.0, 1.0) as f32;
        let left = 1.0 - used;
        self.remaining = Some(self.remaining.map_or(left, |least| least.min(left)));
        if used > 0.0 {
            self.soonest_reset = self.soonest_reset.into_iter().chain(resets_at).min();
        }
        let place = match span {
            Some(Span::FIVE_HOURS) => &mut self.five_hours,
            Some(Span::WEEK) => &mut self.week,
            _ => return,
        };
        if place.is_none_or(|fuller| fuller.used <= used) {
            *place = Some(Share { used, resets_at });
        }
    }
}

fn full(counter: &Counter, now: i64) -> Option<Blocked> {
    (counter.left() == 0)
        .then(|| Blocked { window: Arc::clone(&counter.name), until: counter.free_at(1, now) })
}

fn kept_out(window: &Learned, heed: &Heed, now: i64) -> Option<Blocked> {
    window.blocks(heed, now).map(|until| Blocked { window: Arc::clone(&window.name), until })
}

fn longer(one: Option<Blocked>, other: Option<Blocked>) -> Option<Blocked> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if other.until > one.until { other } else { one }),
        (one, other) => one.or(other),
    }
}
