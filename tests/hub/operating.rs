//! What an operator sees of a running hub, and what can be put right by hand.

use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::support::{TestHub, chat};

#[tokio::test(start_paused = true)]
async fn a_lock_is_shown_with_its_evidence_and_lifted_by_hand() {
    let hub = TestHub::builder().account("bad", "sim-401").account("good", "sim-ok").build().await;
    assert_eq!(hub.chat("m").await.route(), "good");
    let health = hub.get("/api/health").await.json();
    let bad = &health["connections"][0];
    assert_eq!((&bad["id"], &bad["standing"]), (&json!("bad"), &json!("cooling")), "{health}");
    assert_eq!(bad["locks"][0]["cause"], "unauthorized", "{health}");
    assert!(bad["locks"][0]["evidence"].as_str().unwrap().contains("401"), "{health}");
    assert!(bad["locks"][0]["until_at"].as_i64() > bad["locks"][0]["since_at"].as_i64(), "{health}");
    assert_eq!(health["connections"][1]["standing"], "fit");

    let reset = |args| hub.json(Method::POST, "/api/health/reset", args);
    let done = reset(json!({"connection": "bad"})).await.json();
    assert_eq!(done, json!({"name": "bad", "lifted": 1}));
    assert_eq!(reset(json!({"connection": "bad"})).await.json()["lifted"], 0);
    let only = hub.get("/api/health?connection=bad").await.json();
    assert_eq!(only["connections"][0]["standing"], "fit", "{only}");
    assert!(hub.cooldowns().is_empty(), "it does not come back with a restart");
    // It is asked again.
    assert_eq!(hub.chat("m").await.route(), "good");
    assert_eq!(hub.calls(["sim-401"]), [2]);

    assert_eq!(reset(json!({"connection": "nobody"})).await.status, 404);
    assert_eq!(reset(json!({"host": "nobody"})).await.status, 404);
    assert_eq!(reset(json!({})).await.status, 400);
    assert_eq!(reset(json!({"connection": "bad", "host": "h"})).await.status, 400);
    assert_eq!(hub.get("/api/health?connection=nobody").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn the_breaker_of_a_host_is_shown_and_closed_by_hand() {
    let hub = TestHub::builder().account("a", "sim-500").build().await;
    for _ in 0..30 {
        hub.chat("m").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let health = hub.get("/api/health").await.json();
    let breaker = &health["breakers"][0];
    assert_eq!((&breaker["host"], &breaker["state"]), (&json!("simulator.test"), &json!("open")), "{health}");
    let done = hub.json(Method::POST, "/api/health/reset", json!({"host": "simulator.test"})).await;
    assert_eq!(done.json()["lifted"], 1);
    let health = hub.get("/api/health").await.json();
    assert_eq!(health["breakers"], json!([]), "{health}");
}

#[tokio::test(start_paused = true)]
async fn pages_have_a_cursor_and_bounds() {
    let mut builder = TestHub::builder();
    for nth in 0..7 {
        builder = builder.account(&format!("a{nth}"), "sim-ok");
    }
    let hub = builder.build().await;
    let (mut seen, mut path) = (Vec::new(), "/api/health?limit=3".to_owned());
    loop {
        let page = hub.get(&path).await.json();
        let ids =
            page["connections"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned());
        seen.extend(ids);
        match page["next_cursor"].as_str() {
            Some(next) => path = format!("/api/health?limit=3&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["a0", "a1", "a2", "a3", "a4", "a5", "a6"]);
    assert_eq!(hub.get("/api/health?limit=501").await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn windows_tell_what_is_used_and_where_the_figures_come_from() {
    let yaml = "providers:\n  - id: a\n    type: openai-compatible\n    base_url: http://simulator.test/v1\n    \
                api_key: sim-ok\n    models: [m]\n    limits: [{per: day, requests: 4}]\n";
    let hub = TestHub::builder().yaml(yaml).build().await;
    assert!(hub.chat("m").await.is_whole());
    let page = hub.get("/api/quotas?connection=a").await.json();
    let window = &page["windows"][0];
    assert_eq!((&window["unit"], &window["limit"]), (&json!("requests"), &json!(4.0)), "{page}");
    assert_eq!((&window["used"], &window["source"]), (&json!(0.25), &json!("configured")), "{page}");
    assert_eq!(window["confidence"], "counted");
    assert_eq!(hub.get("/api/quotas?connection=b").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_budget_tells_what_was_spent_and_begins_anew_by_hand() {
    let yaml = "prices:\n  - model: m\n    price: {input: 1000, output: 1000}\nbudgets:\n  \
                - id: all\n    for: all\n    limit: 1000\n    window: day\n  \
                - id: each\n    for: \"*\"\n    limit: 1000\n    window: month\n";
    let hub = TestHub::builder().yaml(yaml).account("a", "sim-ok").build().await;
    let before = hub.get("/api/spending").await.json();
    assert_eq!(before["budgets"].as_array().unwrap().len(), 1, "nobody has spent of `each`: {before}");
    assert_eq!(before["budgets"][0]["spent_usd"], 0.0);
    assert!(hub.chat("m").await.is_whole());
    let page = hub.get("/api/spending").await.json();
    let spent = page["budgets"][0]["spent_usd"].as_f64().unwrap();
    assert!(spent > 0.0, "{page}");
    assert_eq!(page["budgets"][1]["holder"], "env", "{page}");
    assert!(page["budgets"][0]["resets_at"].as_i64() > page["budgets"][0]["began_at"].as_i64());

    let reset = hub.json(Method::POST, "/api/budgets/all/reset", json!({})).await.json();
    assert_eq!((&reset["id"], &reset["holders"]), (&json!("all"), &json!(1)), "{reset}");
    assert!((reset["forgiven_usd"].as_f64().unwrap() - spent).abs() < 1e-9, "{reset}");
    let page = hub.get("/api/spending").await.json();
    assert_eq!(page["budgets"][0]["spent_usd"], 0.0, "{page}");
    assert!(page["budgets"][1]["spent_usd"].as_f64() > Some(0.0), "the other one still counts: {page}");
    // A hub that comes after a crash knows of it too.
    let again = TestHub::builder().yaml(yaml).account("a", "sim-ok").after(&hub).build().await;
    let page = again.get("/api/spending?budget=all").await.json();
    assert!(page["budgets"][0]["spent_usd"].as_f64().unwrap() < spent, "{page}");
    assert_eq!(hub.json(Method::POST, "/api/budgets/nobody/reset", json!({})).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn hidden_models_are_served_to_whoever_names_them_and_to_nobody_else() {
    let yaml = "routing:\n  hidden: [secret, a/half]\n";
    let hub = TestHub::builder()
        .yaml(yaml)
        .account_with("a", "sim-ok", &["secret", "half", "shown"])
        .account_with("b", "sim-ok", &["half"])
        .build()
        .await;
    let listed = hub.get("/v1/models").await.text;
    assert!(
        !listed.contains("\"secret\"") && listed.contains("\"shown\"") && listed.contains("\"half\""),
        "{listed}"
    );
    assert!(hub.chat("secret").await.is_whole(), "named, it is served");
    let plan = hub.json(Method::POST, "/api/routing/simulate", json!({"model": "auto"})).await.json();
    let mut planned: Vec<String> = plan["order"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{}/{}", one["connection"].as_str().unwrap(), one["model"].as_str().unwrap()))
        .collect();
    planned.sort();
    assert_eq!(planned, ["a/shown", "b/half"]);
    let models = hub.get("/api/models").await.json();
    let hidden = |id: &str| {
        let all = models["models"].as_array().unwrap();
        all.iter().find(|model| model["id"] == id).unwrap()["hidden"].clone()
    };
    assert_eq!(
        (hidden("secret"), hidden("half"), hidden("shown")),
        (json!(true), json!(false), json!(false))
    );
}

#[tokio::test(start_paused = true)]
async fn the_catalogue_and_the_models_are_listed_with_what_is_known() {
    let yaml = "providers:\n  - id: g\n    type: groq\n    api_key: k\n    models: [llama-3.3-70b-versatile, {id: x, price: {input: 2, output: 4}}]\n";
    let hub = TestHub::builder().yaml(yaml).build().await;
    let providers = hub.get("/api/providers?search=groq").await.json();
    let groq = &providers["providers"][0];
    assert_eq!((&groq["id"], &groq["auth"]), (&json!("groq"), &json!("bearer")), "{providers}");
    assert_eq!(
        (&groq["env"][0], &groq["connections"]),
        (&json!("GROQ_API_KEY"), &json!(["g"])),
        "{providers}"
    );
    let models = hub.get("/api/models?search=LLAMA").await.json();
    let llama = &models["models"][0]["served_by"][0];
    assert_eq!(models["models"].as_array().unwrap().len(), 1, "{models}");
    assert!(llama["input_per_million_usd"].as_f64() > Some(0.0), "{models}");
    assert!(
        llama["price_source"].is_string() && llama["price_as_of"].as_str().unwrap().starts_with("20"),
        "{models}"
    );
    let own = hub.get("/api/models?search=x").await.json();
    let own = own["models"].as_array().unwrap().iter().find(|model| model["id"] == "x").unwrap().clone();
    assert_eq!(own["served_by"][0]["price_source"], "configuration", "{own}");
    assert_eq!(own["served_by"][0]["input_per_million_usd"], 2.0, "{own}");
}

#[tokio::test(start_paused = true)]
async fn the_cache_tells_what_it_holds_and_is_emptied() {
    let hub = TestHub::builder().yaml("cache:\n  enabled: on\n").account("a", "sim-ok").build().await;
    let ask = || {
        let body =
            json!({"model": "m", "temperature": 0, "messages": [{"role": "user", "content": "hello"}]});
        hub.post("/v1/chat/completions", body.to_string())
    };
    ask().await;
    ask().await;
    let stats = hub.get("/api/cache").await.json();
    assert_eq!(
        (&stats["entries"], &stats["hits"], &stats["misses"]),
        (&json!(1), &json!(1), &json!(1)),
        "{stats}"
    );
    let cleared = hub.post("/api/cache/clear", "").await.json();
    assert_eq!(cleared["entries"], 1);
    ask().await;
    assert_eq!(hub.calls(["sim-ok"]), [2], "it was asked anew");
}

#[tokio::test(start_paused = true)]
async fn sessions_are_listed_and_forgotten() {
    let hub = TestHub::builder()
        .yaml("routing:\n  default_strategy: round-robin\n")
        .account("a", "sim-ok.a")
        .account("b", "sim-ok.b")
        .build()
        .await;
    let mut request = chat("m", false);
    request.headers_mut().insert("x-session-id", "mine".parse().unwrap());
    let route = hub.send(request).await.route().to_owned();
    let page = hub.get("/api/affinity?caller=env").await.json();
    let session = &page["sessions"][0];
    assert_eq!((&session["connection"], &session["caller"]), (&json!(route), &json!("env")), "{page}");
    assert!(!page.to_string().contains("mine"), "the client's word is not kept: {page}");
    let id = session["id"].as_str().unwrap();
    let forgotten = hub.json(Method::DELETE, &format!("/api/affinity/{id}"), json!({})).await;
    assert_eq!(forgotten.json()["connection"], route);
    assert_eq!(hub.get("/api/affinity").await.json()["sessions"], json!([]));
    assert_eq!(hub.json(Method::DELETE, &format!("/api/affinity/{id}"), json!({})).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_key_without_the_scope_sees_and_changes_nothing() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    let key = hub.other_key().await;
    for (method, path) in [
        (Method::GET, "/api/health"),
        (Method::POST, "/api/health/reset"),
        (Method::GET, "/api/quotas"),
        (Method::GET, "/api/spending"),
        (Method::GET, "/api/providers"),
        (Method::GET, "/api/cache"),
        (Method::POST, "/api/cache/clear"),
        (Method::GET, "/api/affinity"),
    ] {
        let request = http::Request::builder().method(&method).uri(path);
        let request = request.header("authorization", format!("Bearer {key}"));
        let answer = hub.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 403, "{method} {path}");
    }
}
