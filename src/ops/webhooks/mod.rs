//! Tells others what happens to budgets, quotas and accounts, by the operator's wish: looks once a second, and delivers what
//! it saw to every webhook that wants it, at least once while the hub lives. What there is to see is in `look`, what is said in
//! `message`, who waits for what in `line`.

mod line;
mod look;
mod message;
mod tester;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::{
    select,
    sync::Notify,
    task::{JoinHandle, JoinSet},
    time::{Instant, MissedTickBehavior, interval},
};

use self::{
    line::{Fate, Line},
    look::Watch,
    message::Message,
};
use super::{
    metrics::Metrics,
    ports::{Hook, PostError},
};
use crate::{
    engine::{Engine, settings::Webhook},
    observe::events,
};

pub use tester::Tester;

/// Between two looks. What begins and ends between them is not seen.
const LOOK: Duration = Duration::from_secs(1);

/// How long a webhook may take to answer.
const LIMIT: Duration = Duration::from_secs(10);

/// How long an orderly stop waits for the last messages.
const LAST: Duration = Duration::from_secs(3);

/// A webhook that is not there any more, and wants no more messages.
const GONE: u16 = 410;

/// Tells webhooks of events.
pub struct Webhooks {
    metrics: Arc<Metrics>,
    stop: Arc<Notify>,
    running: Mutex<Option<JoinHandle<()>>>,
}

impl Webhooks {
    /// One that is not running yet.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, stop: Arc::default(), running: Mutex::default() }
    }

    /// Runs it by the settings of `engine`, whose webhooks may change.
    pub fn start(&self, engine: Arc<Engine>, hook: Arc<dyn Hook>) {
        let metrics = Arc::clone(&self.metrics);
        let task = Task {
            engine,
            hook,
            metrics,
            watch: None,
            lines: HashMap::new(),
            sending: JoinSet::new(),
            closing: false,
        };
        let task = tokio::spawn(task.run(Arc::clone(&self.stop)));
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }

    /// Has what waits sent, for a few seconds at most.
    pub async fn close(&self) {
        self.stop.notify_one();
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            let abort = running.abort_handle();
            if tokio::time::timeout(LAST, running).await.is_err() {
                abort.abort();
            }
        }
    }
}

struct Task {
    engine: Arc<Engine>,
    hook: Arc<dyn Hook>,
    metrics: Arc<Metrics>,
    /// How everything stood; `None` while nobody wants to know.
    watch: Option<Watch>,
    lines: HashMap<Arc<str>, Line>,
    sending: JoinSet<Tried>,
    /// Whether each message gets its last try.
    closing: bool,
}

/// How a try went.
struct Tried {
    webhook: Arc<str>,
    message: Arc<Message>,
    result: Result<u16, PostError>,
}

impl Task {
    async fn run(mut self, stop: Arc<Notify>) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            select! {
                _ = looks.tick() => self.look(),
                Some(tried) = self.sending.join_next() => {
                    if let Ok(tried) = tried {
                        self.tried(&tried);
                    }
                }
                () = stop.notified() => break,
            }
            self.send();
        }
        self.look();
        self.closing = true;
        self.lines.values_mut().for_each(|line| line.hurry(Instant::now()));
        self.send();
        while let Some(tried) = self.sending.join_next().await {
            if let Ok(tried) = tried {
                self.tried(&tried);
            }
            self.send();
        }
    }

    /// Looks at what happened, and lets it wait for those who want to know.
    fn look(&mut self) {
        let snapshot = self.engine.snapshot();
        let webhooks = &snapshot.settings.webhooks;
        self.forget(webhooks);
        if webhooks.is_empty() {
            self.watch = None;
            return;
        }
        let happened = self.watch.get_or_insert_default().look(&self.engine);
        for happening in happened {
            let event = happening.event;
            let message = Message::new(&happening, self.engine.clock().now());
            for webhook in webhooks.iter().filter(|webhook| webhook.events.contains(&event)) {
                let line = self.lines.entry(Arc::clone(&webhook.id));
                if !line.or_insert_with(|| Line::new(Instant::now())).push(&message) {
                    self.dropped(&webhook.id, 1, "too many wait");
                }
            }
        }
    }

    /// Drops what waits for webhooks that are not configured any more.
    fn forget(&mut self, webhooks: &[Arc<Webhook>]) {
        let known: HashSet<&str> = webhooks.iter().map(|webhook| &*webhook.id).collect();
        let gone = self.lines.extract_if(|id, _| !known.contains(&**id));
        let gone: Vec<_> = gone.filter(|(_, line)| line.len() > 0).collect();
        for (id, line) in gone {
            self.dropped(&id, line.len() as u64, "it is not configured any more");
        }
    }

    /// Sends what is due: to each webhook one message at a time, so that it gets them in their order.
    fn send(&mut self) {
        let snapshot = self.engine.snapshot();
        let now = Instant::now();
        for webhook in &snapshot.settings.webhooks {
            let Some(message) = self.lines.get_mut(&webhook.id).and_then(|line| line.next(now)) else {
                continue;
            };
            let headers = message.headers(webhook.secret.as_ref(), self.engine.clock().now());
            let url = webhook.url.expose();
            let posting = self.hook.tell(url, &headers, message.body.clone(), webhook.allow_private, LIMIT);
            let webhook = Arc::clone(&webhook.id);
            self.sending.spawn(async move {
                let result = posting.await;
                Tried { webhook, message, result }
            });
        }
    }

    fn tried(&mut self, tried: &Tried) {
        let taken = matches!(tried.result, Ok(200..300));
        let gives_up = self.closing || matches!(tried.result, Ok(GONE));
        let Some(line) = self.lines.get_mut(&tried.webhook) else { return };
        let Some(fate) = line.done(&tried.message, taken, gives_up, Instant::now()) else { return };
        match fate {
            Fate::Again => {}
            Fate::Sent => drop(self.metrics.others().webhooks_sent.fetch_add(1, Relaxed)),
            Fate::Dead => {
                let why = match &tried.result {
                    Ok(status) => format!("it answered {status}"),
                    Err(error) => error.to_string(),
                };
                let why = format!("{} `{}`: {why}", tried.message.kind, tried.message.id);
                self.dropped(&tried.webhook, 1, &why);
            }
        }
    }

    fn dropped(&self, webhook: &str, count: u64, why: &str) {
        events::webhooks_dropped(webhook, count, why);
        self.metrics.others().webhooks_dropped.fetch_add(count, Relaxed);
    }
}
