//! The strategies that look at their targets, each through a running hub, the calls counted in the simulator's own log.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use futures_util::future::join_all;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use trivium::simulator::{Behaviour, RetryAfter, Script};

use super::support::TestHub;

const KEYS: [&str; 3] = ["sim-ok.a", "sim-ok.b", "sim-ok.c"];

/// Three accounts that serve `m`, of whose models this is said, and a combo of them with this strategy.
fn yaml(strategy: &str, said: [&str; 3]) -> String {
    let mut text = "providers:\n".to_owned();
    for (id, said) in ["a", "b", "c"].into_iter().zip(said) {
        text.push_str(&format!(
            "  - {{id: {id}, type: openai-compatible, api_key: sim-ok.{id}, base_url: 'http://simulator.test/v1', models: [{{id: m{said}}}]}}\n"
        ));
    }
    text.push_str(&format!("combos:\n  - {{id: one-of, strategy: {strategy}, steps: [a/m, b/m, c/m]}}\n"));
    text
}

async fn hub(strategy: &str, said: [&str; 3]) -> TestHub {
    TestHub::builder().yaml(&yaml(strategy, said)).build().await
}

/// A behaviour that answers after so many milliseconds.
fn slow(ms: u64) -> Behaviour {
    Behaviour { first_token_delay_ms: ms, headers_delay_ms: ms, ..Behaviour::ok() }
}

fn dry() -> Behaviour {
    Behaviour { retry_after: RetryAfter::None, ..Behaviour::limited(0, 300) }
}

/// A chat with these fields beside model and messages, and these headers.
async fn ask(hub: &TestHub, text: &str, fields: Value, headers: &[(&str, &str)]) -> super::support::Answer {
    let mut body = json!({"model": "one-of", "messages": [{"role": "user", "content": text}]});
    for (name, value) in fields.as_object().cloned().unwrap_or_default() {
        body[name] = value;
    }
    let mut request = Request::builder().method(Method::POST).uri("/v1/chat/completions");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    hub.send(request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn least_used_evens_out_and_lets_a_newcomer_take_its_share_only() {
    let script = Script::default().key(KEYS[0], dry());
    let hub = TestHub::builder().yaml(&yaml("least-used", ["", "", ""])).script(script).build().await;
    for _ in 0..20 {
        hub.chat("one-of").await;
    }
    // One wasted try; the account that is dry is left alone for five minutes.
    assert_eq!(hub.calls(KEYS), [1, 10, 10]);
    hub.simulator.set_behaviour(Some(KEYS[0]), Behaviour::ok());
    tokio::time::sleep(Duration::from_secs(301)).await;
    for _ in 0..30 {
        hub.chat("one-of").await;
    }
    let [a, b, c] = hub.calls(KEYS);
    assert!(a >= 16 && b.abs_diff(c) <= 1, "{a} {b} {c}");
    tokio::time::sleep(Duration::from_secs(3_700)).await;
    for _ in 0..30 {
        hub.chat("one-of").await;
    }
    assert_eq!(hub.calls(KEYS), [a + 10, b + 10, c + 10], "what is longer ago than an hour does not count");
}

#[tokio::test(start_paused = true)]
async fn p2c_spares_the_slow_one() {
    let shares = async |strategy: &str| {
        let script =
            Script::default().key(KEYS[0], slow(5_000)).key(KEYS[1], slow(100)).key(KEYS[2], slow(100));
        let hub = TestHub::builder().yaml(&yaml(strategy, ["", "", ""])).script(script).build().await;
        let hub = Arc::new(hub);
        let started = tokio::time::Instant::now();
        let agents = (0..20).map(|_| {
            let hub = Arc::clone(&hub);
            tokio::spawn(async move {
                for _ in 0..15 {
                    assert_eq!(hub.chat("one-of").await.status, StatusCode::OK);
                }
            })
        });
        for done in join_all(agents).await {
            done.unwrap();
        }
        (hub.calls(KEYS)[0], started.elapsed())
    };
    let (slow, took) = shares("p2c").await;
    let (by_chance, took_by_chance) = shares("random").await;
    assert!(slow * 4 < by_chance, "{slow} of 300, by chance {by_chance}");
    assert!(took * 2 < took_by_chance, "{took:?}, by chance {took_by_chance:?}");
}

#[tokio::test(start_paused = true)]
async fn cost_optimized_goes_by_what_this_request_will_cost() {
    // Per million tokens: `a` is cheap to ask and dear to hear, `b` the other way round, of `c` nothing is known.
    let said = [", price: {input: 1, output: 90}", ", price: {input: 6, output: 2}", ""];
    let hub = hub("cost-optimized", said).await;
    let long = "word ".repeat(4_000);
    assert_eq!(ask(&hub, &long, json!({"max_tokens": 5}), &[]).await.route(), "a");
    assert_eq!(ask(&hub, "hi", json!({"max_tokens": 400}), &[]).await.route(), "b");
    hub.simulator.set_behaviour(Some(KEYS[0]), dry());
    hub.simulator.set_behaviour(Some(KEYS[1]), dry());
    let answer = ask(&hub, "hi", json!({}), &[]).await;
    assert_eq!((answer.route(), answer.header("x-gateway-attempts")), ("c", "3"), "the unknown goes last");
}

#[tokio::test(start_paused = true)]
async fn context_optimized_takes_the_smallest_that_fits_and_nothing_that_does_not() {
    let said = [", context: 100000", ", context: 2000", ", context: 20000"];
    let hub = hub("context-optimized", said).await;
    assert_eq!(ask(&hub, "hi", json!({}), &[]).await.route(), "b");
    let long = "some more words of a story ".repeat(700);
    assert_eq!(ask(&hub, &long, json!({}), &[]).await.route(), "c");
    assert_eq!(ask(&hub, &long.repeat(10), json!({}), &[]).await.route(), "a");
    let refused = ask(&hub, &long.repeat(60), json!({}), &[]).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::BAD_REQUEST, "context_length_exceeded")
    );
    assert!(refused.text.contains("100000"), "{}", refused.text);
    assert_eq!(hub.calls(KEYS), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn cache_optimized_keeps_a_conversation_where_it_began() {
    let hub = hub("cache-optimized", ["", "", ""]).await;
    let mut routes = std::collections::BTreeSet::new();
    for conversation in 0..30 {
        let mut messages = vec![json!({"role": "user", "content": format!("conversation {conversation}")})];
        let mut first = None;
        for turn in 0..4 {
            let body = json!({"model": "one-of", "messages": messages}).to_string();
            let route = hub.post("/v1/chat/completions", body).await.route().to_owned();
            assert_eq!(*first.get_or_insert_with(|| route.clone()), route, "turn {turn}");
            messages.push(json!({"role": "assistant", "content": "yes"}));
            messages.push(json!({"role": "user", "content": format!("turn {turn}")}));
            routes.insert(route);
        }
    }
    assert_eq!(routes.len(), 3, "different conversations go to different accounts");
}

#[tokio::test(start_paused = true)]
async fn the_last_known_good_stays_when_the_first_one_is_back() {
    for (strategy, back) in [("lkgp", "b"), ("priority", "a")] {
        let script = Script::default().key(KEYS[0], dry());
        let hub = TestHub::builder().yaml(&yaml(strategy, ["", "", ""])).script(script).build().await;
        assert_eq!(hub.chat("one-of").await.route(), "b");
        hub.simulator.set_behaviour(Some(KEYS[0]), Behaviour::ok());
        tokio::time::sleep(Duration::from_secs(301)).await;
        assert_eq!(hub.chat("one-of").await.route(), back, "{strategy}");
        tokio::time::sleep(Duration::from_secs(3_601)).await;
        assert_eq!(hub.chat("one-of").await.route(), "a", "what is an hour old is no recommendation");
    }
}

#[tokio::test(start_paused = true)]
async fn ranked_goes_down_the_waterfall() {
    let hub = hub("auto-ranked", [", rank: 30", ", rank: 1", ", rank: 20"]).await;
    assert_eq!(hub.chat("one-of").await.route(), "b");
    hub.simulator.set_behaviour(Some(KEYS[1]), dry());
    assert_eq!(hub.chat("one-of").await.route(), "c");
    hub.simulator.set_behaviour(Some(KEYS[2]), dry());
    assert_eq!(hub.chat("one-of").await.route(), "a");
    assert_eq!(hub.calls(KEYS), [1, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn auto_learns_who_is_quick() {
    let script = Script::default().key(KEYS[0], slow(8_000)).key(KEYS[1], slow(4_000)).key(KEYS[2], slow(50));
    let yaml = format!("{}auto: {{mode: ship-fast}}\n", yaml("auto", ["", "", ""]));
    let hub = TestHub::builder().yaml(&yaml).script(script).build().await;
    for _ in 0..200 {
        hub.chat("one-of").await;
    }
    let [a, b, c] = hub.calls(KEYS);
    // It takes a few explorations until the quick one is found; from then on nine of ten go there.
    hub.simulator.clear_log();
    for _ in 0..200 {
        hub.chat("one-of").await;
    }
    let [a2, b2, c2] = hub.calls(KEYS);
    assert!(c2 > 180, "first {a} {b} {c}, then {a2} {b2} {c2}");
}

#[tokio::test(start_paused = true)]
async fn what_a_model_cannot_do_it_is_not_asked() {
    let hub = hub("priority", [", tools: false", ", vision: false", ""]).await;
    let tools =
        json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]});
    assert_eq!(ask(&hub, "hi", tools.clone(), &[]).await.route(), "b");
    let picture = json!({"messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]}]});
    assert_eq!(ask(&hub, "", picture, &[]).await.route(), "a");
    let only_a = ask(&hub, "hi", tools, &[("x-trivium-only", "a")]).await;
    assert_eq!((only_a.status, only_a.code().as_str()), (StatusCode::NOT_FOUND, "no_executable_targets"));
    assert!(only_a.text.contains("cannot call tools"), "{}", only_a.text);
}

#[tokio::test(start_paused = true)]
async fn a_client_has_wishes() {
    let hub =
        hub("priority", [", price: {input: 50, output: 50}", "", ", price: {input: 1, output: 1}"]).await;
    let route =
        async |name: &str, value: &str| ask(&hub, "hi", json!({}), &[(name, value)]).await.route().to_owned();
    assert_eq!(route("x-trivium-order", "c, b").await, "c");
    assert_eq!(route("x-trivium-ignore", "a").await, "b");
    assert_eq!(route("x-trivium-only", "b,c").await, "b");
    assert_eq!(route("x-trivium-max-cost", "0.001").await, "c");
    let refused = ask(&hub, "hi", json!({}), &[("x-trivium-no-training", "true")]).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let refused = ask(&hub, "hi", json!({}), &[("x-trivium-tier", "gold")]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn a_session_stays_where_it_is_until_that_cannot_be_used() {
    let hub = hub("round-robin", ["", "", ""]).await;
    let of = async |session: &str| {
        ask(&hub, "hi", json!({}), &[("x-session-id", session)]).await.route().to_owned()
    };
    let (one, other) = (of("s1").await, of("s2").await);
    assert_ne!(one, other, "a new session takes its turn");
    for _ in 0..5 {
        assert_eq!(of("s1").await, one);
        assert_eq!(of("s2").await, other);
    }
    let by_body = |key: &'static str| ask(&hub, "hi", json!({"prompt_cache_key": key}), &[]);
    let third = by_body("k1").await.route().to_owned();
    assert_eq!(by_body("k1").await.route(), third);
    hub.simulator.set_behaviour(Some(&format!("sim-ok.{one}")), dry());
    let moved = of("s1").await;
    assert_ne!(moved, one);
    assert_eq!(of("s1").await, moved, "and belongs to the new one from then on");
    tokio::time::sleep(Duration::from_secs(400)).await;
    assert_eq!(of("s1").await, moved, "also when the first one is back");
}

#[tokio::test(start_paused = true)]
async fn wishes_in_the_body_count_in_every_dialect_and_reach_nobody_else() {
    let hub = hub("priority", ["", "", ""]).await;
    let user = json!([{"role": "user", "content": "hi"}]);
    let contents = json!([{"role": "user", "parts": [{"text": "hi"}]}]);
    for (path, mut body) in [
        ("/v1/chat/completions", json!({"model": "one-of", "messages": user})),
        ("/v1/responses", json!({"model": "one-of", "input": user})),
        ("/v1/messages", json!({"model": "one-of", "messages": user, "max_tokens": 50})),
        ("/v1beta/models/one-of:generateContent", json!({"contents": contents})),
    ] {
        body["trivium"] = json!({"only": ["b", "c"], "ignore": ["b"]});
        let answer = hub.post(path, body.to_string()).await;
        assert_eq!(answer.route(), "c", "{path}: {}", answer.text);
        let sent = hub.upstream().pop().unwrap().body;
        assert!(!sent.contains("trivium"), "{sent}");
        body["trivium"] = json!({"onyl": ["b"]});
        let refused = hub.post(path, body.to_string()).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(refused.text.contains("onyl"), "{}", refused.text);
    }
}
