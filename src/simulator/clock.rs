//! The simulator's time: tokio's clock, so that tests can pause it, and how providers write times in headers.
//!
//! The wall clock is read once, at the start; from then on wall time is that moment plus tokio's elapsed time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Time since the simulator began, and the wall time that belongs to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Instant,
    epoch: Duration,
}

impl Clock {
    /// A clock that begins now. `epoch` (Unix seconds) replaces the wall clock for answers that must repeat exactly.
    pub(super) fn start(epoch: Option<u64>) -> Self {
        let wall = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), epoch: epoch.map_or_else(wall, Duration::from_secs) }
    }

    /// Milliseconds since the start.
    pub(super) fn millis(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Unix seconds now.
    pub(super) fn unix(&self) -> u64 {
        (self.epoch + self.start.elapsed()).as_secs()
    }

    /// The HTTP date of the moment `wait` from now, rounded up, so that a client that obeys is never too early.
    pub(super) fn http_date(&self, wait: Duration) -> String {
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(self.after(wait)))
    }

    /// The same moment as RFC 3339 writes it.
    pub(super) fn rfc3339(&self, wait: Duration) -> String {
        rfc3339(self.after(wait))
    }

    /// The same moment in Unix seconds.
    pub(super) fn unix_after(&self, wait: Duration) -> u64 {
        self.after(wait)
    }

    fn after(&self, wait: Duration) -> u64 {
        ceil_seconds(self.epoch + self.start.elapsed() + wait)
    }
}

/// A moment as RFC 3339 writes it, to the second.
fn rfc3339(unix: u64) -> String {
    let (days, second) = (unix / 86_400, unix % 86_400);
    // Days since 1 March of the year 0, in eras of 400 years, so that leap days come last in every cycle.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Whole seconds, rounded up, as `Retry-After` wants them.
pub(super) fn ceil_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// A duration as Go's `Duration.String` writes it to the millisecond: `20ms`, `1s`, `6m0s`, `1h0m0.5s`.
pub(super) fn go_duration(wait: Duration) -> String {
    let millis = wait.as_millis();
    if millis == 0 {
        return "0s".to_owned();
    }
    if millis < 1_000 {
        return format!("{millis}ms");
    }
    let (secs, rest) = (millis / 1_000, millis % 1_000);
    let (hours, minutes, secs) = (secs / 3_600, secs / 60 % 60, secs % 60);
    let mut fraction = String::new();
    if rest > 0 {
        fraction = format!(".{rest:03}");
        fraction.truncate(fraction.trim_end_matches('0').len());
    }
    match (hours, minutes) {
        (0, 0) => format!("{secs}{fraction}s"),
        (0, _) => format!("{minutes}m{secs}{fraction}s"),
        _ => format!("{hours}h{minutes}m{secs}{fraction}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_go_shaped() {
        for (millis, text) in [
            (0, "0s"),
            (20, "20ms"),
            (1_000, "1s"),
            (1_500, "1.5s"),
            (59_951, "59.951s"),
            (360_000, "6m0s"),
            (3_600_500, "1h0m0.5s"),
        ] {
            assert_eq!(go_duration(Duration::from_millis(millis)), text);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn wall_time_follows_the_paused_clock() {
        let clock = Clock::start(Some(784_111_777));
        assert_eq!(clock.http_date(Duration::ZERO), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(clock.rfc3339(Duration::ZERO), "1994-11-06T08:49:37Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_767_225_599), "2025-12-31T23:59:59Z");
        tokio::time::advance(Duration::from_millis(2_500)).await;
        assert_eq!(clock.unix(), 784_111_779);
        assert_eq!(clock.millis(), 2_500);
        assert_eq!(clock.http_date(Duration::ZERO), "Sun, 06 Nov 1994 08:49:40 GMT");
        assert_eq!(ceil_seconds(Duration::from_millis(1_001)), 2);
    }
}
