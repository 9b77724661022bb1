//! Deadlines, signs of life and clients that leave, on a paused clock.

use std::time::Duration;

use futures_util::StreamExt;
use http::StatusCode;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout};
use trivium::simulator::{Behaviour, Outcome, Script};

use super::support::{TestHub, chat};

#[tokio::test(start_paused = true)]
async fn a_slow_first_token_is_bridged_by_comments_and_the_status_is_held_back_no_longer_than_that() {
    let hub = TestHub::builder().account("a", "sim-slow-40000").build().await;
    let started = Instant::now();
    let response = hub.open(chat("m", true)).await;
    assert_eq!(started.elapsed().as_secs(), 15, "the status comes with the first sign of life");
    assert!(response.headers().get("x-gateway-route").is_none(), "who will serve is not known yet");
    let answer = super::support::Answer::read(response).await;
    assert!(answer.is_whole());
    assert_eq!(answer.text.matches(": keep-alive\n\n").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn another_account_is_tried_even_after_the_status_is_out() {
    let yaml = "timeouts: {response_start_seconds: 20, first_content_seconds: 20}\n";
    let hub = TestHub::builder().yaml(yaml).account("a", "sim-mute").account("b", "sim-ok").build().await;
    let answer = hub.stream("m").await;
    assert!(answer.is_whole(), "{answer:?}");
    assert_eq!(hub.receipts().await[0].detail.attempts.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn when_nobody_answers_after_the_status_is_out_the_stream_says_so() {
    let yaml = "timeouts: {response_start_seconds: 20, first_content_seconds: 20}\n";
    let hub = TestHub::builder().yaml(yaml).account("a", "sim-mute").build().await;
    let answer = hub.stream("m").await;
    assert_eq!(answer.status, StatusCode::OK);
    let last: serde_json::Value = serde_json::from_str(answer.events().last().unwrap()).unwrap();
    assert_eq!(last["error"]["code"], "deadline_exceeded", "{answer:?}");
    assert!(!answer.text.contains("[DONE]"));
}

#[tokio::test(start_paused = true)]
async fn the_total_deadline_bounds_all_attempts_together() {
    let yaml = "timeouts: {first_content_seconds: 40, total_seconds: 60}\n";
    let hub =
        TestHub::builder().yaml(yaml).account("a", "sim-hang.a").account("b", "sim-hang.b").build().await;
    let started = Instant::now();
    let answer = hub.chat("m").await;
    assert_eq!(started.elapsed().as_secs(), 60);
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::GATEWAY_TIMEOUT, "deadline_exceeded"));
}

#[tokio::test(start_paused = true)]
async fn a_long_answer_is_kept_alive_between_its_pieces() {
    let script = Script { default: Behaviour::ok().paced(3, 40_000), ..Script::default() };
    let hub = TestHub::builder().script(script).account("a", "any-key").build().await;
    let answer = hub.stream("m").await;
    assert!(answer.is_whole(), "{answer:?}");
    assert_eq!(answer.text.matches(": keep-alive\n\n").count(), 4, "two for each pause of 40 s");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_stops_the_work_and_frees_its_place() {
    let script = Script { default: Behaviour::ok().paced(100, 1000), ..Script::default() };
    let hub = TestHub::builder().script(script).account("a", "any-key").build().await;
    let mut body = hub.open(chat("m", true)).await.into_body().into_data_stream();
    for _ in 0..5 {
        body.next().await.unwrap().unwrap();
    }
    assert_eq!(hub.engine.admission().running(), 1);
    drop(body);
    assert_eq!(hub.engine.admission().running(), 0);
    let receipt = &hub.receipts().await[0];
    assert_eq!((receipt.outcome.as_str(), receipt.status), ("client_left", 200));
    assert_eq!(hub.upstream()[0].outcome, Outcome::ClientLeft);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_before_the_answer_begins_stops_the_work_too() {
    let hub = TestHub::builder().account("a", "sim-hang").build().await;
    for stream in [false, true] {
        assert!(timeout(Duration::from_secs(5), hub.open(chat("m", stream))).await.is_err());
        assert_eq!(hub.engine.admission().running(), 0);
    }
    for receipt in hub.receipts().await {
        assert_eq!((receipt.outcome.as_str(), receipt.status), ("client_left", 499));
    }
    assert!(hub.upstream().iter().all(|entry| entry.outcome == Outcome::ClientLeft));
    assert!(hub.cooldowns().is_empty(), "leaving is not the provider's failure");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_collected_of_a_stream() {
    // A piece reaches the client while the provider is still far from its end.
    let script = Script { default: Behaviour::ok().paced(50, 1000), ..Script::default() };
    let hub = TestHub::builder().script(script).account("a", "any-key").build().await;
    let started = Instant::now();
    let mut body = hub.open(chat("m", true)).await.into_body();
    body.frame().await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(2));
}
