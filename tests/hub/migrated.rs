//! What scripts for FreeRouter and MultiVibe call, field by field. What those routers answer is in docs/migrating.md.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use trivium::simulator::{Behaviour, Fault, Script};

use super::support::{Answer, KEY, TestHub};

/// An account of the file; `mine` is made over the API in the tests that change something.
const FILE: &str = "
providers:
  - {id: first, type: openai-compatible, api_key: sim-ok.first, base_url: 'http://simulator.test/v1', models: [{id: m, rank: 5}]}
";

async fn hub() -> TestHub {
    let hub = TestHub::builder().yaml(FILE).build().await;
    let mine = json!({
        "type": "groq", "base_url": "http://simulator.test/v1", "api_key": "sim-ok.mine",
        "models": ["vendor/big", {"id": "small", "tags": ["web-search"]}],
    });
    let made = hub.json(Method::PUT, "/api/connections/mine", mine).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    hub
}

/// A call as MultiVibe's documentation writes it.
async fn admin(hub: &TestHub, method: Method, path: &str, token: &str, body: Value) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("x-admin-token", token).header("content-type", "application/json");
    // No other key.
    let request = request.header("authorization", "none");
    hub.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn look(hub: &TestHub, path: &str) -> Value {
    let answer = admin(hub, Method::GET, path, KEY, Value::Null).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.json()
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// The routes that FreeRouter's catalogue shows, with rank and whether they are enabled.
fn routes(answer: &Value) -> Vec<(&str, u64)> {
    let data = answer["data"].as_array().unwrap();
    data.iter().map(|one| (one["route_id"].as_str().unwrap(), one["rank"].as_u64().unwrap())).collect()
}

#[tokio::test(start_paused = true)]
async fn aliases_are_made_changed_and_deleted() {
    let hub = hub().await;
    let path = "/admin/model-aliases";
    let body = json!({
        "id": "tiny", "targets": ["small", "vendor/big"], "enabled": true, "description": "Small coding model pool",
    });
    let made = admin(&hub, Method::POST, path, KEY, body.clone()).await;
    assert_eq!(made.json(), json!({"ok": true, "modelAlias": body}));
    assert_eq!(hub.chat("tiny").await.header("x-gateway-model"), "small");
    assert_eq!(look(&hub, path).await, json!({"modelAliases": [body]}));
    let one = format!("{path}/tiny");
    let changed =
        admin(&hub, Method::PATCH, &one, KEY, json!({"targets": ["vendor/big"], "description": ""}));
    let wanted =
        json!({"ok": true, "modelAlias": {"id": "tiny", "targets": ["vendor/big"], "enabled": true}});
    assert_eq!(changed.await.json(), wanted);
    assert_eq!(hub.chat("tiny").await.header("x-gateway-model"), "vendor/big");
    let off = admin(&hub, Method::PATCH, &one, KEY, json!({"enabled": false})).await;
    assert_eq!(off.json()["modelAlias"]["enabled"], false);
    assert_eq!(hub.chat("tiny").await.status, StatusCode::NOT_FOUND);
    let gone = admin(&hub, Method::DELETE, &one, KEY, Value::Null).await;
    assert_eq!((gone.status, gone.json()), (StatusCode::OK, json!({"ok": true})));
    let gone = admin(&hub, Method::DELETE, &one, KEY, Value::Null).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert!(gone.json()["error"].as_str().unwrap().contains("tiny"), "{}", gone.text);
    let log = hub.get("/api/audit").await.json();
    let done: Vec<_> = log["entries"].as_array().unwrap().iter().map(|entry| &entry["operation"]).collect();
    assert_eq!(done[..3], ["delete_alias", "delete_alias", "update_alias"], "changes are operations: {log}");
}

#[tokio::test(start_paused = true)]
async fn aliases_that_make_no_sense_are_refused() {
    let hub = hub().await;
    for (body, word) in [
        (json!({"targets": ["small"]}), "`id`"),
        (json!({"id": "a"}), "target"),
        (json!({"id": "a", "targets": []}), "target"),
        (json!({"id": "a", "targets": ["small"], "colour": "red"}), "colour"),
        (json!([]), "object"),
    ] {
        let answer = admin(&hub, Method::POST, "/admin/model-aliases", KEY, body).await;
        assert!(answer.status.is_client_error(), "{}", answer.text);
        assert!(answer.json()["error"].as_str().unwrap().contains(word), "{word}: {}", answer.text);
        assert_eq!(keys(&answer.json()), ["code", "error", "request_id"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_token_is_a_key_with_its_rights() {
    let hub = hub().await;
    let scoped = json!({"name": "reader", "scopes": ["read:combos"]});
    let reader =
        hub.json(Method::POST, "/api/keys", scoped).await.json()["secret"].as_str().unwrap().to_owned();
    let path = "/admin/model-aliases";
    assert_eq!(admin(&hub, Method::GET, path, &reader, Value::Null).await.status, StatusCode::OK);
    let body = json!({"id": "a", "targets": ["small"]});
    let denied = admin(&hub, Method::POST, path, &reader, body).await;
    assert_eq!(
        (denied.status, &denied.json()["code"]),
        (StatusCode::FORBIDDEN, &json!("insufficient_scope"))
    );
    for path in ["/admin/traces", "/admin/stats/usage", "/admin/stats/traces"] {
        assert_eq!(admin(&hub, Method::GET, path, &reader, Value::Null).await.status, StatusCode::FORBIDDEN);
    }
    let nobody = admin(&hub, Method::GET, path, "change-me", Value::Null).await;
    assert_eq!(
        (nobody.status, &nobody.json()["code"]),
        (StatusCode::UNAUTHORIZED, &json!("invalid_api_key"))
    );
    // Elsewhere the header means nothing.
    assert_eq!(
        admin(&hub, Method::GET, "/api/aliases", KEY, Value::Null).await.status,
        StatusCode::UNAUTHORIZED
    );
    let bearer = hub.get(path).await;
    assert_eq!(bearer.status, StatusCode::OK, "a key is taken as everywhere else, too");
}

#[tokio::test(start_paused = true)]
async fn traces_come_by_the_page_or_at_once() {
    let hub = hub().await;
    for nth in 0..25 {
        if nth % 5 == 4 {
            hub.stream("small").await
        } else {
            hub.chat("m").await
        };
        tokio::time::advance(std::time::Duration::from_secs(60)).await;
    }
    hub.chat("nobody-serves-this").await;
    let page = look(&hub, "/admin/traces?page=1&pageSize=10").await;
    assert_eq!(keys(&page), ["pagination", "stats", "traces"]);
    let wanted =
        json!({"page": 1, "pageSize": 10, "total": 26, "totalPages": 3, "hasPrev": false, "hasNext": true});
    assert_eq!(page["pagination"], wanted);
    let traces = page["traces"].as_array().unwrap();
    assert_eq!((traces.len(), &traces[0]["status"], &traces[0]["isError"]), (10, &json!(404), &json!(true)));
    let known = ["accountId", "at", "id", "isError", "latencyMs", "model", "route", "status", "stream"];
    assert!(known.iter().all(|name| traces[1].get(name).is_some()), "{}", traces[1]);
    assert_eq!((&traces[1]["accountId"], &traces[1]["stream"]), (&json!("mine"), &json!(true)));
    assert_eq!(traces[1]["route"], "/v1/chat/completions");
    let used = &traces[1];
    assert_eq!(
        used["tokensTotal"],
        used["tokensInput"].as_u64().unwrap() + used["tokensOutput"].as_u64().unwrap()
    );
    let last = look(&hub, "/admin/traces?page=3&pageSize=10").await;
    assert_eq!(
        (last["traces"].as_array().map(Vec::len), &last["pagination"]["hasNext"]),
        (Some(6), &json!(false))
    );
    let beyond = look(&hub, "/admin/traces?page=99").await;
    assert_eq!(beyond["traces"], json!([]));
    let legacy = look(&hub, "/admin/traces?limit=5").await;
    assert_eq!(keys(&legacy), ["traces"]);
    let times: Vec<_> =
        legacy["traces"].as_array().unwrap().iter().map(|one| one["at"].as_i64().unwrap()).collect();
    assert!(times.len() == 5 && times.is_sorted(), "the oldest first: {times:?}");
    assert_eq!(legacy["traces"][4], page["traces"][0]);
    let wrong = admin(&hub, Method::GET, "/admin/traces?page=two", KEY, Value::Null).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn statistics_are_sums_over_a_time() {
    let hub = hub().await;
    let start = hub.engine.clock().now();
    for model in ["m", "m", "small"] {
        hub.chat(model).await;
        tokio::time::advance(std::time::Duration::from_secs(3600)).await;
    }
    hub.chat("nobody-serves-this").await;
    let all = look(&hub, "/admin/stats/usage").await;
    let totals = &all["totals"];
    assert_eq!((&totals["requests"], &totals["ok"], &totals["errors"]), (&json!(4), &json!(3), &json!(1)));
    assert_eq!(
        (&totals["successRate"], &totals["statusCounts"]),
        (&json!(75.0), &json!({"200": 3, "404": 1}))
    );
    assert_eq!(totals["requestsWithUsage"], 3);
    let tokens = &totals["tokens"];
    assert_eq!(tokens["total"], tokens["prompt"].as_u64().unwrap() + tokens["completion"].as_u64().unwrap());
    assert_eq!(
        (&totals["firstAt"], &all["ok"], &all["tracesMatched"]),
        (&json!(start), &json!(true), &json!(4))
    );
    let accounts = all["byAccount"].as_array().unwrap();
    assert_eq!((&accounts[0]["accountId"], &accounts[0]["requests"]), (&json!("first"), &json!(2)));
    assert_eq!(accounts[0]["account"]["provider"], "openai-compatible");
    assert_eq!(all["byRoute"][0]["route"], "/v1/chat/completions");
    let (since, until) = (start + 1, start + 2 * 3_600_000);
    let part =
        look(&hub, &format!("/admin/stats/usage?sinceMs={since}&untilMs={until}&accountId=mine")).await;
    assert_eq!((&part["totals"]["requests"], &part["tracesEvaluated"]), (&json!(1), &json!(2)), "{part}");
    assert_eq!(part["filters"], json!({"sinceMs": since, "untilMs": until, "accountId": "mine"}));
    let none = look(&hub, "/admin/stats/usage?route=/v1/responses").await;
    assert_eq!((&none["totals"]["requests"], &none["totals"]["successRate"]), (&json!(0), &json!(0.0)));
    let traces = look(&hub, &format!("/admin/stats/traces?sinceMs={start}&untilMs={until}")).await;
    assert_eq!((&traces["totalStored"], &traces["matched"]), (&json!(4), &json!(3)));
    let stats = &traces["stats"];
    assert_eq!((&stats["totals"]["requests"], &stats["totals"]["errorRate"]), (&json!(3), &json!(0.0)));
    assert_eq!((&stats["models"][0]["model"], &stats["models"][0]["count"]), (&json!("m"), &json!(2)));
    let hours = stats["timeseries"].as_array().unwrap();
    assert_eq!(hours.len(), 3, "{stats}");
    assert!(hours.iter().all(|hour| hour["requests"] == 1 && hour["latencyP95Ms"].is_u64()));
}

#[tokio::test(start_paused = true)]
async fn the_catalogue_is_shown_and_ranked() {
    let hub = hub().await;
    let shown = hub.get("/v1/gateway/models").await.json();
    assert_eq!(keys(&shown), ["data", "object"]);
    assert_eq!(routes(&shown), [("first/m", 5), ("mine/vendor/big", 100_001), ("mine/small", 100_002)]);
    let small = &shown["data"][2];
    for (name, wanted) in [
        ("provider_name", json!("groq")),
        ("model_id", json!("small")),
        ("display_name", json!("small")),
        ("enabled", json!(true)),
        ("tags", json!(["web-search"])),
    ] {
        assert_eq!(small[name], wanted, "{name}");
    }
    assert_eq!(
        (&small["health"]["status"], &small["health"]["status_reason"]),
        (&json!("active"), &Value::Null)
    );
    let mut edited = shown.clone();
    edited["data"][2]["rank"] = json!(1);
    let put = hub.json(Method::PUT, "/v1/gateway/models", edited).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    assert_eq!(routes(&put.json()), [("mine/small", 1), ("first/m", 5), ("mine/vendor/big", 100_001)]);
    let ranked = hub.post("/v1/gateway/models/auto-rank", "").await;
    let ranked = ranked.json();
    assert!(routes(&ranked).iter().all(|(_, rank)| *rank < 100), "{ranked}");
    let reset = hub.post("/v1/gateway/models/reset", "").await.json();
    assert_eq!(routes(&reset), routes(&shown), "as it was: {reset}");
    assert_eq!(reset["data"][2]["tags"], json!(["web-search"]));
    // What is not among the routes is hidden, and what is disabled; a route that is put in again is shown.
    let part = json!([{"route_id": "mine/small", "enabled": false}]);
    let put = hub.json(Method::PUT, "/v1/gateway/models", part).await.json();
    let on = |answer: &Value| -> Vec<bool> {
        answer["data"].as_array().unwrap().iter().map(|one| one["enabled"] == true).collect()
    };
    assert_eq!((routes(&put).len(), on(&put)), (3, vec![true, false, false]), "{put}");
    let put = hub.json(Method::PUT, "/v1/gateway/models", shown.clone()).await.json();
    assert_eq!(on(&put), [true; 3], "{put}");
    let wrong = hub.json(Method::PUT, "/v1/gateway/models", json!({"data": [{"route_id": "x/y"}]})).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (StatusCode::NOT_FOUND, "not_found"));
    assert!(wrong.json()["detail"].as_str().unwrap().contains("x/y"), "{}", wrong.text);
    let wrong = hub.json(Method::PUT, "/v1/gateway/models", json!({"data": 5})).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn a_route_is_disabled_and_enabled() {
    let hub = hub().await;
    let off = hub.post("/v1/gateway/models/mine/vendor%2Fbig/disable", "").await;
    assert_eq!(off.status, StatusCode::OK, "{}", off.text);
    assert_eq!(
        (&off.json()["data"]["route_id"], &off.json()["data"]["enabled"]),
        (&json!("mine/vendor/big"), &json!(false))
    );
    let listed = hub.get("/v1/models").await.text;
    assert!(!listed.contains("vendor/big"), "{listed}");
    let kept = hub.get("/api/connections/mine").await.json();
    assert_eq!(kept["definition"]["models"][0], "vendor/big", "it stays on the list: {kept}");
    let on = hub.post("/v1/gateway/models/mine/vendor/big/enable", "").await;
    assert_eq!((on.status, &on.json()["data"]["enabled"]), (StatusCode::OK, &json!(true)), "{}", on.text);
    assert_eq!(hub.chat("vendor/big").await.route(), "mine");
    // One that the file declares is hidden too: its list stays as it is.
    let file = hub.post("/v1/gateway/models/first/m/disable", "").await.json();
    assert_eq!(file["data"]["enabled"], false, "{file}");
    // A model that is on no list is accepted.
    let fresh = hub.post("/v1/gateway/models/mine/fresh/enable", "").await.json();
    assert_eq!(fresh["data"]["enabled"], true, "{fresh}");
    for (path, status) in [
        ("/v1/gateway/models/nobody/x/disable", StatusCode::NOT_FOUND),
        ("/v1/gateway/models/first/fresh/enable", StatusCode::CONFLICT),
        ("/v1/gateway/models/first/m/explode", StatusCode::NOT_FOUND),
    ] {
        let answer = hub.post(path, "").await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert!(answer.json()["detail"].is_string());
    }
}

#[tokio::test(start_paused = true)]
async fn the_health_of_routes_and_providers_is_shown() {
    let limited = Behaviour::failing(Fault::Status { code: 429, retry_after: Some(300), body: None });
    let script = Script::default().key("sim-ok.first", limited);
    let yaml = format!(
        "{FILE}  - {{id: spare, type: groq, api_key: sim-ok.spare, base_url: 'http://simulator.test/v1', models: [m]}}\n"
    );
    let hub = TestHub::builder().yaml(&yaml).script(script).build().await;
    assert_eq!(hub.chat("m").await.route(), "spare");
    let shown = hub.get("/v1/gateway/models").await.json();
    let health = &shown["data"][0]["health"];
    assert_eq!(
        (&health["status"], &health["route_id"]),
        (&json!("rate_limited"), &json!("first/m")),
        "{shown}"
    );
    let now = hub.engine.clock().now() / 1000;
    assert!((now + 290..=now + 310).contains(&health["rate_limited_until"].as_i64().unwrap()), "{health}");
    let status = hub.get("/v1/providers/status").await.json();
    assert_eq!(status["object"], "list");
    let [groq, other] = status["data"].as_array().unwrap().as_slice() else { panic!("{status}") };
    assert_eq!(
        (&groq["name"], &groq["available"], &groq["requests_today"]),
        (&json!("groq"), &json!(true), &json!(1))
    );
    assert_eq!(
        (&groq["configured"], &groq["unavailable_reason"], &groq["requests_this_minute"]),
        (&json!(true), &Value::Null, &json!(1))
    );
    assert!(groq["tokens_used_today"].as_u64().unwrap() > 0, "{groq}");
    assert_eq!((&other["available"], &other["requests_today"]), (&json!(false), &json!(0)), "{other}");
    assert!((290..=310).contains(&other["retry_after_seconds"].as_i64().unwrap()), "{other}");
    let usage = &other["models"][0]["usage"];
    assert_eq!(
        (&usage["failures"], &usage["rate_limits"], &usage["last_status_code"]),
        (&json!(1), &json!(1), &json!(429))
    );
    assert_eq!(groq["models"][0]["usage"]["successes"], 1);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_see_or_change_the_catalogue_is_told_so() {
    let hub = hub().await;
    let other = hub.other_key().await;
    let route = r#"[{"route_id": "mine/small"}]"#;
    for (method, path, body) in [
        (Method::GET, "/v1/gateway/models", ""),
        (Method::PUT, "/v1/gateway/models", route),
        (Method::PUT, "/v1/gateway/models", "[]"),
        (Method::PUT, "/v1/gateway/models", r#"{"data": []}"#),
        (Method::PUT, "/v1/gateway/models", r#"[{"route_id": "nobody/x"}]"#),
        (Method::POST, "/v1/gateway/models/reset", ""),
        (Method::POST, "/v1/gateway/models/auto-rank", ""),
        (Method::POST, "/v1/gateway/models/mine/small/disable", ""),
        (Method::POST, "/v1/gateway/models/mine/small/enable", ""),
        (Method::POST, "/v1/gateway/models/mine/small/health/reset", ""),
        // Nor which routes there are.
        (Method::POST, "/v1/gateway/models/nobody/x/disable", ""),
        (Method::POST, "/v1/gateway/models/nobody/x/enable", ""),
        (Method::POST, "/v1/gateway/models/nobody/x/health/reset", ""),
        (Method::GET, "/v1/providers/status", ""),
    ] {
        let request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {other}"));
        let answer = hub.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::FORBIDDEN, "insufficient_scope"),
            "{path} {body}"
        );
    }
    assert_eq!(routes(&hub.get("/v1/gateway/models").await.json()).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn diagnoses_are_shown_made_and_applied_in_freerouters_words() {
    let hub = hub().await;
    hub.simulator.set_models(["m", "vendor/big", "fresh"]);
    let path = "/v1/gateway/endpoint-diagnosis";
    let before = hub.get(path).await.json();
    assert_eq!(keys(&before), ["auto_maintenance_enabled", "enabled", "last_auto_applied", "last_report"]);
    assert_eq!((&before["enabled"], &before["last_report"]), (&json!(true), &Value::Null));
    let report = hub.post(&format!("{path}/refresh"), "").await.json()["data"].take();
    assert_eq!(keys(&report), ["checked_at", "providers", "suggestions"]);
    assert_eq!(report["checked_at"], hub.engine.clock().now() / 1000);
    let groq = &report["providers"][0];
    let counts = [
        ("provider_name", json!("groq")),
        ("configured", json!(true)),
        ("ok", json!(true)),
        ("discovered_model_count", json!(3)),
        ("new_route_suggestion_count", json!(2)),
        ("confirmed_route_count", json!(1)),
        ("stale_route_suggestion_count", json!(1)),
        ("recovered_route_suggestion_count", json!(0)),
        ("error", Value::Null),
    ];
    assert_eq!(groq.as_object().unwrap().len(), counts.len());
    for (name, wanted) in counts {
        assert_eq!(groq[name], wanted, "{name}: {groq}");
    }
    let suggestions = report["suggestions"].as_array().unwrap();
    let of = |route: &str| {
        suggestions.iter().find(|one| one["route_id"] == route).unwrap_or_else(|| panic!("{report}"))
    };
    let (fresh, gone) = (of("mine/fresh"), of("mine/small"));
    let fields =
        ["action", "details", "model_id", "provider_name", "route", "route_id", "suggestion_id", "title"];
    assert_eq!((keys(fresh), keys(gone)), (fields.to_vec(), fields.to_vec()));
    assert_eq!((&fresh["action"], &fresh["route"]["enabled"]), (&json!("add_route"), &json!(false)));
    assert_eq!((&gone["action"], &gone["route"]), (&json!("remove_route"), &Value::Null));
    let chosen = json!({ "suggestion_ids": [fresh["suggestion_id"], gone["suggestion_id"]] });
    let applied = hub.json(Method::POST, &format!("{path}/apply"), chosen.clone()).await;
    assert_eq!(applied.status, StatusCode::OK, "{}", applied.text);
    assert_eq!(applied.json()["data"].as_array().map(Vec::len), Some(2));
    let shown = hub.get("/v1/gateway/models").await.json();
    let enabled = |route: &str| {
        let data = shown["data"].as_array().unwrap();
        data.iter().find(|one| one["route_id"] == route).map(|one| one["enabled"].clone())
    };
    assert_eq!(
        (enabled("mine/fresh"), enabled("mine/small")),
        (Some(json!(true)), Some(json!(false))),
        "{shown}"
    );
    let again = hub.json(Method::POST, &format!("{path}/apply"), chosen).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text);
    let after = hub.get(path).await.json();
    assert_eq!(after["last_report"]["checked_at"], report["checked_at"]);
    let wrong = hub.json(Method::POST, &format!("{path}/apply"), json!({"suggestion_ids": [1]})).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{}", wrong.text);
    let other = hub.other_key().await;
    for (method, path) in [(Method::GET, path.to_owned()), (Method::POST, format!("{path}/refresh"))] {
        let request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {other}"));
        assert_eq!(hub.send(request.body(Body::empty()).unwrap()).await.status, StatusCode::FORBIDDEN);
    }
}
