//! What there is to tell: compares how budgets, quotas and accounts stand with how they stood at the last look. Nothing is
//! sent here, and requests do nothing for it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_json::{Value, json};

use crate::engine::{
    Engine,
    budget::BudgetState,
    ports::{CooldownRecord, LockKind},
    quota::WindowState,
    settings::{HookEvent, Span, Usd},
};

/// The used share from which on a quota has little left.
const NEARLY: f64 = 0.8;

/// The used share below which it has room again, after that: less, so that a window that slides is not told of again and
/// again.
const ROOM: f64 = 0.6;

/// Quotas of shorter windows, in milliseconds, are nobody's concern: they come and go with every minute.
const SHORTEST: i64 = 60 * 60 * 1000;

/// Something to tell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Happening {
    pub(super) event: HookEvent,
    pub(super) data: Value,
}

/// How far something is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Room,
    Nearly,
    Full,
}

type Place = (Arc<str>, Option<Arc<str>>);
type Window = (Arc<str>, Arc<str>, Option<Arc<str>>);

/// How everything stood at the last look. The first look tells nothing.
#[derive(Default)]
pub(super) struct Watch {
    looked: bool,
    locks: HashMap<Place, LockKind>,
    /// Those that have little room.
    windows: HashMap<Window, Level>,
    /// With the beginning of the budget's window.
    budgets: HashMap<(Arc<str>, Arc<str>), (i64, Level)>,
}

impl Watch {
    /// What has happened since the last look.
    pub(super) fn look(&mut self, engine: &Engine) -> Vec<Happening> {
        let snapshot = engine.snapshot();
        let connections = &snapshot.settings.connections;
        let mut happened = Vec::new();
        let known: HashSet<&str> = connections.iter().map(|one| &*one.id).collect();
        self.locks(engine.health().locks(), |id| known.contains(id), &mut happened);
        let windows = connections.iter().flat_map(|connection| {
            let windows = engine.quota().windows(connection).into_iter();
            windows.map(|window| (Arc::clone(&connection.id), window))
        });
        self.windows(windows, &mut happened);
        self.budgets(engine.budgets().states(&snapshot.settings.budgets), &mut happened);
        if !std::mem::replace(&mut self.looked, true) {
            happened.clear();
        }
        happened
    }

    fn locks(
        &mut self,
        locks: Vec<CooldownRecord>,
        is_known: impl Fn(&str) -> bool,
        happened: &mut Vec<Happening>,
    ) {
        let mut now = HashMap::with_capacity(locks.len());
        for lock in locks {
            let place = (Arc::clone(&lock.connection), lock.model.clone());
            if self.locks.get(&place) != Some(&lock.lock) {
                happened.push(locked(&lock));
            }
            now.insert(place, lock.lock);
        }
        for ((connection, model), kind) in &self.locks {
            if now.contains_key(&(Arc::clone(connection), model.clone())) {
                continue;
            }
            let is_breaker = *kind == LockKind::Breaker;
            if is_breaker {
                happened.push(Happening {
                    event: HookEvent::BreakerClosed,
                    data: json!({"host": host(connection)}),
                });
            } else if is_known(connection) {
                // What is not configured any more has not recovered.
                let data = json!({"connection": &**connection, "model": model.as_deref()});
                happened.push(Happening { event: HookEvent::ConnectionRecovered, data });
            }
        }
        self.locks = now;
    }

    fn windows(
        &mut self,
        windows: impl Iterator<Item = (Arc<str>, WindowState)>,
        happened: &mut Vec<Happening>,
    ) {
        let mut now = HashMap::new();
        for (connection, window) in windows {
            let place = (Arc::clone(&connection), Arc::clone(&window.name), window.model.clone());
            let before = self.windows.get(&place).copied();
            let rest = window.resets_at.map(|resets_at| resets_at - window.as_of);
            let length = window.span.map(Span::millis).or(rest);
            if before.is_none() && length.is_some_and(|length| length < SHORTEST) {
                continue;
            }
            let before = before.unwrap_or(Level::Room);
            let level = level(before, window.used);
            let event = match (before, level) {
                (before, Level::Full) if before < Level::Full => Some(HookEvent::QuotaExhausted),
                (Level::Room, Level::Nearly) => Some(HookEvent::QuotaNearlyUsed),
                (Level::Nearly | Level::Full, Level::Room) => Some(HookEvent::QuotaReset),
                _ => None,
            };
            if let Some(event) = event {
                let data = json!({
                    "connection": &*connection, "window": &*window.name, "model": window.model.as_deref(),
                    "used": window.used, "resets_at": window.resets_at,
                });
                happened.push(Happening { event, data });
            }
            if level > Level::Room {
                now.insert(place, level);
            }
        }
        self.windows = now;
    }

    fn budgets(&mut self, states: Vec<BudgetState>, happened: &mut Vec<Happening>) {
        let mut now = HashMap::with_capacity(states.len());
        for state in states {
            let place = (Arc::clone(&state.budget.id), Arc::clone(&state.holder));
            let before = self.budgets.get(&place).filter(|(began, _)| *began == state.began_at);
            let before = before.map_or(Level::Room, |(_, level)| *level);
            let (spent, limit) = (state.spent.dollars(), state.budget.limit.dollars());
            let level = match () {
                () if state.used_up => Level::Full,
                () if spent >= limit * state.budget.warn && state.spent > Usd::ZERO => Level::Nearly,
                () => Level::Room,
            };
            // What was told of a window is not told of it again: reservations come and go.
            let level = level.max(before);
            if level > before {
                let event = match level {
                    Level::Full => HookEvent::BudgetExceeded,
                    Level::Nearly | Level::Room => HookEvent::BudgetWarning,
                };
                let key = state.name.map(|name| json!({"id": &*state.holder, "name": &*name}));
                let data = json!({
                    "budget": &*state.budget.id, "holder": &*state.holder, "key": key, "spent_usd": spent, "limit_usd": limit,
                    "window_began_at": state.began_at, "window_ends_at": state.ends_at,
                });
                happened.push(Happening { event, data });
            }
            now.insert(place, (state.began_at, level));
        }
        self.budgets = now;
    }
}

fn level(before: Level, used: f64) -> Level {
    match before {
        _ if used >= 1.0 => Level::Full,
        Level::Full if used >= NEARLY => Level::Full,
        Level::Room if used < NEARLY => Level::Room,
        _ if used < ROOM => Level::Room,
        _ => Level::Nearly,
    }
}

fn locked(lock: &CooldownRecord) -> Happening {
    let (kind, message, since, until) = (lock.kind.to_string(), &lock.message, lock.since, lock.until);
    if lock.lock == LockKind::Breaker {
        let data = json!({
            "host": host(&lock.connection), "reason": kind, "message": message, "since_at": since, "until_at": until,
        });
        return Happening { event: HookEvent::BreakerOpened, data };
    }
    let event = match lock.lock {
        LockKind::Terminal => HookEvent::ConnectionTerminal,
        LockKind::Cooldown | LockKind::Breaker => HookEvent::ConnectionLocked,
    };
    let data = json!({
        "connection": &*lock.connection, "model": lock.model.as_deref(), "reason": kind, "message": message,
        "since_at": since, "until_at": until,
    });
    Happening { event, data }
}

/// A breaker's host, which its record has behind a word.
fn host(name: &str) -> &str {
    name.strip_prefix("host:").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_slides_is_told_of_once() {
        let mut before = Level::Room;
        let levels = [0.5, 0.79, 0.8, 0.75, 0.8, 1.0, 0.97, 1.0, 0.81, 0.7, 0.85, 0.59, 0.79].map(|used| {
            before = level(before, used);
            before
        });
        use Level::{Full, Nearly, Room};
        let expected =
            [Room, Room, Nearly, Nearly, Nearly, Full, Full, Full, Full, Nearly, Nearly, Room, Room];
        assert_eq!(levels, expected);
    }
}
