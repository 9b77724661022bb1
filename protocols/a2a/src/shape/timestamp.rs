//! Points in time as the wire writes them: ISO 8601 in UTC, to the millisecond.

use std::fmt;

/// Milliseconds since 1970, as the wall clock has them; negative before. From year 1 to year 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const DAY: i64 = 86_400_000;
/// 0001-01-01T00:00:00.000Z, the first that protobuf's timestamp can say.
const FIRST: i64 = -62_135_596_800_000;
/// 9999-12-31T23:59:59.999Z, the last.
const LAST: i64 = 253_402_300_799_999;

impl Timestamp {
    /// The time so many milliseconds after 1970; what the wire cannot say becomes the nearest that it can.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(FIRST, LAST))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 with `Z` or an offset; `true` when a part of a millisecond was cut off.
    pub(crate) fn parse(text: &str) -> Option<(Self, bool)> {
        let (date, rest) = (text.get(..10)?, text.get(10..)?);
        let (clock, rest) = (rest.get(1..9)?, rest.get(9..)?);
        if !matches!(text.as_bytes().get(10)?, b'T' | b't' | b' ') {
            return None;
        }
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
        let real = (1..=12).contains(&month) && day >= 1 && day <= days_of(year, month);
        if !real || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let (millis, cut, zone) = fraction(rest)?;
        let time = ((hour * 60 + minute) * 60 + second) * 1000 + millis - offset(zone)?;
        let all = days_until(year, month, day) * DAY + time;
        (FIRST..=LAST).contains(&all).then_some((Self(all), cut))
    }

    /// The next millisecond, for a bound of which a part was cut off.
    pub(crate) fn rounded_up(self, cut: bool) -> Self {
        Self::from_millis(self.0 + i64::from(cut))
    }
}

/// Numbers of fixed width between separators.
fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (slot, width) in found.iter_mut().zip(widths) {
        *slot = digits(parts.next()?, width)?;
    }
    parts.next().is_none().then_some(found)
}

fn digits(text: &str, width: usize) -> Option<i64> {
    let all = text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit());
    if all { text.parse().ok() } else { None }
}

/// Milliseconds of a fraction, whether more than zeros came behind them, and what stands behind it all.
fn fraction(text: &str) -> Option<(i64, bool, &str)> {
    let Some(text) = text.strip_prefix('.') else { return Some((0, false, text)) };
    let end = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let (fraction, zone) = text.split_at(end);
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let millis = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let cut = fraction.bytes().skip(3).any(|digit| digit != b'0');
    Some((millis, cut, zone))
}

/// Milliseconds that a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = zone
        .strip_prefix('+')
        .map(|rest| (1, rest))
        .or_else(|| zone.strip_prefix('-').map(|rest| (-1, rest)))?;
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60_000)
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970 to a date, in years that begin in March, so that the leap day is the last.
const fn days_until(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year.div_euclid(400) * 146_097;
    let year = year.rem_euclid(400);
    before + year * 365 + year / 4 - year / 100 + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// The date so many days from 1970, by the same count.
const fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (year * 365 + year / 4 - year / 100);
    let month = (day * 5 + 2) / 153;
    let day = day - (month * 153 + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (era * 400 + year, month, day)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date_of(self.0.div_euclid(DAY));
        let time = self.0.rem_euclid(DAY);
        let (hour, minute) = (time / 3_600_000, time / 60_000 % 60);
        let (second, millis) = (time / 1000 % 60, time % 1000);
        write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn millis(text: &str) -> Option<(i64, bool)> {
        Timestamp::parse(text).map(|(time, cut)| (time.millis(), cut))
    }

    #[test]
    fn reads_what_rfc_3339_allows() {
        assert_eq!(millis("1970-01-01T00:00:00Z"), Some((0, false)));
        assert_eq!(millis("2023-10-27T10:00:00.5Z"), Some((1_698_400_800_500, false)));
        assert_eq!(millis("2023-10-27T12:00:00.000000+02:00"), Some((1_698_400_800_000, false)));
        assert_eq!(millis("2024-02-29T00:00:00.0010001z"), Some((1_709_164_800_001, true)));
        assert_eq!(millis("1969-12-31T23:59:59.999Z"), Some((-1, false)));
        assert_eq!(millis("0001-01-01T00:00:00Z"), Some((FIRST, false)));
        assert_eq!(millis("9999-12-31T23:59:59.999999999Z"), Some((LAST, true)));
    }

    #[test]
    fn refuses_the_rest() {
        for bad in [
            "",
            "2023-10-27",
            "2023-10-27T10:00:00",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-10-27T24:00:00Z",
            "2023-10-27T10:00:60Z",
            "2023-10-27T10:00:00.Z",
            "2023-10-27T10:00:00+2:00",
            "2023-10-27T10:00:00.0000000001Z",
            "23-10-27T10:00:00Z",
            "2023-10-27T1é:00:00Z",
            "0000-01-01T00:00:00Z",
            "+023-10-27T10:00:00Z",
            "9999-12-31T23:59:59-01:00",
            "2023-00-10T00:00:00Z",
            "2023-10-00T00:00:00Z",
        ] {
            assert_eq!(millis(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(time in FIRST..=LAST) {
            let time = Timestamp::from_millis(time);
            prop_assert_eq!(Timestamp::parse(&time.to_string()), Some((time, false)));
        }

        #[test]
        fn nothing_breaks_it(text in "[0-9TZ:.+ é-]{0,32}") {
            let _ = Timestamp::parse(&text);
        }
    }
}
