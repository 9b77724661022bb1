//! The simulator as a client meets it, in process on a paused clock and over sockets.
//!
//! Tests of single parts stand beside them.
#![expect(clippy::unwrap_used, reason = "tests")]

mod dialects;
mod faults;
mod gemini;
mod limits;
mod messages;
mod record;
mod responses;
mod sockets;
mod wire;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::{Script, Simulator};

/// A simulator that repeats to the byte.
fn simulator() -> Simulator {
    Simulator::new(Script { epoch: Some(1_000_000), ..Script::default() }, 7)
}

/// An answer, read to its end or to its break.
#[derive(Debug)]
struct Read {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    broken: bool,
}

impl Read {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The data of all events.
    fn events(&self) -> Vec<String> {
        let text = self.text().replace("\r\n", "\n");
        let events = text.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
        events.map(str::to_owned).collect()
    }

    /// All events that are JSON.
    fn chunks(&self) -> Vec<Value> {
        self.events().iter().filter_map(|event| serde_json::from_str(event).ok()).collect()
    }

    /// The text of the stream's first answer.
    fn said(&self) -> String {
        let contents = |chunk: &Value| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned);
        self.chunks().iter().filter_map(contents).collect()
    }
}

fn ask(stream: bool) -> Value {
    json!({"model": "m", "stream": stream, "messages": [{"role": "user", "content": "echo: one two three four"}]})
}

fn request(key: &str, body: &Value) -> Request<Body> {
    Request::post("/v1/chat/completions")
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

async fn read(simulator: &Simulator, request: Request<Body>) -> Read {
    let response = simulator.handle(request).await;
    let (parts, mut body) = response.into_parts();
    let mut read =
        Read { status: parts.status.as_u16(), headers: parts.headers, body: Vec::new(), broken: false };
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => read.body.extend_from_slice(frame.data_ref().unwrap()),
            Err(_) => read.broken = true,
        }
    }
    read
}

async fn chat(simulator: &Simulator, key: &str, body: &Value) -> Read {
    read(simulator, request(key, body)).await
}

async fn get(simulator: &Simulator, key: &str, path: &str) -> Read {
    let request = Request::get(path).header("authorization", format!("Bearer {key}"));
    read(simulator, request.body(Body::empty()).unwrap()).await
}
