//! What the hub remembers of requests that carry an idempotency key.

use std::time::Duration;

const MEGABYTE: u64 = 1024 * 1024;

/// The operator's choices for idempotency keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Idempotency {
    /// Whether the header is obeyed at all.
    pub enabled: bool,
    /// How long a key is remembered, from its first request.
    pub ttl: Duration,
    /// How long the work for a request goes on when nobody waits for it any more.
    pub linger: Duration,
    /// Keys that one caller may have remembered; the oldest give way.
    pub max_keys: u32,
    /// What all remembered answers together may take, in bytes; the oldest give way.
    pub max_bytes: u64,
    /// What one answer may take, in bytes.
    pub max_item_bytes: u64,
}

impl Default for Idempotency {
    /// On, since nothing is kept unless a client asks for it with the header, and a client that does relies on it. A day,
    /// as other APIs with this header do.
    fn default() -> Self {
        Self {
            enabled: true,
            ttl: Duration::from_secs(24 * 60 * 60),
            linger: Duration::from_secs(60),
            max_keys: 10_000,
            max_bytes: 256 * MEGABYTE,
            max_item_bytes: 8 * MEGABYTE,
        }
    }
}
