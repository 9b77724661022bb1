//! Limits and the headers that tell of them, in virtual time.

use std::time::Duration;

use super::*;
use crate::simulator::{Allotment, Behaviour, Rate, RetryAfter, Subscription, Told};

async fn pass(ms: u64) {
    tokio::time::advance(Duration::from_millis(ms)).await;
}

/// One account, used up, after half a second.
async fn used_up(retry_after: RetryAfter) -> Read {
    let behaviour = Behaviour { retry_after, ..Behaviour::limited(1, 400) };
    let script = Script { epoch: Some(784_111_777), ..Script::default().key("k", behaviour) };
    let simulator = Simulator::new(script, 7);
    assert_eq!(chat(&simulator, "k", &ask(false)).await.status, 200);
    pass(500).await;
    chat(&simulator, "k", &ask(false)).await
}

#[tokio::test(start_paused = true)]
async fn an_account_runs_dry_and_comes_back() {
    let simulator = simulator();
    for left in ["2", "1", "0"] {
        let read = chat(&simulator, "sim-limit-3.alice", &ask(true)).await;
        assert_eq!(read.status, 200);
        assert_eq!(read.header("x-ratelimit-limit-requests"), Some("3"));
        assert_eq!(read.header("x-ratelimit-remaining-requests"), Some(left));
        assert_eq!(read.header("x-ratelimit-reset-requests"), Some("20s"));
        assert!(read.header("x-ratelimit-remaining-tokens").is_some());
    }
    let dry = chat(&simulator, "sim-limit-3.alice", &ask(true)).await;
    assert_eq!((dry.status, dry.header("retry-after")), (429, Some("20")));
    assert_eq!(dry.json()["error"]["code"], "rate_limit_exceeded");
    assert_eq!(chat(&simulator, "sim-limit-3.bob", &ask(true)).await.status, 200, "another account");
    pass(19_999).await;
    let dry = chat(&simulator, "sim-limit-3.alice", &ask(true)).await;
    assert_eq!((dry.status, dry.header("retry-after")), (429, Some("1")));
    assert_eq!(dry.header("x-ratelimit-reset-requests"), Some("1ms"));
    pass(1).await;
    assert_eq!(chat(&simulator, "sim-limit-3.alice", &ask(true)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_429_says_when_to_come_back_as_told() {
    let header = used_up(RetryAfter::Header).await;
    assert_eq!(header.header("retry-after"), Some("400"));
    assert_eq!(header.header("x-ratelimit-reset-requests"), Some("6m39.5s"));
    let date = used_up(RetryAfter::Date).await;
    assert_eq!(date.header("retry-after"), Some("Sun, 06 Nov 1994 08:56:17 GMT"));
    let reset = used_up(RetryAfter::RatelimitResetHeader).await;
    assert_eq!(
        (reset.header("retry-after"), reset.header("x-ratelimit-reset-requests")),
        (None, Some("6m39.5s"))
    );
    let none = used_up(RetryAfter::None).await;
    assert_eq!(none.status, 429);
    assert!(
        none.headers.keys().all(|name| name != "retry-after" && !name.as_str().starts_with("x-ratelimit"))
    );
    assert!(!none.text().contains("try again"));
}

#[tokio::test(start_paused = true)]
async fn a_dry_account_has_no_quota() {
    let simulator = simulator();
    chat(&simulator, "sim-dry-1", &ask(false)).await;
    pass(100_000_000).await;
    let dry = chat(&simulator, "sim-dry-1", &ask(false)).await;
    assert_eq!((dry.status, dry.header("retry-after")), (429, None));
    assert_eq!(dry.json()["error"]["code"], "insufficient_quota");
}

#[tokio::test(start_paused = true)]
async fn a_rate_lets_in_what_it_says() {
    let behaviour = Behaviour { rate: Some(Rate::PerSecond(2)), ..Behaviour::ok() };
    let simulator = Simulator::new(Script::default().key("k", behaviour), 7);
    let mut served = 0;
    for _ in 0..100 {
        served += u32::from(chat(&simulator, "k", &ask(false)).await.status == 200);
        pass(100).await;
    }
    // Ten seconds at two per second, and the two that the bucket held at first.
    assert!((20..=22).contains(&served), "{served}");
}

#[tokio::test(start_paused = true)]
async fn the_script_changes_at_run_time() {
    let simulator = simulator();
    let post = |body: &Value| Request::post("/__script").body(Body::from(body.to_string())).unwrap();
    assert_eq!(chat(&simulator, "k", &ask(false)).await.status, 200);
    let changed = read(
        &simulator,
        post(&json!({"key": "k", "behaviour": {"faults": [{"fault": {"status": {"code": 503}}}]}})),
    )
    .await;
    assert_eq!(changed.status, 200);
    assert_eq!(chat(&simulator, "k", &ask(false)).await.status, 503);
    assert_eq!(read(&simulator, post(&json!({"behaviour": {"limit": {"requests": 0}}}))).await.status, 200);
    assert_eq!(chat(&simulator, "other", &ask(false)).await.status, 429);
    let slip = read(&simulator, post(&json!({"behaviour": {"limits": 3}}))).await;
    assert_eq!(slip.status, 400);
    assert!(slip.text().contains("unknown field"));
    simulator.set_behaviour(Some("k"), Behaviour::limited(1, 20));
    assert_eq!(chat(&simulator, "k", &ask(false)).await.status, 200);
    assert_eq!(chat(&simulator, "k", &ask(false)).await.status, 429);
    simulator.set_behaviour(Some("k"), Behaviour::limited(1, 20));
    assert_eq!(chat(&simulator, "k", &ask(false)).await.status, 200, "a replaced key begins anew");
}

/// A subscription of ten requests in five hours, of which eight are used, and a hundred in a week.
fn monthly(told: Told) -> Simulator {
    let five_hours = Allotment { requests: 10, used: 8, ends_in_seconds: Some(3_600) };
    let week = Allotment { requests: 100, used: 0, ends_in_seconds: None };
    let plan = Subscription { told, five_hours: Some(five_hours), week: Some(week) };
    let behaviour = Behaviour { subscription: Some(plan), retry_after: RetryAfter::None, ..Behaviour::ok() };
    Simulator::new(Script { epoch: Some(1_000_000), ..Script::default() }.key("k", behaviour), 7)
}

#[tokio::test(start_paused = true)]
async fn a_subscription_tells_its_shares_and_ends_with_its_windows() {
    let simulator = monthly(Told::Codex);
    for (used, week) in [("90", "1"), ("100", "2")] {
        let read = chat(&simulator, "k", &ask(false)).await;
        assert_eq!(read.header("x-codex-primary-used-percent"), Some(used));
        assert_eq!(read.header("x-codex-primary-window-minutes"), Some("300"));
        assert_eq!(read.header("x-codex-primary-reset-at"), Some("1003600"));
        assert_eq!(read.header("x-codex-secondary-used-percent"), Some(week));
        assert_eq!(read.header("x-codex-secondary-window-minutes"), Some("10080"));
        assert_eq!(read.header("x-ratelimit-remaining-requests"), None);
    }
    pass(1_800_000).await;
    let refused = chat(&simulator, "k", &ask(true)).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, None));
    assert_eq!(refused.json()["error"]["type"], "usage_limit_reached");
    assert_eq!(refused.header("x-codex-primary-used-percent"), Some("100"));
    assert_eq!(refused.header("x-codex-primary-reset-after-seconds"), Some("1800"));
    assert_eq!(refused.header("x-codex-secondary-used-percent"), Some("2"), "a refusal takes nothing");
    pass(1_800_000).await;
    let anew = chat(&simulator, "k", &ask(false)).await;
    assert_eq!(anew.header("x-codex-primary-used-percent"), Some("10"));
    assert_eq!(anew.header("x-codex-primary-reset-after-seconds"), Some("18000"));
}

#[tokio::test(start_paused = true)]
async fn a_subscription_can_be_told_as_anthropic_tells_it() {
    let simulator = monthly(Told::Unified);
    let read = chat(&simulator, "k", &ask(false)).await;
    assert_eq!(read.header("anthropic-ratelimit-unified-5h-utilization"), Some("0.90"));
    assert_eq!(read.header("anthropic-ratelimit-unified-5h-reset"), Some("1003600"));
    assert_eq!(read.header("anthropic-ratelimit-unified-7d-utilization"), Some("0.01"));
    assert_eq!(read.header("anthropic-ratelimit-unified-7d-reset"), Some("1604800"));
}
