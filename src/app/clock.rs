//! The time of day, from the system.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::engine::ports::Clock;

/// The system's clock. Unlike a monotonic one it goes on while a laptop sleeps, as cooldowns must.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> i64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|since| i64::try_from(since.as_millis()).ok())
            .unwrap_or_default()
    }
}

/// The time of day for those who know no clock, in milliseconds since the Unix epoch.
#[must_use]
pub fn now_ms() -> i64 {
    SystemClock.now()
}
