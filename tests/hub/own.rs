//! Two keys: neither sees the other's requests, usage, sessions or budgets, whatever it asks for; who may see other keys sees
//! all of them.

use http::Method;
use serde_json::{Value, json};

use super::{
    agents::{by, key},
    support::TestHub,
};

const CONFIG: &str = "
providers:
  - {id: a, type: openai-compatible, api_key: sim-ok.a, base_url: 'http://simulator.test/v1', models: [{id: m, price: {input: 0, output: 0, request: 1}}]}
  - {id: b, type: openai-compatible, api_key: sim-ok.b, base_url: 'http://simulator.test/v1', models: [{id: m, price: {input: 0, output: 0, request: 1}}]}
routing: {default_strategy: round-robin}
combos:
  - {id: both, steps: [m]}
budgets:
  - {id: each, for: '*', limit: 100, window: day}
  - {id: shared, for: all, limit: 1000, window: day}
  - {id: only-two, for: two, limit: 50, window: day}
";

/// Everything that a key may look at without being an administrator.
const SCOPES: [&str; 11] = [
    "execute:completions",
    "read:health",
    "read:combos",
    "read:quota",
    "read:usage",
    "read:traces",
    "read:models",
    "write:budget",
    "write:resilience",
    "read:tasks",
    "write:tasks",
];

pub(crate) struct Scene {
    pub(crate) hub: TestHub,
    pub(crate) one: String,
    pub(crate) one_id: String,
    pub(crate) two_id: String,
    /// A request of the second key, and the number of its session.
    pub(crate) request: String,
    pub(crate) session: String,
    /// A task of the second key.
    pub(crate) task: String,
}

/// A hub on which both keys have asked for something, in a session each.
pub(crate) async fn scene() -> Scene {
    let hub = TestHub::builder().yaml(CONFIG).build().await;
    let (one_id, one) = key(&hub, "one", &SCOPES, json!({})).await;
    let (two_id, two) = key(&hub, "two", &SCOPES, json!({})).await;
    let mut request = String::new();
    for key in [&one, &two] {
        let body =
            json!({"model": "both", "prompt_cache_key": "s", "messages": [{"role": "user", "content": "x"}]});
        let answer = by(&hub, key, Method::POST, "/v1/chat/completions", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        request = answer.header("x-request-id").to_owned();
    }
    let body = json!({"model": "nobody", "messages": []});
    by(&hub, &two, Method::POST, "/v1/chat/completions", body).await;
    let sessions = hub.get(&format!("/api/affinity?caller={two_id}")).await.json();
    let session = sessions["sessions"][0]["id"].as_str().unwrap().to_owned();
    let task = "task-of-two".to_owned();
    hub.waiting_task(&task, &two_id, 10).await;
    hub.dead_letter(&task, &two_id).await;
    Scene { hub, one, one_id, two_id, request, session, task }
}

#[tokio::test(start_paused = true)]
async fn no_argument_shows_what_is_anothers() {
    let Scene { hub, one, two_id, request, session, task, .. } = scene().await;
    let paths = [
        "/api/traces".to_owned(),
        format!("/api/traces?key={two_id}"),
        "/api/traces?session=s".to_owned(),
        "/api/traces?model=nobody".to_owned(),
        "/api/traces?error=model_not_found".to_owned(),
        format!("/api/traces/{request}"),
        format!("/api/routing/explain/{request}"),
        "/api/usage?group_by=key".to_owned(),
        format!("/api/usage?group_by=model&key={two_id}"),
        "/api/usage?group_by=session".to_owned(),
        format!("/api/usage?group_by=session&key={two_id}"),
        "/api/usage/cost".to_owned(),
        format!("/api/usage/cost?key={two_id}"),
        "/api/usage/session".to_owned(),
        format!("/api/usage/session?key={two_id}"),
        "/api/errors".to_owned(),
        format!("/api/errors?key={two_id}"),
        "/api/routing/combo-metrics".to_owned(),
        "/api/health/provider?provider=openai-compatible".to_owned(),
        "/api/affinity".to_owned(),
        format!("/api/affinity?caller={two_id}"),
        "/api/budgets".to_owned(),
        "/api/budgets/only-two".to_owned(),
        "/api/spending".to_owned(),
        "/api/spending?budget=each".to_owned(),
        "/api/spending?budget=only-two".to_owned(),
        "/api/a2a/status".to_owned(),
        "/api/a2a/tasks".to_owned(),
        format!("/api/a2a/tasks?owner={two_id}"),
        format!("/api/a2a/tasks?context=context-of-{task}"),
        format!("/api/a2a/tasks/{task}"),
        "/api/a2a/push/dead_letters".to_owned(),
        format!("/api/a2a/push/dead_letters?owner={two_id}"),
        "/admin/traces".to_owned(),
        "/admin/stats/traces".to_owned(),
    ];
    for path in paths {
        let answer = by(&hub, &one, Method::GET, &path, Value::Null).await;
        assert!(
            answer.status.is_success() || [403, 404].contains(&answer.status.as_u16()),
            "{path}: {}",
            answer.text
        );
        let text = answer.text.replace(&format!("`{request}`"), "").replace(&format!("`{task}`"), "");
        for others in [two_id.as_str(), &request, &session, &task, "hooks.test", "\"only-two\"", "\"nobody\""]
        {
            assert!(!text.contains(others), "{path} tells of {others}: {text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn its_own_is_there_and_counted_alone() {
    let Scene { hub, one, one_id, .. } = scene().await;
    let told = async |path: &str| by(&hub, &one, Method::GET, path, Value::Null).await.json();
    let traces = told("/api/traces").await;
    assert_eq!(traces["traces"].as_array().map(Vec::len), Some(1), "{traces}");
    assert_eq!(traces["traces"][0]["key"], one_id);
    let id = traces["traces"][0]["request_id"].as_str().unwrap();
    assert_eq!(told(&format!("/api/traces/{id}")).await["request_id"], id);
    assert_eq!(told(&format!("/api/routing/explain/{id}")).await["request_id"], id);
    assert_eq!(told("/api/usage").await["total"]["requests"], 1);
    assert_eq!(told(&format!("/api/usage?key={one_id}")).await["total"]["requests"], 1);
    assert_eq!(told("/api/usage/cost").await["totals"]["cost_usd"], 1.0);
    assert_eq!(told("/api/routing/combo-metrics").await["combos"][0]["requests"], 1);
    assert_eq!(told("/api/affinity").await["sessions"].as_array().map(Vec::len), Some(1));
    assert_eq!(told("/admin/traces").await["traces"].as_array().map(Vec::len), Some(1));
    let spending = told("/api/spending").await;
    assert_eq!(
        spending["budgets"].as_array().map(Vec::len),
        Some(2),
        "its part, and what all share: {spending}"
    );
    assert_eq!(
        (&spending["budgets"][0]["holder"], &spending["budgets"][0]["spent_usd"]),
        (&json!(one_id), &json!(1.0))
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_of_anothers_is_changed() {
    let Scene { hub, one, one_id, two_id, session, .. } = scene().await;
    let put = json!({"for": "two", "limit": 1, "window": "day"});
    assert_eq!(by(&hub, &one, Method::PUT, "/api/budgets/mine", put.clone()).await.status, 403);
    assert_eq!(hub.json(Method::PUT, "/api/budgets/of-two", put).await.status, 200);
    for (method, path, args, status) in [
        (
            Method::PUT,
            "/api/budgets/mine".to_owned(),
            json!({"for": format!("key:{two_id}"), "limit": 1}),
            403,
        ),
        (Method::PUT, "/api/budgets/of-two".to_owned(), json!({"for": "one", "limit": 1}), 409),
        (Method::PATCH, "/api/budgets/of-two".to_owned(), json!({"limit": 1}), 404),
        (Method::DELETE, "/api/budgets/of-two".to_owned(), json!({}), 404),
        (Method::POST, "/api/budgets/of-two/reset".to_owned(), json!({}), 404),
        (Method::POST, "/api/budgets/each/reset".to_owned(), json!({"holder": two_id}), 403),
        (Method::DELETE, format!("/api/affinity/{session}"), json!({}), 404),
        (
            Method::PUT,
            "/api/budgets/mine".to_owned(),
            json!({"for": "one", "limit": 1, "window": "day"}),
            200,
        ),
        (Method::PATCH, "/api/budgets/mine".to_owned(), json!({"for": "two"}), 403),
    ] {
        let answer = by(&hub, &one, method.clone(), &path, args).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text);
    }
    // Its own part of what everybody has begins anew, and nobody else's.
    let reset = by(&hub, &one, Method::POST, "/api/budgets/each/reset", json!({})).await.json();
    assert_eq!(reset["forgiven_usd"], 1.0, "{reset}");
    let spending = hub.get("/api/spending?budget=each").await.json();
    let of = |id: &str| {
        let rows = spending["budgets"].as_array().unwrap();
        rows.iter().find(|row| row["holder"] == id).unwrap()["spent_usd"].clone()
    };
    assert_eq!((of(&one_id), of(&two_id)), (json!(0.0), json!(1.0)));
}

#[tokio::test(start_paused = true)]
async fn who_may_see_keys_sees_what_is_theirs() {
    let Scene { hub, one_id, two_id, request, session, .. } = scene().await;
    let scopes: Vec<&str> = SCOPES.into_iter().chain(["read:keys"]).collect();
    let (_, auditor) = key(&hub, "auditor", &scopes, json!({})).await;
    for key in [auditor.as_str(), super::support::KEY] {
        let told = async |path: String| by(&hub, key, Method::GET, &path, Value::Null).await;
        for path in [format!("/api/traces/{request}"), format!("/api/routing/explain/{request}")] {
            assert_eq!(told(path).await.json()["request_id"], request);
        }
        let usage = told("/api/usage?group_by=key".to_owned()).await.text;
        assert!(usage.contains(&one_id) && usage.contains(&two_id), "{usage}");
        assert_eq!(told(format!("/api/usage?key={two_id}")).await.json()["total"]["requests"], 2);
        assert!(told("/api/affinity".to_owned()).await.text.contains(&session));
        assert!(told("/api/spending".to_owned()).await.text.contains("only-two"));
        assert_eq!(told("/api/budgets/only-two".to_owned()).await.status, 200);
        assert!(told("/admin/traces".to_owned()).await.text.contains(&request));
        assert_eq!(told("/api/errors".to_owned()).await.json()["errors"][0]["code"], "model_not_found");
    }
}
