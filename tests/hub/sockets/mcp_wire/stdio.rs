//! `trivium --mcp` with a hub that stays: what its client may do, what it reads, and how it ends.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trivium::{
    app::now_ms,
    engine::ports::Clock,
    ops::ports::{McpProcess, McpProcesses},
    store::Heartbeats,
};

use super::{
    super::support::{Ground, Hub, SOON, eventually},
    call,
    http::Caller,
    initialize,
    process::Talker,
    request, tools,
};

async fn hub() -> Hub {
    Hub::builder().account("a", "sim-ok").start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn its_client_may_look_unless_more_is_said() {
    let hub = hub().await;
    let mut looks = Talker::open(&hub.ground, &["--profile", "full"]).await;
    let seen = tools(&looks.ask("tools/list", json!({})).await);
    assert!(seen.contains(&"get_health".to_owned()) && !seen.contains(&"create_key".to_owned()), "{seen:?}");
    let health = looks.ask("tools/call", json!({"name": "get_health", "arguments": {}})).await;
    assert_eq!(health["result"]["isError"], false, "{health}");
    let denied = looks.ask("tools/call", json!({"name": "create_key", "arguments": {"name": "x"}})).await;
    assert_eq!(denied["result"]["isError"], true, "{denied}");

    let mut acts = Talker::open(&hub.ground, &["--scopes", "read:*, write:keys", "--profile", "full"]).await;
    let more = tools(&acts.ask("tools/list", json!({})).await);
    assert!(more.contains(&"create_key".to_owned()) && !more.contains(&"put_connection".to_owned()));
    // A right that it does not hold is none that it can give.
    let params = |scope: &str| json!({"name": "create_key", "arguments": {"name": "x", "scopes": [scope]}});
    let more = acts.ask("tools/call", params("execute:completions")).await;
    assert_eq!(more["result"]["isError"], true, "{more}");
    let made = acts.ask("tools/call", params("read:models")).await;
    assert_eq!(made["result"]["isError"], false, "{made}");

    let mut few = Talker::open(&hub.ground, &["--profile", "essential"]).await;
    let fewer = tools(&few.ask("tools/list", json!({})).await);
    assert!(fewer.len() < seen.len() && fewer.contains(&"search_tools".to_owned()), "{fewer:?}");
    for mut talker in [looks, acts, few] {
        talker.leave();
        assert_eq!(talker.end().await.code(), Some(0), "{}", hub.ground.said());
    }
    assert_eq!(hub.get("/livez").await.status, 200, "the hub goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_command_is_told_and_not_on_stdout() {
    let ground = Ground::new();
    for args in
        [&["--mcp", "--scopes", "read:nothing"][..], &["--mcp", "keys", "list"], &["--scopes", "read:*"]]
    {
        let output = ground.cli(args).await;
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]), "{args:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_closes_its_side_hears_what_it_asked_for() {
    let hub = hub().await;
    let mut talker = Talker::start(&hub.ground, &[]);
    for message in [initialize(1), request(2, "tools/list", json!({})), call(3, "get_health", json!({}))] {
        talker.say(&message);
    }
    // The last line has no end.
    talker.write(request(4, "ping", json!({})).to_string().as_bytes());
    talker.leave();
    let mut answered = Vec::new();
    while let Some(message) = talker.hear().await {
        assert!(message.get("error").is_none(), "{message}");
        answered.push(message["id"].as_u64().unwrap());
    }
    answered.sort_unstable();
    assert_eq!(answered, [1, 2, 3, 4]);
    assert_eq!(talker.end().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_revision_without_an_opening_is_spoken_too() {
    let hub = hub().await;
    let mut talker = Talker::start(&hub.ground, &[]);
    let meta = json!({"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }});
    let found = talker.ask("server/discover", meta.clone()).await;
    assert!(found["result"]["supportedVersions"].to_string().contains("2026-07-28"), "{found}");
    assert!(tools(&talker.ask("tools/list", meta).await).contains(&"get_health".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_is_refused_and_the_conversation_goes_on() {
    let hub = hub().await;
    let mut talker = Talker::open(&hub.ground, &[]).await;
    talker.write(b"{\"jsonrpc\": \n\n");
    assert_eq!(talker.hear().await.unwrap()["error"]["code"], -32_700);
    let mut long = vec![b'x'; 17 * 1024 * 1024];
    long.push(b'\n');
    talker.write(&long);
    assert_eq!(talker.hear().await.unwrap()["error"]["code"], -32_600);
    assert_eq!(talker.ask("ping", json!({})).await["result"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_hubs_own_secret_opens_the_way() {
    let hub = hub().await;
    let with = |key: &str| Caller { key: key.to_owned(), ..Caller::of(&hub) };
    let secret: Value = serde_json::from_slice(&std::fs::read(hub.ground.runtime_file()).unwrap()).unwrap();
    let local = with(secret["secret"].as_str().unwrap());
    let upgrade = [("connection", "upgrade"), ("upgrade", "trivium-mcp")];
    let get = async |caller: &Caller, headers: &[(&str, &str)]| {
        caller.send(http::Method::GET, "/mcp/stdio", headers, &Value::Null).await.status().as_u16()
    };
    assert_eq!(get(&Caller::of(&hub), &upgrade).await, 404, "not even the first key");
    assert_eq!(get(&with("wrong"), &upgrade).await, 401);
    assert_eq!(get(&local, &[]).await, 400);
    assert_eq!(get(&local, &[upgrade[0], upgrade[1], ("origin", "https://elsewhere.example")]).await, 403);
    assert_eq!(get(&local, &[upgrade[0], upgrade[1], ("trivium-mcp-scopes", "read:nothing")]).await, 400);
    assert_eq!(get(&local, &upgrade).await, 101);
}

/// The time of day, and some.
struct Later(i64);

impl Clock for Later {
    fn now(&self) -> i64 {
        now_ms() + self.0
    }
}

/// Whether the hub says that the process is alive; `None`: it does not know it.
async fn told_of(hub: &Hub, pid: u32) -> Option<bool> {
    let status = hub.get("/api/mcp/status").await.json();
    let all = status["processes"].as_array().unwrap();
    all.iter().find(|one| one["pid"] == pid)?["is_alive"].as_bool()
}

fn heard_of(ground: &Ground, later_ms: i64) -> Vec<McpProcess> {
    Heartbeats::new(&ground.data_dir(), std::sync::Arc::new(Later(later_ms))).list()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_is_stale_fifteen_seconds_later() {
    let hub = hub().await;
    let talker = Talker::open(&hub.ground, &["--scopes", "read:health"]).await;
    let mut other = Talker::open(&hub.ground, &[]).await;
    let both = || Some(heard_of(&hub.ground, 0)).filter(|all| all.len() == 2);
    let all = eventually("both say that they live", SOON, both).await;
    let mine = all.iter().find(|one| one.pid == talker.id()).unwrap();
    assert!(mine.is_alive && mine.scopes_enforced && mine.tool_count > 0, "{mine:?}");
    assert_eq!(
        (mine.transport.as_str(), &mine.allowed_scopes[..]),
        ("stdio", &["read:health".to_owned()][..])
    );
    let latest = hub.ground.data_dir().join("runtime/mcp-heartbeat.json");
    let latest: Value = serde_json::from_slice(&std::fs::read(latest).unwrap()).unwrap();
    assert!(latest["lastHeartbeatAt"].as_str().unwrap().ends_with('Z'), "{latest}");

    let pid = talker.id();
    assert_eq!(told_of(&hub, pid).await, Some(true));
    talker.signal("KILL");
    let killed = Instant::now();
    other.leave();
    assert_eq!(other.end().await.code(), Some(0));
    let left = heard_of(&hub.ground, 0);
    assert_eq!(
        left.iter().map(|one| one.pid).collect::<Vec<_>>(),
        [pid],
        "an orderly end takes its file along"
    );
    let last = left[0].last_heartbeat_at;
    let late = heard_of(&hub.ground, McpProcess::STALE_MS + 1);
    assert!(!late[0].is_alive && late[0].last_heartbeat_at == last, "{late:?}");
    // And so the hub tells it.
    while told_of(&hub, pid).await == Some(true) {
        assert!(killed.elapsed() < Duration::from_millis(McpProcess::STALE_MS.unsigned_abs() + 500));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(told_of(&hub, pid).await, Some(false));
}
