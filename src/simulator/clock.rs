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
        let at = self.epoch + self.start.elapsed() + wait;
        let secs = at.as_secs() + u64::from(at.subsec_nanos() > 0);
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(secs))
    }
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
        tokio::time::advance(Duration::from_millis(2_500)).await;
        assert_eq!(clock.unix(), 784_111_779);
        assert_eq!(clock.millis(), 2_500);
        assert_eq!(clock.http_date(Duration::ZERO), "Sun, 06 Nov 1994 08:49:40 GMT");
        assert_eq!(ceil_seconds(Duration::from_millis(1_001)), 2);
    }
}
