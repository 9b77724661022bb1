//! What the hub keeps of Responses for its callers. Whether a provider keeps them is not its business.

use std::time::Duration;

const MEGABYTE: u64 = 1024 * 1024;

/// The operator's choices for kept responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    /// Whether the hub keeps responses at all.
    pub keep: bool,
    /// How long each is kept, from its creation.
    pub ttl: Duration,
    /// What all of them together may take, in bytes; the oldest give way.
    pub max_bytes: u64,
    /// What one may take, in bytes of JSON.
    pub max_item_bytes: u64,
}

impl Default for Keeping {
    /// Off, since it puts what people said on a disk. The other figures are those that hold once it is on.
    fn default() -> Self {
        Self {
            keep: false,
            ttl: Duration::from_secs(30 * 24 * 60 * 60),
            max_bytes: 256 * MEGABYTE,
            max_item_bytes: 8 * MEGABYTE,
        }
    }
}
