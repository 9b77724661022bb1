//! Which answers are given again to requests that are the same.

use std::time::Duration;

const MEGABYTE: u64 = 1024 * 1024;

/// The operator's choices for the cache of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cache {
    /// Whether answers are kept and given again, for names whose combo says nothing else.
    pub enabled: bool,
    /// Whether a request waits for one like it that is under way, for names whose combo says nothing else.
    pub join: bool,
    /// How long an answer is given again.
    pub ttl: Duration,
    /// What all kept answers together may take, in bytes of memory.
    pub max_bytes: u64,
    /// What one answer may take, in bytes; never more than an eighth of the above.
    pub max_entry_bytes: u64,
}

impl Default for Cache {
    /// Off: the same question is often meant to be answered anew. The other figures hold once it is on.
    fn default() -> Self {
        Self {
            enabled: false,
            join: false,
            ttl: Duration::from_secs(30 * 60),
            max_bytes: 64 * MEGABYTE,
            max_entry_bytes: MEGABYTE,
        }
    }
}
