//! Days, weeks and months in UTC, for windows that begin anew at a time of the calendar. Times are milliseconds since the
//! Unix epoch.

/// A day in milliseconds; UTC has no other ones.
pub const DAY: i64 = 86_400_000;

const WEEK: i64 = 7 * DAY;

/// The first Monday after the epoch, which was a Thursday.
const MONDAY: i64 = 4 * DAY;

const HOUR: i64 = 3_600_000;

/// The next time after `now` at which a day begins that begins `offset` milliseconds after midnight.
#[must_use]
pub const fn next_day(now: i64, offset: i64) -> i64 {
    next(now, DAY, offset)
}

/// The next Monday after `now`, at `offset` milliseconds after midnight.
#[must_use]
pub const fn next_week(now: i64, offset: i64) -> i64 {
    next(now, WEEK, MONDAY + offset)
}

/// The next first of a month after `now`, at `offset` milliseconds after midnight.
#[must_use]
pub const fn next_month(now: i64, offset: i64) -> i64 {
    let (year, month, _) = date((now - offset).div_euclid(DAY));
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days(year, month, 1) * DAY + offset
}

/// The next midnight in California, where Google's daily quotas begin anew: 8 hours behind UTC, and 7 from the second
/// Sunday in March to the first one in November, each time from 2 o'clock in the morning.
#[must_use]
pub const fn next_pacific_midnight(now: i64) -> i64 {
    let (year, _, _) = date(now.div_euclid(DAY));
    let summer = nth_sunday(year, 3, 2) * DAY + 10 * HOUR;
    let winter = nth_sunday(year, 11, 1) * DAY + 9 * HOUR;
    // Midnight of a day on which the clocks change is still by the old time.
    let standard = next_day(now, 8 * HOUR);
    let daylight = next_day(now, 7 * HOUR);
    match (daylight > summer && daylight <= winter, standard > summer && standard <= winter) {
        (true, _) => daylight,
        // The summer's last midnight is over, and this is an hour after it.
        (false, true) => standard + DAY,
        (false, false) => standard,
    }
}

const fn next(now: i64, length: i64, offset: i64) -> i64 {
    ((now - offset).div_euclid(length) + 1) * length + offset
}

/// The day of a month's `nth` Sunday.
const fn nth_sunday(year: i64, month: i64, nth: i64) -> i64 {
    let first = days(year, month, 1);
    // The epoch's day 3 was a Sunday.
    first + (3 - first).rem_euclid(7) + 7 * (nth - 1)
}

/// Days since the epoch of a date, by the calendar whose years begin in March, so that the leap day is a year's last.
#[must_use]
pub const fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 719_469
}

/// The day of a time in UTC, as `YYYY-MM-DD`.
#[must_use]
pub fn shown(at: i64) -> String {
    let (year, month, day) = date(at.div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of a day since the epoch.
#[must_use]
pub const fn date(day: i64) -> (i64, i64, i64) {
    // Days since the first of March of the year 0, in eras of 400 years.
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let year = year_of_era + era * 400;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A time of a date in UTC.
    fn at(year: i64, month: i64, day: i64, hour: i64) -> i64 {
        days(year, month, day) * DAY + hour * HOUR
    }

    #[test]
    fn dates_and_days_agree_over_centuries() {
        assert_eq!((days(1970, 1, 1), days(2026, 1, 1)), (0, 20_454));
        let mut last = date(-800_000);
        for day in -799_999..800_000 {
            let now = date(day);
            assert!(now > last && days(now.0, now.1, now.2) == day, "{day}");
            last = now;
        }
    }

    #[test]
    fn each_span_begins_where_people_say_that_it_does() {
        // A Saturday.
        let now = at(2026, 11, 21, 3);
        assert_eq!(next_day(now, 0), at(2026, 11, 22, 0));
        assert_eq!(next_day(now, 7 * HOUR), at(2026, 11, 21, 7));
        assert_eq!(next_week(now, 0), at(2026, 11, 23, 0));
        assert_eq!(next_week(at(2026, 11, 23, 0), 0), at(2026, 11, 30, 0));
        assert_eq!(next_month(now, 0), at(2026, 12, 1, 0));
        assert_eq!(next_month(at(2026, 12, 31, 23), 0), at(2027, 1, 1, 0));
        assert_eq!(next_month(at(2026, 12, 1, 3), 6 * HOUR), at(2026, 12, 1, 6));
    }

    #[test]
    fn midnight_in_california_moves_with_its_summer() {
        for (now, midnight) in [
            (at(2026, 1, 15, 3), at(2026, 1, 15, 8)),
            (at(2026, 1, 15, 8), at(2026, 1, 16, 8)),
            (at(2026, 7, 15, 7), at(2026, 7, 16, 7)),
            // The clocks change on March 8 and on November 1.
            (at(2026, 3, 8, 3), at(2026, 3, 8, 8)),
            (at(2026, 3, 8, 9), at(2026, 3, 9, 7)),
            (at(2026, 11, 1, 6), at(2026, 11, 1, 7)),
            (at(2026, 11, 1, 7), at(2026, 11, 2, 8)),
        ] {
            assert_eq!(next_pacific_midnight(now), midnight, "{now}");
        }
    }
}
