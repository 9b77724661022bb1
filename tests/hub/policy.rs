//! What holds for a key holds on every surface: every policy crossed with every way to ask. Sockets are in
//! `sockets/websocket/policy`.

use std::time::Duration;

use axum::body::Body;
use canon::Dialect;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::support::{Answer, TestHub, chat, speech};

/// An account of which every request costs a dollar, and a second one that is the same to look at but for its name.
const WORLD: &str = "
providers:
  - id: a
    type: openai-compatible
    base_url: http://simulator.test/v1
    api_key: sim-ok
    models: [{id: m, price: {input: 0, output: 0, request: 1}}]
  - id: b
    type: openai-compatible
    base_url: http://simulator.test/v1
    api_key: sim-ok.b
    models: [{id: n, price: {input: 0, output: 0, request: 1}}]
combos:
  - {id: both, steps: [m, n]}
";

/// A way to ask.
struct Surface {
    name: &'static str,
    dialect: Dialect,
    method: Method,
    path: &'static str,
    body: Option<Value>,
    headers: &'static [(&'static str, &'static str)],
    /// Whether it names a model.
    names: bool,
    /// Whether it is counted as a request for an answer.
    counted: bool,
    /// Whether it costs something.
    paid: bool,
}

const fn surface(name: &'static str, dialect: Dialect, path: &'static str) -> Surface {
    let (method, headers) = (Method::POST, &[]);
    Surface { name, dialect, method, path, body: None, headers, names: true, counted: true, paid: true }
}

fn surfaces() -> Vec<Surface> {
    let messages = json!([{"role": "user", "content": "hello"}]);
    let said = || json!({"model": "m", "messages": messages});
    let with = |one: Surface, body: Value| Surface { body: Some(body), ..one };
    let free = |one: Surface| Surface { paid: false, ..one };
    let contents = || json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]});
    let told = || json!({"model": "m", "input": "hello"});
    let anthropic = || json!({"model": "m", "max_tokens": 9, "messages": messages});
    let mut all = vec![
        with(surface("chat", Dialect::Chat, "/v1/chat/completions"), said()),
        with(
            surface("chat, streamed", Dialect::Chat, "/v1/chat/completions/stream-route"),
            json!({"model": "m", "messages": messages, "stream": true}),
        ),
        with(surface("responses", Dialect::Responses, "/v1/responses"), told()),
        with(surface("compaction", Dialect::Responses, "/v1/responses/compact"), told()),
        free(with(surface("input tokens", Dialect::Responses, "/v1/responses/input_tokens"), told())),
        with(surface("messages", Dialect::Messages, "/v1/messages"), anthropic()),
        free(with(surface("count_tokens", Dialect::Messages, "/v1/messages/count_tokens"), anthropic())),
        with(surface("gemini", Dialect::Gemini, "/v1beta/models/m:generateContent"), contents()),
        with(
            surface("gemini, streamed", Dialect::Gemini, "/v1beta/models/m:streamGenerateContent"),
            contents(),
        ),
        free(with(surface("countTokens", Dialect::Gemini, "/v1beta/models/m:countTokens"), contents())),
        with(surface("embeddings", Dialect::Chat, "/v1/embeddings"), told()),
        with(
            surface("completions", Dialect::Chat, "/v1/completions"),
            json!({"model": "m", "prompt": "hello"}),
        ),
    ];
    all.push(Surface {
        headers: &[("idempotency-key", "fresh")],
        ..with(surface("chat with a key", Dialect::Chat, "/v1/chat/completions"), said())
    });
    let get = |name, path| Surface {
        method: Method::GET,
        counted: false,
        paid: false,
        ..surface(name, Dialect::Chat, path)
    };
    all.push(get("one model", "/v1/models/m"));
    all.push(Surface { names: false, ..get("models", "/v1/models") });
    all.push(Surface { names: false, ..get("keys", "/api/keys") });
    all.push(Surface {
        counted: false,
        ..free(with(surface("simulation", Dialect::Chat, "/api/routing/simulate"), json!({"model": "m"})))
    });
    all
}

async fn ask(hub: &TestHub, key: &str, surface: &Surface) -> Answer {
    let mut request = Request::builder().method(surface.method.clone()).uri(surface.path);
    for (name, value) in surface.headers {
        request = request.header(*name, *value);
    }
    if surface.dialect == Dialect::Messages {
        request = request.header("anthropic-version", "2023-06-01");
    }
    let body = surface.body.as_ref().map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = request.header("authorization", format!("Bearer {key}"));
    hub.send(request.header("content-type", "application/json").body(body).unwrap()).await
}

async fn key(hub: &TestHub, name: &str, policy: Value) -> String {
    let scopes: Vec<&str> = operations::Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    let args = json!({"name": name, "policy": policy, "scopes": scopes});
    let made = hub.json(Method::POST, "/api/keys", args).await;
    assert!(made.status.is_success(), "{}", made.text);
    made.json()["secret"].as_str().unwrap().to_owned()
}

async fn change(hub: &TestHub, key: &str, args: Value) -> Answer {
    hub.json(Method::PATCH, &format!("/api/keys/{key}"), args).await
}

/// Which surfaces a policy closes.
#[derive(Clone, Copy)]
enum Closes {
    Nothing,
    Everything,
    WhatNamesTheModel,
    WhatIsPaid,
    WhatIsCounted,
}

impl Closes {
    fn is(self, surface: &Surface) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::WhatNamesTheModel => surface.names,
            Self::WhatIsPaid => surface.paid,
            Self::WhatIsCounted => surface.counted,
        }
    }
}

fn with_key(request: Request<Body>, key: &str) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    parts.headers.insert("authorization", format!("Bearer {key}").parse().unwrap());
    Request::from_parts(parts, body)
}

#[tokio::test(start_paused = true)]
async fn every_policy_on_every_surface() {
    let night = json!({"from": "01:00", "until": "02:00"});
    let day = json!({"from": "00:00", "until": "01:00", "days": ["thu"], "zone": "UTC"});
    // A policy, what its key has done before, what it closes, and with what.
    let cases = [
        ("none", json!({}), false, Closes::Nothing, 0, ""),
        (
            "open",
            json!({"schedule": day, "allow_models": ["m"], "deny_models": ["n"], "no_log": true,
            "allow_providers": ["openai-compatible"], "allow_connections": ["a"], "requests_per_day": 1000,
            "concurrent": 50, "usd_per_month": 1000}),
            false,
            Closes::Nothing,
            0,
            "",
        ),
        ("schedule", json!({"schedule": night}), false, Closes::Everything, 403, "outside_schedule"),
        (
            "address",
            json!({"allow_addresses": ["192.0.2.0/24"]}),
            false,
            Closes::Everything,
            403,
            "address_not_allowed",
        ),
        (
            "allowed",
            json!({"allow_models": ["gpt-*"]}),
            false,
            Closes::WhatNamesTheModel,
            403,
            "model_not_allowed",
        ),
        ("denied", json!({"deny_models": ["*"]}), false, Closes::WhatNamesTheModel, 403, "model_not_allowed"),
        (
            "provider",
            json!({"deny_providers": ["openai-*"]}),
            false,
            Closes::WhatNamesTheModel,
            403,
            "model_not_allowed",
        ),
        (
            "other provider",
            json!({"allow_providers": ["groq"]}),
            false,
            Closes::WhatNamesTheModel,
            403,
            "model_not_allowed",
        ),
        (
            "connection",
            json!({"deny_connections": ["a"]}),
            false,
            Closes::WhatNamesTheModel,
            403,
            "model_not_allowed",
        ),
        (
            "other connection",
            json!({"allow_connections": ["b"]}),
            false,
            Closes::WhatNamesTheModel,
            403,
            "model_not_allowed",
        ),
        ("budget", json!({"usd_per_day": 1}), true, Closes::WhatIsPaid, 429, "budget_exceeded"),
        (
            "minute",
            json!({"requests_per_minute": 1}),
            true,
            Closes::WhatIsCounted,
            429,
            "rate_limit_exceeded",
        ),
        ("month", json!({"requests_per_month": 1}), true, Closes::WhatIsCounted, 429, "rate_limit_exceeded"),
        ("tokens", json!({"tokens_per_day": 1}), true, Closes::WhatIsCounted, 429, "rate_limit_exceeded"),
    ];
    let hub = TestHub::builder().yaml(WORLD).build().await;
    for (name, policy, used, closes, status, code) in cases {
        for (nth, surface) in surfaces().into_iter().enumerate() {
            let cell = format!("{name} x {}", surface.name);
            let key = key(&hub, &format!("{name} {nth}"), policy.clone()).await;
            if used {
                let first = hub.send(with_key(chat("m", false), &key)).await;
                assert!(first.is_whole(), "{cell}: {}", first.text);
            }
            let answer = ask(&hub, &key, &surface).await;
            if !closes.is(&surface) {
                assert!(answer.status.is_success(), "{cell}: {} {}", answer.status, answer.text);
                continue;
            }
            assert!(
                speech::is_error(surface.dialect, &answer, status),
                "{cell}: {} {}",
                answer.status,
                answer.text
            );
            assert!(answer.text.contains(code), "{cell}: {}", answer.text);
            assert_eq!(answer.headers.contains_key("retry-after"), status == 429, "{cell}");
            let gauge =
                answer.headers.get("x-ratelimit-remaining-requests").map(|value| value.to_str().unwrap());
            // An answer under a key of idempotency may be given again, when the gauge stands elsewhere.
            let told = ((name == "minute" || name == "month") && surface.headers.is_empty()).then_some("0");
            assert_eq!(gauge, told, "{cell}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_disabled_key_is_out_everywhere_until_it_is_enabled() {
    let hub = TestHub::builder().yaml(WORLD).build().await;
    let key = key(&hub, "k", json!({})).await;
    let answer = change(&hub, "k", json!({"enabled": false, "reason": "lost"})).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    for surface in surfaces() {
        let answer = ask(&hub, &key, &surface).await;
        assert!(speech::is_error(surface.dialect, &answer, 403), "{}: {}", surface.name, answer.text);
        assert!(answer.text.contains("key_disabled") && answer.text.contains("lost"), "{}", answer.text);
    }
    assert!(hub.upstream().is_empty());
    change(&hub, "k", json!({"enabled": true})).await;
    assert!(hub.send(with_key(chat("m", false), &key)).await.is_whole());
}

#[tokio::test(start_paused = true)]
async fn a_change_of_another_version_is_refused() {
    let hub = TestHub::builder().yaml(WORLD).build().await;
    key(&hub, "k", json!({"concurrent": 2})).await;
    let shown = hub.get("/api/keys/k").await.json();
    assert_eq!((&shown["version"], &shown["policy"]["concurrent"]), (&json!(1), &json!(2)));
    let changed = change(&hub, "k", json!({"version": 1, "policy": {"requests_per_day": 9}})).await.json();
    assert_eq!(
        (&changed["version"], &changed["policy"]),
        (&json!(2), &json!({"concurrent": 2, "requests_per_day": 9}))
    );
    let stale = change(&hub, "k", json!({"version": 1, "clear": ["concurrent"]})).await;
    assert_eq!((stale.status.as_u16(), stale.code()), (412, "precondition_failed".into()));
    let bad = change(&hub, "k", json!({"policy": {"allow_addresses": ["nowhere"]}})).await;
    assert_eq!(bad.code(), "invalid_parameter");
    assert_eq!(change(&hub, "nobody", json!({})).await.code(), "not_found");
}

#[tokio::test(start_paused = true)]
async fn what_leads_to_several_stays_within_what_is_allowed() {
    let hub = TestHub::builder().yaml(WORLD).build().await;
    let narrow = key(&hub, "narrow", json!({"allow_models": ["n"]})).await;
    for name in ["auto", "both", "n", "b/n", "openai-compatible/n"] {
        let answer = hub.send(with_key(chat(name, false), &narrow)).await;
        assert_eq!(answer.header("x-gateway-route"), "b", "{name}");
    }
    let receipt = &hub.last_receipts(5).await[4];
    assert_eq!(receipt.model, "auto");
    assert!(
        receipt
            .detail
            .skipped
            .iter()
            .any(|skip| skip.connection == "a" && skip.reason.starts_with("not_allowed"))
    );
    let listed = |answer: Answer| -> Vec<String> {
        let list = answer.json();
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|model| model["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let models = Surface { method: Method::GET, ..surface("models", Dialect::Chat, "/v1/models") };
    let seen = listed(ask(&hub, &narrow, &models).await);
    assert!(
        seen.contains(&"n".to_owned())
            && seen.contains(&"both".to_owned())
            && !seen.contains(&"m".to_owned())
    );

    // A combo that is named opens all that it leads to, and nothing else.
    for policy in [json!({"allow_models": ["both"]}), json!({"allow_models": [], "allow_combos": ["bo*"]})] {
        let combo = key(&hub, &policy.to_string(), policy.clone()).await;
        let answer = hub.send(with_key(chat("both", false), &combo)).await;
        assert_eq!(answer.header("x-gateway-route"), "a", "{policy}");
        for name in ["m", "n", "auto"] {
            let answer = hub.send(with_key(chat(name, false), &combo)).await;
            assert_eq!(answer.code(), "model_not_allowed", "{policy} {name}");
        }
        assert_eq!(listed(ask(&hub, &combo, &models).await), ["both"], "{policy}");
    }
    // A denied part of it stays closed.
    let part = key(&hub, "part", json!({"allow_models": ["both"], "deny_models": ["m"]})).await;
    assert_eq!(hub.send(with_key(chat("both", false), &part)).await.header("x-gateway-route"), "b");
    // Names near an unknown one are not for those who may not use them.
    let unknown = hub.send(with_key(chat("mm", false), &narrow)).await;
    assert_eq!(unknown.code(), "model_not_found");
    assert!(!unknown.text.contains("Near"), "{}", unknown.text);
}

#[tokio::test(start_paused = true)]
async fn answers_that_were_made_before_pass_what_holds_now() {
    let yaml = format!("{WORLD}\ncache: {{enabled: on}}\n");
    let hub = TestHub::builder().yaml(&yaml).build().await;
    let key = key(&hub, "k", json!({})).await;
    let cached = || with_key(chat("m", false), &key);
    let replayed = || {
        let mut request = with_key(chat("m", false), &key);
        request.headers_mut().insert("idempotency-key", "one".parse().unwrap());
        request
    };
    assert!(hub.send(cached()).await.is_whole());
    assert_eq!(hub.send(cached()).await.header("x-trivium-cache"), "hit");
    assert!(hub.send(replayed()).await.is_whole());
    assert_eq!(hub.send(replayed()).await.header("x-trivium-idempotent"), "replayed");
    for (policy, code) in [
        (json!({"deny_models": ["m"]}), "model_not_allowed"),
        (json!({"deny_models": [], "requests_per_minute": 1}), "rate_limit_exceeded"),
    ] {
        change(&hub, "k", json!({"policy": policy})).await;
        if code == "rate_limit_exceeded" {
            assert!(hub.send(cached()).await.is_whole(), "the one of this minute");
        }
        for request in [cached(), replayed()] {
            assert_eq!(hub.send(request).await.code(), code);
        }
    }
    let everything = json!({"clear": ["deny_models", "requests_per_minute"], "policy": {"cache": false}});
    change(&hub, "k", everything).await;
    assert!(!hub.send(cached()).await.headers.contains_key("x-trivium-cache"), "its key wants none");
}

#[tokio::test(start_paused = true)]
async fn counts_come_back_survive_a_restart_and_tell_how_they_stand() {
    let hub = TestHub::builder().yaml(WORLD).build().await;
    let limited = key(&hub, "k", json!({"requests_per_hour": 3, "concurrent": 1})).await;
    let first = hub.open(with_key(chat("m", true), &limited)).await;
    assert_eq!(first.headers()["x-ratelimit-remaining-requests"], "2");
    assert_eq!(first.headers()["x-ratelimit-limit-requests"], "3");
    let second = hub.send(with_key(chat("m", false), &limited)).await;
    assert_eq!(second.code(), "rate_limit_exceeded");
    assert!(second.text.contains("under way"), "{}", second.text);
    drop(first);
    assert!(hub.send(with_key(chat("m", false), &limited)).await.is_whole(), "its place is free");
    let next = TestHub::builder().yaml(WORLD).after(&hub).build().await;
    assert!(next.send(with_key(chat("m", false), &limited)).await.is_whole());
    let full = next.send(with_key(chat("m", false), &limited)).await;
    assert_eq!((full.code(), full.header("retry-after")), ("rate_limit_exceeded".into(), "3600"));
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert!(next.send(with_key(chat("m", false), &limited)).await.is_whole());
}

#[tokio::test(start_paused = true)]
async fn what_holds_for_all_keys_holds_for_those_that_say_nothing() {
    let yaml = format!("{WORLD}\nkeys: {{requests_per_minute: 1}}\n");
    let hub = TestHub::builder().yaml(&yaml).build().await;
    let plain = key(&hub, "plain", json!({})).await;
    let lifted = key(&hub, "lifted", json!({"requests_per_minute": 0})).await;
    for (key, second) in [(&plain, 429), (&lifted, 200)] {
        assert!(hub.send(with_key(chat("m", false), key)).await.is_whole());
        assert_eq!(hub.send(with_key(chat("m", false), key)).await.status.as_u16(), second);
    }
    for _ in 0..3 {
        assert!(hub.chat("m").await.is_whole(), "the operator's key is no issued one");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_said_is_not_in_the_receipt_of_a_key_that_wants_no_log() {
    let broken = WORLD.replace("api_key: sim-ok\n", "api_key: sim-401\n");
    let hub = TestHub::builder().yaml(&broken).build().await;
    for (name, policy, kept) in [("plain", json!({}), true), ("quiet", json!({"no_log": true}), false)] {
        let key = key(&hub, name, policy).await;
        let mut request = with_key(chat("both", false), &key);
        request.headers_mut().insert("x-request-id", "mine".parse().unwrap());
        assert!(hub.send(request).await.is_whole());
        let receipt = hub.last_receipts(1).await.remove(0);
        assert_eq!(receipt.detail.client_request_id.is_some(), kept);
        let said = receipt.detail.attempts.iter().any(|attempt| attempt.message.is_some());
        let why = receipt.detail.skipped.iter().any(|skip| skip.reason.contains(':'));
        assert_eq!(said || why, kept, "{:?}", receipt.detail);
        assert_eq!(
            (receipt.connection.as_deref(), receipt.cost.is_some()),
            (Some("b"), true),
            "numbers stay"
        );
    }
}
