//! A window that the hub counts itself, as the owner configured it. Pure: the time is handed in.

use std::{collections::VecDeque, sync::Arc};

use crate::engine::settings::{Limit, Reset, Span, Unit, calendar};

/// Parts in which a rolling window is counted.
const PARTS: i64 = 60;

/// What was used in one part of a rolling window, or in a whole window of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// Which part: its number since the epoch; where the window is not rolling, the time at which it ends.
    pub(super) at: i64,
    pub(super) used: u64,
}

/// A counted window.
#[derive(Debug)]
pub(super) struct Counter {
    pub(super) limit: Limit,
    /// Its name in reasons: `requests per minute`.
    pub(super) name: Arc<str>,
    /// Tells it from every other counter of the process, also after a reload.
    pub(super) id: u64,
    /// Oldest first; at most one where the window is not rolling.
    slots: VecDeque<Slot>,
    /// The sum of the slots.
    used: u64,
    reserved: u64,
    /// How much may be used before the store has to hear of it again.
    pub(super) lead: u64,
}

impl Counter {
    pub(super) fn new(limit: Limit, id: u64) -> Self {
        let name = name(&limit).into();
        Self { limit, name, id, slots: VecDeque::new(), used: 0, reserved: 0, lead: 0 }
    }

    pub(super) fn is_about(&self, model: &str) -> bool {
        self.limit.model.as_deref().is_none_or(|only| only == model)
    }

    /// Forgets what the window has given back by `now`.
    pub(super) fn roll(&mut self, now: i64) {
        self.mend(now);
        while let Some(first) = self.slots.front().copied()
            && self.gone_at(first.at) <= now
        {
            self.slots.pop_front();
            self.used = self.used.saturating_sub(first.used);
        }
    }

    /// A clock that was set back must not keep anybody out until it has caught up.
    fn mend(&mut self, now: i64) {
        let newest = match self.limit.reset {
            Reset::Rolling => self.nth(now),
            Reset::FirstUse | Reset::At(_) => now.saturating_add(self.limit.span.millis()),
        };
        if self.slots.back().is_some_and(|last| last.at > newest) {
            self.slots.clear();
            self.slots.push_back(Slot { at: newest, used: self.used });
        }
    }

    pub(super) const fn used(&self) -> u64 {
        self.used
    }

    /// Used and reserved together.
    pub(super) const fn taken(&self) -> u64 {
        self.used.saturating_add(self.reserved)
    }

    pub(super) const fn left(&self) -> u64 {
        self.limit.amount.saturating_sub(self.taken())
    }

    /// Sets aside what will be settled later.
    pub(super) fn reserve(&mut self, amount: u64) {
        self.reserved = self.reserved.saturating_add(amount);
    }

    pub(super) fn unreserve(&mut self, amount: u64) {
        self.reserved = self.reserved.saturating_sub(amount);
    }

    /// Counts a use; gives the slot in which it stands.
    pub(super) fn add(&mut self, amount: u64, now: i64) -> i64 {
        let at = self.slot_now(now);
        match self.slots.back_mut() {
            Some(last) if last.at >= at => last.used = last.used.saturating_add(amount),
            _ => self.slots.push_back(Slot { at, used: amount }),
        }
        self.used = self.used.saturating_add(amount);
        at
    }

    /// Takes a use back, if the window has not forgotten it yet.
    pub(super) fn take_back(&mut self, amount: u64, at: i64) {
        if let Some(slot) = self.slots.iter_mut().rev().find(|slot| slot.at == at) {
            let amount = amount.min(slot.used);
            slot.used -= amount;
            self.used = self.used.saturating_sub(amount);
        }
    }

    /// When `wanted` will be there, if nothing more is used.
    pub(super) fn free_at(&self, wanted: u64, now: i64) -> i64 {
        let mut left = self.left();
        for slot in &self.slots {
            left = left.saturating_add(slot.used);
            if left >= wanted {
                return self.gone_at(slot.at).max(now);
            }
        }
        // What is missing is reserved by requests that are under way, and nobody knows for how long.
        now.saturating_add(1000)
    }

    /// When nothing that is counted now matters any more.
    pub(super) fn ends_at(&self, now: i64) -> i64 {
        self.slots.back().map_or(now, |last| self.gone_at(last.at))
    }

    /// When a use at `now` would not matter any more.
    pub(super) fn would_end_at(&self, now: i64) -> i64 {
        self.gone_at(self.slot_now(now))
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.slots.iter().copied()
    }

    /// Takes over what another run has counted.
    pub(super) fn restore(&mut self, slots: impl Iterator<Item = Slot>, now: i64) {
        self.slots = slots.collect();
        self.slots.make_contiguous().sort_unstable_by_key(|slot| slot.at);
        self.used = self.slots.iter().fold(0, |sum, slot| sum.saturating_add(slot.used));
        self.roll(now);
    }

    /// Takes over what the same limit has counted before a reload. Requests that run since then give back to it.
    pub(super) fn adopt(&mut self, old: Self) {
        let Self { id, slots, used, reserved, lead, .. } = old;
        (self.id, self.slots, self.used, self.reserved, self.lead) = (id, slots, used, reserved, lead);
    }

    /// The slot of a use at `now`.
    pub(super) fn slot_now(&self, now: i64) -> i64 {
        let open = self.slots.back().map(|last| last.at).filter(|at| *at > now);
        match self.limit.reset {
            Reset::Rolling => self.nth(now),
            Reset::FirstUse => open.unwrap_or_else(|| now.saturating_add(self.limit.span.millis())),
            Reset::At(minutes) => open.unwrap_or_else(|| self.calendar(now, i64::from(minutes) * 60_000)),
        }
    }

    fn calendar(&self, now: i64, offset: i64) -> i64 {
        match self.limit.span {
            Span::Month => calendar::next_month(now, offset),
            Span::WEEK => calendar::next_week(now, offset),
            _ => calendar::next_day(now, offset),
        }
    }

    /// When a slot is given back: of a rolling window, when the last of its part is a whole span ago.
    fn gone_at(&self, at: i64) -> i64 {
        match self.limit.reset {
            Reset::Rolling => at.saturating_add(PARTS + 1).saturating_mul(self.part()),
            Reset::FirstUse | Reset::At(_) => at,
        }
    }

    fn nth(&self, now: i64) -> i64 {
        now.div_euclid(self.part())
    }

    fn part(&self) -> i64 {
        (self.limit.span.millis() / PARTS).max(1)
    }
}

/// What tells a limit from the others of its account, for people and for the store.
fn name(limit: &Limit) -> String {
    let how = match limit.reset {
        Reset::Rolling => String::new(),
        Reset::FirstUse => " from the first use".to_owned(),
        Reset::At(minutes) => format!(" from {:02}:{:02} UTC", minutes / 60, minutes % 60),
    };
    format!("{} per {}{how}", unit_word(limit.unit), limit.span)
}

const fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Money => "US dollars",
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counter(span: Span, amount: u64, reset: Reset) -> Counter {
        Counter::new(Limit { span, unit: Unit::Requests, amount, model: None, reset, each: 0 }, 1)
    }

    #[test]
    fn a_rolling_minute_gives_each_use_back_by_itself() {
        let mut minute = counter(Span::MINUTE, 2, Reset::Rolling);
        minute.add(1, 0);
        minute.add(1, 30_500);
        assert_eq!(
            (minute.left(), minute.free_at(1, 30_500), minute.free_at(2, 30_500)),
            (0, 61_000, 91_000)
        );
        for (now, left) in [(60_999, 0), (61_000, 1), (90_999, 1), (91_000, 2)] {
            minute.roll(now);
            assert_eq!(minute.left(), left, "{now}");
        }
    }

    #[test]
    fn five_hours_begin_with_the_first_use_and_end_all_at_once() {
        let mut five = counter(Span::FIVE_HOURS, 3, Reset::FirstUse);
        let hour = 3_600_000;
        five.add(1, hour);
        five.add(2, 5 * hour);
        assert_eq!((five.left(), five.free_at(1, 5 * hour)), (0, 6 * hour));
        five.roll(6 * hour - 1);
        assert_eq!(five.left(), 0);
        five.roll(6 * hour);
        assert_eq!(five.left(), 3);
        five.add(1, 9 * hour);
        assert_eq!(five.ends_at(9 * hour), 14 * hour);
    }

    #[test]
    fn a_day_of_the_calendar_ends_at_its_hour() {
        let mut day = counter(Span::DAY, 10, Reset::At(7 * 60));
        let (hour, seven) = (3_600_000, calendar::DAY + 7 * 3_600_000);
        day.add(10, seven - hour);
        assert_eq!(day.free_at(1, seven - hour), seven);
        day.roll(seven);
        assert_eq!(day.left(), 10);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_out_for_longer_than_a_span() {
        for reset in [Reset::Rolling, Reset::FirstUse, Reset::At(0)] {
            let mut day = counter(Span::DAY, 1, reset);
            day.add(1, 400 * calendar::DAY);
            day.roll(0);
            assert_eq!(day.left(), 0);
            day.roll(2 * calendar::DAY);
            assert_eq!(day.left(), 1, "{reset:?}");
        }
    }

    proptest! {
        /// A rolling window never lets more than its limit through within any span, and forgets all of it in the end.
        #[test]
        fn no_span_ever_holds_more_than_the_limit(gaps in proptest::collection::vec(0i64..20_000, 1..200), limit in 1u64..20) {
            let mut minute = counter(Span::MINUTE, limit, Reset::Rolling);
            let (mut now, mut through) = (1_700_000_000_000, Vec::new());
            for gap in gaps {
                now += gap;
                minute.roll(now);
                if minute.left() > 0 {
                    minute.add(1, now);
                    through.push(now);
                    let within = through.iter().filter(|at| **at > now - 60_000).count();
                    prop_assert!(within as u64 <= limit);
                } else {
                    let free = minute.free_at(1, now);
                    prop_assert!(free > now && free <= now + 61_000);
                }
            }
            minute.roll(now + 61_000);
            prop_assert_eq!(minute.left(), limit);
        }
    }
}
