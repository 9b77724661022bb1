//! Over sockets: what is on the wire when the connection breaks, from either side. Real time, so short times.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::simulator::Outcome;

async fn served(simulator: &Simulator) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    (address, stop, tokio::spawn(simulator.clone().serve(listener, shutdown)))
}

async fn send(address: SocketAddr, key: &str, stream: bool) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let body = ask(stream).to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(body.as_bytes()).await.unwrap();
    socket
}

async fn raw(address: SocketAddr, key: &str, stream: bool) -> String {
    let mut answer = Vec::new();
    send(address, key, stream).await.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_cut_leaves_the_body_without_an_end() {
    let (address, _stop, _task) = served(&simulator()).await;
    let whole = raw(address, "sim-ok", true).await;
    assert!(whole.starts_with("HTTP/1.1 200 OK\r\n") && whole.ends_with("0\r\n\r\n"));

    let cut = raw(address, "sim-cut-3", true).await;
    assert!(cut.contains(r#""content":" three""#), "what was sent before the cut arrives: {cut}");
    assert!(!cut.contains(r#""content":" four""#) && !cut.ends_with("0\r\n\r\n"));

    let cut = raw(address, "sim-cut-3", false).await;
    let (head, body) = cut.split_once("\r\n\r\n").unwrap();
    let announced = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert!(!body.is_empty() && body.len() < announced.parse().unwrap());

    assert_eq!(raw(address, "sim-close", true).await, "");
    assert!(raw(address, "sim-empty", true).await.starts_with("HTTP/1.1 200 OK\r\n"));
    // Each fragment is an HTTP chunk of its own: its size in hex, and seven bytes.
    let tiny = raw(address, "sim-tiny", true).await;
    assert!(tiny.contains("\r\n7\r\ndata: {\r\n7\r\n") && tiny.ends_with("0\r\n\r\n"));
}

#[tokio::test]
async fn a_hang_up_is_noticed() {
    let simulator = simulator();
    let (address, _stop, _task) = served(&simulator).await;
    for key in ["sim-hang", "sim-mute", "sim-stall-2"] {
        let mut socket = send(address, key, true).await;
        if key != "sim-hang" {
            socket.read_exact(&mut [0; 16]).await.unwrap();
        }
        while simulator.stats().in_flight == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(socket);
        let noticed = async {
            while simulator.stats().in_flight > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), noticed).await.unwrap();
        assert_eq!(simulator.log().last().unwrap().outcome, Outcome::ClientLeft, "{key}");
    }
}

#[tokio::test]
async fn running_answers_end_before_the_server_does() {
    let (address, stop, task) = served(&simulator()).await;
    let mut socket = send(address, "sim-pace-20", true).await;
    socket.read_exact(&mut [0; 16]).await.unwrap();
    stop.send(()).unwrap();
    let mut rest = String::new();
    socket.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("[DONE]"));
    tokio::time::timeout(Duration::from_secs(5), task).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_router_mounts_elsewhere() {
    use tower::ServiceExt as _;
    let router = axum::Router::new().nest("/fake", simulator().router());
    let mut asked = request("sim-ok", &ask(false));
    *asked.uri_mut() = "/fake/v1/chat/completions".parse().unwrap();
    assert_eq!(router.oneshot(asked).await.unwrap().status(), 200);
}
