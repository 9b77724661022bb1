//! Budgets through a whole hub: what is dispatched is what is paid for, on every surface and however requests end.

use std::time::Duration;

use canon::Dialect;
use futures_util::future::join_all;
use http::StatusCode;
use trivium::engine::settings::Usd;

use crate::support::{TestHub, chat, speech};

/// An account whose every request costs a dollar, and nothing else.
const A_DOLLAR_EACH: &str = "
providers:
  - id: a
    type: openai-compatible
    base_url: http://simulator.test/v1
    api_key: sim-ok
    models: [{id: m, price: {input: 0, output: 0, request: 1}}]
";

fn with(budgets: &str) -> String {
    format!("{A_DOLLAR_EACH}\nbudgets:\n{budgets}\n")
}

fn dollars(dollars: f64) -> Usd {
    Usd::from_dollars(dollars).unwrap()
}

async fn paid(hub: &TestHub) -> Usd {
    hub.receipts().await.iter().filter_map(|receipt| receipt.cost).sum()
}

fn counted(hub: &TestHub) -> Usd {
    hub.engine.budgets().spent(&hub.engine.snapshot().settings.budgets[0], "")
}

#[tokio::test(start_paused = true)]
async fn two_hundred_at_once_with_money_for_fifty() {
    let hub = TestHub::builder().yaml(&with("  - {id: b, for: all, limit: 50, window: day}")).build().await;
    let all = (0..200).map(|nth| {
        let hub = &hub;
        async move {
            match nth % 4 {
                0 | 1 => hub.chat("m").await.status,
                2 => hub.stream("m").await.status,
                // A client that leaves as soon as the answer begins.
                _ => hub.open(chat("m", true)).await.status(),
            }
        }
    });
    let statuses = join_all(all).await;
    let served = statuses.iter().filter(|status| status.is_success()).count();
    assert_eq!((served, hub.upstream().len()), (50, 50));
    assert!(statuses.iter().all(|status| [StatusCode::OK, StatusCode::TOO_MANY_REQUESTS].contains(status)));
    assert_eq!((counted(&hub), paid(&hub).await), (dollars(50.0), dollars(50.0)));

    let answer = hub.chat("m").await;
    assert_eq!(answer.code(), "budget_exceeded");
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        message
            .starts_with("The budget `b` of $50 per day is used up. It begins anew at 2026-01-02 00:00 UTC.")
    );
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    tokio::time::advance(Duration::from_secs(wait)).await;
    assert!(hub.chat("m").await.is_whole(), "the next day");
    assert_eq!(counted(&hub), dollars(1.0));
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_is_empty_on_every_surface() {
    let hub = TestHub::builder().yaml(&with("  - {id: b, for: '*', limit: 4}")).build().await;
    for dialect in Dialect::ALL {
        let request = || speech::request(dialect, "m", false, &speech::body(dialect, "m", false, "hello"));
        assert!(speech::is_whole(dialect, &hub.send(request()).await), "{dialect}");
    }
    for dialect in Dialect::ALL {
        for stream in [false, true] {
            let body = speech::body(dialect, "m", stream, "hello");
            let answer = hub.send(speech::request(dialect, "m", stream, &body)).await;
            assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{dialect}");
            assert!(answer.text.contains("budget"), "{}", answer.text);
        }
    }
    let other = hub.other_key().await;
    let mut request = chat("m", false);
    request.headers_mut().insert("authorization", format!("Bearer {other}").parse().unwrap());
    assert!(hub.send(request).await.is_whole(), "each key has a part of its own");
    assert_eq!(hub.upstream().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn tokens_are_counted_as_the_provider_counts_them() {
    let yaml = "
providers:
  - id: a
    type: openai-compatible
    base_url: http://simulator.test/v1
    api_key: sim-ok
    models: [{id: m, price: {input: 1000, output: 3000}}]
budgets: [{id: b, for: provider:openai-compatible, limit: 1000}]
";
    let hub = TestHub::builder().yaml(yaml).build().await;
    let mut expected = Usd::ZERO;
    for answer in join_all((0..20).map(|_| hub.chat("m"))).await {
        let usage = &answer.json()["usage"];
        let tokens = |name: &str| usage[name].as_u64().unwrap();
        let cost = tokens("prompt_tokens") * 1_000_000_000 + tokens("completion_tokens") * 3_000_000_000;
        expected = expected + Usd::from_pico(cost);
    }
    assert!(expected > Usd::ZERO);
    assert_eq!((counted(&hub), paid(&hub).await), (expected, expected));
}

#[tokio::test(start_paused = true)]
async fn a_failure_gives_back_what_was_reserved_and_the_next_target_reserves_its_own() {
    let yaml = "
providers:
  - {id: bad, type: openai-compatible, base_url: 'http://simulator.test/v1', api_key: sim-500, models: [{id: m, price: {input: 0, output: 0, request: 9}}]}
  - {id: dear, type: openai-compatible, base_url: 'http://simulator.test/v1', api_key: sim-ok.d, models: [{id: m, price: {input: 0, output: 0, request: 11}}]}
  - {id: fair, type: openai-compatible, base_url: 'http://simulator.test/v1', api_key: sim-ok.f, models: [{id: m, price: {input: 0, output: 0, request: 4}}]}
budgets: [{id: b, for: all, limit: 10}]
";
    let hub = TestHub::builder().yaml(yaml).build().await;
    let answer = hub.chat("m").await;
    assert_eq!((answer.route(), counted(&hub)), ("fair", dollars(4.0)));
    let skipped = &hub.receipts().await[0].detail.skipped;
    assert!(skipped[0].reason.starts_with("budget_exceeded: The budget `b`"), "{skipped:?}");
    assert_eq!(hub.calls(["sim-ok.d"]), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_price_that_nobody_knows_is_refused_or_allowed_as_it_is_written() {
    let unknown = |rule: &str| {
        let budgets = format!("budgets: [{{id: b, for: all, limit: 1{rule}}}]\n");
        TestHub::builder().yaml(&budgets).account("a", "sim-ok").build()
    };
    let answer = unknown("").await.chat("m").await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "price_unknown"));
    assert!(unknown(", unknown_price: allow").await.chat("m").await.is_whole());
    assert!(unknown(", mode: soft").await.chat("m").await.is_whole());
}

#[tokio::test(start_paused = true)]
async fn a_soft_budget_goes_on_with_cheaper_accounts_while_there_are_any() {
    let account = |id: &str, tier: &str, price: u32| {
        format!(
            "  - {{id: {id}, tier: {tier}, type: openai-compatible, base_url: 'http://simulator.test/v1', api_key: sim-ok.{id}, \
             models: [{{id: m, price: {{input: 0, output: 0, request: {price}}}}}]}}\n"
        )
    };
    let budget = "budgets: [{id: b, for: all, limit: 2, mode: soft, over: degrade, degrade_to: cheap}]\n";
    let both = format!("{budget}providers:\n{}{}", account("paid", "key", 1), account("little", "cheap", 0));
    let hub = TestHub::builder().yaml(&both).build().await;
    let mut routes = Vec::new();
    for _ in 0..4 {
        routes.push(hub.chat("m").await.route().to_owned());
    }
    assert_eq!(routes, ["paid", "paid", "little", "little"]);
    let alone = format!("{budget}providers:\n{}", account("paid", "key", 1));
    let hub = TestHub::builder().yaml(&alone).build().await;
    for _ in 0..4 {
        assert_eq!(hub.chat("m").await.route(), "paid", "a soft budget refuses nobody");
    }
    assert_eq!(counted(&hub), dollars(4.0));
}

#[tokio::test(start_paused = true)]
async fn counting_tokens_is_free_even_when_nothing_is_left() {
    let (kind, url) = speech::provider(Dialect::Messages);
    let yaml = format!(
        "providers:\n  - {{id: a, type: {kind}, base_url: '{url}', api_key: sim-ok, models: [{{id: m, price: {{input: 0, output: 0, request: 1}}}}]}}\n\
         budgets: [{{id: b, for: all, limit: 1}}]\n"
    );
    let hub = TestHub::builder().yaml(&yaml).build().await;
    let body = speech::body(Dialect::Messages, "m", false, "hello");
    let ask = || hub.send(speech::request(Dialect::Messages, "m", false, &body));
    assert_eq!([ask().await.status, ask().await.status].map(|status| status.as_u16()), [200, 429]);
    let count = serde_json::json!({"model": "m", "messages": body["messages"]});
    assert_eq!(hub.post("/v1/messages/count_tokens", count.to_string()).await.status, 200);
    assert_eq!(hub.receipts().await[0].cost, None);
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_is_killed_counts_too_much_and_never_too_little() {
    let yaml = with("  - {id: b, for: all, limit: 50, window: month}");
    let hub = TestHub::builder().yaml(&yaml).build().await;
    for _ in 0..10 {
        assert!(hub.chat("m").await.is_whole());
    }
    let next = TestHub::builder().yaml(&yaml).after(&hub).build().await;
    let lost = counted(&next).less(dollars(10.0));
    assert!(counted(&next) >= dollars(10.0) && lost <= dollars(2.5), "{lost}");
    let statuses = join_all((0..200).map(|_| next.chat("m"))).await;
    let served = statuses.iter().filter(|answer| answer.is_whole()).count();
    assert!((37..=40).contains(&served), "{served}");

    let hub = TestHub::builder().yaml(&yaml).build().await;
    for _ in 0..10 {
        assert!(hub.chat("m").await.is_whole());
    }
    hub.engine.budgets().close().await.unwrap();
    let next = TestHub::builder().yaml(&yaml).after(&hub).build().await;
    assert_eq!(counted(&next), dollars(10.0), "one that was stopped counts exactly");
}
