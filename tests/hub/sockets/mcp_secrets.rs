//! What agents say and are told over MCP stays out of the log, at its most talkative too: arguments hold keys of providers,
//! results hold keys of the hub, and the library that speaks the protocol would write all of it down.

use serde_json::{Value, json};

use super::{
    client::{Answer, Client},
    support::Hub,
};

/// Part of every secret here. No other text holds it.
const CANARY: &str = "CaNaRy5b2d";

/// A client of one revision or the other.
enum Agent {
    /// With a session.
    Legacy(Client, String),
    /// Each request says all.
    Modern(Client),
}

/// The message of an answer, whether it came as JSON or as an event.
fn message(answer: &Answer) -> Value {
    let text = String::from_utf8_lossy(&answer.body);
    let mut events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let last = events.rfind(|data| data.starts_with('{'));
    serde_json::from_str(last.unwrap_or(&text)).unwrap_or_else(|_| panic!("{}: {text}", answer.status))
}

fn me() -> Value {
    json!({"name": format!("agent-{CANARY}"), "version": "1"})
}

impl Agent {
    async fn legacy(client: Client) -> Self {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": me()});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
        let answer = client.post_with("/mcp", &[], &body).await;
        assert_eq!(answer.status, 200);
        let session = answer.headers["mcp-session-id"].to_str().unwrap().to_owned();
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized", "params": {"_meta": {"x": CANARY}}});
        let headers = [("mcp-session-id", session.as_str())];
        assert_eq!(client.post_with("/mcp", &headers, &ready).await.status, 202);
        Self::Legacy(client, session)
    }

    /// What the tool answers.
    async fn call(&self, tool: &str, args: Value) -> Value {
        let mut params = json!({"name": tool, "arguments": args});
        let answer = match self {
            Self::Legacy(client, session) => {
                let headers = [("mcp-session-id", session.as_str()), ("mcp-protocol-version", "2025-11-25")];
                client.post_with("/mcp", &headers, &called(&params)).await
            }
            Self::Modern(client) => {
                params["_meta"] = json!({
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientInfo": me(),
                    "io.modelcontextprotocol/clientCapabilities": {},
                });
                let headers = [
                    ("mcp-protocol-version", "2026-07-28"),
                    ("mcp-method", "tools/call"),
                    ("mcp-name", tool),
                ];
                client.post_with("/mcp", &headers, &called(&params)).await
            }
        };
        message(&answer)["result"].take()
    }

    async fn does(&self, tool: &str, args: Value) -> Value {
        let mut result = self.call(tool, args).await;
        assert_ne!(result["isError"], true, "{result}");
        result["structuredContent"].take()
    }
}

fn called(params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params})
}

async fn nothing_is_logged(level: &str) {
    let mut hub = Hub::builder().env("LOG_LEVEL", level).account("first", "sim-ok").start().await;
    let agents = [Agent::legacy(hub.client.clone()).await, Agent::Modern(hub.client.clone())];
    let mut secrets = vec![CANARY.to_owned()];
    for (number, agent) in agents.iter().enumerate() {
        let definition = json!({
            "type": "openai-compatible", "base_url": format!("http://{}/v1", hub.provider.address),
            "api_key": format!("sk-{CANARY}-{number}"), "models": [format!("m{number}")],
        });
        let id = format!("made-{number}");
        let put = agent.does("put_connection", json!({"id": id, "definition": definition})).await;
        assert_eq!(put["definition"]["api_key"], "[redacted]", "{put}");
        let made = agent
            .does("create_key", json!({"name": format!("agent-{number}"), "scopes": ["read:models"]}))
            .await;
        secrets.push(made["secret"].as_str().unwrap().to_owned());
        // What is refused is no more to be read there than what is done.
        let wrong =
            json!({"id": "wrong", "definition": {"type": "nobody", "api_key": format!("sk-{CANARY}-wrong")}});
        assert_eq!(agent.call("put_connection", wrong).await["isError"], true);
    }
    // They were taken.
    for number in 0..2 {
        assert_eq!(hub.client.chat(&format!("m{number}")).send().await.status, 200);
        let used = hub.provider.simulator.log();
        let key = format!("sk-{CANARY}-{number}");
        assert!(used.iter().any(|entry| entry.key.as_deref() == Some(&key)));
    }
    assert!(hub.stop().await.success());
    let said = hub.ground.said();
    assert!(said.contains(&level.to_uppercase()), "the log is not as talkative as it should be");
    for secret in secrets {
        let at = said.find(&secret);
        assert!(
            at.is_none(),
            "{secret} is in the log: {:?}",
            at.map(|at| said[at.saturating_sub(300)..at].to_owned())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_agents_say_and_are_told_is_not_logged() {
    for level in ["debug", "trace"] {
        nothing_is_logged(level).await;
    }
}
