//! The two tables of MultiRouter's documentation, replayed, with the calls counted in the simulator's own log.

use std::time::Duration;

use http::StatusCode;
use trivium::simulator::{Behaviour, RetryAfter, Script};

use super::support::TestHub;

/// MultiRouter's example of three free accounts, with its own field names, and the base URL of the simulator.
const THREE_ACCOUNTS: &str = "
routing:
  default_strategy: exhaust
  retry_after_seconds: 300
providers:
  - id: groq-1
    type: groq
    api_key: gsk_first
    base_url: http://simulator.test/openai/v1
    models:
      - llama-3.3-70b-versatile
      - llama-3.1-8b-instant
  - id: groq-2
    type: groq
    api_key: gsk_second
    base_url: http://simulator.test/openai/v1
    models:
      - llama-3.3-70b-versatile
  - id: groq-3
    type: groq
    api_key: gsk_third
    base_url: http://simulator.test/openai/v1
    models:
      - llama-3.3-70b-versatile
";

const KEYS: [&str; 3] = ["gsk_first", "gsk_second", "gsk_third"];
const MODEL: &str = "llama-3.3-70b-versatile";

/// Each account answers fifty times and is then dry for five minutes; it does not say for how long.
fn fifty_each() -> Script {
    let account = Behaviour { retry_after: RetryAfter::None, ..Behaviour::limited(50, 300) };
    KEYS.iter().fold(Script::default(), |script, key| script.key(*key, account.clone()))
}

#[tokio::test(start_paused = true)]
async fn exhaust_uses_up_one_account_after_the_other_and_comes_back_to_the_first() {
    let hub = TestHub::builder().yaml(THREE_ACCOUNTS).script(fifty_each()).build().await;

    for request in 1..=50 {
        assert_eq!(hub.chat(MODEL).await.route(), "groq-1", "request {request}");
    }
    assert_eq!(hub.calls(KEYS), [50, 0, 0]);

    // Request 51: groq-1 answers 429, groq-2 serves, and the client sees nothing of it.
    let answer = hub.chat(MODEL).await;
    assert!(answer.is_whole());
    assert_eq!((answer.route(), answer.header("x-gateway-attempts")), ("groq-2", "2"));
    assert_eq!(hub.calls(KEYS), [51, 1, 0]);

    for _ in 52..=100 {
        assert_eq!(hub.chat(MODEL).await.route(), "groq-2");
    }
    // Request 101: groq-2 is dry too. groq-1 is not asked again: it is known to be.
    let answer = hub.chat(MODEL).await;
    assert_eq!((answer.route(), answer.header("x-gateway-attempts")), ("groq-3", "2"));
    assert_eq!(hub.calls(KEYS), [51, 51, 1]);

    for _ in 102..=150 {
        assert_eq!(hub.chat(MODEL).await.route(), "groq-3");
    }
    let answer = hub.chat(MODEL).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded")
    );
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
    assert_eq!(hub.calls(KEYS), [51, 51, 51]);

    // While all of them cool down, nobody is asked.
    assert_eq!(hub.chat(MODEL).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(hub.calls(KEYS), [51, 51, 51]);

    tokio::time::advance(Duration::from_secs(300)).await;
    assert_eq!(hub.chat(MODEL).await.route(), "groq-1");
}

#[tokio::test(start_paused = true)]
async fn round_robin_takes_turns_over_every_provider_and_wraps_around() {
    let yaml = "
providers:
  - {id: groq-1, type: groq, api_key: gsk_1, base_url: 'http://simulator.test/v1', models: [llama-3.3-70b-versatile]}
  - {id: cerebras-1, type: cerebras, api_key: csk_1, base_url: 'http://simulator.test/v1', models: [llama-3.3-70b]}
  - {id: gemini-1, type: gemini, api_key: AIza_1, base_url: 'http://simulator.test/v1', models: [gemini-2.5-flash]}
";
    let hub = TestHub::builder().yaml(yaml).build().await;
    let mut served = Vec::new();
    for _ in 0..4 {
        let answer = hub.chat("multirouter-auto").await;
        served.push((answer.route().to_owned(), answer.header("x-gateway-model").to_owned()));
    }
    let expected = [
        ("groq-1", "llama-3.3-70b-versatile"),
        ("cerebras-1", "llama-3.3-70b"),
        ("gemini-1", "gemini-2.5-flash"),
        ("groq-1", "llama-3.3-70b-versatile"),
    ];
    assert_eq!(served, expected.map(|(route, model)| (route.to_owned(), model.to_owned())));
    assert_eq!(hub.calls(["gsk_1", "csk_1", "AIza_1"]), [2, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn round_robin_fails_over_and_leaves_the_limited_account_its_turn_for_later() {
    let hub = TestHub::builder()
        .account("a", "sim-ok.a")
        .account("b", "sim-429-retry-60.b")
        .account("c", "sim-ok.c")
        .build()
        .await;
    let mut served = Vec::new();
    for _ in 0..6 {
        let answer = hub.stream("multirouter-auto").await;
        assert!(answer.is_whole());
        served.push(answer.route().to_owned());
    }
    // b's first turn goes to c by failover; after that a and c share evenly.
    assert_eq!(served, ["a", "c", "c", "a", "c", "a"]);
    assert_eq!(hub.calls(["sim-429-retry-60.b"]), [1]);
}

#[tokio::test(start_paused = true)]
async fn the_default_strategy_can_be_round_robin_for_real_models_too() {
    let hub = TestHub::builder()
        .yaml("routing: {default_strategy: round-robin}\n")
        .account("a", "sim-ok.a")
        .account("b", "sim-ok.b")
        .build()
        .await;
    let mut served = Vec::new();
    for _ in 0..4 {
        served.push(hub.chat("m").await.route().to_owned());
    }
    assert_eq!(served, ["a", "b", "a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_requests_at_once_take_turns_exactly() {
    let hub = TestHub::builder()
        .account("a", "sim-ok.a")
        .account("b", "sim-ok.b")
        .account("c", "sim-ok.c")
        .account("d", "sim-ok.d")
        .build()
        .await;
    let all = (0..100).map(|_| hub.chat("multirouter-auto"));
    assert!(futures_util::future::join_all(all).await.iter().all(super::support::Answer::is_whole));
    assert_eq!(hub.calls(["sim-ok.a", "sim-ok.b", "sim-ok.c", "sim-ok.d"]), [25; 4]);
}

#[tokio::test(start_paused = true)]
async fn auto_goes_through_every_target_in_the_configured_order() {
    let hub = TestHub::builder()
        .account_with("a", "sim-404.a", &["one", "two"])
        .account_with("b", "sim-ok.b", &["three"])
        .build()
        .await;
    let answer = hub.chat("auto").await;
    assert_eq!((answer.route(), answer.header("x-gateway-model")), ("b", "three"));
    let asked: Vec<String> = hub.upstream().into_iter().filter_map(|entry| entry.model).collect();
    assert_eq!(asked, ["one", "two", "three"]);
}

#[tokio::test(start_paused = true)]
async fn priority_goes_before_the_order_of_the_file() {
    let yaml = "
providers:
  - {id: paid, type: openai-compatible, api_key: sim-ok.p, base_url: 'http://simulator.test/v1', models: [m], priority: 2}
  - {id: free, type: openai-compatible, api_key: sim-ok.f, base_url: 'http://simulator.test/v1', models: [m], priority: 1}
";
    assert_eq!(TestHub::builder().yaml(yaml).build().await.chat("m").await.route(), "free");
}
