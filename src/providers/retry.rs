//! When a provider wants to be asked again: `Retry-After`, and the reset times of the rate-limit
//! windows that it says are used up.

use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;

/// No provider's word keeps a connection away for longer than this: the longest quota windows are monthly.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);

/// How long to leave the connection alone, where the headers say so. `now` is in milliseconds since the Unix epoch.
pub(super) fn retry_after(headers: &HeaderMap, now: i64) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wait = text("retry-after-ms")
        .and_then(|millis| seconds(millis).map(|millis| millis / 1000))
        .or_else(|| text("retry-after").and_then(|value| seconds(value).or_else(|| until_date(value, now))))
        .or_else(|| exhausted_windows(headers, now))?;
    Some(wait.min(LONGEST))
}

/// How long to wait, where a message says it: `Please try again in 7m12s`, `Please wait 54321 seconds before retrying`.
pub(super) fn in_words(message: &str) -> Option<Duration> {
    let after = |start: &str| message.split_once(start).map(|(_, rest)| rest);
    let wait = match (after("try again in "), after("Please wait ")) {
        (Some(rest), _) => {
            let word = rest.split_whitespace().next()?.trim_end_matches(['.', ',']);
            go_duration(word).or_else(|| rest_in_words(rest))
        }
        (None, Some(rest)) => rest_in_words(rest),
        (None, None) => None,
    }?;
    Some(wait.min(LONGEST))
}

/// `20 seconds`, `1.5 minutes`.
fn rest_in_words(text: &str) -> Option<Duration> {
    let mut words = text.split_whitespace();
    let number: f64 = words.next()?.parse().ok()?;
    let unit = match words.next()?.trim_end_matches(['.', ',']).trim_end_matches('s') {
        "second" => 1.0,
        "minute" => 60.0,
        "hour" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * unit).ok()
}

/// The longest wait among the windows with nothing left. The families differ in where they put the words
/// (`x-ratelimit-remaining-requests`, `ratelimit-remaining`) but not in the words.
fn exhausted_windows(headers: &HeaderMap, now: i64) -> Option<Duration> {
    headers
        .iter()
        .filter(|(name, _)| name.as_str().contains("ratelimit") && name.as_str().contains("remaining"))
        .filter(|(_, left)| {
            left.to_str().is_ok_and(|left| left.trim().parse::<f64>().is_ok_and(|left| left <= 0.0))
        })
        .filter_map(|(name, _)| headers.get(name.as_str().replacen("remaining", "reset", 1)))
        .filter_map(|reset| reset.to_str().ok().and_then(|reset| reset_in(reset.trim(), now)))
        .max()
}

/// A reset as providers write it: a Go duration (`6m0s`, `20ms`), seconds (`33011.38`), or a point in time: in seconds
/// or milliseconds since the Unix epoch, or as RFC 3339 (Anthropic's).
pub(super) fn reset_in(value: &str, now: i64) -> Option<Duration> {
    let now = now as f64 / 1000.0;
    let Ok(number) = value.parse::<f64>() else {
        let until = rfc3339(value).map(|at| (at - now).max(0.0));
        return until.map_or_else(|| go_duration(value), |wait| Duration::try_from_secs_f64(wait).ok());
    };
    let seconds = match number {
        epoch_millis if epoch_millis > 1e11 => epoch_millis / 1000.0 - now,
        epoch if epoch > 1e9 => epoch - now,
        relative => relative,
    };
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}

/// Seconds since the Unix epoch of a time in UTC (`2026-01-31T12:00:00Z`), by the civil calendar whose years begin in
/// March.
fn rfc3339(value: &str) -> Option<f64> {
    let (date, time) = value.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.splitn(3, ':').map(|part| part.parse::<f64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    if !(1970..10_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(days as f64 * 86_400.0 + hour * 3600.0 + minute * 60.0 + second)
}

fn seconds(value: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(value.parse().ok()?).ok()
}

fn until_date(value: &str, now: i64) -> Option<Duration> {
    let date = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(date.saturating_sub(Duration::from_millis(now.try_into().ok()?)))
}

/// `1h2m3.5s`, `20ms`: numbers with units, added up.
pub(super) fn go_duration(value: &str) -> Option<Duration> {
    let mut rest = value;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c != '.' && !c.is_ascii_digit())?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
        total += number
            * match &rest[..letters] {
                "d" => 86_400.0,
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[letters..];
    }
    (!value.is_empty()).then(|| Duration::try_from_secs_f64(total).ok())?
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    /// 2026-01-01T00:00:00Z.
    const NOW: i64 = 1_767_225_600_000;

    fn wait(pairs: &[(&str, &str)]) -> Option<Duration> {
        let headers = pairs
            .iter()
            .map(|(name, value)| {
                (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap())
            })
            .collect();
        retry_after(&headers, NOW)
    }

    #[test]
    fn retry_after_in_its_three_forms() {
        assert_eq!(wait(&[("retry-after", "20")]), Some(Duration::from_secs(20)));
        assert_eq!(wait(&[("retry-after", "1.5")]), Some(Duration::from_millis(1500)));
        assert_eq!(wait(&[("retry-after", "Thu, 01 Jan 2026 00:01:00 GMT")]), Some(Duration::from_secs(60)));
        assert_eq!(
            wait(&[("retry-after-ms", "250"), ("retry-after", "1")]),
            Some(Duration::from_millis(250))
        );
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[]), None);
    }

    #[test]
    fn the_window_that_is_used_up_counts() {
        let openai = [
            ("x-ratelimit-remaining-requests", "12"),
            ("x-ratelimit-reset-requests", "1h0m0s"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-reset-tokens", "6m0.5s"),
        ];
        assert_eq!(wait(&openai), Some(Duration::from_millis(360_500)));
        let day =
            [("x-ratelimit-remaining-requests-day", "0"), ("x-ratelimit-reset-requests-day", "33011.4")];
        assert_eq!(wait(&day), Some(Duration::from_millis(33_011_400)));
        let epoch = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1767225690000")];
        assert_eq!(wait(&epoch), Some(Duration::from_secs(90)));
        let anthropic = [
            ("anthropic-ratelimit-requests-remaining", "0"),
            ("anthropic-ratelimit-requests-reset", "2026-01-01T00:02:30Z"),
            ("anthropic-ratelimit-tokens-remaining", "100"),
            ("anthropic-ratelimit-tokens-reset", "2026-01-02T00:00:00Z"),
        ];
        assert_eq!(wait(&anthropic), Some(Duration::from_secs(150)));
    }

    #[test]
    fn no_word_lasts_longer_than_a_month() {
        assert_eq!(wait(&[("retry-after", "99999999")]), Some(LONGEST));
        assert_eq!(wait(&[("retry-after", "1e300")]), None);
    }

    #[test]
    fn waits_in_words() {
        for (message, seconds) in [
            ("on tokens per min (TPM): Limit 1, Used 1. Please try again in 7m12.5s. Visit", Some(432.5)),
            ("Please try again in 644ms.", Some(0.644)),
            (
                "Rate limit of 150 per 86400s exceeded. Please wait 54321 seconds before retrying.",
                Some(54_321.0),
            ),
            ("Please try again in 2 minutes.", Some(120.0)),
            ("Please try again in a while", None),
            ("Please try again later.", None),
        ] {
            assert_eq!(in_words(message), seconds.map(Duration::from_secs_f64), "{message}");
        }
    }

    proptest! {
        #[test]
        fn no_value_breaks_it(value in "[ -~]{0,24}") {
            let _ = in_words(&format!("try again in {value}"));
            let _ = wait(&[("retry-after", &value), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &value)]);
        }
    }
}
