//! What FreeRouter says of its routing, replayed. It has a catalogue of ranked routes over free accounts, and clients that
//! ask for `auto`:
//!
//! - the best rank that can be used goes first (a lower number is a better rank);
//! - who is out of quota by the router's own count is passed over; who refuses, is slow, does not know the model or is
//!   broken is followed by the next one, and the client gets an answer;
//! - the web-search route uses routes with that tag only and demands the search, in the provider's own form;
//! - a limiter lets 20 requests run and the others wait for 30 s, and then says 429 `request_queue_timeout`;
//! - the headers `X-Gateway-Provider`, `-Route`, `-Model` and `-Attempts` say who answered.
//!
//! In Trivium this is `auto` with `strategy: ranked`, and the ranks are those of models.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::advance;
use trivium::simulator::{Behaviour, Entry, Fault, RetryAfter, Script};

use super::support::{Answer, TestHub};

/// Accounts of a catalogue: id, type, what is said of the model, what is said of the account. The key of each is its id,
/// and the model is named after it.
fn catalogue(routes: &[(&str, &str, &str, &str)]) -> String {
    let mut text = "auto: {strategy: ranked}\nproviders:\n".to_owned();
    for (id, kind, model, more) in routes {
        text.push_str(&format!(
            "  - {{id: {id}, type: {kind}, api_key: {id}, base_url: 'http://simulator.test/v1', models: [{{id: {id}-model{model}}}]{more}}}\n"
        ));
    }
    text
}

/// What the headers say of an answer: provider, route, model, attempts.
fn said(answer: &Answer) -> [&str; 4] {
    ["x-gateway-provider", "x-gateway-route", "x-gateway-model", "x-gateway-attempts"]
        .map(|name| answer.header(name))
}

#[tokio::test(start_paused = true)]
async fn down_the_waterfall_until_somebody_answers() {
    let routes = [
        ("good", "groq", ", rank: 50", ""),
        ("unranked", "groq", "", ""),
        ("limited", "cerebras", ", rank: 1", ""),
        ("slow", "mistral", ", rank: 2", ""),
        ("unknown", "openrouter", ", rank: 10", ""),
        ("down", "nvidia", ", rank: 20", ""),
        ("broken", "openai-compatible", ", rank: 30", ""),
    ];
    let yaml = format!("{}timeouts: {{first_content_seconds: 5}}\n", catalogue(&routes));
    let limited = Behaviour { retry_after: RetryAfter::None, ..Behaviour::failing(Fault::status(429)) };
    let script = Script::default()
        .key("limited", limited)
        .key("slow", Behaviour { headers_delay_ms: 60_000, ..Behaviour::ok() })
        .key("unknown", Behaviour::failing(Fault::status(404)))
        .key("down", Behaviour::failing(Fault::CutBeforeHeaders))
        .key("broken", Behaviour::failing(Fault::status(503)));
    let hub = TestHub::builder().yaml(&yaml).script(script).build().await;
    let answer = hub.chat("auto").await;
    assert!(answer.is_whole(), "{answer:?}");
    assert_eq!(said(&answer), ["groq", "good", "good-model", "6"]);
    let asked: Vec<String> = hub.upstream().into_iter().filter_map(|entry| entry.key).collect();
    assert_eq!(asked, ["limited", "slow", "unknown", "down", "broken", "good"]);
    // What was learned is not learned twice.
    let answer = hub.stream("auto").await;
    assert!(answer.is_whole(), "{answer:?}");
    assert_eq!(said(&answer), ["groq", "good", "good-model", "1"]);
    // When the limit is over, the best rank is the first again.
    hub.simulator.set_behaviour(Some("limited"), Behaviour::ok());
    advance(Duration::from_secs(300)).await;
    assert_eq!(said(&hub.chat("auto").await), ["cerebras", "limited", "limited-model", "1"]);
}

#[tokio::test(start_paused = true)]
async fn who_is_out_of_quota_is_passed_over_without_a_call_also_in_a_burst() {
    let routes = [
        ("second", "groq", ", rank: 2", ", limits: [{per: minute, requests: 30}]"),
        ("best", "groq", ", rank: 1", ", limits: [{per: day, requests: 20}]"),
        ("last", "groq", ", rank: 3", ""),
    ];
    let slow = Behaviour { headers_delay_ms: 500, ..Behaviour::ok() };
    let script = Script { default: slow, ..Script::default() };
    let hub = TestHub::builder().yaml(&catalogue(&routes)).script(script).build().await;
    let all = futures_util::future::join_all((0..80).map(|_| hub.chat("auto"))).await;
    assert!(all.iter().all(Answer::is_whole));
    assert_eq!(hub.calls(["best", "second", "last"]), [20, 30, 30]);
    assert!(hub.upstream().iter().all(|entry| entry.status == Some(200)));
    advance(Duration::from_secs(62)).await;
    assert_eq!(said(&hub.chat("auto").await), ["groq", "second", "second-model", "1"]);
    advance(Duration::from_secs(86_400 + 1440)).await;
    assert_eq!(hub.chat("auto").await.route(), "best");
}

fn body_of(entry: &Entry) -> Value {
    serde_json::from_str(&entry.body).unwrap()
}

#[tokio::test(start_paused = true)]
async fn web_search_uses_tagged_routes_only_each_in_its_own_form() {
    let routes = [
        ("plain", "groq", ", rank: 1", ""),
        ("compound", "groq", ", rank: 20, tags: [web-search]", ""),
        ("tool", "openai-compatible", ", rank: 10, tags: [web-search]", ""),
    ];
    let limited = Behaviour { retry_after: RetryAfter::None, ..Behaviour::failing(Fault::status(429)) };
    let script = Script::default().key("tool", limited);
    let hub = TestHub::builder().yaml(&catalogue(&routes)).script(script).build().await;
    let ask = json!({"model": "auto", "messages": [{"role": "user", "content": "what is new?"}]}).to_string();
    let answer = hub.post("/v1/chat/completions/web-search", ask.clone()).await;
    assert_eq!(said(&answer), ["groq", "compound", "compound-model", "2"], "{answer:?}");
    let sent = hub.upstream();
    // Of a server that says no more of itself than that it speaks chat, OpenAI's form of it is the likeliest.
    assert_eq!(body_of(&sent[0])["web_search_options"], json!({}));
    let compound = body_of(&sent[1]);
    assert_eq!(compound["compound_custom"]["tools"]["enabled_tools"], json!(["web_search"]));
    assert!(compound.get("tools").is_none() && compound.get("tool_choice").is_none(), "{compound}");
    assert_eq!(hub.calls(["plain", "tool", "compound"]), [0, 1, 1]);
    // A chat that does not ask for the search goes to the best rank of all.
    assert_eq!(hub.chat("auto").await.route(), "plain");
    // Where nobody has the tag, nobody is asked.
    let hub = TestHub::builder().yaml(&catalogue(&routes[..1])).build().await;
    let refused = hub.post("/v1/chat/completions/web-search", ask).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::BAD_REQUEST, "not_supported"));
    assert!(hub.upstream().is_empty());
}

/// The most requests that ran at a time at the provider.
fn most_at_once(log: &[Entry]) -> usize {
    let runs = |entry: &Entry, at: u64| entry.at_ms <= at && entry.done_ms.is_none_or(|done| done > at);
    let beside = |one: &Entry| log.iter().filter(|other| runs(other, one.at_ms)).count();
    log.iter().map(beside).max().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn twenty_run_and_the_others_wait_for_thirty_seconds() {
    let limiter = "server: {max_concurrent: 20, queue_timeout_seconds: 30}\n";
    let yaml = format!("{limiter}{}", catalogue(&[("only", "groq", "", "")]));
    let slow = Behaviour { headers_delay_ms: 12_000, ..Behaviour::ok() };
    let hub = TestHub::builder().yaml(&yaml).script(Script::default().key("only", slow)).build().await;
    // They begin after 0, 12 and 24 s; who has waited for 30 s by then is told to come back.
    let answers = futures_util::future::join_all((0..70).map(|_| hub.chat("auto"))).await;
    let (served, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.is_whole());
    assert_eq!((served.len(), refused.len()), (60, 10));
    for answer in refused {
        let told = (answer.status, answer.code());
        assert_eq!(told, (StatusCode::TOO_MANY_REQUESTS, "request_queue_timeout".to_owned()));
    }
    let log = hub.upstream();
    assert_eq!((log.len(), most_at_once(&log)), (60, 20), "who was refused was not sent");
    assert!(hub.chat("auto").await.is_whole(), "all places are free again");
}
