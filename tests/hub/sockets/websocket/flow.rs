//! Who waits for whom: clients that read slowly, cancel, or leave.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use trivium::{ops::ports::ReceiptLog, simulator::Outcome};

use super::{
    super::{
        restart::store,
        support::{Hub, SOON, eventually},
    },
    client::Socket,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_stops_the_work_at_the_provider() {
    let mut hub = Hub::builder().account("a", "sim-stall-3").start().await;
    let mut socket = Socket::of(&hub).await;
    socket.ask("kept", json!({"stream": true})).await;
    let kept = socket.next().await["request_id"].clone();
    let mut cancelled = Vec::new();
    for (id, stream) in [("streamed", true), ("whole", false)] {
        socket.ask(id, json!({"stream": stream})).await;
        eventually("it is at the provider", SOON, || {
            (hub.provider.simulator.stats().in_flight == 2).then_some(())
        })
        .await;
        socket.cancel(id).await;
        let (end, _) = socket.end_of(id).await;
        assert_eq!(end["type"], "cancelled");
        cancelled.push(end["request_id"].clone());
        eventually("the provider sees it", SOON, || {
            let log = hub.provider.calls("a");
            log.last().filter(|entry| entry.outcome == Outcome::ClientLeft).map(|_| ())
        })
        .await;
    }
    assert_eq!(hub.provider.calls("a")[0].outcome, Outcome::Running, "others go on");
    assert_eq!(socket.leave().await, 1005);
    let gone = || (hub.provider.simulator.stats().in_flight == 0).then_some(());
    eventually("who leaves cancels what is left", SOON, gone).await;
    assert!(hub.stop().await.success());
    let store = store(&hub.ground).await;
    for id in cancelled.iter().chain([&kept]) {
        let receipt = store.receipts().by_id(id.as_str().unwrap().to_owned()).await.unwrap();
        assert_eq!(receipt.expect("a receipt").outcome, "client_left");
    }
    assert_eq!(store.receipts().count().await.unwrap(), 3);
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_cancels_everything() {
    let hub = Hub::builder().account("a", "sim-stall-3").start().await;
    let mut socket = Socket::of(&hub).await;
    for number in 0..20 {
        socket.ask(&number.to_string(), json!({"stream": number % 2 == 0})).await;
    }
    eventually("all are there", SOON, || (hub.provider.simulator.stats().in_flight == 20).then_some(()))
        .await;
    drop(socket);
    let gone = || (hub.provider.simulator.stats().client_left == 20).then_some(());
    eventually("the provider is left alone", Duration::from_secs(2), gone).await;
}

/// How many chunks of how many bytes the large answer has: more than all buffers on its way take.
const CHUNKS: usize = 4000;
const CHUNK: usize = 16 * 1024;

/// A provider that writes one large answer to each request, as fast as it is taken, and counts its chunks.
async fn large_answers(listener: TcpListener, written: Arc<AtomicUsize>) {
    while let Ok((mut tcp, _)) = listener.accept().await {
        let written = Arc::clone(&written);
        tokio::spawn(async move {
            let mut request = vec![0; 64 * 1024];
            let _ = tcp.read(&mut request).await?;
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
            tcp.write_all(head).await?;
            let filler = "x".repeat(CHUNK);
            for number in 0..CHUNKS {
                let delta = json!({"content": format!("{number} {filler}")});
                let finish = (number + 1 == CHUNKS).then_some("stop");
                let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
                let chunk = json!({"id": "c", "object": "chat.completion.chunk", "choices": [choice]});
                tcp.write_all(format!("data: {chunk}\n\n").as_bytes()).await?;
                written.fetch_add(1, Ordering::Relaxed);
            }
            tcp.write_all(b"data: [DONE]\n\n").await
        });
    }
}

/// An account in the configuration.
fn provider(id: &str, address: SocketAddr, model: &str) -> String {
    format!(
        "  - id: {id}\n    type: openai-compatible\n    base_url: http://{address}/v1\n    api_key: sim-ok.{id}\n    models: [{model}]\n"
    )
}

/// The count, once it stands still.
async fn standstill(written: &AtomicUsize) -> usize {
    let end = Instant::now() + 2 * SOON;
    loop {
        let before = written.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(700)).await;
        if before > 0 && before == written.load(Ordering::Relaxed) {
            return before;
        }
        assert!(Instant::now() < end, "it goes on and on: {before}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_slowly_slows_the_provider_down_and_nobody_else() {
    let hub = Hub::builder().account("a", "sim-ok").start().await;
    let written = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let large = listener.local_addr().unwrap();
    tokio::spawn(large_answers(listener, Arc::clone(&written)));
    hub.write_config(&format!(
        "providers:\n{}{}",
        provider("a", hub.provider.address, "m"),
        provider("large", large, "big"),
    ));
    hub.uses(&["a", "large"]).await;

    let mut slow = Socket::narrow(&hub).await;
    slow.ask("1", json!({"model": "big", "stream": true})).await;
    let ahead = standstill(&written).await;
    assert!(ahead < CHUNKS / 2, "{ahead} chunks were read ahead");

    let mut other = Socket::of(&hub).await;
    other.ask("1", json!({"stream": true})).await;
    assert_eq!(other.end_of("1").await.0["type"], "complete");
    // What the slow one sends is still heard.
    slow.ask("2", json!({})).await;
    eventually("its other request runs", SOON, || (hub.provider.calls("a").len() == 2).then_some(())).await;
    assert_eq!(standstill(&written).await, ahead);

    for number in 0..CHUNKS {
        let frame = loop {
            let frame = slow.next().await;
            if frame["id"] == "1" {
                break frame;
            }
            assert_eq!(frame["type"], "complete", "{frame}");
        };
        let text = frame["data"]["choices"][0]["delta"]["content"].as_str().unwrap();
        assert_eq!(text.split_once(' ').unwrap().0, number.to_string(), "nothing is lost or out of order");
    }
    assert_eq!(slow.end_of("1").await.0["type"], "complete");
}

/// A hub whose only provider writes large answers, and a client that reads none of two.
async fn stuck() -> (Hub, Socket) {
    let hub = Hub::builder().account("a", "sim-ok").start().await;
    let written = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let large = listener.local_addr().unwrap();
    tokio::spawn(large_answers(listener, Arc::clone(&written)));
    hub.write_config(&format!("providers:\n{}", provider("large", large, "big")));
    hub.uses(&["large"]).await;
    let mut socket = Socket::narrow(&hub).await;
    for id in ["1", "2"] {
        socket.ask(id, json!({"model": "big", "stream": true})).await;
    }
    standstill(&written).await;
    assert_eq!(running(&hub).await, 2);
    (hub, socket)
}

async fn running(hub: &Hub) -> Value {
    hub.health().await["details"]["requests_running"].clone()
}

async fn nothing_runs(hub: &Hub) {
    let end = Instant::now() + SOON;
    while running(hub).await != 0 {
        assert!(Instant::now() < end, "something runs");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_gets_through_to_a_full_queue() {
    let (hub, mut socket) = stuck().await;
    for id in ["1", "2"] {
        socket.cancel(id).await;
    }
    nothing_runs(&hub).await;
    for id in ["1", "2"] {
        let (end, chunks) = socket.end_of(id).await;
        assert_eq!(end["type"], "cancelled");
        assert!(chunks.len() < CHUNKS);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goodbye_gets_through_to_a_full_queue() {
    let (hub, socket) = stuck().await;
    let leaving = tokio::spawn(socket.leave());
    nothing_runs(&hub).await;
    assert_eq!(leaving.await.unwrap(), 1005, "and is answered");
}
