//! Operations that agents use: asking models, trying combos, turning knobs, reports.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::body::Body;
use http::{Method, Request, StatusCode};
use operations::{Definition, Operation, completions::RouteRequest};
use serde_json::{Value, json};
use trivium::{
    engine::caller::{Caller, CallerKind},
    ops::{ports::Progress, registry::Asked},
};

use super::support::{Answer, TestHub};

const PRICED: &str = "
providers:
  - {id: bad, type: openai-compatible, api_key: sim-500.a, base_url: 'http://simulator.test/v1', models: [{id: m, price: {input: 1, output: 2}}]}
  - {id: good, type: openai-compatible, api_key: sim-ok.b, base_url: 'http://simulator.test/v1', models: [{id: m, price: {input: 1, output: 2}}]}
combos:
  - {id: both, strategy: priority, steps: [m]}
";

/// A key with these scopes, as its id and its text.
pub(crate) async fn key(hub: &TestHub, name: &str, scopes: &[&str], policy: Value) -> (String, String) {
    let args = json!({"name": name, "scopes": scopes, "policy": policy});
    let made = hub.json(Method::POST, "/api/keys", args).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    (made["key"]["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
}

/// A call with somebody's key.
pub(crate) async fn by(hub: &TestHub, key: &str, method: Method, path: &str, args: Value) -> Answer {
    let request =
        Request::builder().method(&method).uri(path).header("authorization", format!("Bearer {key}"));
    let body = if method == Method::GET { Body::empty() } else { Body::from(args.to_string()) };
    hub.send(request.body(body).unwrap()).await
}

fn hello(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "hello"}]})
}

async fn route(hub: &TestHub, args: Value) -> Answer {
    hub.json(Method::POST, "/api/routing/request", args).await
}

/// What explains an attempt, without how long it took.
fn told(attempts: &Value) -> Vec<(Value, Value, Value)> {
    let all = attempts.as_array().unwrap().iter();
    all.map(|one| (one["connection"].clone(), one["fault"].clone(), one["status"].clone())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_request_falls_back_as_the_model_api_does_and_is_billed_once() {
    let hub = TestHub::builder().yaml(PRICED).build().await;
    let answer = route(&hub, hello("m")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let answer = answer.json();
    let (response, routing) = (&answer["response"], &answer["routing"]);
    assert!(!response["content"].as_str().unwrap().is_empty(), "{answer}");
    assert_eq!((&response["model"], &response["finish_reason"]), (&json!("m"), &json!("stop")), "{answer}");
    assert!(response["tokens"]["input"].as_u64() > Some(0), "{answer}");
    assert_eq!((&routing["connection"], &routing["fallbacks_triggered"]), (&json!("good"), &json!(1)));
    assert!(routing["explanation"].as_str().unwrap().contains("good/m answered"), "{answer}");

    let id = answer["request_id"].as_str().unwrap();
    let explained = hub.get(&format!("/api/routing/explain/{id}")).await.json();
    assert_eq!(told(&routing["attempts"]), told(&explained["attempts"]), "{explained}");
    assert_eq!(routing["cost_usd"], explained["cost_usd"]);
    assert!(routing["cost_usd"].as_f64() > Some(0.0), "{answer}");
    assert_eq!(hub.receipts().await.len(), 1, "one request, one receipt");

    // The same through the model API, on a hub of its own.
    let other = TestHub::builder().yaml(PRICED).build().await;
    let direct = other.chat("m").await;
    let attempts = routing["attempts"].as_array().unwrap().len().to_string();
    assert_eq!((direct.header("x-gateway-attempts"), direct.route()), (attempts.as_str(), "good"));
    assert_eq!(direct.json()["choices"][0]["message"]["content"], response["content"]);
    assert_eq!(
        direct.header("x-trivium-cost").parse::<f64>().unwrap(),
        routing["cost_usd"].as_f64().unwrap()
    );
}

#[tokio::test(start_paused = true)]
async fn a_combo_is_asked_by_its_name_and_an_unknown_price_is_null() {
    let yaml = "combos:\n  - {id: both, strategy: priority, steps: [m]}\n";
    let hub = TestHub::builder().yaml(yaml).account("a", "sim-ok").build().await;
    let mut args = hello("m");
    args["combo"] = "both".into();
    let answer = route(&hub, args.clone()).await.json();
    assert_eq!((&answer["routing"]["combo"], &answer["routing"]["cost_usd"]), (&json!("both"), &Value::Null));
    assert!(answer["routing"].as_object().unwrap().contains_key("cost_usd"), "unknown is said: {answer}");
    args["combo"] = "nobody".into();
    assert_eq!(route(&hub, args).await.status, 404);
    // A ceiling leaves out whoever has no known price.
    let mut dear = hello("m");
    dear["budget"] = json!(0.5);
    let refused = route(&hub, dear).await;
    assert!(refused.status.is_client_error(), "{}", refused.text);
    assert!(refused.text.contains("The request is `req_"), "{}", refused.text);
}

#[tokio::test(start_paused = true)]
async fn the_policy_and_the_money_of_a_key_hold() {
    let hub = TestHub::builder().yaml(PRICED).build().await;
    let (_, none) = key(&hub, "none", &["read:models"], json!({})).await;
    assert_eq!(by(&hub, &none, Method::POST, "/api/routing/request", hello("m")).await.status, 403);
    let scopes = &["execute:completions"];
    let (_, other) = key(&hub, "other", scopes, json!({"allow_models": ["x"]})).await;
    let refused = by(&hub, &other, Method::POST, "/api/routing/request", hello("m")).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (403, "model_not_allowed"),
        "{}",
        refused.text
    );
    let (id, poor) = key(&hub, "poor", scopes, json!({"usd_per_day": 0.000_000_1})).await;
    let refused = by(&hub, &poor, Method::POST, "/api/routing/request", hello("m")).await;
    assert_eq!(refused.code(), "budget_exceeded", "{}", refused.text);
    let (_, often) = key(&hub, "often", scopes, json!({"requests_per_minute": 1})).await;
    let first = by(&hub, &often, Method::POST, "/api/routing/request", hello("m")).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(
        first.json()["routing"]["attempts"][0].get("message"),
        None,
        "the provider's words are not for everybody"
    );
    let again = by(&hub, &often, Method::POST, "/api/routing/request", hello("m")).await;
    assert_eq!(again.code(), "rate_limit_exceeded", "{}", again.text);
    // Each is in the log, without what was said.
    let log = hub.get("/api/audit?limit=50").await.text;
    assert!(log.contains(&id) && log.contains("budget_exceeded") && !log.contains("hello"), "{log}");
}

/// Keeps what it is told.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Progress for Heard {
    fn report(&self, _: f64, _: Option<f64>, message: String) {
        self.0.lock().unwrap().push(message);
    }
}

fn operator() -> Caller {
    Caller {
        id: "env".into(),
        name: "API_KEY".into(),
        kind: CallerKind::Environment,
        scopes: operations::Scopes::all(),
        address: None,
        policy: None,
    }
}

#[tokio::test(start_paused = true)]
async fn pieces_are_told_while_they_come_and_the_whole_in_the_end() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    let definition = Definition::named(RouteRequest::NAME).unwrap();
    let heard = Arc::new(Heard::default());
    let asked = Asked::new(operator(), "mcp", None).with_progress(Arc::clone(&heard) as _);
    let mut args = hello("m");
    args["stream"] = true.into();
    let answer = hub.operations.call(asked, definition, args).await.unwrap();
    let pieces = heard.0.lock().unwrap().clone();
    assert!(pieces.len() > 1, "{pieces:?}");
    assert_eq!(answer["response"]["content"], pieces.concat());
    assert!(answer["response"]["tokens"]["output"].as_u64() > Some(0), "{answer}");
    let whole = route(&hub, hello("m")).await.json();
    assert_eq!(whole["response"]["content"], answer["response"]["content"], "as without a stream");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_takes_its_request_along() {
    let hub = TestHub::builder().account("a", "sim-hang").build().await;
    let definition = Definition::named(RouteRequest::NAME).unwrap();
    let asked = Asked::new(operator(), "mcp", None);
    let call = hub.operations.call(asked, definition, hello("m"));
    assert!(tokio::time::timeout(Duration::from_millis(500), call).await.is_err());
    tokio::time::sleep(Duration::from_millis(10)).await;
    let receipt = hub.receipts().await.remove(0);
    assert_eq!((receipt.outcome.as_str(), receipt.status), ("client_left", 499));
    assert_eq!(hub.engine.admission().running(), 0);
    let log = hub.get("/api/audit").await.json();
    let entry = &log["entries"][0];
    assert_eq!(
        (&entry["operation"], &entry["error"]),
        (&json!("route_request"), &json!("cancelled")),
        "{log}"
    );
    assert_eq!(entry["outcome"], "failed");
}

#[tokio::test(start_paused = true)]
async fn every_target_of_a_combo_is_tried_once() {
    let hub = TestHub::builder().yaml(PRICED).build().await;
    let dry =
        hub.json(Method::POST, "/api/routing/test-combo", json!({"name": "both", "dry_run": true})).await;
    let dry = dry.json();
    assert_eq!(dry["targets"].as_array().unwrap().len(), 2, "{dry}");
    assert!(dry["targets"][0]["cost_usd"].as_f64() > Some(0.0), "{dry}");
    assert!(hub.upstream().is_empty(), "nobody was asked");
    let test = hub.json(Method::POST, "/api/routing/test-combo", json!({"name": "both"})).await.json();
    let (bad, good) = (&test["targets"][0], &test["targets"][1]);
    assert_eq!((&bad["connection"], &bad["ok"]), (&json!("bad"), &json!(false)), "{test}");
    assert!(bad["error"]["code"].is_string() && bad["error"]["message"].is_string(), "{test}");
    assert_eq!(
        (&good["ok"], &test["fastest"], &test["cheapest"]),
        (&json!(true), &json!("good/m"), &json!("good/m"))
    );
    assert_eq!(hub.calls(["sim-500.a", "sim-ok.b"]), [1, 1]);
    let id = good["request_id"].as_str().unwrap();
    let explained = hub.get(&format!("/api/routing/explain/{id}")).await.json();
    assert_eq!(explained["cost_usd"], good["cost_usd"]);
    let nobody = hub.json(Method::POST, "/api/routing/test-combo", json!({"name": "nobody"})).await;
    assert_eq!(nobody.status, 404);
}

#[tokio::test(start_paused = true)]
async fn knobs_change_documents_and_what_the_file_says_stays() {
    let yaml = "combos:\n  - {id: fixed, strategy: priority, steps: [m]}\n";
    let hub = TestHub::builder().yaml(yaml).account("a", "sim-ok").build().await;
    let put = hub.json(Method::PUT, "/api/combos/mine", json!({"steps": ["m"]})).await;
    assert_eq!(put.status, 200, "{}", put.text);
    let switch = |args| hub.json(Method::POST, "/api/routing/switch-combo", args);
    let off = switch(json!({"name": "mine", "active": false})).await.json();
    assert_eq!((&off["version"], &off["definition"]["enabled"]), (&json!(2), &json!(false)), "{off}");
    assert_eq!(hub.chat("mine").await.status, 404);
    assert_eq!(switch(json!({"name": "mine", "active": true, "version": 1})).await.status, 412);
    assert_eq!(switch(json!({"name": "mine", "active": true, "version": 2})).await.status, 200);
    assert!(hub.chat("mine").await.is_whole());
    assert_eq!(switch(json!({"name": "fixed", "active": false})).await.status, 409);
    assert_eq!(switch(json!({"name": "nobody", "active": false})).await.status, 404);

    let strategy = |args| hub.json(Method::POST, "/api/routing/strategy", args);
    let changed = strategy(json!({"name": "mine", "strategy": "auto", "auto_mode": "cost-saver"})).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(strategy(json!({"name": "mine", "strategy": "best"})).await.status, 409);
    assert_eq!(
        strategy(json!({"name": "mine", "strategy": "random", "auto_mode": "balanced"})).await.status,
        400
    );
    assert_eq!(strategy(json!({"name": "fixed", "strategy": "random"})).await.status, 409);

    let before = hub.engine.snapshot().settings.routing.resilience;
    let set =
        hub.json(Method::POST, "/api/resilience/profile", json!({"profile": "conservative"})).await.json();
    let after = hub.engine.snapshot().settings.routing.resilience;
    assert!(after.confirmations < before.confirmations);
    assert_eq!(set["values"]["confirmations"], f64::from(after.confirmations), "{set}");
    // And back, by the entry of the change.
    let log = hub.get("/api/audit?limit=1").await.json();
    let change = log["entries"][0]["id"].as_u64().unwrap();
    assert_eq!(log["entries"][0]["operation"], "set_resilience_profile");
    assert_eq!(hub.json(Method::POST, &format!("/api/audit/{change}/undo"), json!({})).await.status, 200);
    assert_eq!(hub.engine.snapshot().settings.routing.resilience, before);
}

#[tokio::test(start_paused = true)]
async fn a_guard_bounds_the_key_that_sets_it_and_nobody_else() {
    let yaml = "providers:\n  - id: a\n    type: openai-compatible\n    base_url: http://simulator.test/v1\n    \
                api_key: sim-ok\n    models: [{id: m, price: {input: 0, output: 0, request: 1}}]\n";
    let hub = TestHub::builder().yaml(yaml).build().await;
    let scopes = &["execute:completions", "write:budget", "read:usage"];
    let (id, mine) = key(&hub, "mine", scopes, json!({})).await;
    let (_, other) = key(&hub, "other", scopes, json!({})).await;
    let set =
        by(&hub, &mine, Method::POST, "/api/spending/guard", json!({"max_cost": 2, "action": "block"})).await;
    assert_eq!(set.status, 200, "{}", set.text);
    let set = set.json();
    assert_eq!(
        (&set["budget"], &set["remaining_usd"]),
        (&json!(format!("guard-{id}")), &json!(2.0)),
        "{set}"
    );
    for _ in 0..2 {
        assert_eq!(by(&hub, &mine, Method::POST, "/v1/chat/completions", hello("m")).await.status, 200);
    }
    let refused = by(&hub, &mine, Method::POST, "/v1/chat/completions", hello("m")).await;
    assert_eq!(refused.code(), "budget_exceeded");
    assert_eq!(by(&hub, &other, Method::POST, "/v1/chat/completions", hello("m")).await.status, 200);
    let snapshot = by(&hub, &mine, Method::GET, "/api/usage/session", json!({})).await.json();
    assert_eq!(
        (&snapshot["key"], &snapshot["guard"]["remaining_usd"]),
        (&json!(id), &json!(0.0)),
        "{snapshot}"
    );
    assert_eq!(snapshot["totals"]["requests"], 3, "{snapshot}");
    assert_eq!(snapshot["errors"][0], json!({"code": "budget_exceeded", "count": 1}), "{snapshot}");
    let others = by(&hub, &other, Method::GET, "/api/usage/session", json!({})).await.json();
    assert_eq!((&others["guard"], &others["totals"]["requests"]), (&Value::Null, &json!(1)), "{others}");
    let report = by(&hub, &mine, Method::GET, "/api/usage/cost?period=session", json!({})).await.json();
    assert_eq!((&report["totals"]["cost_usd"], &report["key"]), (&json!(2.0), &json!(id)), "{report}");
    assert_eq!(report["budgets"][0]["remaining_usd"], 0.0, "{report}");
    let all = hub.get("/api/usage/cost?period=month").await.json();
    assert_eq!(
        (&all["totals"]["cost_usd"], &all["by_model"][0]["name"]),
        (&json!(3.0), &json!("m")),
        "{all}"
    );
    // It may be changed by the same way, and only tells then.
    let soft =
        by(&hub, &mine, Method::POST, "/api/spending/guard", json!({"max_cost": 2, "action": "alert"})).await;
    assert_eq!(soft.json()["version"], 2);
    assert_eq!(by(&hub, &mine, Method::POST, "/v1/chat/completions", hello("m")).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn combos_and_providers_tell_how_they_do_and_errors_are_grouped() {
    let hub = TestHub::builder().yaml(PRICED).build().await;
    assert!(hub.chat("both").await.is_whole());
    assert!(hub.chat("combo/both").await.is_whole());
    hub.chat("nobody").await;
    hub.chat("nobody").await;
    let report = hub.get("/api/routing/combo-metrics?name=both").await.json();
    let combo = &report["combos"][0];
    assert_eq!((&combo["requests"], &combo["success_rate"]), (&json!(2), &json!(1.0)), "{report}");
    assert_eq!(
        (&combo["fallback_count"], &combo["by_provider"][0]["answers"]),
        (&json!(1), &json!(2)),
        "{report}"
    );
    assert!(combo["cost_usd"].as_f64() > Some(0.0), "{report}");
    assert_eq!(hub.get("/api/routing/combo-metrics").await.json()["combos"][0]["requests"], 2);
    assert_eq!(hub.get("/api/routing/combo-metrics?name=x").await.status, 404);

    let provider = hub.get("/api/health/provider?provider=openai-compatible").await.json();
    assert_eq!(
        (&provider["usage"]["requests"], &provider["success_rate"]),
        (&json!(2), &json!(1.0)),
        "{provider}"
    );
    assert_eq!(provider["last_error"]["connection"], "bad", "{provider}");
    assert_eq!(
        (&provider["connections"][0]["id"], &provider["connections"][0]["breaker"]),
        (&json!("bad"), &json!("closed"))
    );
    assert_eq!(hub.get("/api/health/provider?provider=groq").await.status, 404);

    let errors = hub.get("/api/errors").await.json();
    let first = &errors["errors"][0];
    assert_eq!(
        (&first["code"], &first["count"], &first["model"]),
        (&json!("model_not_found"), &json!(2), &json!("nobody")),
        "{errors}"
    );
    assert_eq!(first["request_ids"].as_array().unwrap().len(), 2, "{errors}");
    assert!(!first["next"].as_str().unwrap().is_empty(), "{errors}");
    assert_eq!(hub.get("/api/errors?model=m").await.json()["errors"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn the_best_for_a_task_is_within_the_bounds_and_for_the_caller() {
    let hub = TestHub::builder()
        .yaml(
            "providers:\n  - {id: a, type: openai-compatible, api_key: sim-ok, base_url: 'http://simulator.test/v1', models: \
             [{id: claude-opus-4, price: {input: 15, output: 75}}, {id: llama-3, price: {input: 0.1, output: 0.1}}, \
             {id: gemma-free, price: {input: 0, output: 0}}]}\ncombos:\n  - {id: coding, steps: [claude-opus-4, llama-3]}\n",
        )
        .build()
        .await;
    let best = hub.get("/api/routing/best?task_type=coding").await.json();
    assert_eq!(
        (&best["recommended"]["name"], &best["recommended"]["is_combo"]),
        (&json!("coding"), &json!(true)),
        "{best}"
    );
    assert_eq!(
        (&best["alternatives"][0]["name"], &best["free"]["name"]),
        (&json!("claude-opus-4"), &json!("gemma-free"))
    );
    assert!(best["reason"].as_str().unwrap().contains("980"), "{best}");
    let cheap = hub.get("/api/routing/best?task_type=planning&max_cost=0.001").await.json();
    assert_eq!(cheap["recommended"]["name"], "llama-3", "{cheap}");
    let (_, bounded) = key(&hub, "bounded", &["read:combos"], json!({"allow_models": ["gemma-*"]})).await;
    let own = by(&hub, &bounded, Method::GET, "/api/routing/best?task_type=review", json!({})).await.json();
    assert_eq!(
        (&own["recommended"]["name"], &own["alternatives"]),
        (&json!("gemma-free"), &json!([])),
        "{own}"
    );
    assert_eq!(hub.get("/api/routing/best?task_type=cooking").await.status, 400);
    assert!(hub.upstream().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_previewed_with_every_reason_and_nothing_is_counted() {
    let hub = TestHub::builder().yaml(PRICED).build().await;
    let policy = json!({"deny_models": ["m"], "requests_per_minute": 1});
    let (id, bound) = key(&hub, "bound", &["read:models"], policy).await;
    let (_, free) = key(&hub, "free", &["read:models", "execute:completions"], json!({})).await;
    let own = by(&hub, &free, Method::GET, "/api/policy/preview?model=m", json!({})).await.json();
    assert_eq!((&own["allowed"], &own["name"]), (&json!(true), &json!("free")), "{own}");
    assert_eq!(own["targets"], json!(["openai-compatible/m", "openai-compatible/m"]));
    let no = by(&hub, &bound, Method::GET, "/api/policy/preview?model=m", json!({})).await.json();
    let codes: Vec<&Value> =
        no["checks"].as_array().unwrap().iter().filter_map(|check| check.get("code")).collect();
    assert_eq!(
        (&no["allowed"], codes),
        (&json!(false), vec![&json!("insufficient_scope"), &json!("model_not_allowed")]),
        "{no}"
    );
    // Another's takes the right to see keys.
    let path = format!("/api/policy/preview?model=m&key={id}");
    assert_eq!(by(&hub, &free, Method::GET, &path, json!({})).await.status, 403);
    assert_eq!(hub.get(&path).await.json()["checks"], no["checks"]);
    hub.json(Method::DELETE, "/api/keys/bound", json!({})).await;
    let ended = hub.get(&path).await.json();
    assert_eq!(
        (&ended["checks"][0]["check"], &ended["checks"][0]["allowed"]),
        (&json!("key"), &json!(false)),
        "{ended}"
    );
    assert_eq!(hub.get("/api/policy/preview?model=m&key=nobody").await.status, 404);
    // A rate that is used up is a reason; looking used none of it up.
    let (_, once) =
        key(&hub, "once", &["read:models", "execute:completions"], json!({"requests_per_minute": 1})).await;
    let preview =
        async || by(&hub, &once, Method::GET, "/api/policy/preview?model=m", json!({})).await.json();
    assert_eq!(
        (preview().await["allowed"].clone(), preview().await["allowed"].clone()),
        (json!(true), json!(true))
    );
    assert_eq!(by(&hub, &once, Method::POST, "/v1/chat/completions", hello("m")).await.status, 200);
    let used = preview().await;
    assert_eq!(
        (&used["allowed"], &used["checks"][5]["code"]),
        (&json!(false), &json!("rate_limit_exceeded")),
        "{used}"
    );
}

#[tokio::test(start_paused = true)]
async fn tokens_are_estimated_and_the_answer_says_so() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    let count = |args| hub.json(Method::POST, "/api/tokens/count", args);
    let short = count(json!({"model": "m", "text": "hello"})).await.json();
    let long = count(json!({"model": "m", "text": "hello ".repeat(100)})).await.json();
    assert!(
        short["tokens"].as_u64() < long["tokens"].as_u64() && short["tokens"].as_u64() > Some(0),
        "{short} {long}"
    );
    assert_eq!(short["method"], "estimate");
    let talk = count(json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]})).await.json();
    assert!(talk["tokens"].as_u64() > short["tokens"].as_u64(), "a message has borders: {talk}");
    assert_eq!(count(json!({"model": "nobody", "text": "x"})).await.status, 404);
    assert!(hub.upstream().is_empty() && hub.receipts().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_made_over_the_api_is_told_beside_the_file() {
    let hub =
        TestHub::builder().yaml("timeouts: {connect_seconds: 7}\n").account("a", "sim-ok").build().await;
    assert_eq!(hub.get("/api/configuration/diff").await.json()["managed"], json!([]));
    let put = json!({"type": "groq", "api_key": "gsk_CaNaRy7f3e", "models": ["x"]});
    assert_eq!(hub.json(Method::PUT, "/api/connections/mine", put).await.status, 200);
    let diff = hub.get("/api/configuration/diff").await;
    let told = diff.json();
    assert_eq!(
        (&told["managed"][0]["section"], &told["managed"][0]["id"]),
        (&json!("providers"), &json!("mine")),
        "{told}"
    );
    assert!(!diff.text.contains("CaNaRy7f3e"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn the_database_is_looked_at_and_repaired_by_those_who_may() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    let (_, looks) = key(&hub, "looks", &["read:health"], json!({})).await;
    let check = async |key: &str, args| by(&hub, key, Method::POST, "/api/store/check", args).await;
    let found = check(&looks, json!({})).await.json();
    assert_eq!(
        (&found["kind"], &found["sound"], &found["repaired"]),
        (&json!("memory"), &json!(true), &json!(false))
    );
    let refused = check(&looks, json!({"repair": true})).await;
    assert_eq!(
        (refused.status.as_u16(), refused.text.contains("write:backups")),
        (403, true),
        "{}",
        refused.text
    );
    assert_eq!(check(super::support::KEY, json!({"repair": true})).await.json()["repaired"], true);
}

#[tokio::test(start_paused = true)]
async fn models_are_listed_by_kind_and_provider_and_clients_see_no_connections() {
    let hub = TestHub::builder()
        .yaml("routing:\n  hidden: [secret]\n")
        .account_with("a", "sim-ok", &["gpt-4o", "text-embedding-3-small", "secret"])
        .account_with("b", "sim-ok", &["gpt-4o"])
        .build()
        .await;
    let ids = |answer: &Answer| -> Vec<String> {
        let page = answer.json();
        page["models"]
            .as_array()
            .unwrap()
            .iter()
            .map(|model| model["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&hub.get("/api/models?capability=embedding").await), ["text-embedding-3-small"]);
    assert_eq!(ids(&hub.get("/api/models?capability=chat").await), ["gpt-4o", "secret"]);
    assert_eq!(ids(&hub.get("/api/models?provider=groq").await), [""; 0]);
    let (_, client) = key(&hub, "client", &["read:models"], json!({"allow_models": ["gpt-*"]})).await;
    let seen = by(&hub, &client, Method::GET, "/api/models", json!({})).await;
    assert_eq!(ids(&seen), ["gpt-4o"]);
    assert!(!seen.text.contains("\"connection\""), "{}", seen.text);
    assert_eq!(seen.json()["models"][0]["served_by"].as_array().map(Vec::len), Some(1), "{}", seen.text);
    assert_eq!(by(&hub, &client, Method::GET, "/api/models?connection=a", json!({})).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn health_tells_of_the_hub_itself() {
    let hub = TestHub::builder().account("a", "sim-401").account("b", "sim-ok").build().await;
    tokio::time::sleep(Duration::from_secs(90)).await;
    hub.chat("m").await;
    let health = hub.get("/api/health").await.json();
    let own = &health["hub"];
    assert_eq!((&own["uptime_seconds"], &own["accepting"]), (&json!(90), &json!(true)), "{health}");
    assert_eq!((&own["locks"], &own["version"]), (&json!(1), &json!(env!("CARGO_PKG_VERSION"))), "{health}");
}

#[tokio::test(start_paused = true)]
async fn the_web_is_searched_by_tagged_models_and_by_nobody_else() {
    let yaml = "providers:\n  - {id: a, type: openai-compatible, api_key: sim-ok.a, base_url: 'http://simulator.test/v1', models: \
                [plain, {id: finder, tags: [web-search]}]}\n";
    let hub = TestHub::builder().yaml(yaml).build().await;
    let found =
        hub.json(Method::POST, "/api/search", json!({"query": "leap seconds", "search_type": "news"})).await;
    assert_eq!(found.status, 200, "{}", found.text);
    let found = found.json();
    assert_eq!(
        (&found["model"], &found["provider"]),
        (&json!("finder"), &json!("openai-compatible")),
        "{found}"
    );
    assert!(!found["summary"].as_str().unwrap().is_empty(), "{found}");
    let sent: Value = serde_json::from_str(&hub.upstream()[0].body).unwrap();
    assert!(sent["messages"][0]["content"].as_str().unwrap().contains("recent news"), "{sent}");
    let (_, talks) = key(&hub, "talks", &["execute:completions"], json!({})).await;
    assert_eq!(by(&hub, &talks, Method::POST, "/api/search", json!({"query": "x"})).await.status, 403);
    let none = TestHub::builder().account("a", "sim-ok").build().await;
    let refused = none.json(Method::POST, "/api/search", json!({"query": "x"})).await;
    assert_eq!(refused.code(), "not_supported", "{}", refused.text);
    assert!(refused.text.contains("web-search"), "{}", refused.text);
}
