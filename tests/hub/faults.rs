//! The fault table: each fault of the simulator on the first account and a healthy second one. The client gets a
//! full answer or, after the first content, an honest error; the receipt tells the attempts.

use http::StatusCode;

use super::support::{Answer, TestHub};

/// What becomes of a request whose first account has the fault.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// The second account serves; the receipt says this of the first.
    Second(&'static str),
    /// The first account serves all the same.
    First,
    /// The error is the request's own and is passed on with this status.
    Caller(u16),
    /// The answer had begun: it ends with an error event.
    Broken(&'static str),
}

use End::{Broken, Caller, First, Second};

/// Key of the first account, what becomes of a unary request, and of a streamed one.
const TABLE: &[(&str, End, End)] = &[
    ("sim-ok", First, First),
    ("sim-400", Caller(400), Caller(400)),
    ("sim-413", Caller(413), Caller(413)),
    ("sim-422", Caller(422), Caller(422)),
    ("sim-401", Second("unauthorized"), Second("unauthorized")),
    ("sim-402", Second("payment_required"), Second("payment_required")),
    ("sim-403", Second("unauthorized"), Second("unauthorized")),
    ("sim-404", Second("model_not_found"), Second("model_not_found")),
    ("sim-408", Second("unavailable"), Second("unavailable")),
    ("sim-429", Second("rate_limited"), Second("rate_limited")),
    ("sim-429-retry-20", Second("rate_limited"), Second("rate_limited")),
    ("sim-500", Second("unavailable"), Second("unavailable")),
    ("sim-502", Second("unavailable"), Second("unavailable")),
    ("sim-503", Second("unavailable"), Second("unavailable")),
    ("sim-503-retry-20", Second("unavailable"), Second("unavailable")),
    ("sim-529", Second("unavailable"), Second("unavailable")),
    ("sim-hang", Second("first_content_timeout"), Second("response_start_timeout")),
    ("sim-mute", Second("first_content_timeout"), Second("first_content_timeout")),
    ("sim-close", Second("unreachable"), Second("unreachable")),
    ("sim-cut", Second("cut"), Second("cut")),
    ("sim-cut-3", Second("cut"), Broken("stream_interrupted")),
    ("sim-stall-3", Second("first_content_timeout"), Broken("stream_interrupted")),
    ("sim-empty", Second("malformed"), Second("malformed")),
    ("sim-html", Second("malformed"), Second("malformed")),
    ("sim-badjson", Second("malformed"), Second("malformed")),
    ("sim-sse-error", Second("in_stream_error"), Second("in_stream_error")),
    ("sim-sse-error-3", Second("in_stream_error"), Broken("stream_interrupted")),
    ("sim-nostream", First, Second("malformed")),
    ("sim-slow-2000", First, First),
    ("sim-headers-2000", First, First),
    ("sim-nodone", First, First),
    ("sim-twodone", First, First),
    ("sim-wrongtype", First, First),
    ("sim-tiny", First, First),
    ("sim-crlf", First, First),
    ("sim-comments", First, First),
    ("sim-nousage", First, First),
];

#[tokio::test(start_paused = true)]
async fn unary_requests() {
    for &(key, end, _) in TABLE {
        check(key, end, false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn streamed_requests() {
    for &(key, _, end) in TABLE {
        check(key, end, true).await;
    }
}

async fn check(key: &str, end: End, stream: bool) {
    // Deadlines before the status has to be out, so that the headers tell who served.
    let yaml = "timeouts: {response_start_seconds: 5, first_content_seconds: 10}\n";
    let hub = TestHub::builder().yaml(yaml).account("first", key).account("second", "sim-ok").build().await;
    let answer = if stream { hub.stream("m").await } else { hub.chat("m").await };
    let what = format!("{key}, stream: {stream}, answer: {answer:?}");
    match end {
        First => assert!(whole_from(&answer, "first", "1"), "{what}"),
        Second(_) => assert!(whole_from(&answer, "second", "2"), "{what}"),
        Caller(status) => {
            assert_eq!(answer.status.as_u16(), status, "{what}");
            assert_eq!(
                hub.calls(["sim-ok"]),
                [0],
                "a caller's own error must not be tried elsewhere: {what}"
            );
            assert!(answer.json()["error"]["message"].is_string(), "{what}");
        }
        Broken(code) => {
            assert_eq!(answer.status, StatusCode::OK, "{what}");
            let last: serde_json::Value = serde_json::from_str(answer.events().last().unwrap()).unwrap();
            assert_eq!(last["error"]["code"], code, "{what}");
            assert!(
                !answer.text.contains("[DONE]"),
                "a broken stream must not look like a whole one: {what}"
            );
            assert!(!answer.streamed_text().is_empty(), "{what}");
        }
    }
    check_receipt(&hub, end, &what).await;
}

fn whole_from(answer: &Answer, route: &str, attempts: &str) -> bool {
    // CRLF streams are passed through as they are.
    let normal =
        Answer { text: answer.text.replace("\r\n", "\n"), headers: answer.headers.clone(), ..*answer };
    normal.is_whole() && answer.route() == route && answer.header("x-gateway-attempts") == attempts
}

async fn check_receipt(hub: &TestHub, end: End, what: &str) {
    let receipts = hub.receipts().await;
    assert_eq!(receipts.len(), 1, "one request, one receipt: {what}");
    let receipt = &receipts[0];
    let attempts: Vec<(&str, Option<&str>)> = receipt
        .detail
        .attempts
        .iter()
        .map(|attempt| (&*attempt.connection, attempt.fault.as_deref()))
        .collect();
    let (expected, outcome): (Vec<(&str, Option<&str>)>, &str) = match end {
        First => (vec![("first", None)], "completed"),
        Second(fault) => (vec![("first", Some(fault)), ("second", None)], "completed"),
        Caller(_) => (vec![("first", Some("invalid_request"))], "failed"),
        Broken(_) => {
            assert!(attempts.len() == 1 && attempts[0].1.is_some(), "{attempts:?} {what}");
            (attempts.clone(), "interrupted")
        }
    };
    assert_eq!(attempts, expected, "{what}");
    assert_eq!(receipt.outcome, outcome, "{what}");
}

#[tokio::test(start_paused = true)]
async fn what_each_fault_does_to_the_next_request() {
    // After a hard fault the account is left alone; after a passing one it is tried behind the healthy one.
    for key in [
        "sim-401",
        "sim-402",
        "sim-403",
        "sim-404",
        "sim-429",
        "sim-429-retry-20",
        "sim-503-retry-20",
        "sim-500",
        "sim-cut",
        "sim-empty",
    ] {
        let hub = TestHub::builder().account("first", key).account("second", "sim-ok").build().await;
        hub.chat("m").await;
        let again = hub.chat("m").await;
        assert!(whole_from(&again, "second", "1"), "{key}: {again:?}");
        assert_eq!(hub.calls([key]), [1], "{key} is not asked twice in a row");
    }
}

#[tokio::test(start_paused = true)]
async fn a_404_locks_only_that_model_on_that_connection() {
    let script = trivium::simulator::Script::default().models(["known"]);
    let hub = TestHub::builder().script(script).account_with("a", "sim-ok", &["gone", "known"]).build().await;
    for asked in [1, 1] {
        let answer = hub.chat("gone").await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "model_not_found"));
        assert_eq!(hub.upstream().len(), asked, "the provider is not asked again");
    }
    assert!(hub.chat("known").await.is_whole(), "the other model of the connection is not touched");
}

#[tokio::test(start_paused = true)]
async fn a_sole_provider_is_not_blacked_out_by_one_bad_answer() {
    let hub = TestHub::builder().account("only", "sim-500-first-1").build().await;
    assert_eq!(hub.chat("m").await.code(), "all_targets_failed");
    assert!(hub.chat("m").await.is_whole());
}

#[tokio::test(start_paused = true)]
async fn a_refused_credential_is_never_the_callers() {
    let hub = TestHub::builder().account("only", "sim-401").build().await;
    let answer = hub.chat("m").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "all_targets_cooling_down")
    );
    assert_eq!(answer.json()["error"]["attempts"][0]["outcome"], "unauthorized");
}

#[tokio::test(start_paused = true)]
async fn cooldowns_survive_a_restart_and_a_new_credential_ends_them() {
    let first = TestHub::builder().account("a", "sim-429-retry-60.x").account("b", "sim-ok").build().await;
    first.chat("m").await;
    let kept = first.cooldowns();
    assert_eq!(kept.len(), 1);

    let second = TestHub::builder()
        .kept(kept.clone())
        .account("a", "sim-429-retry-60.x")
        .account("b", "sim-ok")
        .build()
        .await;
    assert_eq!(second.chat("m").await.header("x-gateway-attempts"), "1");
    assert_eq!(second.calls(["sim-429-retry-60.x"]), [0], "the account is still cooling");

    let third = TestHub::builder().kept(kept).account("a", "sim-ok.new").account("b", "sim-ok").build().await;
    assert_eq!(third.chat("m").await.route(), "a", "another key is another account");
}
