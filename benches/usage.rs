//! The store with a long history: how fast receipts are written with their sums, how soon a hub with millions of them starts,
//! and how long its pages of usage and traces take. Prints a table; takes the number of receipts as its argument.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use std::{sync::Arc, time::Instant};

use canon::{Dialect, Losses, Usage};
use operations::{Scopes, traces::ListTraces, usage::GetUsage};
use trivium::{
    app::SystemClock,
    engine::{
        caller::{Caller, CallerKind},
        ports::{Clock, ReceiptSink},
        receipt::{AttemptRecord, Outcome, Receipt},
        settings::Usd,
    },
    ops::{traces::Traces, usage::Usage as UsageOperation},
    store::{DataDir, Store, WriterLimits},
};

const DAYS: i64 = 30;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The `nth` of `count` receipts: spread over thirty days; ten callers, each of which has one dialect and two models, five
/// models, each of which two of eight connections serve, and one request of fifty that fails.
fn receipt(nth: u64, count: u64, start: i64) -> Receipt {
    let mixed = nth.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let pick = |shift: u32, of: u64| (mixed >> shift) % of;
    let at = start + i64::try_from(u128::from(nth) * (DAYS * DAY_MS) as u128 / u128::from(count)).unwrap();
    let caller = pick(32, 10);
    let model = (caller + pick(40, 2)) % 5;
    let connection = (model + pick(8, 2)) % 8;
    let failed = pick(16, 50) == 0;
    let total = 200 + u32::try_from(pick(24, 20_000)).unwrap();
    Receipt {
        id: format!("req_{nth:012}"),
        at,
        caller: format!("key_{caller}").into(),
        client_request_id: None,
        dialect: [Dialect::Chat, Dialect::Messages][usize::from(caller < 5)],
        model: format!("model-{model}"),
        session: (pick(44, 4) == 0).then(|| format!("session-{}", nth / 100)),
        trace: None,
        stream: true,
        strategy: "priority",
        attempts: vec![AttemptRecord {
            connection: format!("account-{connection}").into(),
            provider: format!("provider-{}", connection / 2).into(),
            model: format!("model-{model}").into(),
            started_ms: 0,
            took_ms: total,
            fault: None,
            status: Some(200),
            message: None,
        }],
        skipped: Vec::new(),
        plan: None,
        status: if failed { 502 } else { 200 },
        outcome: if failed { Outcome::Failed } else { Outcome::Completed },
        error: failed.then_some("upstream_failed"),
        reused: None,
        shaped: Vec::new(),
        usage: Some(Usage { input: 1000, output: 300, ..Usage::default() }),
        billed: true,
        cost: Some(Usd::from_pico(5_000_000_000)),
        cost_estimated: false,
        edits: Vec::new(),
        losses: Losses::default(),
        first_content_ms: Some(total / 4),
        total_ms: total,
        bytes_out: 4096,
    }
}

fn main() {
    let count = std::env::args().find_map(|count| count.parse().ok()).unwrap_or(5_000_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(count));
}

async fn run(count: u64) {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = DataDir::lock(dir.path()).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let start = clock.now() - DAYS * DAY_MS;
    let open = || Store::open(&data_dir, WriterLimits::keeping(u64::MAX), Arc::clone(&clock));

    let store = open().await.unwrap();
    let began = Instant::now();
    for nth in 0..count {
        store.writer().record(receipt(nth, count, start));
        if nth % 8192 == 8191 {
            store.writer().flush().await.unwrap();
        }
    }
    store.writer().flush().await.unwrap();
    let took = began.elapsed();
    println!("{count} receipts written in {took:.1?}: {:.0} a second", count as f64 / took.as_secs_f64());
    store.close().await.unwrap();
    let file = std::fs::metadata(data_dir.path().join("trivium.db")).unwrap().len();
    println!("database: {} MiB", file / 1024 / 1024);

    let began = Instant::now();
    let store = open().await.unwrap();
    println!("opened in {:.1?}", began.elapsed());

    let caller = Caller {
        id: "bench".into(),
        name: "bench".into(),
        kind: CallerKind::Local,
        scopes: Scopes::all(),
        address: None,
        policy: None,
    };
    let usage = UsageOperation::new(Arc::new(store.usage()), Arc::clone(&clock));
    let month = clock.now() - DAYS * DAY_MS;
    for (what, since) in [("24 hours", clock.now() - DAY_MS), ("30 days", month)] {
        for by in ["model", "connection", "key", "hour", "day", "status", "session"] {
            let args = serde_json::json!({"group_by": by, "since_at": since, "limit": 1000});
            let args: GetUsage = serde_json::from_value(args).unwrap();
            let began = Instant::now();
            let report = usage.get(&caller, args).await.unwrap();
            println!("usage of {what} by {by}: {} groups in {:.1?}", report.groups.len(), began.elapsed());
        }
    }
    let traces =
        Traces::new(Arc::new(store.receipts()), Arc::new(store.receipts()), Arc::new(store.captures()));
    for (what, args) in [
        ("latest", serde_json::json!({})),
        ("of a key", serde_json::json!({"key": "key_3"})),
        ("failed", serde_json::json!({"status": "5xx"})),
        ("of a model that nobody asked for", serde_json::json!({"model": "none"})),
        ("a fortnight ago", serde_json::json!({"until_at": month + DAYS * DAY_MS / 2})),
    ] {
        let args: ListTraces = serde_json::from_value(args).unwrap();
        let began = Instant::now();
        let page = traces.list(&caller, args).await.unwrap();
        println!("traces, {what}: {} in {:.1?}", page.traces.len(), began.elapsed());
    }
    store.close().await.unwrap();
}
