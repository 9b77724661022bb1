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

/// The time of day for those who may not know the engine.
pub trait Now {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;
}

impl Now for SystemClock {
    fn now_ms(&self) -> i64 {
        self.now()
    }
}
