//! Metrics for Prometheus: what requests count up when they end, and what is looked up when somebody reads. Counting is a few
//! atomics; the labels are bounded, so that no client can make series.

mod cells;
mod gauges;
mod process;

pub(super) use process::resident;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, atomic::Ordering::Relaxed},
};

use canon::Dialect;

use cells::{Account, Cell, Histogram, Model, OUTCOMES, STATUSES};

use super::ports::ReceiptQueue;
use crate::{
    engine::{
        Engine,
        receipt::{AttemptRecord, Receipt},
    },
    observe::exposition::{Exposition, Kind},
};

/// Connections that are told apart; further ones, which only reloads can bring, count as [`OTHER`].
const ACCOUNTS: usize = 1000;

/// Models that are told apart in all; further ones count as [`OTHER`].
const MODELS: usize = 1000;

/// What is not told apart any more.
const OTHER: &str = "other";

/// The largest duration of each piece, in milliseconds: from a cached answer to a long think.
const BOUNDS_MS: [u32; cells::PIECES] =
    [10, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000];

/// The counters of one hub.
pub struct Metrics {
    started_at: i64,
    queue: Arc<dyn ReceiptQueue>,
    requests: [[[Cell; STATUSES.len()]; OUTCOMES.len()]; Dialect::ALL.len()],
    durations: [Histogram; Dialect::ALL.len()],
    reused: Cell,
    accounts: RwLock<HashMap<Arc<str>, Arc<Account>>>,
    models: Cell,
    others: Others,
}

/// What other parts of the hub count up.
#[derive(Debug, Default)]
pub struct Others {
    /// Spans that a collector took.
    pub spans_sent: Cell,
    /// Spans that had to be dropped.
    pub spans_dropped: Cell,
    /// Requests whose messages were kept word for word.
    pub captures_kept: Cell,
    /// Requests of which they should have been, and found no room or could not be written.
    pub captures_dropped: Cell,
    /// Webhooks that were taken.
    pub webhooks_sent: Cell,
    /// Webhooks that were given up or had no room.
    pub webhooks_dropped: Cell,
}

impl Metrics {
    /// Counters that begin now (milliseconds since the Unix epoch), of a hub whose receipts wait in `queue`.
    #[must_use]
    pub fn new(now: i64, queue: Arc<dyn ReceiptQueue>) -> Self {
        Self {
            started_at: now,
            queue,
            requests: Default::default(),
            durations: Default::default(),
            reused: Cell::default(),
            accounts: RwLock::default(),
            models: Cell::default(),
            others: Others::default(),
        }
    }

    /// For those who count up other things.
    #[must_use]
    pub const fn others(&self) -> &Others {
        &self.others
    }

    /// Counts a finished request.
    pub fn count(&self, receipt: &Receipt) {
        let dialect = receipt.dialect as usize;
        let outcome = receipt.outcome as usize;
        self.requests[dialect][outcome][cells::class(receipt.status)].fetch_add(1, Relaxed);
        self.durations[dialect].add(receipt.total_ms);
        if receipt.reused.is_some() {
            self.reused.fetch_add(1, Relaxed);
        }
        for attempt in &receipt.attempts {
            let account = self.account(attempt);
            account.attempt(attempt.fault);
        }
        if let Some(last) = receipt.attempts.last().filter(|last| last.fault.is_none()) {
            let account = self.account(last);
            if let Some(first) = receipt.first_content_ms {
                account.first_content.add(first.saturating_sub(last.started_ms));
            }
            self.model(&account, &last.model).answered(receipt);
        }
    }

    /// The text that Prometheus reads.
    #[must_use]
    pub fn render(&self, engine: &Engine) -> String {
        let mut text = Exposition::default();
        self.write_requests(&mut text);
        self.write_accounts(&mut text);
        gauges::write(&mut text, engine);
        self.write_queues(&mut text);
        process::write(&mut text, self.started_at);
        text.finish()
    }

    fn account(&self, attempt: &AttemptRecord) -> Arc<Account> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = accounts.get(&attempt.connection) {
            return Arc::clone(account);
        }
        let full = accounts.len() >= ACCOUNTS;
        drop(accounts);
        let (id, provider) = match full {
            false => (Arc::clone(&attempt.connection), Arc::clone(&attempt.provider)),
            true => (Arc::from(OTHER), Arc::from(OTHER)),
        };
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(accounts.entry(id).or_insert_with(|| Arc::new(Account::new(provider))))
    }

    fn model(&self, account: &Account, name: &Arc<str>) -> Arc<Model> {
        if let Some(model) = account.models().get(name) {
            return Arc::clone(model);
        }
        let name =
            if self.models.load(Relaxed) >= MODELS as u64 { Arc::from(OTHER) } else { Arc::clone(name) };
        let mut models = account.models_mut();
        Arc::clone(models.entry(name).or_insert_with(|| {
            self.models.fetch_add(1, Relaxed);
            Arc::default()
        }))
    }

    fn write_requests(&self, text: &mut Exposition) {
        text.family("trivium_requests_total", Kind::Counter, "Finished requests.");
        for dialect in Dialect::ALL {
            for (outcome, by_status) in OUTCOMES.iter().zip(&self.requests[dialect as usize]) {
                for (status, count) in STATUSES.iter().zip(by_status) {
                    let count = count.load(Relaxed);
                    if count > 0 {
                        let labels = [
                            ("surface", surface(dialect)),
                            ("dialect", dialect.as_str()),
                            ("outcome", outcome.as_str()),
                            ("status", *status),
                        ];
                        text.sample(&labels, count);
                    }
                }
            }
        }
        let help = "How long requests took, from their arrival to their end.";
        text.family("trivium_request_duration_seconds", Kind::Histogram, help);
        for dialect in Dialect::ALL {
            self.durations[dialect as usize]
                .write(text, &[("surface", surface(dialect)), ("dialect", dialect.as_str())]);
        }
        let help = "Requests that got an answer made for another: from the cache, joined or repeated.";
        text.family("trivium_requests_reused_total", Kind::Counter, help);
        text.sample(&[], self.reused.load(Relaxed));
    }

    fn write_accounts(&self, text: &mut Exposition) {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let mut accounts: Vec<_> =
            accounts.iter().map(|(id, account)| (Arc::clone(id), Arc::clone(account))).collect();
        accounts.sort_by(|(a, _), (b, _)| a.cmp(b));
        let help = "Tries at connections: ok, or what went wrong.";
        text.family("trivium_attempts_total", Kind::Counter, help);
        accounts.iter().for_each(|(id, account)| account.write_attempts(text, id));
        let help = "From the start of the attempt that answered to its first content.";
        text.family("trivium_first_content_seconds", Kind::Histogram, help);
        for (id, account) in &accounts {
            account.first_content.write(text, &[("connection", id), ("provider", &account.provider)]);
        }
        for family in cells::MODEL_FAMILIES {
            text.family(family.name, Kind::Counter, family.help);
            accounts.iter().for_each(|(id, account)| account.write_models(text, id, family));
        }
    }

    fn write_queues(&self, text: &mut Exposition) {
        let queue = self.queue.state();
        text.family("trivium_receipt_queue_length", Kind::Gauge, "Receipts that wait to be written.");
        text.sample(&[], queue.waiting);
        text.family("trivium_receipt_queue_capacity", Kind::Gauge, "Receipts that can wait.");
        text.sample(&[], queue.capacity);
        text.family(
            "trivium_receipts_dropped_total",
            Kind::Counter,
            "Receipts that found no room in the queue.",
        );
        text.sample(&[], queue.dropped);
        let others = &self.others;
        text.family("trivium_spans_total", Kind::Counter, "Spans for the collector.");
        text.sample(&[("result", "sent")], others.spans_sent.load(Relaxed));
        text.sample(&[("result", "dropped")], others.spans_dropped.load(Relaxed));
        text.family("trivium_captures_total", Kind::Counter, "Requests kept word for word.");
        text.sample(&[("result", "kept")], others.captures_kept.load(Relaxed));
        text.sample(&[("result", "dropped")], others.captures_dropped.load(Relaxed));
        text.family("trivium_webhooks_total", Kind::Counter, "Webhooks.");
        text.sample(&[("result", "sent")], others.webhooks_sent.load(Relaxed));
        text.sample(&[("result", "dropped")], others.webhooks_dropped.load(Relaxed));
    }
}

/// Where clients of a dialect come in.
const fn surface(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Chat | Dialect::Responses => "openai",
        Dialect::Messages => "anthropic",
        Dialect::Gemini => "gemini",
    }
}
