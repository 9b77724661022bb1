//! A turn in a bounded queue, for whoever lets requests wait.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A turn in the queue. Leaves it when dropped, also when the client leaves.
pub(super) struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    /// A turn, unless so many wait already.
    pub(super) fn enter(waiting: &'a AtomicUsize, limit: usize) -> Option<Self> {
        let turn = Self(waiting);
        // Counted before it is compared, so that two cannot take the last turn; the drop takes it back.
        (waiting.fetch_add(1, Ordering::Relaxed) < limit).then_some(turn)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
