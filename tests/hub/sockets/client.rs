//! An HTTP client with a key, and answers that know whether they are whole.

use std::{net::SocketAddr, time::Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

use super::support::SOON;

/// Calls a hub with one key. Clones share their connections.
#[derive(Clone)]
pub(super) struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    pub(super) address: SocketAddr,
    pub(super) key: String,
}

impl Client {
    pub(super) fn new(address: SocketAddr, key: &str) -> Self {
        Self { pool: Pool::builder(TokioExecutor::new()).build_http(), address, key: key.to_owned() }
    }

    /// The same client with another key.
    pub(super) fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// A request for a chat completion.
    pub(super) fn chat(&self, model: &str) -> Chat<'_> {
        Chat {
            client: self,
            body: json!({"model": model, "messages": [{"role": "user", "content": "hello"}]}),
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Bytes::new()).await
    }

    pub(super) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.send(Method::POST, path, body.into()).await
    }

    pub(super) async fn send(&self, method: Method, path: &str, body: Bytes) -> Answer {
        self.try_send(method, path, body).await.expect("an answer")
    }

    /// The answer, or why there was none: for hubs that are killed.
    pub(super) async fn try_send(&self, method: Method, path: &str, body: Bytes) -> Result<Answer, String> {
        let whole = async {
            let response = self.open(method, path, body).await?;
            Answer::read(response).await
        };
        tokio::time::timeout(2 * SOON, whole).await.map_err(|_| "no answer in time".to_owned())?
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Request<Full<Bytes>> {
        Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json")
            .body(Full::new(body))
            .unwrap()
    }

    /// The answer to a body that is sent with these headers beside the usual ones.
    pub(super) async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut request = self.request(Method::POST, path, body.to_string().into());
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        Answer::read(self.pool.request(request).await.unwrap()).await.unwrap()
    }

    /// The head of the answer; its body comes later, or is left alone.
    pub(super) async fn open(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, String> {
        let request = self.request(method, path, body);
        self.pool.request(request).await.map_err(|error| error.to_string())
    }
}

const CHAT: &str = "/v1/chat/completions";

/// A request for a chat completion in the making.
pub(super) struct Chat<'a> {
    client: &'a Client,
    body: Value,
}

impl Chat<'_> {
    /// Asks for a stream.
    pub(super) fn stream(self) -> Self {
        self.stream_if(true)
    }

    pub(super) fn stream_if(mut self, stream: bool) -> Self {
        self.body["stream"] = stream.into();
        self
    }

    pub(super) async fn send(self) -> Answer {
        self.try_send().await.expect("an answer")
    }

    pub(super) async fn try_send(self) -> Result<Answer, String> {
        self.client.try_send(Method::POST, CHAT, self.body.to_string().into()).await
    }

    /// Waits for the head of the answer only.
    pub(super) async fn open(self) -> Response<Incoming> {
        let opening = self.client.open(Method::POST, CHAT, self.body.to_string().into());
        tokio::time::timeout(SOON, opening).await.expect("a head in time").unwrap()
    }
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// When its last byte was there.
    pub(super) at: Instant,
}

impl Answer {
    /// Reads the body.
    pub(super) async fn read(response: Response<Incoming>) -> Result<Self, String> {
        let (head, mut incoming) = response.into_parts();
        let mut body = BytesMut::new();
        while let Some(frame) = incoming.frame().await {
            let frame =
                frame.map_err(|error| format!("the body broke after {} bytes: {error}", body.len()))?;
            body.extend_from_slice(frame.data_ref().map_or(&[][..], |data| &data[..]));
        }
        Ok(Self { status: head.status, headers: head.headers, body: body.freeze(), at: Instant::now() })
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The hub's id of the request.
    pub(super) fn request_id(&self) -> String {
        self.header("x-request-id").to_owned()
    }

    /// The public error code.
    pub(super) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Fails unless this is a whole 200 answer: a stream with content up to `[DONE]`, or a completion in one piece.
    pub(super) fn must_be_whole(&self) {
        assert_eq!(self.status, 200, "{self:?}");
        if self.header("content-type").starts_with("text/event-stream") {
            let text = self.text();
            assert!(text.ends_with("data: [DONE]\n\n"), "no end: {text}");
            assert!(text.contains("\"finish_reason\":\"stop\"") && !text.contains("\"error\""), "{text}");
        } else {
            let json = self.json();
            assert_eq!(json["choices"][0]["finish_reason"], "stop", "{json}");
            assert!(json["choices"][0]["message"]["content"].is_string(), "{json}");
        }
    }
}
