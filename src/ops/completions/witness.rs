//! Who waits for the receipt of a request that the hub itself made: an operation tells what became of it, and nothing knows
//! that better.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

use crate::engine::{ports::ReceiptSink, receipt::Receipt};

/// How long a receipt is waited for that should be there already.
const PATIENCE: Duration = Duration::from_secs(2);

/// Passes receipts on, and shows those that somebody waits for. All others cost a look at a number.
pub struct Witness {
    waiting: Mutex<HashMap<String, oneshot::Sender<Receipt>>>,
    count: AtomicUsize,
    next: Arc<dyn ReceiptSink>,
}

/// Somebody who waits for one receipt.
pub(super) struct Awaited {
    witness: Arc<Witness>,
    id: String,
    receipt: oneshot::Receiver<Receipt>,
}

impl Witness {
    /// A way for receipts to `next`.
    #[must_use]
    pub fn new(next: Arc<dyn ReceiptSink>) -> Self {
        Self { waiting: Mutex::default(), count: AtomicUsize::new(0), next }
    }

    /// Waits for the receipt of a request that is about to be made. As many wait as requests are under way, which admission
    /// bounds.
    pub(super) fn await_receipt(self: &Arc<Self>, id: &str) -> Awaited {
        let (sender, receipt) = oneshot::channel();
        let mut waiting = self.waiting();
        waiting.insert(id.to_owned(), sender);
        self.count.store(waiting.len(), Ordering::Release);
        Awaited { witness: Arc::clone(self), id: id.to_owned(), receipt }
    }

    fn take(&self, id: &str) -> Option<oneshot::Sender<Receipt>> {
        let mut waiting = self.waiting();
        let taken = waiting.remove(id);
        self.count.store(waiting.len(), Ordering::Release);
        taken
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Receipt>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReceiptSink for Witness {
    fn record(&self, receipt: Receipt) {
        if self.count.load(Ordering::Acquire) > 0
            && let Some(sender) = self.take(&receipt.id)
        {
            // Whoever waited may have left.
            drop(sender.send(receipt.clone()));
        }
        self.next.record(receipt);
    }
}

impl Awaited {
    /// The receipt, once the request has ended; `None` if there is none after all.
    pub(super) async fn receipt(mut self) -> Option<Receipt> {
        timeout(PATIENCE, &mut self.receipt).await.ok()?.ok()
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.witness.take(&self.id);
    }
}
