//! When the windows of a budget begin: days, weeks from Monday, and months, all at its reset time in UTC. The arithmetic of
//! the calendar is here, since nothing else needs it.

use crate::engine::settings::{Budget, Window};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// The beginning of the window that `now` is in, both in milliseconds since the Unix epoch.
pub(in crate::engine) fn start(budget: &Budget, now: i64) -> i64 {
    let reset = i64::from(budget.reset_minute) * MINUTE;
    let day = now.saturating_sub(reset).div_euclid(DAY);
    first_day(budget.window, day) * DAY + reset
}

/// The end of the window that begins at `start`, which is the beginning of the next.
pub(in crate::engine) fn end(budget: &Budget, start: i64) -> i64 {
    let reset = i64::from(budget.reset_minute) * MINUTE;
    let day = start.saturating_sub(reset).div_euclid(DAY);
    let next = match budget.window {
        Window::Day => day + 1,
        Window::Week => first_day(Window::Week, day) + 7,
        // No month has more than 31 days, and none fewer than 28.
        Window::Month => first_day(Window::Month, first_day(Window::Month, day) + 31),
    };
    next * DAY + reset
}

/// The day on which the window of a day begins; days are counted from the Unix epoch, which was a Thursday.
const fn first_day(window: Window, day: i64) -> i64 {
    match window {
        Window::Day => day,
        Window::Week => day - (day + 3).rem_euclid(7),
        Window::Month => day - (date(day).2 - 1),
    }
}

/// Year, month and day of the month in the Gregorian calendar. Years begin in March here, so that the leap day is the last.
const fn date(day: i64) -> (i64, i64, i64) {
    /// Days from 0000-03-01 to the Unix epoch.
    const EPOCH: i64 = 719_468;
    /// Days in 400 years, after which the calendar repeats.
    const ERA: i64 = 146_097;
    let since = day + EPOCH;
    let era = since.div_euclid(ERA);
    let of_era = since.rem_euclid(ERA);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + later, month, of_month)
}

/// A time as people read it: `2026-01-31 06:30 UTC`.
pub(super) fn shown(at: i64) -> String {
    let (year, month, day) = date(at.div_euclid(DAY));
    let minute = at.rem_euclid(DAY) / MINUTE;
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use proptest::prelude::*;

    use super::*;
    use crate::engine::settings::{Mode, Over, Scope, UnknownPrice, Usd};

    fn budget(window: Window, reset_minute: u16) -> Budget {
        Budget {
            id: "b".into(),
            scope: Scope::All,
            limit: Usd::from_dollars(1.0).unwrap(),
            window,
            reset_minute,
            mode: Mode::Strict,
            warn: 0.8,
            over: Over::Warn,
            unknown_price: UnknownPrice::Refuse,
        }
    }

    /// 2026-02-28T05:00:00Z, a Saturday.
    const NOW: i64 = 1_772_254_800_000;

    #[test]
    fn windows_begin_at_the_reset_time_on_mondays_and_on_firsts() {
        for (window, reset, begins, ends) in [
            (Window::Day, 0, "2026-02-28 00:00 UTC", "2026-03-01 00:00 UTC"),
            (Window::Day, 390, "2026-02-27 06:30 UTC", "2026-02-28 06:30 UTC"),
            (Window::Week, 0, "2026-02-23 00:00 UTC", "2026-03-02 00:00 UTC"),
            (Window::Month, 0, "2026-02-01 00:00 UTC", "2026-03-01 00:00 UTC"),
            (Window::Month, 390, "2026-02-01 06:30 UTC", "2026-03-01 06:30 UTC"),
        ] {
            let budget = budget(window, reset);
            let begin = start(&budget, NOW);
            assert_eq!(
                (shown(begin).as_str(), shown(end(&budget, begin)).as_str()),
                (begins, ends),
                "{window:?} {reset}"
            );
        }
        let december = 1_796_947_200_000;
        assert_eq!(shown(december), "2026-12-11 00:00 UTC");
        assert_eq!(shown(end(&budget(Window::Month, 0), december)), "2027-01-01 00:00 UTC");
        assert_eq!(shown(951_782_400_000), "2000-02-29 00:00 UTC");
    }

    proptest! {
        /// Windows neither overlap nor leave gaps.
        #[test]
        fn every_moment_is_in_one_window(now in 0_i64..4_102_444_800_000, nth in 0_usize..3, reset in 0_u16..1440) {
            let budget = budget(Window::ALL[nth], reset);
            let begin = start(&budget, now);
            let finish = end(&budget, begin);
            prop_assert!(begin <= now && now < finish);
            prop_assert_eq!(start(&budget, begin), begin);
            prop_assert_eq!(start(&budget, finish), finish);
            prop_assert_eq!(start(&budget, finish - 1), begin);
        }
    }
}
