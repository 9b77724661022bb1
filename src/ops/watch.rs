//! Who hears of every finished request before its receipt is written down: the counters, and those who tell others.

use std::sync::Arc;

use super::metrics::Metrics;
use crate::engine::{ports::ReceiptSink, receipt::Receipt};

/// Somebody who looks at receipts. Never blocks.
pub trait Watcher: Send + Sync {
    /// A request ended.
    fn finished(&self, receipt: &Receipt);
}

/// Shows receipts to watchers, and passes them on.
pub struct Watched {
    metrics: Arc<Metrics>,
    watchers: Vec<Arc<dyn Watcher>>,
    next: Arc<dyn ReceiptSink>,
}

impl Watched {
    /// A way for receipts to `next`, past these.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, watchers: Vec<Arc<dyn Watcher>>, next: Arc<dyn ReceiptSink>) -> Self {
        Self { metrics, watchers, next }
    }
}

impl ReceiptSink for Watched {
    fn record(&self, receipt: Receipt) {
        self.metrics.count(&receipt);
        for watcher in &self.watchers {
            watcher.finished(&receipt);
        }
        self.next.record(receipt);
    }
}
