//! Proxies over real sockets of this machine.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::outbound::{Client, Transport, TransportFailure};

/// A server that answers everything with its own words.
async fn origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                head(&mut stream).await;
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\norigin";
                drop(stream.write_all(answer.as_bytes()).await);
            });
        }
    });
    address
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

type Log = Arc<Mutex<Vec<String>>>;

async fn pass(mut client: TcpStream, to: SocketAddr) {
    let mut server = TcpStream::connect(to).await.unwrap();
    drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
}

/// An HTTP proxy that leads everybody to one place, if they bring `login`.
async fn http_proxy(to: SocketAddr, login: Option<&'static str>) -> (SocketAddr, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, log) = (listener.local_addr().unwrap(), Log::default());
    let seen = Arc::clone(&log);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let asked = head(&mut stream).await;
            let allowed =
                login.is_none_or(|login| asked.contains(&format!("Proxy-Authorization: Basic {login}\r\n")));
            seen.lock().unwrap().push(asked.lines().next().unwrap_or_default().to_owned());
            if allowed {
                stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
                tokio::spawn(pass(stream, to));
            } else {
                stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await.unwrap();
            }
        }
    });
    (address, log)
}

/// A SOCKS5 proxy that wants the user `me` with the password `pw`, and says `reply`.
async fn socks_proxy(to: SocketAddr, reply: u8) -> (SocketAddr, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, log) = (listener.local_addr().unwrap(), Log::default());
    let seen = Arc::clone(&log);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut greeting = [0; 4];
            stream.read_exact(&mut greeting).await.unwrap();
            assert_eq!(greeting, [5, 2, 0, 2]);
            stream.write_all(&[5, 2]).await.unwrap();
            let mut login = [0; 7];
            stream.read_exact(&mut login).await.unwrap();
            let good = login == [1, 2, b'm', b'e', 2, b'p', b'w'];
            stream.write_all(&[1, u8::from(!good)]).await.unwrap();
            if !good {
                continue;
            }
            let mut request = [0; 5];
            stream.read_exact(&mut request).await.unwrap();
            assert_eq!(request[..4], [5, 1, 0, 3]);
            let mut name = vec![0; usize::from(request[4]) + 2];
            stream.read_exact(&mut name).await.unwrap();
            let port = u16::from_be_bytes([name[name.len() - 2], name[name.len() - 1]]);
            let host = String::from_utf8_lossy(&name[..name.len() - 2]).into_owned();
            seen.lock().unwrap().push(format!("{host}:{port}"));
            stream.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
            if reply == 0 {
                tokio::spawn(pass(stream, to));
            }
        }
    });
    (address, log)
}

fn proxy(scheme: ProxyScheme, at: SocketAddr, login: Option<(&str, &str)>) -> Proxy {
    let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
    Proxy { scheme, host: at.ip().to_string(), port: at.port(), login }
}

async fn get(client: &Client, url: &str, proxy: Proxy) -> Result<Bytes, (TransportFailure, String)> {
    let mut request = http::Request::get(url).body(Bytes::new()).unwrap();
    request.extensions_mut().insert(Via(Arc::new(proxy)));
    let answer = client.call(request, Duration::from_secs(5)).await;
    let answer = answer.map_err(|error| (error.failure, error.to_string()))?;
    Ok(answer.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn requests_go_through_an_http_proxy_that_resolves_the_name() {
    let (at, log) = http_proxy(origin().await, Some("bWU6cHc=")).await;
    let client = Client::new();
    let with = |login| proxy(ProxyScheme::Http, at, login);
    assert_eq!(get(&client, "http://far.invalid/x", with(Some(("me", "pw")))).await.unwrap(), "origin");
    assert_eq!(*log.lock().unwrap(), ["CONNECT far.invalid:80 HTTP/1.1"]);
    for (login, says) in [(Some(("me", "wrong-pw")), "refused"), (None, "wants a user")] {
        let (failure, text) = get(&client, "http://far.invalid:81/x", with(login)).await.unwrap_err();
        assert_eq!(failure, TransportFailure::Proxy);
        assert!(
            text.contains("the proxy failed") && text.contains(says) && !text.contains("wrong-pw"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn requests_go_through_a_socks_proxy_that_resolves_the_name() {
    let origin = origin().await;
    let (at, log) = socks_proxy(origin, 0).await;
    let client = Client::new();
    let with = |at, password| proxy(ProxyScheme::Socks5, at, Some(("me", password)));
    assert_eq!(get(&client, "http://far.invalid/x", with(at, "pw")).await.unwrap(), "origin");
    assert_eq!(*log.lock().unwrap(), ["far.invalid:80"]);
    let (failure, text) = get(&client, "http://far.invalid/x", with(at, "no")).await.unwrap_err();
    assert!(failure == TransportFailure::Proxy && text.contains("refused the user"), "{text}");
    let (at, _) = socks_proxy(origin, 5).await;
    let (failure, text) = get(&client, "http://far.invalid/x", with(at, "pw")).await.unwrap_err();
    assert!(failure == TransportFailure::Proxy && text.contains("connection refused"), "{text}");
}

#[tokio::test]
async fn a_proxy_that_is_away_or_is_none_is_blamed_itself() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = Client::new();
    for scheme in [ProxyScheme::Http, ProxyScheme::Https, ProxyScheme::Socks5] {
        let (failure, text) =
            get(&client, "http://far.invalid/", proxy(scheme, closed, None)).await.unwrap_err();
        assert!(
            failure == TransportFailure::Proxy && text.contains("cannot be reached"),
            "{scheme:?} {text}"
        );
    }
    // A server that is no proxy.
    let (failure, text) =
        get(&client, "http://far.invalid/", proxy(ProxyScheme::Https, origin().await, None))
            .await
            .unwrap_err();
    assert_eq!(failure, TransportFailure::Proxy, "{text}");
}

#[test]
fn a_proxy_does_not_print_who_asks() {
    let at = SocketAddr::from(([127, 0, 0, 1], 1));
    let shown = format!("{:?}", Via(Arc::new(proxy(ProxyScheme::Http, at, Some(("user", "canary"))))));
    assert!(!shown.contains("canary") && !shown.contains("user"), "{shown}");
}

#[tokio::test]
async fn each_request_has_the_deadline_that_it_brought() {
    // Takes connections and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Arc::new(proxy(ProxyScheme::Http, listener.local_addr().unwrap(), None));
    let client = Client::new();
    let call = |seconds: f64| {
        let mut request = http::Request::get("http://origin.test/").body(Bytes::new()).unwrap();
        request.extensions_mut().insert(Via(Arc::clone(&proxy)));
        client.call(request, Duration::from_secs_f64(seconds))
    };
    // Both are there before either connects.
    let (long, short) = (call(60.0), call(0.05));
    let mut long = Box::pin(async { drop(long.await) });
    tokio::select! {
        () = &mut long => unreachable!("it has a minute"),
        answer = short => assert!(answer.is_err()),
    }
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut long).await.is_err());
    // And the other way round: the patience of one is none of the other's.
    let (short, _long) = (call(0.05), call(60.0));
    assert!(tokio::time::timeout(Duration::from_secs(20), short).await.unwrap().is_err());
}
