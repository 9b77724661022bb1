//! Exports spans of finished requests to a collector: a bounded queue, batches, and patience with a collector that is away for
//! a moment. What a span says is in `spans`.

mod spans;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    select,
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::{Instant, sleep, timeout_at},
};

use super::{metrics::Metrics, ports::Post, watch::Watcher};
use crate::{
    engine::{Engine, receipt::Receipt, settings::Telemetry, trace::trace_of},
    observe::{events, otlp},
};

/// Requests that can wait for their export; further ones are dropped and counted.
const QUEUE: usize = 4096;

/// Requests in one message.
const BATCH: usize = 256;

/// How long they gather.
const GATHER: Duration = Duration::from_secs(1);

/// Between two looks at the settings while nothing happens.
const LOOK: Duration = Duration::from_secs(1);

/// Tries for one message, and the pause after the first failure; it doubles with each further one.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// How long an orderly stop waits for the last message.
const LAST: Duration = Duration::from_secs(3);

/// Takes finished requests for the collector.
pub struct Exporter {
    queue: mpsc::Sender<Receipt>,
    /// Of how many of 2^32 requests spans are made; 0 while there is no collector.
    share: Arc<AtomicU64>,
    stop: Arc<Notify>,
    metrics: Arc<Metrics>,
    receiver: Mutex<Option<mpsc::Receiver<Receipt>>>,
}

/// All of them.
const WHOLE: u64 = 1 << 32;

impl Exporter {
    /// An exporter that is not running yet.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let receiver = Mutex::new(Some(receiver));
        Self { queue, share: Arc::default(), stop: Arc::default(), metrics, receiver }
    }

    /// Runs it by the settings of `engine`. `None` if it runs already.
    pub fn start(&self, engine: Arc<Engine>, post: Arc<dyn Post>) -> Option<JoinHandle<()>> {
        let queue = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let task = Task {
            queue,
            engine,
            post,
            share: Arc::clone(&self.share),
            stop: Arc::clone(&self.stop),
            metrics: Arc::clone(&self.metrics),
        };
        task.look();
        Some(tokio::spawn(task.run()))
    }

    /// Has what waits sent, for a few seconds at most.
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

impl Watcher for Exporter {
    fn finished(&self, receipt: &Receipt) {
        let share = self.share.load(Relaxed);
        if share == 0 {
            return;
        }
        let kept = match &receipt.trace {
            Some(context) => context.sampled,
            None => trace_of(None, &receipt.id) as u64 & (WHOLE - 1) < share,
        };
        if kept && self.queue.try_send(receipt.clone()).is_err() {
            self.metrics.others().spans_dropped.fetch_add(spans::count(receipt), Relaxed);
        }
    }
}

struct Task {
    queue: mpsc::Receiver<Receipt>,
    engine: Arc<Engine>,
    post: Arc<dyn Post>,
    share: Arc<AtomicU64>,
    stop: Arc<Notify>,
    metrics: Arc<Metrics>,
}

impl Task {
    async fn run(mut self) {
        let mut batch = Vec::new();
        let stop = Arc::clone(&self.stop);
        loop {
            let stopping = select! {
                taken = self.queue.recv_many(&mut batch, BATCH) => taken == 0,
                () = sleep(LOOK) => false,
                () = stop.notified() => true,
            };
            if !batch.is_empty() && !stopping {
                let end = Instant::now() + GATHER;
                while batch.len() < BATCH {
                    let room = BATCH - batch.len();
                    match timeout_at(end, self.queue.recv_many(&mut batch, room)).await {
                        Ok(taken) if taken > 0 => {}
                        _ => break,
                    }
                }
            }
            if stopping {
                while let Ok(receipt) = self.queue.try_recv() {
                    batch.push(receipt);
                }
            }
            let settings = self.look();
            for part in batch.chunks(BATCH) {
                self.export(part, &settings).await;
            }
            batch.clear();
            if stopping {
                return;
            }
        }
    }

    /// Looks at the settings, which may have changed.
    fn look(&self) -> Telemetry {
        let settings = self.engine.snapshot().settings.telemetry.clone();
        let share = if settings.endpoint.is_some() { settings.sample * WHOLE as f64 } else { 0.0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share from 0 to 1 of 2^32"
        )]
        self.share.store(share as u64, Relaxed);
        settings
    }

    async fn export(&self, receipts: &[Receipt], settings: &Telemetry) {
        let snapshot = self.engine.snapshot();
        let all: Vec<otlp::Span> =
            receipts.iter().flat_map(|receipt| spans::of(receipt, &snapshot.settings)).collect();
        let counted = &self.metrics.others();
        let count = all.len() as u64;
        let Some(endpoint) = settings.endpoint.as_deref() else {
            counted.spans_dropped.fetch_add(count, Relaxed);
            return;
        };
        let message = otlp::encode("trivium", env!("CARGO_PKG_VERSION"), &all);
        let mut headers = vec![("content-type".to_owned(), otlp::CONTENT_TYPE.to_owned())];
        let secrets = settings.headers.iter();
        headers.extend(secrets.map(|(name, value)| (name.to_string(), value.expose().to_owned())));
        match self.send(endpoint, &headers, message.into(), settings.timeout).await {
            Ok(()) => counted.spans_sent.fetch_add(count, Relaxed),
            Err(why) => {
                events::spans_dropped(endpoint, count, &why);
                counted.spans_dropped.fetch_add(count, Relaxed)
            }
        };
    }

    async fn send(
        &self,
        endpoint: &str,
        headers: &[(String, String)],
        message: bytes::Bytes,
        limit: Duration,
    ) -> Result<(), String> {
        let mut why = String::new();
        for failures in 0..TRIES {
            if failures > 0 {
                sleep(PAUSE * 2_u32.pow(failures - 1)).await;
            }
            match self.post.post(endpoint, headers, message.clone(), limit).await {
                Ok(200..300) => return Ok(()),
                // What the protocol says may be tried again.
                Ok(status @ (429 | 502 | 503 | 504)) => why = format!("it answered {status}"),
                Ok(status) => return Err(format!("it answered {status}")),
                Err(error) => why = error.to_string(),
            }
        }
        Err(why)
    }
}
