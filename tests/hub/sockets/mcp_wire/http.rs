//! MCP over HTTP: requests with the headers that clients send, and events as they come.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use super::{
    super::support::{Hub, SOON},
    initialize, ready,
};

/// A client with a key. Every request has a connection of its own.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) address: SocketAddr,
    pub(super) key: String,
}

/// Events of a stream.
pub(super) struct Events {
    body: Incoming,
    text: String,
}

impl Caller {
    pub(super) fn of(hub: &Hub) -> Self {
        Self { address: hub.address, key: hub.key.clone() }
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Response<Incoming> {
        let pool: Pool<HttpConnector, Full<Bytes>> = Pool::builder(TokioExecutor::new()).build_http();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let sent = pool.request(request.body(Full::new(body)).unwrap());
        tokio::time::timeout(SOON, sent).await.expect("a head in time").unwrap()
    }

    /// Sends a message of a session.
    pub(super) async fn post(&self, session: &str, message: &Value) -> Response<Incoming> {
        self.in_session(Method::POST, session, message).await
    }

    pub(super) async fn in_session(&self, method: Method, session: &str, body: &Value) -> Response<Incoming> {
        let headers = [("mcp-session-id", session), ("mcp-protocol-version", "2025-11-25")];
        self.send(method, "/mcp", &headers, body).await
    }

    /// Opens a session.
    pub(super) async fn open(&self) -> String {
        let answer = self.send(Method::POST, "/mcp", &[], &initialize(0)).await;
        assert_eq!(answer.status(), 200);
        let id = answer.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        assert_eq!(Events::of(answer).answer(0).await["result"]["serverInfo"]["name"], "trivium");
        assert_eq!(self.post(&id, &ready()).await.status(), 202);
        id
    }
}

impl Events {
    pub(super) fn of(answer: Response<Incoming>) -> Self {
        Self { body: answer.into_body(), text: String::new() }
    }

    /// The name and the data of the next event that has any; `None` at the end of the stream.
    pub(super) async fn next(&mut self) -> Option<(String, String)> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let found = field("data:").filter(|data| !data.is_empty());
                let found =
                    found.map(|data| (field("event:").unwrap_or_default().to_owned(), data.to_owned()));
                self.text = rest.to_owned();
                if found.is_some() {
                    return found;
                }
            }
            let frame = tokio::time::timeout(2 * SOON, self.body.frame()).await.expect("an event in time")?;
            let Ok(data) = frame.ok()?.into_data() else { continue };
            self.text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The answer to that request.
    pub(super) async fn answer(&mut self, id: u32) -> Value {
        loop {
            let (_, data) = self.next().await.expect("an answer before the end");
            let message: Value =
                serde_json::from_str(&data).unwrap_or_else(|error| panic!("{error}: {data}"));
            if message["id"] == id {
                return message;
            }
        }
    }
}
