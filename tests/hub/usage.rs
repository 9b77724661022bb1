//! What was used, by whom and where, and single requests: over REST, as the surfaces wrote it down.

use http::{Method, Request, StatusCode};
use serde_json::Value;
use trivium::simulator::{Behaviour, RetryAfter, Script};

use super::support::TestHub;

const CONFIG: &str = "
prices:
  - {model: priced, price: {input: 1, output: 2}}
providers:
  - {id: a, type: openai-compatible, api_key: sim-ok.a, base_url: 'http://simulator.test/v1', models: [priced]}
  - {id: b, type: openai-compatible, api_key: sim-ok.b, base_url: 'http://simulator.test/v1', models: [free-text]}
";

async fn told(hub: &TestHub, path: &str) -> Value {
    let answer = hub.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

fn group<'a>(report: &'a Value, name: &str) -> &'a Value {
    let groups = report["groups"].as_array().unwrap();
    groups.iter().find(|group| group["name"] == name).unwrap_or_else(|| panic!("no {name} in {report}"))
}

#[tokio::test(start_paused = true)]
async fn usage_tells_who_used_what_and_what_is_not_known() {
    let hub = TestHub::builder().yaml(CONFIG).build().await;
    for _ in 0..3 {
        hub.chat("priced").await;
    }
    hub.stream("free-text").await;
    hub.chat("nobody").await;
    let report = told(&hub, "/api/usage").await;
    let (priced, other) = (group(&report, "priced"), group(&report, "free-text"));
    assert_eq!((&priced["requests"], &priced["cost_unknown"]), (&3.into(), &0.into()));
    assert!(priced["cost_usd"].as_f64().unwrap() > 0.0);
    assert_eq!((&other["cost_usd"], &other["cost_unknown"]), (&Value::Null, &1.into()));
    assert_eq!((&report["total"]["requests"], &report["total"]["errors"]), (&5.into(), &1.into()));
    assert_eq!(group(&report, "")["errors"], 1, "nobody was asked");
    for (by, name, requests) in [
        ("connection", "a", 3),
        ("key", "env", 5),
        ("route", "chat", 5),
        ("status", "4xx", 1),
        ("outcome", "completed", 4),
    ] {
        let report = told(&hub, &format!("/api/usage?group_by={by}")).await;
        assert_eq!(group(&report, name)["requests"], requests, "{by}");
    }
    let only = told(&hub, "/api/usage?group_by=day&connection=b").await;
    assert_eq!(only["groups"].as_array().map(Vec::len), Some(1));
    assert_eq!(only["total"]["requests"], 1);
    tokio::time::sleep(std::time::Duration::from_secs(7200)).await;
    hub.chat("priced").await;
    let hours = told(&hub, "/api/usage?group_by=hour&limit=1").await;
    assert_eq!((&hours["groups"][0]["name"], &hours["truncated"]), (&"1767232800000".into(), &true.into()));
}

#[tokio::test(start_paused = true)]
async fn sessions_are_told_apart() {
    let hub = TestHub::builder().yaml(CONFIG).build().await;
    for session in ["one", "one", "two"] {
        let body = format!(
            r#"{{"model": "priced", "prompt_cache_key": "{session}", "messages": [{{"role": "user", "content": "x"}}]}}"#
        );
        assert_eq!(hub.post("/v1/chat/completions", body).await.status, StatusCode::OK);
    }
    let report = told(&hub, "/api/usage?group_by=session").await;
    assert_eq!(group(&report, "one")["requests"], 2);
    assert_eq!(group(&report, "two")["key"], "env");
    let page = told(&hub, "/api/traces?session=one").await;
    assert_eq!(page["traces"].as_array().map(Vec::len), Some(2));
}

#[tokio::test(start_paused = true)]
async fn traces_come_in_pages_and_one_by_one() {
    let limited = Behaviour { retry_after: RetryAfter::None, ..Behaviour::limited(2, 300) };
    let script = Script::default().key("sim-ok.a", limited);
    let hub =
        TestHub::builder().account("a", "sim-ok.a").account("b", "sim-ok.b").script(script).build().await;
    let mut last = String::new();
    for _ in 0..3 {
        last = hub.chat("m").await.header("x-request-id").to_owned();
    }
    hub.chat("nobody").await;
    let first = told(&hub, "/api/traces?limit=3").await;
    assert_eq!(first["traces"].as_array().map(Vec::len), Some(3));
    assert_eq!(first["traces"][0]["error"], "model_not_found");
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = told(&hub, &format!("/api/traces?limit=3&cursor={cursor}")).await;
    assert_eq!(second["traces"].as_array().map(Vec::len), Some(1));
    assert_eq!(second["next_cursor"], Value::Null);
    let failed = told(&hub, "/api/traces?status=4xx").await;
    assert_eq!(failed["traces"].as_array().map(Vec::len), Some(1));
    let one = told(&hub, &format!("/api/traces/{last}")).await;
    assert_eq!((&one["tried"][0]["fault"], &one["connection"]), (&"rate_limited".into(), &"b".into()));
    assert_eq!((&one["request_id"], &one["attempts"]), (&last.into(), &2.into()));
    assert_eq!(hub.get("/api/traces/nobody").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn usage_and_traces_need_their_scopes_and_arguments_that_mean_something() {
    let hub = TestHub::builder().yaml(CONFIG).build().await;
    let key = hub.other_key().await;
    for path in ["/api/usage", "/api/traces", "/api/traces/x"] {
        let request = Request::builder().method(Method::GET).uri(path);
        let request = request.header("authorization", format!("Bearer {key}"));
        let refused = hub.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
    }
    for path in [
        "/api/usage?group_by=colour",
        "/api/usage?limit=0",
        "/api/usage?since_at=5&until_at=5",
        "/api/usage?group_by=session&model=m",
        "/api/usage?since_at=-1",
        "/api/traces?cursor=7",
        "/api/traces?status=3xx",
        "/api/traces?limit=501",
        "/api/traces?colour=red",
    ] {
        let refused = hub.get(path).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path}: {}", refused.text);
    }
}
