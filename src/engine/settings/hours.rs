//! Hours of the week by somebody's clock. Clocks go by fixed rules instead of a time-zone database, which is hundreds of
//! kilobytes that age: a fixed offset, or one of the places below, whose rules have stood for decades.

use super::calendar::{DAY, date, days};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const MINUTES_OF_DAY: u16 = 24 * 60;

/// Hours that begin on some days of the week, and may end on the day after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// Minutes after midnight at which they begin.
    pub from: u16,
    /// Minutes after midnight at which they end; not later than `from`: on the next day.
    pub until: u16,
    /// A bit for each day on which they begin, the lowest for Monday; 0: every day.
    pub days: u8,
    /// Whose clock.
    pub clock: WallClock,
}

impl Hours {
    /// Whether `now` (milliseconds since the Unix epoch) is within them.
    #[must_use]
    pub fn has(&self, now: i64) -> bool {
        let local = self.clock.local(now);
        let (day, minute) = (local.div_euclid(DAY), local.rem_euclid(DAY) / MINUTE);
        let length = if self.until > self.from { 0 } else { MINUTES_OF_DAY };
        let end = i64::from(self.until) + i64::from(length);
        let begins_on = |day: i64| {
            // The epoch was a Thursday.
            self.days == 0 || self.days & (1 << (day + 3).rem_euclid(7)) != 0
        };
        let today = begins_on(day) && (i64::from(self.from)..end).contains(&minute);
        today || begins_on(day - 1) && minute + i64::from(MINUTES_OF_DAY) < end
    }
}

/// What a clock on the wall shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallClock {
    /// Minutes ahead of UTC, in winter.
    standard: i16,
    summer: Summer,
}

/// When a clock is an hour ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Summer {
    Never,
    /// From the last Sunday of March to the last one of October, at 01:00 UTC.
    Europe,
    /// From the second Sunday of March to the first one of November, at 02:00 by the clock.
    America,
}

/// Places that people name, as the zone database calls them.
const PLACES: [(&str, i16, Summer); 42] = [
    ("UTC", 0, Summer::Never),
    ("Europe/London", 0, Summer::Europe),
    ("Europe/Dublin", 0, Summer::Europe),
    ("Europe/Lisbon", 0, Summer::Europe),
    ("Europe/Amsterdam", 60, Summer::Europe),
    ("Europe/Berlin", 60, Summer::Europe),
    ("Europe/Brussels", 60, Summer::Europe),
    ("Europe/Budapest", 60, Summer::Europe),
    ("Europe/Copenhagen", 60, Summer::Europe),
    ("Europe/Madrid", 60, Summer::Europe),
    ("Europe/Oslo", 60, Summer::Europe),
    ("Europe/Paris", 60, Summer::Europe),
    ("Europe/Prague", 60, Summer::Europe),
    ("Europe/Rome", 60, Summer::Europe),
    ("Europe/Stockholm", 60, Summer::Europe),
    ("Europe/Vienna", 60, Summer::Europe),
    ("Europe/Warsaw", 60, Summer::Europe),
    ("Europe/Zurich", 60, Summer::Europe),
    ("Europe/Athens", 120, Summer::Europe),
    ("Europe/Bucharest", 120, Summer::Europe),
    ("Europe/Helsinki", 120, Summer::Europe),
    ("Europe/Kyiv", 120, Summer::Europe),
    ("Europe/Istanbul", 180, Summer::Never),
    ("Europe/Moscow", 180, Summer::Never),
    ("America/New_York", -300, Summer::America),
    ("America/Toronto", -300, Summer::America),
    ("America/Chicago", -360, Summer::America),
    ("America/Denver", -420, Summer::America),
    ("America/Phoenix", -420, Summer::Never),
    ("America/Los_Angeles", -480, Summer::America),
    ("America/Vancouver", -480, Summer::America),
    ("America/Sao_Paulo", -180, Summer::Never),
    ("America/Mexico_City", -360, Summer::Never),
    ("Africa/Lagos", 60, Summer::Never),
    ("Africa/Johannesburg", 120, Summer::Never),
    ("Asia/Dubai", 240, Summer::Never),
    ("Asia/Kolkata", 330, Summer::Never),
    ("Asia/Singapore", 480, Summer::Never),
    ("Asia/Shanghai", 480, Summer::Never),
    ("Asia/Seoul", 540, Summer::Never),
    ("Asia/Tokyo", 540, Summer::Never),
    ("Australia/Brisbane", 600, Summer::Never),
];

impl WallClock {
    /// The clock of a place or an offset (`+05:30`, `-08:00`).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let place = PLACES.iter().find(|(place, ..)| place.eq_ignore_ascii_case(name));
        if let Some((_, standard, summer)) = place {
            return Some(Self { standard: *standard, summer: *summer });
        }
        let (sign, rest) = match name.as_bytes().first()? {
            b'+' => (1, name.get(1..)?),
            b'-' => (-1, name.get(1..)?),
            _ => return None,
        };
        let (hours, minutes) = rest.split_once(':')?;
        let digits = |text: &str, most: i16| {
            let ok = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i16>().ok().filter(|number| ok && *number <= most)
        };
        let standard = sign * (digits(hours, 14)? * 60 + digits(minutes, 59)?);
        Some(Self { standard, summer: Summer::Never })
    }

    /// The names of the places that are known.
    pub fn places() -> impl Iterator<Item = &'static str> {
        PLACES.iter().map(|(place, ..)| *place)
    }

    /// What the clock shows at a time, as milliseconds since its own first of January 1970.
    #[must_use]
    pub fn local(self, at: i64) -> i64 {
        let standard = at.saturating_add(i64::from(self.standard) * MINUTE);
        if self.is_summer(at, standard) { standard + HOUR } else { standard }
    }

    fn is_summer(self, at: i64, standard: i64) -> bool {
        let (year, ..) = date(standard.div_euclid(DAY));
        match self.summer {
            Summer::Never => false,
            Summer::Europe => {
                let last_sunday = |month| sunday_from(year, month, 25) * DAY + HOUR;
                (last_sunday(3)..last_sunday(10)).contains(&at)
            }
            Summer::America => {
                // By the winter's clock: it ends at one, which is two by the summer's.
                let begins = sunday_from(year, 3, 8) * DAY + 2 * HOUR;
                let ends = sunday_from(year, 11, 1) * DAY + HOUR;
                (begins..ends).contains(&standard)
            }
        }
    }
}

/// The first Sunday at or after a date. The epoch's day 3 was a Sunday.
const fn sunday_from(year: i64, month: i64, day: i64) -> i64 {
    let date = days(year, month, day);
    date + (3 - date).rem_euclid(7)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    fn utc(month: i64, day: i64, hour: i64, minute: i64) -> i64 {
        days(2026, month, day) * DAY + hour * HOUR + minute * MINUTE
    }

    fn shown(clock: &str, at: i64) -> i64 {
        (WallClock::named(clock).unwrap().local(at) - at) / MINUTE
    }

    #[test]
    fn clocks_change_when_their_places_say() {
        for (clock, at, ahead) in [
            ("UTC", utc(7, 1, 0, 0), 0),
            ("Europe/Berlin", utc(3, 29, 0, 59), 60),
            ("Europe/Berlin", utc(3, 29, 1, 0), 120),
            ("Europe/Berlin", utc(10, 25, 0, 59), 120),
            ("europe/berlin", utc(10, 25, 1, 0), 60),
            ("America/New_York", utc(3, 8, 6, 59), -300),
            ("America/New_York", utc(3, 8, 7, 0), -240),
            ("America/New_York", utc(11, 1, 5, 59), -240),
            ("America/New_York", utc(11, 1, 6, 0), -300),
            ("Asia/Kolkata", utc(7, 1, 0, 0), 330),
            ("-03:30", utc(7, 1, 0, 0), -210),
        ] {
            assert_eq!(shown(clock, at), ahead, "{clock} {at}");
        }
        for wrong in ["", "Berlin", "+5:30", "+15:00", "05:30", "+05:60", "+é0:00"] {
            assert_eq!(WallClock::named(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn hours_may_end_on_the_next_day() {
        let clock = WallClock::named("UTC").unwrap();
        // 2026-11-20 is a Friday: nights that begin on it.
        let night = Hours { from: 22 * 60, until: 6 * 60, days: 1 << 4, clock };
        for (day, hour, minute, open) in [
            (20, 21, 59, false),
            (20, 22, 0, true),
            (21, 5, 59, true),
            (21, 6, 0, false),
            (21, 22, 0, false),
            (20, 5, 0, false),
        ] {
            assert_eq!(night.has(utc(11, day, hour, minute)), open, "{day} {hour}:{minute}");
        }
        let office = Hours { from: 9 * 60, until: 17 * 60, days: 0b1_1111, clock };
        assert!(office.has(utc(11, 20, 9, 0)) && !office.has(utc(11, 20, 17, 0)));
        assert!(!office.has(utc(11, 21, 12, 0)), "Saturday");
        let whole = Hours { from: 60, until: 60, days: 1 << 5, clock };
        assert!(whole.has(utc(11, 21, 1, 0)) && whole.has(utc(11, 22, 0, 59)));
        assert!(!whole.has(utc(11, 21, 0, 59)) && !whole.has(utc(11, 22, 1, 0)));
    }
}
