//! Those who watch the requests of a hub and tell others: counters, spans, messages kept word for word, webhooks.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::post::{Outgoing, Telling};
use crate::{
    engine::{
        Engine,
        ports::{CaptureSink, Clock, ReceiptSink},
    },
    ops::{
        capture::Capturing,
        metrics::Metrics,
        telemetry::Exporter,
        watch::{Watched, Watcher},
        webhooks::Webhooks,
    },
    outbound::Transport,
    store::Store,
};

/// Everybody who watches.
pub(super) struct Observing {
    pub(super) metrics: Arc<Metrics>,
    exporter: Arc<Exporter>,
    exporting: Option<JoinHandle<()>>,
    capturing: Arc<Capturing>,
    captured: Option<JoinHandle<()>>,
    webhooks: Webhooks,
}

impl Observing {
    /// Nobody watches yet.
    pub(super) fn new(store: &Store, clock: &Arc<dyn Clock>) -> Self {
        let metrics = Arc::new(Metrics::new(clock.now(), Arc::new(store.writer())));
        Self {
            exporter: Arc::new(Exporter::new(Arc::clone(&metrics))),
            exporting: None,
            capturing: Arc::new(Capturing::new(Arc::clone(&metrics))),
            captured: None,
            webhooks: Webhooks::new(Arc::clone(&metrics)),
            metrics,
        }
    }

    /// Where receipts go, past those who watch.
    pub(super) fn receipts(&self, store: &Store) -> Arc<dyn ReceiptSink> {
        let watchers: Vec<Arc<dyn Watcher>> = vec![Arc::<Exporter>::clone(&self.exporter)];
        Arc::new(Watched::new(Arc::clone(&self.metrics), watchers, Arc::new(store.writer())))
    }

    /// Where messages go, where the settings want them kept.
    pub(super) fn captures(&self) -> Arc<dyn CaptureSink> {
        Arc::<Capturing>::clone(&self.capturing)
    }

    /// Begins to tell others.
    pub(super) fn start(&mut self, engine: &Arc<Engine>, transport: Arc<dyn Transport>, store: &Store) {
        self.exporting = self.exporter.start(Arc::clone(engine), Arc::new(Outgoing(transport)));
        self.captured = self.capturing.start(Arc::clone(engine), Arc::new(store.captures()));
        self.webhooks.start(Arc::clone(engine), Arc::new(Telling::default()));
    }

    /// Tells what is left to tell.
    pub(super) async fn close(self) {
        self.exporter.close(self.exporting).await;
        self.capturing.close(self.captured).await;
        self.webhooks.close().await;
    }
}
