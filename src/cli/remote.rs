//! A running hub, asked over its REST API.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Limited};
use operations::{Definition, Operation};
use serde::Serialize;
use serde_json::Value;

use crate::outbound::{Client, Transport};

/// To connect: the hub is on this machine.
const CONNECT: Duration = Duration::from_secs(10);

/// For an answer. Most come at once; some operations ask a provider first, and tell when that does not answer.
const PATIENCE: Duration = Duration::from_secs(100);

/// A large database takes its time to be copied or read through.
const PATIENCE_FOR_BACKUPS: Duration = Duration::from_secs(30 * 60);

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

    /// Executes an operation.
    pub(super) async fn call<O: Operation>(&self, args: O::Args) -> Result<O::Result, String> {
        let args = serde_json::to_value(args).map_err(|error| error.to_string())?;
        let answer = self.operation(&Definition::of::<O>(), args).await?;
        serde_json::from_value(answer).map_err(|error| format!("the hub's answer could not be read: {error}"))
    }

    /// The same by its definition. Where each argument travels follows from its route.
    pub(super) async fn operation(&self, definition: &Definition, args: Value) -> Result<Value, String> {
        let route = definition.route;
        let Value::Object(mut args) = args else { return Err("the arguments are no object".to_owned()) };
        let mut path = route.path.to_owned();
        for name in route.parameters() {
            let value = args.shift_remove(name).unwrap_or_default();
            path = path.replace(&format!("{{{name}}}"), &escape(&text(&value)));
        }
        let version = if route.guarded { args.shift_remove("version") } else { None };
        let body = match (route.body, route.method.has_body()) {
            (Some(whole), _) => args.shift_remove(whole).map(|value| value.to_string()),
            (None, true) => Some(Value::Object(std::mem::take(&mut args)).to_string()),
            (None, false) => None,
        };
        let mut query = String::new();
        for (name, value) in &args {
            let values = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
            for value in values.iter().filter(|value| !value.is_null()) {
                query.push_str(if query.is_empty() { "?" } else { "&" });
                query.push_str(&format!("{name}={}", escape(&text(value))));
            }
        }
        let mut request = Request::builder()
            .method(route.method.as_str())
            .uri(format!("{}{path}{query}", self.base_url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.secret))
            .header(header::CONTENT_TYPE, "application/json");
        match version.as_ref().and_then(Value::as_u64) {
            Some(0) => request = request.header(header::IF_NONE_MATCH, "*"),
            Some(version) => request = request.header(header::IF_MATCH, format!("\"{version}\"")),
            None => {}
        }
        let request =
            request.body(Bytes::from(body.unwrap_or_default())).map_err(|error| error.to_string())?;
        self.send(request, patience(definition)).await
    }

    /// Puts what is no operation: the operator's password.
    pub(super) async fn put(&self, path: &str, body: &impl Serialize) -> Result<Value, String> {
        let request = Request::put(format!("{}{path}", self.base_url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.secret))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(serde_json::to_vec(body).map_err(|error| error.to_string())?))
            .map_err(|error| error.to_string())?;
        self.send(request, PATIENCE).await
    }

    async fn send(&self, request: Request<Bytes>, patience: Duration) -> Result<Value, String> {
        let answer = async {
            let answer = self.client.call(request, CONNECT).await.map_err(|error| error.to_string())?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_LIMIT).collect().await.map_err(|error| error.to_string())?;
            Ok::<_, String>((parts.status, body.to_bytes()))
        };
        let (status, body) = tokio::time::timeout(patience, answer)
            .await
            .map_err(|_| {
                format!("the hub at {} did not answer within {} s", self.base_url, patience.as_secs())
            })?
            .map_err(|error| format!("the hub at {} could not be asked: {error}", self.base_url))?;
        if !status.is_success() {
            let value: Value = serde_json::from_slice(&body).unwrap_or_default();
            let said = value.pointer("/error/message").and_then(Value::as_str);
            return Err(said.map_or_else(|| format!("the hub answered {status}"), str::to_owned));
        }
        serde_json::from_slice(&body).map_err(|error| format!("the hub's answer could not be read: {error}"))
    }
}

fn patience(definition: &Definition) -> Duration {
    if definition.command.0 == "backups" { PATIENCE_FOR_BACKUPS } else { PATIENCE }
}

/// A value as a text of a path or query.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A name as one segment of a path.
fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
