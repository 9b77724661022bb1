//! A clock for tests that only moves when it is told to.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::engine::ports::Clock;

/// Some Sunday in September 2001; far from zero, so that subtractions stay positive.
pub(crate) const START: i64 = 1_000_000_000_000;

pub(crate) struct TestClock(AtomicI64);

impl Default for TestClock {
    fn default() -> Self {
        Self(AtomicI64::new(START))
    }
}

impl TestClock {
    pub(crate) fn advance(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}
