//! How much and how often one caller may ask: numbers for windows of time, of a key's own or for all keys.

use super::calendar::{next_day, next_month, next_week};

/// What a window counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Requests.
    Requests,
    /// Tokens of prompts and answers.
    Tokens,
}

/// A window in which a caller's use is counted.
#[derive(Debug, Clone, Copy)]
pub struct KeyWindow {
    /// What it counts.
    pub counted: Counted,
    /// How long it is, in a word: `minute`, `hour`, `day`, `week` or `month`.
    pub span: &'static str,
    /// Its name in the store.
    pub name: &'static str,
    end: fn(i64) -> i64,
    /// Whether its count survives a restart.
    pub durable: bool,
}

/// How many windows there are.
pub const KEY_WINDOWS: usize = 7;

/// The windows, in the order of [`KeyLimits::windows`]. All of them begin by the clock (UTC), so that a count that is read
/// back after a restart is known to be about the window that runs.
pub const WINDOWS: [KeyWindow; KEY_WINDOWS] = [
    window(Counted::Requests, "minute", "requests-minute", next_minute, false),
    window(Counted::Requests, "hour", "requests-hour", next_hour, true),
    window(Counted::Requests, "day", "requests-day", day, true),
    window(Counted::Requests, "week", "requests-week", week, true),
    window(Counted::Requests, "month", "requests-month", month, true),
    window(Counted::Tokens, "minute", "tokens-minute", next_minute, false),
    window(Counted::Tokens, "day", "tokens-day", day, true),
];

const fn window(
    counted: Counted,
    span: &'static str,
    name: &'static str,
    end: fn(i64) -> i64,
    durable: bool,
) -> KeyWindow {
    KeyWindow { counted, span, name, end, durable }
}

const fn next_minute(now: i64) -> i64 {
    (now.div_euclid(60_000) + 1) * 60_000
}

const fn next_hour(now: i64) -> i64 {
    (now.div_euclid(3_600_000) + 1) * 3_600_000
}

const fn day(now: i64) -> i64 {
    next_day(now, 0)
}

const fn week(now: i64) -> i64 {
    next_week(now, 0)
}

const fn month(now: i64) -> i64 {
    next_month(now, 0)
}

impl KeyWindow {
    /// When the window that runs at `now` ends, both in milliseconds since the Unix epoch.
    #[must_use]
    pub fn end(&self, now: i64) -> i64 {
        (self.end)(now)
    }

    /// What it counts, in a word.
    #[must_use]
    pub const fn unit(&self) -> &'static str {
        match self.counted {
            Counted::Requests => "requests",
            Counted::Tokens => "tokens",
        }
    }
}

/// Limits of one caller. `None`: nothing is said; 0: there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyLimits {
    /// What fits into each of [`WINDOWS`].
    pub windows: [Option<u64>; KEY_WINDOWS],
    /// Requests at a time.
    pub concurrent: Option<u64>,
}

impl KeyLimits {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These, and where they say nothing `others`.
    #[must_use]
    pub fn or(mut self, others: &Self) -> Self {
        for (own, other) in self.windows.iter_mut().zip(&others.windows) {
            *own = own.or(*other);
        }
        self.concurrent = self.concurrent.or(others.concurrent);
        self
    }

    /// The same without the zeros, where nothing but a number refuses.
    #[must_use]
    pub fn in_force(mut self) -> Self {
        let number = |limit: Option<u64>| limit.filter(|number| *number > 0);
        self.windows = self.windows.map(number);
        self.concurrent = number(self.concurrent);
        self
    }

    /// The usual weeks and months of somebody who has so many requests a day: five and twenty days' worth, unless something
    /// is said of them.
    #[must_use]
    pub fn with_usual_weeks(mut self) -> Self {
        let [_, _, day, week, month, ..] = &mut self.windows;
        if let Some(daily) = day.filter(|daily| *daily > 0) {
            week.get_or_insert(daily.saturating_mul(5));
            month.get_or_insert(daily.saturating_mul(20));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_says_goes_first_and_a_zero_lifts() {
        let own = KeyLimits { windows: [None, Some(0), Some(3), None, None, None, None], concurrent: None };
        let all =
            KeyLimits { windows: [Some(1), Some(2), Some(9), None, None, None, None], concurrent: Some(4) };
        let both = own.or(&all).in_force();
        assert_eq!(both.windows, [Some(1), None, Some(3), None, None, None, None]);
        assert_eq!(both.concurrent, Some(4));
    }

    #[test]
    fn a_day_says_what_weeks_and_months_are() {
        let day = KeyLimits { windows: [None, None, Some(10), None, Some(0), None, None], concurrent: None };
        assert_eq!(day.with_usual_weeks().windows, [None, None, Some(10), Some(50), Some(0), None, None]);
    }

    #[test]
    fn windows_end_after_they_are_asked_for() {
        for window in WINDOWS {
            for now in [0, 1_767_225_600_000, 1_767_225_599_999, 1_795_000_123_456] {
                let end = window.end(now);
                assert!(end > now && window.end(end - 1) == end, "{} {now}", window.name);
            }
        }
    }
}
