//! Keeps messages word for word, where the operator wants that: a bounded queue beside the requests, cleaned of what is
//! secret before it is written. What is taken down, and of whom, is the engine's matter.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use operations::captures::{CapturedHeader, CapturedPayload};
use tokio::{
    select,
    sync::{Notify, mpsc},
    task::{JoinHandle, yield_now},
    time::{MissedTickBehavior, interval, sleep},
};

use super::{
    metrics::Metrics,
    ports::{CaptureStore, StoredCapture},
};
use crate::{
    engine::{
        Engine,
        ports::{CaptureSink, Captured, Payload},
        settings::Secret,
    },
    observe::redact,
};

/// Requests whose messages wait to be kept; those of further ones are dropped and counted. Their bytes are bounded by the
/// memory that all tapes share.
const QUEUE: usize = 1024;

/// Between two looks for what is old, and between two batches of it.
const SWEEP: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// How long an orderly stop waits for the last ones.
const LAST: Duration = Duration::from_secs(3);

/// Takes the messages of finished requests for the store.
pub struct Capturing {
    queue: mpsc::Sender<Captured>,
    receiver: Mutex<Option<mpsc::Receiver<Captured>>>,
    stop: Arc<Notify>,
    metrics: Arc<Metrics>,
}

impl Capturing {
    /// One that is not running yet.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        let (queue, receiver) = mpsc::channel(QUEUE);
        Self { queue, receiver: Mutex::new(Some(receiver)), stop: Arc::default(), metrics }
    }

    /// Runs it by the settings of `engine`. `None` if it runs already.
    pub fn start(&self, engine: Arc<Engine>, store: Arc<dyn CaptureStore>) -> Option<JoinHandle<()>> {
        let queue = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let task = Task { queue, engine, store, metrics: Arc::clone(&self.metrics) };
        Some(tokio::spawn(task.run(Arc::clone(&self.stop))))
    }

    /// Has what waits written, for a few seconds at most.
    pub async fn close(&self, running: Option<JoinHandle<()>>) {
        self.stop.notify_one();
        if let Some(running) = running {
            let abort = running.abort_handle();
            if tokio::time::timeout(LAST, running).await.is_err() {
                abort.abort();
            }
        }
    }
}

impl CaptureSink for Capturing {
    fn captured(&self, captured: Captured) {
        if self.queue.try_send(captured).is_err() {
            self.metrics.others().captures_dropped.fetch_add(1, Relaxed);
        }
    }
}

struct Task {
    queue: mpsc::Receiver<Captured>,
    engine: Arc<Engine>,
    store: Arc<dyn CaptureStore>,
    metrics: Arc<Metrics>,
}

impl Task {
    async fn run(mut self, stop: Arc<Notify>) {
        let mut sweeps = interval(SWEEP);
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            select! {
                captured = self.queue.recv() => match captured {
                    Some(captured) => self.keep(captured).await,
                    None => return,
                },
                _ = sweeps.tick() => self.sweep().await,
                () = stop.notified() => break,
            }
        }
        while let Ok(captured) = self.queue.try_recv() {
            self.keep(captured).await;
        }
    }

    async fn keep(&self, captured: Captured) {
        let most = self.engine.snapshot().settings.capture.total_bytes;
        let secrets: Vec<&str> = captured.secrets.iter().map(Secret::expose).collect();
        let mut payloads = Vec::with_capacity(captured.payloads.len());
        for payload in &captured.payloads {
            payloads.push(cleaned(payload, &secrets));
            // A large one takes milliseconds, in which others want to go on.
            yield_now().await;
        }
        let kept = match serde_json::to_vec(&payloads) {
            Ok(payload) => {
                let capture = StoredCapture { request_id: captured.id, at: captured.at, payload };
                // A failure was logged where it came up.
                self.store.keep(capture, most).await.is_ok()
            }
            Err(_) => false,
        };
        let others = self.metrics.others();
        let count = if kept { &others.captures_kept } else { &others.captures_dropped };
        count.fetch_add(1, Relaxed);
    }

    /// What is old goes, whether more is kept or not.
    async fn sweep(&self) {
        let age = self.engine.snapshot().settings.capture.age;
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let before = self.engine.clock().now().saturating_sub(age);
        while let Ok(true) = self.store.sweep(before).await {
            sleep(PAUSE).await;
        }
    }
}

/// A message as it may be kept.
fn cleaned(payload: &Payload, secrets: &[&str]) -> CapturedPayload {
    let cut = (payload.body.len() as u64) < payload.size;
    let headers = payload.headers.iter().map(|(name, value)| CapturedHeader {
        name: name.clone(),
        value: redact::clean(value, secrets, false),
    });
    CapturedPayload {
        stage: payload.stage.as_str().to_owned(),
        attempt: (payload.attempt > 0).then_some(payload.attempt),
        url: payload.url.as_ref().map(|url| redact::clean(url, secrets, false)),
        status: payload.status,
        headers: headers.collect(),
        body: redact::clean(&String::from_utf8_lossy(&payload.body), secrets, cut),
        bytes: payload.size,
        cut,
    }
}

/// The messages that were kept, as they were written; none where another version wrote them otherwise.
pub(super) fn read(bytes: &[u8]) -> Vec<CapturedPayload> {
    serde_json::from_slice(bytes).unwrap_or_default()
}
