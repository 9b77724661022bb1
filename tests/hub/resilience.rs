//! Breakers, dead accounts, waiting, and asking again, through the whole hub on a paused clock.

use std::time::Duration;

use futures_util::future::join_all;
use http::StatusCode;
use serde_json::json;
use tokio::time::{Instant, advance, timeout};
use trivium::{
    engine::ports::LockKind,
    simulator::{Behaviour, Fault, Rule, Script},
};

use super::support::{Answer, Builder, TestHub, chat};

/// A hub with one account, whose first requests meet a fault.
fn sole(times: u64, fault: Fault) -> Builder {
    let behaviour = Behaviour { headers_delay_ms: 100, ..Behaviour::ok().rule(Rule::first(times, fault)) };
    TestHub::builder().script(Script::default().key("scripted", behaviour)).account("only", "scripted")
}

fn said(code: u16, retry_after: Option<u64>, body: Option<serde_json::Value>) -> Fault {
    Fault::Status { code, retry_after, body }
}

fn wait_of(answer: &Answer) -> u64 {
    answer.header("retry-after").parse().unwrap()
}

fn is_refused(answer: &Answer, status: StatusCode, wait: u64) -> bool {
    answer.status == status && wait_of(answer) == wait
}

const AWAY: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

#[tokio::test(start_paused = true)]
async fn a_breaker_opens_and_one_of_fifty_probes_it() {
    let hub = sole(13, Fault::status(502)).build().await;
    for nth in 1..=12 {
        let code = if nth < 12 { "all_targets_failed" } else { "all_targets_cooling_down" };
        assert_eq!(hub.chat("m").await.code(), code, "{nth}");
        advance(Duration::from_secs(1)).await;
    }
    let refused = hub.chat("m").await;
    assert!(is_refused(&refused, AWAY, 29), "{refused:?}");
    assert_eq!(refused.code(), "all_targets_cooling_down");
    assert_eq!(hub.upstream().len(), 12, "nobody asks a host that is left alone");
    // The first probe fails, and the pause is longer.
    advance(Duration::from_secs(29)).await;
    assert_eq!(hub.chat("m").await.code(), "all_targets_cooling_down");
    assert_eq!((hub.upstream().len(), wait_of(&hub.chat("m").await)), (13, 60));
    advance(Duration::from_secs(60)).await;
    let answers = join_all((0..50).map(|_| hub.chat("m"))).await;
    let (served, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.is_whole());
    assert_eq!((served.len(), refused.len(), hub.upstream().len()), (1, 49, 14));
    assert!(refused.iter().all(|answer| is_refused(answer, AWAY, 1)), "{refused:?}");
    let answers = join_all((0..50).map(|_| hub.chat("m"))).await;
    assert!(answers.iter().all(Answer::is_whole), "closed again");
    assert!(hub.cooldowns().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_leaves_its_host_to_others_and_survives_a_restart() {
    let hub = sole(100, Fault::CutBeforeHeaders).build().await;
    for _ in 0..12 {
        hub.chat("m").await;
        advance(Duration::from_secs(1)).await;
    }
    let kept = hub.cooldowns();
    assert_eq!(
        (kept.len(), kept[0].lock, &*kept[0].connection),
        (1, LockKind::Breaker, "host:simulator.test")
    );
    let second =
        sole(0, Fault::status(500)).kept(kept).account_elsewhere("elsewhere", "sim-ok").build().await;
    let answer = second.chat("m").await;
    assert_eq!((answer.route(), second.calls(["scripted"])), ("elsewhere", [0]), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn streams_that_break_after_their_first_content_count_too() {
    let hub = sole(100, Fault::CutMidStream { after_chunks: 3 }).build().await;
    for _ in 0..12 {
        let answer = hub.stream("m").await;
        assert!(answer.status == StatusCode::OK && !answer.is_whole(), "{answer:?}");
        advance(Duration::from_secs(1)).await;
    }
    assert!(is_refused(&hub.stream("m").await, AWAY, 29));
    assert_eq!(hub.upstream().len(), 12);
}

#[tokio::test(start_paused = true)]
async fn rate_limits_never_open_a_breaker() {
    let hub = sole(40, said(429, Some(1), None)).build().await;
    for _ in 0..40 {
        assert!(is_refused(&hub.chat("m").await, StatusCode::TOO_MANY_REQUESTS, 1));
        advance(Duration::from_secs(1)).await;
    }
    assert!(hub.chat("m").await.is_whole());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_a_probe_gives_its_place_to_the_next() {
    let behaviour = Behaviour::ok().rule(Rule::first(12, Fault::status(503)));
    let behaviour = behaviour.rule(Rule { times: Some(1), ..Rule::after(12, Fault::HangBeforeHeaders) });
    let hub =
        TestHub::builder().script(Script::default().key("scripted", behaviour)).account("only", "scripted");
    let hub = hub.build().await;
    for _ in 0..12 {
        hub.chat("m").await;
        advance(Duration::from_secs(1)).await;
    }
    advance(Duration::from_secs(30)).await;
    assert!(timeout(Duration::from_secs(5), hub.open(chat("m", true))).await.is_err());
    assert!(hub.stream("m").await.is_whole());
}

#[tokio::test(start_paused = true)]
async fn an_account_is_dead_when_that_is_confirmed_and_revived_by_a_test() {
    let body = json!({"error": {"message": "The account associated with this API key has been deactivated.",
                               "type": "invalid_request_error", "code": "account_deactivated"}});
    let hub = sole(15, said(401, None, Some(body))).build().await;
    for (wait, lock) in [(300, LockKind::Cooldown), (600, LockKind::Cooldown), (3600, LockKind::Terminal)] {
        let answers = join_all((0..5).map(|_| hub.chat("m"))).await;
        assert!(answers.iter().all(|answer| answer.status == AWAY), "{answers:?}");
        assert!(wait_of(&hub.chat("m").await).abs_diff(wait) <= 1);
        let kept = hub.cooldowns();
        assert_eq!((kept[0].lock, kept[0].kind.as_str()), (lock, "deactivated"));
        advance(Duration::from_secs(wait)).await;
    }
    assert!(hub.chat("m").await.is_whole(), "the test");
    assert!(hub.cooldowns().is_empty() && hub.engine.health().locks().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_content_filters_403_is_the_requests_and_cools_nobody() {
    let body =
        json!({"error": {"message": "refused", "type": "invalid_request_error", "code": "content_filter"}});
    let hub = sole(1, said(403, None, Some(body))).account("other", "sim-ok").build().await;
    let answer = hub.chat("m").await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (StatusCode::FORBIDDEN, &json!("content_filter"))
    );
    assert_eq!(hub.receipts().await[0].detail.attempts[0].fault.as_deref(), Some("content_filter"));
    assert_eq!(hub.chat("m").await.route(), "only");
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_the_sole_account_when_that_is_wanted() {
    let waiting = "routing: {wait_retries: 1}\n";
    for (stream, yaml) in [(false, waiting), (true, waiting), (false, "")] {
        let hub = sole(1, said(429, Some(2), None)).yaml(yaml).build().await;
        let started = Instant::now();
        let answer = if stream { hub.stream("m").await } else { hub.chat("m").await };
        if yaml.is_empty() {
            assert!(is_refused(&answer, StatusCode::TOO_MANY_REQUESTS, 2), "off by default");
            continue;
        }
        assert!(answer.is_whole(), "{answer:?}");
        assert_eq!((started.elapsed().as_secs(), hub.upstream().len()), (2, 2));
        let receipt = &hub.receipts().await[0];
        assert_eq!((receipt.outcome.as_str(), receipt.detail.attempts.len()), ("completed", 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_keeps_a_stream_alive_and_has_a_bound() {
    let yaml = "routing: {wait_retries: 2, wait_longest_seconds: 40}\n";
    let hub = sole(2, said(429, Some(60), None)).yaml(yaml).build().await;
    assert!(is_refused(&hub.stream("m").await, StatusCode::TOO_MANY_REQUESTS, 60), "too long to wait for");
    advance(Duration::from_secs(25)).await;
    // Nobody can be asked when it is planned, and the first who is asked then refuses too.
    let answer = hub.stream("m").await;
    assert_eq!((answer.status, hub.upstream().len()), (StatusCode::OK, 2), "the status was out: {answer:?}");
    assert_eq!(answer.text.matches(": keep-alive\n\n").count(), 2, "35 s in signs of 15 s");
    assert!(answer.text.contains("rate_limit_exceeded") && !answer.text.contains("[DONE]"));
    advance(Duration::from_secs(25)).await;
    assert!(hub.stream("m").await.is_whole());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_while_it_waits_frees_its_place() {
    let hub = sole(1, said(429, Some(20), None)).yaml("routing: {wait_retries: 1}\n").build().await;
    assert!(timeout(Duration::from_secs(5), hub.open(chat("m", true))).await.is_err());
    assert_eq!((hub.engine.admission().running(), hub.upstream().len()), (0, 1));
    assert_eq!(hub.receipts().await[0].outcome, "client_left");
}

#[tokio::test(start_paused = true)]
async fn the_same_target_is_asked_again_where_that_is_configured_and_its_host_stumbled() {
    let again = "resilience: {retries: 2, retry_pause_seconds: 1}\n";
    for (fault, yaml, route, attempts) in [
        (Fault::status(503), again, "only", "3"),
        (Fault::CutBeforeHeaders, again, "only", "3"),
        (Fault::status(503), "", "other", "2"),
        (Fault::status(500), again, "other", "2"),
        (said(503, Some(20), None), again, "other", "2"),
    ] {
        let what = format!("{fault:?} {yaml}");
        let hub = sole(2, fault).yaml(yaml).account("other", "sim-ok").build().await;
        let started = Instant::now();
        let answer = hub.chat("m").await;
        assert!(answer.is_whole(), "{what} {answer:?}");
        assert_eq!((answer.route(), answer.header("x-gateway-attempts")), (route, attempts), "{what}");
        if route == "only" {
            assert_eq!(started.elapsed().as_secs(), 2, "{what}");
            assert_eq!(hub.chat("m").await.route(), "only", "nothing is held against it: {what}");
        }
    }
}
