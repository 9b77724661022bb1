//! A running hub, asked over its REST API.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Limited};
use serde::{Serialize, de::DeserializeOwned};

use crate::outbound::{Client, Transport};

/// The hub is on this machine: it answers at once, or something is wrong.
const PATIENCE: Duration = Duration::from_secs(10);

/// Far more than a page of keys, or an explanation with a thousand candidates.
const ANSWER_LIMIT: usize = 4 * 1024 * 1024;

/// A running hub.
pub(super) struct Remote {
    base_url: String,
    secret: String,
    client: Client,
}

impl Remote {
    pub(super) fn new(base_url: String, secret: String) -> Self {
        Self { base_url, secret, client: Client::new() }
    }

    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        args: Option<&impl Serialize>,
    ) -> Result<T, String> {
        let body = match args {
            Some(args) => serde_json::to_vec(args).map_err(|error| error.to_string())?,
            None => Vec::new(),
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base_url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.secret))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(body))
            .map_err(|error| error.to_string())?;
        let answer = async {
            let answer = self.client.call(request, PATIENCE).await.map_err(|error| error.to_string())?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_LIMIT).collect().await.map_err(|error| error.to_string())?;
            Ok::<_, String>((parts.status, body.to_bytes()))
        };
        let (status, body) = tokio::time::timeout(PATIENCE, answer)
            .await
            .map_err(|_| {
                format!("the hub at {} did not answer within {} s", self.base_url, PATIENCE.as_secs())
            })?
            .map_err(|error| format!("the hub at {} could not be asked: {error}", self.base_url))?;
        if !status.is_success() {
            let value: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            let said = value.pointer("/error/message").and_then(serde_json::Value::as_str);
            return Err(said.map_or_else(|| format!("the hub answered {status}"), str::to_owned));
        }
        serde_json::from_slice(&body).map_err(|error| format!("the hub's answer could not be read: {error}"))
    }
}

/// For calls without arguments.
pub(super) const NOTHING: Option<&()> = None;

/// A name as one segment of a path.
pub(super) fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
