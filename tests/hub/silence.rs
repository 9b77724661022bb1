//! Sockets whose client says nothing, on a paused clock: HTTP and WebSocket over a pipe within the process.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use futures_util::StreamExt;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{io::DuplexStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, protocol::frame::coding::CloseCode},
};

use crate::support::TestHub;

async fn socket(hub: &Arc<TestHub>) -> WebSocketStream<DuplexStream> {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let hub = Arc::clone(hub);
    tokio::spawn(async move {
        let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let hub = Arc::clone(&hub);
            async move { Ok::<_, std::convert::Infallible>(hub.open(request.map(Body::new)).await) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(theirs), service);
        connection.with_upgrades().await.unwrap();
    });
    client_async("ws://localhost/v1/ws", ours).await.unwrap().0
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_may_be_silent_for_ever() {
    let hub = Arc::new(TestHub::builder().account("a", "sim-ok").build().await);
    let mut socket = socket(&hub).await;
    for _ in 0..10 {
        let message = timeout(Duration::from_secs(21), socket.next()).await.unwrap().unwrap().unwrap();
        assert!(matches!(message, Message::Ping(_)), "{message:?}");
        // The answer goes out with the next read.
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_nothing_is_given_up() {
    let hub = Arc::new(TestHub::builder().account("a", "sim-stall-3").build().await);
    let mut socket = socket(&hub).await;
    let request = r#"{"type": "request", "id": "1", "payload": {"model": "m", "stream": true, "messages": [{"role": "user", "content": "hello"}]}}"#;
    futures_util::SinkExt::send(&mut socket, Message::text(request)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(39)).await;
    assert_eq!(hub.receipts().await.len(), 0, "it runs");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let receipts = hub.receipts().await;
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0].outcome, "client_left");
    let mut code = None;
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(Some(close)) = message {
            code = Some(close.code);
        }
    }
    assert_eq!(code, Some(CloseCode::Policy));
}
