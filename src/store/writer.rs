//! The queue between requests and the database. A request only puts its receipt here; the task behind it
//! (`task`) gathers, writes and trims. What the rows look like is the business of their own files.

mod task;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::{Notify, mpsc, oneshot};

use super::{
    StoreError,
    cooldowns::{Changes, Place},
    events,
    locations::{self, Waiting},
    sql::Pool,
    windows,
};
use crate::{
    engine::{
        ports::{Clock, CooldownRecord, WindowRecord},
        receipt::Receipt,
    },
    ops::ports::ResponseLocation,
};
use task::{Ask, Task};

/// Places whose cooldown, or whose window, can wait to be written. Only a failing database lets them pile up, and only a client
/// that invents model names makes this many.
const MAX_PLACES: usize = 16_384;

/// Bounds of the writer.
#[derive(Debug, Clone, Copy)]
pub struct WriterLimits {
    /// Receipts that can wait to be written; further ones are dropped and counted.
    pub queue: usize,
    /// Receipts that are kept; the oldest beyond them are deleted.
    pub keep_receipts: u64,
    /// Locations of responses that are kept; the oldest beyond them are deleted.
    pub keep_locations: u64,
}

impl Default for WriterLimits {
    /// A second of the heaviest traffic, and a million receipts, which take about half a gigabyte; the
    /// locations take about twenty megabytes.
    fn default() -> Self {
        Self { queue: 16_384, keep_receipts: 1_000_000, keep_locations: 100_000 }
    }
}

impl WriterLimits {
    /// The usual bounds, and so many receipts.
    #[must_use]
    pub fn keeping(receipts: u64) -> Self {
        Self { keep_receipts: receipts, ..Self::default() }
    }
}

/// Takes receipts, cooldowns and locations of responses for the database; never blocks and never fails a request. A
/// `kill -9` costs at most what came in the last 100 ms, an orderly [`super::Store::close`] none.
#[derive(Clone)]
pub struct Writer {
    receipts: mpsc::Sender<Receipt>,
    asks: mpsc::Sender<Ask>,
    pending: Arc<Pending>,
}

/// What the task shares with the handles beside the queue.
#[derive(Default)]
struct Pending {
    cooldowns: Mutex<Changes>,
    windows: Mutex<windows::Changes>,
    locations: Mutex<Waiting>,
    /// There are new cooldowns, windows or locations.
    changed: Notify,
    /// Receipts that are kept.
    keep: AtomicU64,
    dropped: AtomicU64,
    dropped_cooldowns: AtomicU64,
    dropped_locations: AtomicU64,
}

impl Writer {
    pub(super) fn start(pool: Pool, limits: WriterLimits, clock: Arc<dyn Clock>) -> Self {
        let (receipts, queued) = mpsc::channel(limits.queue.max(1));
        let (asks, asked) = mpsc::channel(8);
        let pending = Arc::new(Pending { keep: limits.keep_receipts.into(), ..Pending::default() });
        let task = Task::new(pool, queued, asked, Arc::clone(&pending), clock, limits);
        tokio::spawn(task.run());
        Self { receipts, asks, pending }
    }

    /// Receipts that were dropped since the start because the queue was full or the store closed.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.pending.dropped.load(Ordering::Relaxed)
    }

    /// Receipts that wait, and that can wait.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let capacity = self.receipts.max_capacity();
        (capacity - self.receipts.capacity(), capacity)
    }

    /// Changes how many receipts are kept; holds from the next look at them on.
    pub(super) fn keep_receipts(&self, count: u64) {
        self.pending.keep.store(count, Ordering::Relaxed);
    }

    /// Writes everything that was recorded before this call.
    ///
    /// # Errors
    /// [`StoreError::NotWritten`] when the database fails; it all stays queued and is tried again.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.ask(Ask::Flush).await
    }

    pub(super) async fn close(&self) -> Result<(), StoreError> {
        self.ask(Ask::Close).await
    }

    pub(super) fn enqueue(&self, receipt: Receipt) {
        if self.receipts.try_send(receipt).is_err() {
            self.pending.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn change_cooldown(&self, place: Place, change: Option<CooldownRecord>) {
        self.pending.change(place, change);
    }

    pub(super) fn change_window(&self, record: WindowRecord) {
        self.pending.change_window(record);
    }

    pub(super) fn locate(&self, location: ResponseLocation) {
        let place = (Arc::clone(&location.owner), Arc::clone(&location.id));
        if self.pending.locations().put(place, Some(location)) {
            self.pending.changed.notify_one();
        } else {
            events::locations_dropped(self.pending.dropped_locations.fetch_add(1, Ordering::Relaxed) + 1);
        }
    }

    /// Forgets where a response is; certain after the next flush.
    pub(super) fn forget_location(&self, place: locations::Place) {
        self.pending.locations().put(place, None);
        self.pending.changed.notify_one();
    }

    /// What was said last of a place, as long as it may not be in the database.
    pub(super) fn waiting_location(&self, place: &locations::Place) -> Option<Option<ResponseLocation>> {
        self.pending.locations().get(place)
    }

    async fn ask(&self, ask: fn(oneshot::Sender<Result<(), StoreError>>) -> Ask) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        if self.asks.send(ask(reply)).await.is_err() {
            // Closed before: all that was recorded until then was written or reported then.
            return Ok(());
        }
        answer.await.unwrap_or(Err(StoreError::WriterStopped))
    }
}

impl Pending {
    fn change(&self, place: Place, change: Option<CooldownRecord>) {
        let mut changes = self.cooldowns.lock().unwrap_or_else(PoisonError::into_inner);
        if changes.len() >= MAX_PLACES && !changes.contains_key(&place) {
            self.dropped_cooldowns.fetch_add(1, Ordering::Relaxed);
            return;
        }
        changes.insert(place, change);
        drop(changes);
        self.changed.notify_one();
    }

    fn change_window(&self, record: WindowRecord) {
        let mut changes = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let place = windows::place(&record);
        if changes.len() >= MAX_PLACES && !changes.contains_key(&place) {
            self.dropped_cooldowns.fetch_add(1, Ordering::Relaxed);
            return;
        }
        changes.insert(place, record);
        drop(changes);
        self.changed.notify_one();
    }

    fn take_windows(&self) -> windows::Changes {
        std::mem::take(&mut *self.windows.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn locations(&self) -> MutexGuard<'_, Waiting> {
        self.locations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Changes {
        std::mem::take(&mut *self.cooldowns.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn waiting(&self) -> usize {
        self.cooldowns.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[cfg(test)]
mod tests;
