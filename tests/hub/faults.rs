//! The fault table: each fault of the simulator on the first account and a healthy second one. The client gets a
//! full answer or, after the first content, an honest error; the receipt tells the attempts.

use http::StatusCode;
use serde_json::json;
use trivium::simulator::{Behaviour, Fault, Script};

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
    ("sim-sse-error-3", Second("in_stream_error"), Broken("server_error")),
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

/// An account whose every answer has this status and body.
fn answering(code: u16, body: serde_json::Value) -> Script {
    let fault = Fault::Status { code, retry_after: None, body: Some(body) };
    Script::default().key("scripted", Behaviour::failing(fault))
}

#[tokio::test(start_paused = true)]
async fn a_callers_error_keeps_its_status_whatever_its_body_looks_like() {
    for (code, body) in [
        (422, json!({"detail": "no"})),
        (413, json!("<html>too large</html>")),
        (400, json!({"error": "no"})),
    ] {
        let hub = TestHub::builder().script(answering(code, body)).account("a", "scripted").build().await;
        let answer = hub.chat("m").await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (code, "upstream_refused"),
            "{answer:?}"
        );
        assert_eq!(hub.receipts().await[0].status, code);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_the_status_is_out_is_one_event() {
    let pretty =
        "{\n  \"error\": {\n    \"message\": \"wrong\",\n    \"type\": \"invalid_request_error\"\n  }\n}";
    let hub = TestHub::builder()
        .yaml("timeouts: {response_start_seconds: 20}\n")
        .script(answering(400, json!(pretty)))
        .account("a", "sim-hang")
        .account("b", "scripted")
        .build()
        .await;
    let answer = hub.stream("m").await;
    assert_eq!(answer.status, StatusCode::OK);
    let last: serde_json::Value = serde_json::from_str(answer.events().last().unwrap()).unwrap();
    assert_eq!(last["error"]["message"], "wrong");
    let receipt = &hub.receipts().await[0];
    assert_eq!((receipt.outcome.as_str(), receipt.status), ("failed", 200), "the client was given a 200");
}

#[tokio::test(start_paused = true)]
async fn auto_asks_a_broken_connection_once_and_not_once_for_each_model() {
    let hub = TestHub::builder()
        .account_with("broken", "sim-500", &["one", "two", "three", "four"])
        .account_with("good", "sim-ok", &["five"])
        .build()
        .await;
    assert!(whole_from(&hub.chat("auto").await, "good", "2"));
    assert_eq!(hub.calls(["sim-500"]), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_mixture_of_reasons_is_no_rate_limit_and_is_told_without_naming_connections() {
    let hub = TestHub::builder().account("a", "sim-429-retry-60").account("b", "sim-401").build().await;
    hub.chat("m").await;
    let answer = hub.chat("m").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "all_targets_cooling_down")
    );
    assert_eq!(answer.header("retry-after"), "60");
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("1 rate_limited, 1 unauthorized"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_reload_forgets_the_cooldowns_of_accounts_that_are_gone_and_keeps_the_others() {
    let both = || TestHub::builder().account("a", "sim-429-retry-60.a").account("b", "sim-404.b");
    let hub = both().build().await;
    hub.chat("m").await;
    assert_eq!(hub.cooldowns().len(), 2);
    let same = both().build().await.engine.snapshot();
    hub.engine.reload((*same.settings).clone());
    assert_eq!(hub.cooldowns().len(), 2, "the same accounts");
    let renewed = TestHub::builder().account("a", "sim-ok.new").account("b", "sim-404.b").build().await;
    hub.engine.reload((*renewed.engine.snapshot().settings).clone());
    let left: Vec<_> = hub.cooldowns().iter().map(|record| record.connection.to_string()).collect();
    assert_eq!(left, ["b"], "the limit was the replaced account's");
    assert_eq!(hub.chat("m").await.route(), "a");
}

#[tokio::test(start_paused = true)]
async fn a_kept_cooldown_of_another_credential_is_not_taken_over() {
    let first = TestHub::builder().account("a", "sim-429-retry-600.old").build().await;
    first.chat("m").await;
    let mut kept = first.cooldowns();
    let second = TestHub::builder().kept(kept.clone()).account("a", "sim-404.new").build().await;
    second.chat("m").await;
    kept.extend(second.cooldowns());
    let third = TestHub::builder().kept(kept).account_with("a", "sim-404.new", &["m", "n"]).build().await;
    assert_eq!(third.chat("m").await.code(), "model_not_found");
    assert_eq!(third.calls(["sim-404.new"]), [0], "the lock of the model holds");
    third.chat("n").await;
    assert_eq!(third.calls(["sim-404.new"]), [1], "the old account's limit does not");
}
