//! An answer of the hub, read to its end.

use axum::body::Body;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn read(response: http::Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The connection that served.
    pub(crate) fn route(&self) -> &str {
        self.header("x-gateway-route")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The code of an error answer, after a check of its shape.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        let error = &json["error"];
        assert!(error["message"].is_string() && error["type"].is_string(), "{json}");
        assert!(error.get("param").is_some(), "{json}");
        error["code"].as_str().unwrap().to_owned()
    }

    /// The data of each event.
    pub(crate) fn events(&self) -> Vec<&str> {
        self.text.split("\n\n").filter_map(|event| event.trim().strip_prefix("data: ")).collect()
    }

    /// The text of a streamed answer.
    pub(crate) fn streamed_text(&self) -> String {
        let chunks = self.events().into_iter().filter_map(|data| serde_json::from_str::<Value>(data).ok());
        chunks
            .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
            .collect()
    }

    /// Whether this is a whole answer: a completion, or a stream with a finish and its `[DONE]`.
    pub(crate) fn is_whole(&self) -> bool {
        if !self.status.is_success() {
            return false;
        }
        if self.header("content-type").starts_with("text/event-stream") {
            let finished = self.text.contains("\"finish_reason\":\"stop\"");
            return finished && self.events().last() == Some(&"[DONE]") && !self.text.contains("\"error\"");
        }
        let json = self.json();
        json["choices"][0]["message"]["content"].as_str().is_some_and(|text| !text.is_empty())
    }
}
