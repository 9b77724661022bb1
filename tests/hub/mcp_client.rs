//! A client that speaks MCP over HTTP, in a session of its own.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use super::support::{Answer, TestHub};

/// A client with a key.
pub(crate) struct Client<'a> {
    hub: &'a TestHub,
    key: String,
    pub(crate) session: String,
}

/// Opens a session, if the hub lets the key do that.
pub(crate) async fn opening(hub: &TestHub, key: &str) -> Answer {
    let params = json!({
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "agent", "version": "1.2"}
    });
    post(hub, key, "", json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})).await
}

async fn post(hub: &TestHub, key: &str, session: &str, message: Value) -> Answer {
    let request = Request::post("/mcp?profile=full")
        .header("host", "127.0.0.1")
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .header("mcp-protocol-version", "2025-06-18");
    let request = if session.is_empty() { request } else { request.header("mcp-session-id", session) };
    hub.send(request.body(Body::from(message.to_string())).unwrap()).await
}

/// The last message of an answer, in one piece or as events.
fn message(answer: &Answer) -> Value {
    let text =
        answer.text.lines().filter_map(|line| line.strip_prefix("data: ")).rfind(|line| !line.is_empty());
    serde_json::from_str(text.unwrap_or(&answer.text)).unwrap_or_else(|_| panic!("{}", answer.text))
}

impl<'a> Client<'a> {
    pub(crate) async fn open(hub: &'a TestHub, key: &str) -> Self {
        let opened = opening(hub, key).await;
        assert_eq!(opened.status, 200, "{}", opened.text);
        let session = opened.header("mcp-session-id").to_owned();
        post(hub, key, &session, json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        Self { hub, key: key.to_owned(), session }
    }

    /// What is answered, whole.
    pub(crate) async fn send(&self, method: &str, params: Value) -> Answer {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        post(self.hub, &self.key, &self.session, message).await
    }

    /// The result, or the error of the protocol.
    pub(crate) async fn call(&self, tool: &str, args: Value) -> Value {
        let answer = message(&self.send("tools/call", json!({"name": tool, "arguments": args})).await);
        answer.get("result").or(answer.get("error")).cloned().unwrap_or_else(|| panic!("{answer}"))
    }

    /// The names of the tools that are listed.
    pub(crate) async fn tools(&self) -> Vec<Value> {
        let answer = message(&self.send("tools/list", json!({})).await);
        answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    }
}
