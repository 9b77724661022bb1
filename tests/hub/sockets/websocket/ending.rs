//! What becomes of sockets when the hub stops.

use std::time::{Duration, Instant};

use serde_json::json;
use trivium::ops::ports::ReceiptLog;

use super::{
    super::{
        restart::store,
        support::{Hub, SOON, eventually},
    },
    client::Socket,
};

/// Asks the hub to stop, once it listens to that: it answers requests a moment before.
pub(super) async fn stop(hub: &Hub) {
    const SIGTERM: u64 = 1 << 14;
    let file = format!("/proc/{}/status", hub.process.id());
    eventually("the hub listens to signals", SOON, || {
        // Other systems do not tell.
        let Ok(status) = std::fs::read_to_string(&file) else { return Some(()) };
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        (u64::from_str_radix(caught.trim(), 16).ok()? & SIGTERM != 0).then_some(())
    })
    .await;
    hub.process.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orderly_stop_lets_answers_finish() {
    let mut hub = Hub::builder().account("a", "sim-pace-20+chunks-60").start().await;
    let idle = Socket::of(&hub).await;
    let mut socket = Socket::of(&hub).await;
    for id in ["1", "2"] {
        socket.ask(id, json!({"stream": true})).await;
    }
    assert_eq!(socket.next().await["type"], "chunk");
    stop(&hub).await;
    assert_eq!(idle.close_code().await, (vec![], 1001), "who has nothing running goes at once");
    socket.ask("late", json!({"stream": true})).await;
    let (late, _) = socket.end_of("late").await;
    assert_eq!((&late["error"]["code"], &late["error"]["status"]), (&json!("shutting_down"), &json!(503)));
    assert!(hub.process.ended().is_none(), "the streams still run");
    for id in ["1", "2"] {
        let (end, chunks) = socket.end_of(id).await;
        assert_eq!(end["type"], "complete");
        assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "stop");
    }
    assert_eq!(socket.close_code().await, (vec![], 1001));
    let status = hub.process.end().await;
    assert_eq!(status.code(), Some(0), "{}", hub.ground.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_ever() {
    let mut hub = Hub::builder()
        .account("a", "sim-stall-3")
        .section("server: {shutdown_timeout_seconds: 1}")
        .start()
        .await;
    let mut socket = Socket::of(&hub).await;
    socket.ask("1", json!({"stream": true})).await;
    let id = socket.next().await["request_id"].as_str().unwrap().to_owned();
    let asked = Instant::now();
    stop(&hub).await;
    let (frames, code) = socket.close_code().await;
    assert_eq!(code, 1001);
    assert!(frames.iter().all(|frame| frame["type"] == "chunk"), "no end is feigned: {frames:?}");
    hub.process.end().await;
    let took = asked.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_secs(5)).contains(&took), "{took:?}");
    let store = store(&hub.ground).await;
    let receipt = store.receipts().by_id(id).await.unwrap().expect("a receipt");
    assert_eq!(receipt.outcome, "client_left");
    store.close().await.unwrap();
}
