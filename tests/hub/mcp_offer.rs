//! What MCP clients find beside tools: resources, large results, prompts, completions, changes and progress, in JSON-RPC as it
//! stands on the wire, in both kinds of revisions.

use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{
    agents::key,
    support::{KEY, TestHub},
};

const NEW: &str = "2026-07-28";
const OLD: &str = "2025-11-25";

/// A client: whose key, and the session in the old revisions.
struct Client<'a> {
    hub: &'a TestHub,
    key: String,
    session: Option<String>,
}

/// The messages of an answer, one after the other.
struct Feed {
    body: Body,
    read: String,
}

impl Feed {
    /// The next message; `None`: the stream is over.
    async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some((event, rest)) = self.read.split_once("\n\n") {
                let data: String = event.lines().filter_map(|line| line.strip_prefix("data:")).collect();
                self.read = rest.to_owned();
                if let Ok(message) = serde_json::from_str(data.trim()) {
                    return Some(message);
                }
            }
            let Some(frame) = self.body.frame().await else {
                let message = serde_json::from_str(&self.read).ok();
                self.read.clear();
                return message;
            };
            if let Ok(data) = frame.unwrap().into_data() {
                self.read.push_str(&String::from_utf8(data.to_vec()).unwrap().replace("\r\n", "\n"));
            }
        }
    }

    /// The answer, past notices.
    async fn answer(&mut self) -> Value {
        loop {
            let message = self.next().await.unwrap();
            if message.get("id").is_some() {
                return message;
            }
        }
    }

    /// The next notice within some seconds.
    async fn notice(&mut self, seconds: u64) -> Option<Value> {
        tokio::time::timeout(Duration::from_secs(seconds), self.next()).await.ok().flatten()
    }
}

impl<'a> Client<'a> {
    fn new(hub: &'a TestHub, key: &str) -> Self {
        Self { hub, key: key.to_owned(), session: None }
    }

    /// A client of an old revision, with its session.
    async fn old(hub: &'a TestHub, key: &str) -> Self {
        let mut client = Self { session: Some(String::new()), ..Self::new(hub, key) };
        let about =
            json!({"protocolVersion": OLD, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let begun = client.open("initialize", about, 0).await;
        client.session = Some(begun.headers()["mcp-session-id"].to_str().unwrap().to_owned());
        drop(Feed { body: begun.into_body(), read: String::new() }.answer().await);
        client.post(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}), None).await;
        client
    }

    async fn post(&self, message: Value, name: Option<&str>) -> Response<Body> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/mcp")
            .header("host", "127.0.0.1")
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        let method = message["method"].as_str().unwrap();
        request = match self.session.as_deref() {
            None => request.header("mcp-protocol-version", NEW).header("mcp-method", method),
            Some("") => request,
            Some(session) => request.header("mcp-protocol-version", OLD).header("mcp-session-id", session),
        };
        if let Some(name) = name.filter(|_| self.session.is_none()) {
            request = request.header("mcp-name", name);
        }
        self.hub.open(request.body(Body::from(message.to_string())).unwrap()).await
    }

    async fn open(&self, method: &str, mut params: Value, id: u64) -> Response<Body> {
        let name = params["name"].as_str().or(params["uri"].as_str()).map(str::to_owned);
        if self.session.is_none() {
            params["_meta"]["io.modelcontextprotocol/protocolVersion"] = NEW.into();
            params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({"name": "t", "version": "1"});
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
        }
        self.post(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}), name.as_deref())
            .await
    }

    async fn feed(&self, method: &str, params: Value, id: u64) -> Feed {
        Feed { body: self.open(method, params, id).await.into_body(), read: String::new() }
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        self.feed(method, params, 7).await.answer().await
    }

    async fn read(&self, uri: &str) -> Value {
        self.ask("resources/read", json!({"uri": uri})).await
    }

    /// The text of a resource, as JSON.
    async fn facts(&self, uri: &str) -> Value {
        let answer = self.read(uri).await;
        let text = answer["result"]["contents"][0]["text"].as_str();
        serde_json::from_str(text.unwrap_or_else(|| panic!("{answer}"))).unwrap()
    }

    /// The standing stream of the session.
    async fn standing(&self) -> Feed {
        let request = Request::get("/mcp")
            .header("host", "127.0.0.1")
            .header("authorization", format!("Bearer {}", self.key))
            .header("accept", "text/event-stream")
            .header("mcp-protocol-version", OLD)
            .header("mcp-session-id", self.session.as_deref().unwrap());
        let opened = self.hub.open(request.body(Body::empty()).unwrap()).await;
        assert_eq!(opened.status(), 200);
        Feed { body: opened.into_body(), read: String::new() }
    }
}

const COMBOS: &str =
    "combos:\n  - {id: team/fast, description: quick ones, strategy: priority, steps: [m]}\n";

fn uris(answer: &Value, list: &str, field: &str) -> Vec<String> {
    let all = answer["result"][list].as_array().unwrap_or_else(|| panic!("{answer}"));
    all.iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn resources_are_read_in_both_revisions_within_the_rights_of_the_key() {
    let hub = TestHub::builder().yaml(COMBOS).account("a", "sim-ok").build().await;
    let id = hub.chat("m").await.header("x-request-id").to_owned();
    for client in [Client::new(&hub, KEY), Client::old(&hub, KEY).await] {
        let listed = client.ask("resources/list", json!({})).await;
        let all = uris(&listed, "resources", "uri");
        for noun in ["health", "quotas", "models", "combos", "providers", "combos/team%2Ffast"] {
            assert!(all.contains(&format!("trivium://{noun}")), "{noun}: {all:?}");
        }
        for one in listed["result"]["resources"].as_array().unwrap() {
            assert_eq!(one["mimeType"], "application/json");
            assert!(
                one["title"].is_string()
                    && one["description"].is_string()
                    && one["icons"][0]["src"].is_string()
            );
            assert!(
                one["annotations"]["priority"].is_number() && one["annotations"]["audience"][0].is_string()
            );
        }
        let templates = client.ask("resources/templates/list", json!({})).await;
        let expected = ["trivium://combos/{name}", "trivium://requests/{id}", "trivium://results/{id}"];
        assert_eq!(uris(&templates, "resourceTemplates", "uriTemplate"), expected);

        assert_eq!(client.facts("trivium://health").await["connections"][0]["id"], "a");
        assert_eq!(client.facts("trivium://combos/team%2Ffast").await["id"], "team/fast");
        assert_eq!(client.facts("trivium://models").await["models"][0]["id"], "m");
        let request = client.facts(&format!("trivium://requests/{id}")).await;
        assert_eq!(
            (&request["trace"]["request_id"], &request["explanation"]["request_id"]),
            (&json!(id), &json!(id))
        );
        for unknown in
            ["trivium://combos/nobody", "trivium://requests/req_1", "trivium://x", "file:///etc/passwd"]
        {
            let code = if client.session.is_some() { -32002 } else { -32602 };
            assert_eq!(client.read(unknown).await["error"]["code"], code, "{unknown}");
        }
        let read = client.read("trivium://health").await;
        assert_eq!(
            (&read["result"]["ttlMs"], &read["result"]["cacheScope"]),
            (&json!(5000), &json!("private"))
        );
    }
    let (_, other) = key(&hub, "other", &["read:models"], json!({})).await;
    let client = Client::new(&hub, &other);
    let listed = client.ask("resources/list", json!({})).await;
    assert_eq!(uris(&listed, "resources", "uri"), ["trivium://models"]);
    let denied = client.read("trivium://health").await;
    assert!(denied["error"]["message"].as_str().unwrap().contains("read:health"), "{denied}");
    // The same right as by the tool, and the requests of others stay theirs.
    let (_, tracer) = key(&hub, "tracer", &["read:traces"], json!({})).await;
    assert!(Client::new(&hub, &tracer).read(&format!("trivium://requests/{id}")).await["error"].is_object());
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_as_a_tool_cannot_be_read() {
    let yaml = "mcp:\n  deny: [get_health]\n";
    let hub = TestHub::builder().yaml(yaml).account("a", "sim-ok").build().await;
    let client = Client::new(&hub, KEY);
    let listed = client.ask("resources/list", json!({})).await;
    assert!(!uris(&listed, "resources", "uri").contains(&"trivium://health".to_owned()), "{listed}");
    assert!(client.read("trivium://health").await["error"].is_object());
}

#[tokio::test(start_paused = true)]
async fn a_large_result_is_read_in_pages_by_who_asked_for_it_alone() {
    let names: Vec<String> = (0..300).map(|nth| format!("model-{nth:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let hub = TestHub::builder()
        .yaml("mcp:\n  max_result_kb: 4\n")
        .account_with("a", "sim-ok", &names)
        .build()
        .await;
    let client = Client::new(&hub, KEY);
    let called = client.ask("tools/call", json!({"name": "list_models", "arguments": {"limit": 300}})).await;
    let content = &called["result"]["content"];
    assert!(called.to_string().len() < 4096, "{called}");
    assert!(content[0]["text"].as_str().unwrap().contains("offset="), "{called}");
    assert_eq!(content[1]["type"], "resource_link");
    let uri = content[1]["uri"].as_str().unwrap().to_owned();
    let (mut whole, mut next, mut pages) = (String::new(), Some(uri.clone()), 0);
    while let Some(at) = next {
        let read = client.read(&at).await;
        let page = &read["result"]["contents"][0];
        let text = page["text"].as_str().unwrap_or_else(|| panic!("{read}"));
        assert!(text.len() <= 4096, "{}", text.len());
        whole.push_str(text);
        next = page["_meta"]["trivium/page"]["next"].as_str().map(str::to_owned);
        let told = read["result"]["contents"][1]["text"].as_str();
        assert_eq!(
            next.is_some(),
            told.is_some_and(|told| told.ends_with(next.as_deref().unwrap_or("?"))),
            "{read}"
        );
        pages += 1;
    }
    assert!(pages > 2);
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole["models"].as_array().unwrap().len(), 300);

    let (_, other) = key(&hub, "other", &["read:models"], json!({})).await;
    assert!(Client::new(&hub, &other).read(&uri).await["error"].is_object(), "another's");
    assert!(client.read(&format!("{uri}?offset=99999999")).await["error"].is_object());
    // A resource has its first page at once, and the same way on.
    let models = client.read("trivium://models").await;
    let next = models["result"]["contents"][0]["_meta"]["trivium/page"]["next"].as_str().unwrap().to_owned();
    assert!(client.read(&next).await["result"]["contents"][0]["text"].is_string());
    tokio::time::advance(Duration::from_secs(601)).await;
    assert!(client.read(&uri).await["error"].is_object(), "ten minutes are over");
}

#[tokio::test(start_paused = true)]
async fn prompts_bring_facts_and_the_tools_that_the_key_allows() {
    let hub = TestHub::builder().yaml(COMBOS).account("a", "sim-ok").build().await;
    for client in [Client::new(&hub, KEY), Client::old(&hub, KEY).await] {
        let listed = client.ask("prompts/list", json!({})).await;
        assert_eq!(uris(&listed, "prompts", "name"), ["diagnose_model", "cut_costs", "set_up_client"]);
        let args = json!({"name": "diagnose_model", "arguments": {"model": "m"}});
        let filled = client.ask("prompts/get", args).await;
        let messages = filled["result"]["messages"].as_array().unwrap_or_else(|| panic!("{filled}"));
        let task = messages[0]["content"]["text"].as_str().unwrap();
        assert!(
            task.contains("`m`") && task.contains("1. `simulate_route`") && task.contains("2. `get_health`"),
            "{task}"
        );
        assert!(
            messages[1]["content"]["text"].as_str().unwrap().contains("\"connection\":\"a\""),
            "{filled}"
        );
        let resources: Vec<_> =
            messages.iter().filter_map(|one| one["content"]["resource"]["uri"].as_str()).collect();
        assert_eq!(resources, ["trivium://health", "trivium://quotas"]);
        let filled = client
            .ask("prompts/get", json!({"name": "set_up_client", "arguments": {"client": "codex"}}))
            .await;
        assert!(filled.to_string().contains("wire_api"), "{filled}");
        for (name, args) in [
            ("diagnose_model", json!({})),
            ("diagnose_model", json!({"model": "m", "x": "y"})),
            ("cut_costs", json!({"period": "year"})),
            ("set_up_client", json!({"client": "xyzzy"})),
            ("nothing", json!({})),
        ] {
            let refused = client.ask("prompts/get", json!({"name": name, "arguments": args})).await;
            assert_eq!(refused["error"]["code"], -32602, "{name}: {refused}");
        }
    }
    let (_, poor) = key(&hub, "poor", &["read:quota"], json!({})).await;
    let args = json!({"name": "diagnose_model", "arguments": {"model": "m"}});
    let filled = Client::new(&hub, &poor).ask("prompts/get", args).await;
    let task = filled["result"]["messages"][0]["content"]["text"].as_str().unwrap();
    assert!(task.contains("1. `list_quotas`") && !task.contains("get_health"), "{task}");
    assert!(!filled.to_string().contains("trivium://health"), "{filled}");
}

#[tokio::test(start_paused = true)]
async fn arguments_are_completed_with_what_the_key_may_see() {
    let names: Vec<String> = (0..150).map(|nth| format!("model-{nth:03}")).chain(["m".to_owned()]).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let hub = TestHub::builder().yaml(COMBOS).account_with("a", "sim-ok", &names).build().await;
    let id = hub.chat("m").await.header("x-request-id").to_owned();
    let client = Client::new(&hub, KEY);
    let prompt = |name: &str| json!({"type": "ref/prompt", "name": name});
    let template = |uri: &str| json!({"type": "ref/resource", "uri": uri});
    let complete = async |client: &Client<'_>, whose: Value, name: &str, typed: &str| {
        let params = json!({"ref": whose, "argument": {"name": name, "value": typed}});
        client.ask("completion/complete", params).await["result"]["completion"].clone()
    };
    let models = complete(&client, prompt("diagnose_model"), "model", "MODEL-").await;
    assert_eq!(
        (models["values"].as_array().unwrap().len(), &models["total"], &models["hasMore"]),
        (100, &json!(150), &json!(true))
    );
    let combo = complete(&client, prompt("diagnose_model"), "model", "team").await;
    assert_eq!(combo["values"], json!(["team/fast"]));
    assert_eq!(complete(&client, prompt("diagnose_model"), "connection", "").await["values"], json!(["a"]));
    assert_eq!(complete(&client, prompt("cut_costs"), "period", "w").await["values"], json!(["week"]));
    assert_eq!(
        complete(&client, prompt("set_up_client"), "client", "gem").await["values"],
        json!(["gemini-cli"])
    );
    assert_eq!(
        complete(&client, template("trivium://combos/{name}"), "name", "f").await["values"],
        json!(["team/fast"])
    );
    assert_eq!(
        complete(&client, template("trivium://requests/{id}"), "id", "req_").await["values"],
        json!([id])
    );
    let (_, other) = key(&hub, "other", &["read:traces"], json!({})).await;
    let other = Client::new(&hub, &other);
    assert_eq!(complete(&other, template("trivium://requests/{id}"), "id", "").await["values"], json!([]));
    assert_eq!(complete(&other, prompt("diagnose_model"), "connection", "").await["values"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn streams_and_sessions_hear_of_changes_and_of_each_once_a_second() {
    let hub = TestHub::builder().yaml(COMBOS).account("a", "sim-402").build().await;
    let new = Client::new(&hub, KEY);
    let wanted = json!({"resourcesListChanged": true, "resourceSubscriptions": ["trivium://health", "trivium://models"]});
    let mut stream = new.feed("subscriptions/listen", json!({"notifications": wanted}), 9).await;
    let begun = stream.next().await.unwrap();
    let accepted = &begun["params"]["notifications"]["resourceSubscriptions"];
    assert_eq!(accepted, &json!(["trivium://health"]), "{begun}");
    let old = Client::old(&hub, KEY).await;
    let mut standing = old.standing().await;
    for uri in ["trivium://models", "trivium://nothing"] {
        assert!(old.ask("resources/subscribe", json!({"uri": uri})).await["error"].is_object(), "{uri}");
    }
    assert!(old.ask("resources/subscribe", json!({"uri": "trivium://health"})).await["result"].is_object());

    // The account has no money left: it is locked.
    for _ in 0..5 {
        assert_ne!(hub.chat("m").await.status, 200);
    }
    for feed in [&mut stream, &mut standing] {
        let notice = feed.notice(5).await.unwrap();
        assert_eq!(notice["method"], "notifications/resources/updated", "{notice}");
        assert_eq!(notice["params"]["uri"], "trivium://health", "{notice}");
        assert_eq!(feed.notice(5).await, None, "five requests, one change");
    }
    let put = hub.json(Method::PUT, "/api/combos/mine", json!({"steps": ["m"]})).await;
    assert!(put.status.is_success(), "{}", put.text);
    for feed in [&mut stream, &mut standing] {
        assert_eq!(feed.notice(5).await.unwrap()["method"], "notifications/resources/list_changed");
    }
    assert!(old.ask("resources/unsubscribe", json!({"uri": "trivium://health"})).await["result"].is_object());
    hub.json(Method::POST, "/api/health/reset", json!({"connection": "a"})).await;
    assert!(stream.notice(5).await.is_some());
    assert_eq!(standing.notice(5).await, None, "it does not want to know any more");
}

#[tokio::test(start_paused = true)]
async fn one_key_has_a_bounded_number_of_streams_and_gives_them_back() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    let client = Client::new(&hub, KEY);
    let listen = json!({"notifications": {"toolsListChanged": true}});
    let mut streams = Vec::new();
    for nth in 0..16 {
        let mut stream = client.feed("subscriptions/listen", listen.clone(), nth).await;
        assert!(stream.next().await.unwrap().get("id").is_none());
        streams.push(stream);
    }
    let refused = client.feed("subscriptions/listen", listen.clone(), 99).await.answer().await;
    assert!(refused["error"]["message"].as_str().unwrap().contains("16"), "{refused}");
    drop(streams);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut stream = client.feed("subscriptions/listen", listen, 100).await;
    stream.next().await.unwrap();
    assert_eq!(stream.notice(5).await, None, "it stays open");
}

fn slow() -> Value {
    let args = json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]});
    json!({"name": "route_request", "arguments": args, "_meta": {"progressToken": "p"}})
}

#[tokio::test(start_paused = true)]
async fn a_call_longer_than_a_minute_tells_every_15_seconds_that_it_goes_on() {
    // The library counts its comments by the real clock, and would send them without a pause on one that stands still.
    let yaml = "server: {keep_alive_seconds: 3600}\n";
    let hub = TestHub::builder().yaml(yaml).account("a", "sim-slow-70000").build().await;
    for client in [Client::new(&hub, KEY), Client::old(&hub, KEY).await] {
        let begun = tokio::time::Instant::now();
        let mut feed = client.feed("tools/call", slow(), 3).await;
        let mut last = 0.0;
        for nth in 1..=4_u64 {
            let notice = feed.next().await.unwrap();
            assert_eq!(notice["method"], "notifications/progress", "{notice}");
            assert_eq!(notice["params"]["progressToken"], "p");
            assert_eq!(begun.elapsed().as_secs(), 15 * nth);
            let progress = notice["params"]["progress"].as_f64().unwrap();
            assert!(progress > last, "{notice}");
            last = progress;
        }
        let answer = feed.answer().await;
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        assert!(begun.elapsed().as_secs() >= 70);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_waits_for_is_given_up_with_its_place() {
    let hub = TestHub::builder().account("a", "sim-hang").build().await;
    let running = || hub.engine.admission().running();

    let old = Client::old(&hub, KEY).await;
    let feed = old.feed("tools/call", slow(), 3).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(running(), 1);
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3}});
    old.post(cancel, None).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(running(), 0, "cancelled");
    drop(feed);

    let new = Client::new(&hub, KEY);
    let feed = new.feed("tools/call", slow(), 4).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(running(), 1);
    drop(feed);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(running(), 0, "closed");
}
