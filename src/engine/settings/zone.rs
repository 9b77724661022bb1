//! The zones in which providers' days begin. Fixed rules instead of a time-zone database: providers reset their daily
//! quotas in a handful of zones, whose rules have stood for decades, and a database is hundreds of kilobytes that age.

use serde::{Deserialize, Serialize};

/// Where a provider's day begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Zone {
    /// Midnight in UTC.
    #[default]
    Utc,
    /// Midnight at the west coast of the United States, daylight saving time included.
    Pacific,
    /// Midnight in China (UTC+8 all year).
    China,
}

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

impl Zone {
    /// The next midnight after `now`, both in milliseconds since the Unix epoch.
    #[must_use]
    pub fn next_midnight(self, now: i64) -> i64 {
        let local_day = (now + self.offset(now)).div_euclid(DAY) + 1;
        let midnight = local_day * DAY;
        // The clocks change at two in the morning and never at midnight: the offset of the midnight itself is the one
        // that holds a little before it.
        midnight - self.offset(midnight - self.offset(now) - HOUR)
    }

    /// What the zone's clocks are ahead of UTC at `at`, in milliseconds.
    fn offset(self, at: i64) -> i64 {
        match self {
            Self::Utc => 0,
            Self::China => 8 * HOUR,
            Self::Pacific if is_pacific_summer(at) => -7 * HOUR,
            Self::Pacific => -8 * HOUR,
        }
    }
}

/// The rule since 2007: from the second Sunday of March to the first Sunday of November, each at two in the morning
/// by the clocks that hold until then.
fn is_pacific_summer(at: i64) -> bool {
    let year = year_of(at.div_euclid(DAY));
    let begins = sunday_from(year, 3, 8) * DAY + 10 * HOUR;
    let ends = sunday_from(year, 11, 1) * DAY + 9 * HOUR;
    (begins..ends).contains(&at)
}

/// The first Sunday at or after a date, in days since the Unix epoch (a Thursday).
fn sunday_from(year: i64, month: i64, day: i64) -> i64 {
    let date = days(year, month, day);
    date + (3 - date).rem_euclid(7)
}

/// Days since the Unix epoch, by the civil calendar whose years begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 1
        - 719_468
}

/// The year of a day: by the mean length of years first, and then exactly.
fn year_of(day: i64) -> i64 {
    let near = 1970 + (day * 400).div_euclid(146_097);
    [near + 1, near, near - 1].into_iter().find(|year| days(*year, 1, 1) <= day).unwrap_or(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds of a time in UTC.
    fn utc(year: i64, month: i64, day: i64, hour: i64) -> i64 {
        days(year, month, day) * DAY + hour * HOUR
    }

    #[test]
    fn midnights_of_each_zone() {
        let noon = utc(2026, 1, 15, 12);
        assert_eq!(utc(2026, 1, 1, 0), 1_767_225_600_000);
        assert_eq!(Zone::Utc.next_midnight(noon), utc(2026, 1, 16, 0));
        assert_eq!(Zone::China.next_midnight(noon), utc(2026, 1, 15, 16));
        assert_eq!(Zone::China.next_midnight(utc(2026, 1, 15, 16)), utc(2026, 1, 16, 16));
        assert_eq!(Zone::Pacific.next_midnight(noon), utc(2026, 1, 16, 8));
        assert_eq!(Zone::Pacific.next_midnight(utc(2026, 7, 15, 6)), utc(2026, 7, 15, 7));
    }

    #[test]
    fn the_days_on_which_clocks_change() {
        // 8 March 2026: 23 hours long. 1 November 2026: 25.
        assert_eq!(Zone::Pacific.next_midnight(utc(2026, 3, 8, 8)), utc(2026, 3, 9, 7));
        assert_eq!(Zone::Pacific.next_midnight(utc(2026, 3, 8, 7)), utc(2026, 3, 8, 8));
        assert_eq!(Zone::Pacific.next_midnight(utc(2026, 11, 1, 7)), utc(2026, 11, 2, 8));
        assert_eq!(Zone::Pacific.next_midnight(utc(2026, 11, 1, 6)), utc(2026, 11, 1, 7));
        assert!(!is_pacific_summer(utc(2026, 3, 8, 9)) && is_pacific_summer(utc(2026, 3, 8, 10)));
        assert!(is_pacific_summer(utc(2026, 11, 1, 8)) && !is_pacific_summer(utc(2026, 11, 1, 9)));
    }

    #[test]
    fn a_midnight_is_always_ahead_and_never_more_than_a_long_day() {
        for zone in [Zone::Utc, Zone::Pacific, Zone::China] {
            // Every hour of eight years, at uneven minutes.
            for hour in 0..8 * 8766 {
                let now = utc(2024, 1, 1, 0) + hour * HOUR + (hour % 60) * 60_000;
                let wait = zone.next_midnight(now) - now;
                assert!(wait > 0 && wait <= 25 * HOUR, "{zone:?} {now} {wait}");
            }
        }
    }
}
