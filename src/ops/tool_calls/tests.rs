//! That nothing is left out of the record, and what it does not tell.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::sync::atomic::{AtomicBool, Ordering};

use futures_core::future::BoxFuture;
use operations::mcp::ToolCall;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::*;
use crate::{
    auth::{local_caller, test_clock::TestClock},
    ops::ports::SigningKeyStoreError,
    store::MemoryStore,
};

/// A log that can be out of order.
#[derive(Default)]
struct Shaky {
    kept: MemoryStore,
    fails: AtomicBool,
    /// Whether there is no key.
    locked: AtomicBool,
}

impl SigningKeyStore for Shaky {
    fn keep(
        &self,
        name: String,
        fresh: Vec<u8>,
        now: i64,
    ) -> BoxFuture<'_, Result<Vec<u8>, SigningKeyStoreError>> {
        if self.locked.load(Ordering::Relaxed) {
            return Box::pin(std::future::ready(Err(SigningKeyStoreError("locked".into()))));
        }
        self.kept.keep(name, fresh, now)
    }
}

impl ToolCallLog for Shaky {
    fn append(&self, calls: Arc<[NewCall]>) -> BoxFuture<'_, Result<(), LogError>> {
        if self.fails.load(Ordering::Relaxed) {
            return Box::pin(std::future::ready(Err(LogError("away".into()))));
        }
        self.kept.append(calls)
    }

    fn page(&self, wanted: ListToolCalls) -> BoxFuture<'_, Result<Vec<ToolCall>, LogError>> {
        ToolCallLog::page(&self.kept, wanted)
    }

    fn sums(&self, since: i64) -> BoxFuture<'_, Result<Vec<CallSum>, LogError>> {
        self.kept.sums(since)
    }

    fn verify(&self) -> BoxFuture<'_, Result<AuditVerdict, LogError>> {
        ToolCallLog::verify(&self.kept)
    }
}

fn scene() -> (Arc<Shaky>, Arc<ToolCalls>) {
    let log = Arc::new(Shaky::default());
    let calls = on(&log);
    (log, calls)
}

fn on(log: &Arc<Shaky>) -> Arc<ToolCalls> {
    let keys = Arc::<Shaky>::clone(log);
    ToolCalls::start(Arc::<Shaky>::clone(log), keys, Arc::new(TestClock::default()))
}

/// The digest of a call with these arguments.
async fn digest(calls: &Arc<ToolCalls>, args: Value) -> Option<String> {
    let args = args.as_object().cloned().unwrap();
    let call = calls.begin(&local_caller(), "route_request", Some(&args), CallDetail::default());
    call.end(CallOutcome::Ok, None, 1).await;
    let page = calls.list(ListToolCalls { limit: Some(1), ..ListToolCalls::default() }).await.unwrap();
    page.calls.first().unwrap().detail.arguments_digest.clone()
}

#[tokio::test]
async fn a_digest_tells_what_is_the_same_and_nobody_can_guess_at_it() {
    let (log, calls) = scene();
    let (yes, no) = (json!({"prompt": "yes"}), json!({"prompt": "no"}));
    let digested = digest(&calls, yes.clone()).await.unwrap();
    assert_eq!(digested.len(), 64);
    assert_eq!(digest(&calls, yes.clone()).await.as_ref(), Some(&digested));
    assert_ne!(digest(&calls, no).await.as_ref(), Some(&digested));
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let plain = Sha256::digest(yes.to_string());
    assert_ne!(digested, hex(&plain), "that is what everybody could compute");
    assert_ne!(digested, hex(&crate::auth::hmac(&[], &plain)), "nor is the key an empty one");
    // The key is the hub's, and outlives the process.
    assert_eq!(digest(&on(&log), yes.clone()).await.as_ref(), Some(&digested));
    assert_ne!(digest(&scene().1, yes).await.as_ref(), Some(&digested));
}

#[tokio::test]
async fn without_the_key_a_call_is_on_record_without_a_digest() {
    let (log, calls) = scene();
    log.locked.store(true, Ordering::Relaxed);
    let args = json!({"prompt": "yes"});
    assert_eq!(digest(&calls, args.clone()).await, None);
    assert_eq!(calls.sums(0).await.unwrap().1.calls, 1);
    log.locked.store(false, Ordering::Relaxed);
    assert!(digest(&calls, args).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_out_while_the_store_is_away_and_callers_wait_when_the_queue_is_full() {
    let (log, calls) = scene();
    log.fails.store(true, Ordering::Relaxed);
    let (mut ended, mut waits) = (0, false);
    while ended < 3 * QUEUE && !waits {
        let call = calls.begin(&local_caller(), "get_health", None, CallDetail::default());
        let end = call.end(CallOutcome::Ok, None, 1);
        waits = timeout(Duration::from_millis(50), end).await.is_err();
        ended += 1;
    }
    assert!(waits && ended > QUEUE, "{ended}");
    log.fails.store(false, Ordering::Relaxed);
    calls.flush().await;
    let (tools, total) = calls.sums(0).await.unwrap();
    assert_eq!(
        (tools.len(), total.calls),
        (1, ended as u64),
        "also the one whose caller left while it waited"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_is_recorded_as_cancelled() {
    let (_, calls) = scene();
    let call = calls.begin(&local_caller(), "route_\u{0}request", None, CallDetail::default());
    tokio::time::sleep(Duration::from_millis(20)).await;
    drop(call);
    tokio::task::yield_now().await;
    let page = calls.list(ListToolCalls::default()).await.unwrap();
    let call = page.calls.first().unwrap();
    assert_eq!((call.outcome, call.took_ms), (CallOutcome::Cancelled, 20));
    assert_eq!(call.tool, "route_request");
}

#[tokio::test]
async fn large_arguments_are_told_by_their_size() {
    let (_, calls) = scene();
    let mut call = calls.begin(&local_caller(), "omniroute_x", None, CallDetail::default());
    call.is_of("put_setting", Some("write:settings"), Some("x".repeat(MOST_ARGUMENTS).into()));
    call.end(CallOutcome::Ok, None, 5).await;
    let page = calls.list(ListToolCalls::default()).await.unwrap();
    let call = page.calls.first().unwrap();
    assert_eq!((call.tool.as_str(), call.detail.result_bytes), ("put_setting", 5));
    assert_eq!(call.detail.arguments, Some(format!("[{} bytes]", MOST_ARGUMENTS + 2).into()));
}
