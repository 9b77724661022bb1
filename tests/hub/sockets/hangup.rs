//! A client that leaves takes its request at the provider with it, at once.

use std::time::Duration;

use http_body_util::BodyExt;
use trivium::{
    ops::ports::{ReceiptLog, ReceiptRow},
    simulator::{Entry, Outcome},
};

use super::{
    restart::store,
    support::{Hub, eventually},
};

/// How soon the provider must see it. A hub that did not tell would let the simulator's silence go on for minutes.
const AT_ONCE: Duration = Duration::from_secs(2);

async fn client_left(hub: &Hub) -> Entry {
    eventually("the provider sees that the client left", AT_ONCE, || {
        hub.provider.calls("a").pop().filter(|entry| entry.outcome == Outcome::ClientLeft)
    })
    .await
}

async fn last_receipt(mut hub: Hub) -> ReceiptRow {
    assert!(hub.stop().await.success());
    let store = store(&hub.ground).await;
    let receipt = store.receipts().recent(1).await.unwrap().pop().expect("a receipt");
    store.close().await.unwrap();
    receipt
}

#[tokio::test(flavor = "multi_thread")]
async fn in_mid_stream() {
    let hub = Hub::builder().account("a", "sim-stall-3").start().await;
    let mut answer = hub.chat("m").stream().open().await;
    assert_eq!(answer.status(), 200);
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let first = answer.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(first.starts_with(b"data: "), "{first:?}");
    drop(answer);
    assert_eq!(client_left(&hub).await.status, Some(200));
    let receipt = last_receipt(hub).await;
    assert_eq!((receipt.id, receipt.outcome.as_str(), receipt.status), (id, "client_left", 200));
    assert_eq!(receipt.connection.as_deref(), Some("a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_byte() {
    for stream in [true, false] {
        let hub = Hub::builder().account("a", "sim-hang").start().await;
        let client = hub.client.clone();
        let waiting = tokio::spawn(async move { drop(client.chat("m").stream_if(stream).open().await) });
        eventually("the request is at the provider", AT_ONCE, || hub.provider.calls("a").pop()).await;
        waiting.abort();
        client_left(&hub).await;
        let receipt = last_receipt(hub).await;
        assert_eq!((receipt.outcome.as_str(), receipt.status), ("client_left", 499), "stream: {stream}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_is_not_taken_for_a_departure() {
    let hub = Hub::builder().account("a", "sim-pace-1").start().await;
    for stream in [true, false] {
        hub.chat("m").stream_if(stream).send().await.must_be_whole();
    }
    let calls = hub.provider.calls("a");
    assert!(calls.iter().all(|entry| entry.outcome == Outcome::Complete), "{calls:?}");
    assert_eq!(last_receipt(hub).await.outcome, "completed");
}
