//! Whether messages are kept word for word, how much of them, and for how long.

use std::time::Duration;

/// The operator's choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capture {
    /// Whether anything is kept.
    pub enabled: bool,
    /// The most that is kept of one message, in bytes.
    pub payload_bytes: usize,
    /// What everything that is kept may take together, in bytes; the oldest gives way.
    pub total_bytes: u64,
    /// How long it is kept.
    pub age: Duration,
}

impl Default for Capture {
    /// Off. Where it is on: a long conversation without its pictures, and a week.
    fn default() -> Self {
        Self {
            enabled: false,
            payload_bytes: 64 * 1024,
            total_bytes: 256 * 1024 * 1024,
            age: Duration::from_secs(7 * 24 * 60 * 60),
        }
    }
}
