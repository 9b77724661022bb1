//! MCP over each transport, with hubs that come and go: standard input and output, HTTP, and HTTP+SSE of 2024.

mod ending;
mod http;
mod process;
mod sessions;
mod sse;
mod stdio;
mod takeover;

use serde_json::{Value, json};

/// The request that opens a conversation, in the revisions that open one.
fn initialize(id: u32) -> Value {
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    });
    request(id, "initialize", params)
}

#[expect(clippy::needless_pass_by_value, reason = "whoever calls it makes it on the spot")]
fn request(id: u32, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

#[expect(clippy::needless_pass_by_value, reason = "whoever calls it makes it on the spot")]
fn call(id: u32, tool: &str, arguments: Value) -> Value {
    request(id, "tools/call", json!({"name": tool, "arguments": arguments}))
}

fn ready() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
}

/// The names of the tools in a list.
fn tools(answer: &Value) -> Vec<String> {
    let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("no tools: {answer}"));
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}
