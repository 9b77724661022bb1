//! What requests cost: in receipts and headers, by what the provider counted, in every dialect, and by estimate where it
//! could not count.

use canon::Dialect;
use http_body_util::BodyExt;
use trivium::engine::settings::Usd;

use crate::support::{TestHub, chat, speech};

/// An account at the simulator whose model `m` costs $2 and $10 for a million tokens, and a cached one $0.50.
fn priced(dialect: Dialect, key: &str) -> String {
    let (kind, url) = speech::provider(dialect);
    format!(
        "providers:\n  - id: a\n    type: {kind}\n    base_url: {url}\n    api_key: {key}\n    models:\n      \
         - {{id: m, price: {{input: 2, output: 10, cache_read: 0.5}}}}\n"
    )
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_counted_is_what_it_costs_in_every_pair_of_dialects() {
    for target in Dialect::ALL {
        let hub = TestHub::builder().yaml(&priced(target, "sim-ok")).build().await;
        for client in Dialect::ALL {
            for stream in [false, true] {
                let body = speech::body(client, "m", stream, "how much is this?");
                let answer = hub.send(speech::request(client, "m", stream, &body)).await;
                assert!(speech::is_whole(client, &answer), "{client} to {target}: {}", answer.text);
                let receipt = hub.receipts().await.remove(0);
                let (input, output) = (receipt.input_tokens.unwrap(), receipt.output_tokens.unwrap());
                let cached = receipt.detail.cached_input;
                let expected = (input - cached) * 2_000_000 + cached * 500_000 + output * 10_000_000;
                assert_eq!(receipt.cost, Some(Usd::from_pico(expected)), "{client} to {target}");
                assert!(!receipt.cost_estimated && expected > 0);
                let header = answer.header("x-trivium-cost");
                match stream {
                    true => assert_eq!(header, "", "not known when the headers went out"),
                    false => assert_eq!(header.parse::<f64>().unwrap(), Usd::from_pico(expected).dollars()),
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_price_is_unknown_and_a_failure_costs_nothing() {
    let hub = TestHub::builder().account("a", "sim-ok").account("b", "sim-500").build().await;
    let answer = hub.chat("m").await;
    assert_eq!((answer.header("x-trivium-cost"), hub.receipts().await[0].cost), ("", None));
    let hub = TestHub::builder().yaml(&priced(Dialect::Chat, "sim-500")).build().await;
    assert_eq!(hub.chat("m").await.status, 502);
    assert_eq!(hub.receipts().await[0].cost, None);
}

#[tokio::test(start_paused = true)]
async fn what_a_client_left_behind_is_estimated() {
    let hub = TestHub::builder().yaml(&priced(Dialect::Chat, "sim-pace-100")).build().await;
    let whole = hub.stream("m").await;
    assert!(whole.is_whole());
    let full = hub.receipts().await[0].cost.unwrap();
    let mut left = hub.open(chat("m", true)).await.into_body();
    for _ in 0..4 {
        left.frame().await.unwrap().unwrap();
    }
    drop(left);
    let receipt = hub.receipts().await.remove(0);
    assert_eq!((receipt.outcome.as_str(), receipt.cost_estimated), ("client_left", true));
    let cost = receipt.cost.unwrap();
    assert!(Usd::ZERO < cost && cost < full + full, "{cost} of {full}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_costs_at_least_what_went_by() {
    let hub = TestHub::builder().yaml(&priced(Dialect::Messages, "sim-cut-3")).build().await;
    let body = speech::body(Dialect::Messages, "m", true, "hello");
    hub.send(speech::request(Dialect::Messages, "m", true, &body)).await;
    let receipt = hub.receipts().await.remove(0);
    assert_eq!((receipt.outcome.as_str(), receipt.cost_estimated), ("interrupted", true));
    // Three tokens went by, though the first event said one.
    assert!(receipt.cost.unwrap() >= Usd::from_pico(3 * 10_000_000), "{:?}", receipt.cost);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_counts_the_cost_is_an_estimate_and_says_so() {
    for target in Dialect::ALL {
        let hub = TestHub::builder().yaml(&priced(target, "sim-nousage")).build().await;
        for client in Dialect::ALL {
            for stream in [false, true] {
                let body = speech::body(client, "m", stream, "how much is this?");
                let answer = hub.send(speech::request(client, "m", stream, &body)).await;
                assert!(answer.status.is_success(), "{client} to {target}: {}", answer.text);
                let receipt = hub.receipts().await.remove(0);
                assert!(receipt.cost_estimated, "{client} to {target}, stream: {stream}");
                assert!(receipt.cost.unwrap() > Usd::ZERO);
                assert_eq!(answer.header("x-trivium-cost"), "");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_the_background_costs_what_it_may() {
    let hub = TestHub::builder().yaml(&priced(Dialect::Responses, "sim-ok")).build().await;
    let body =
        serde_json::json!({"model": "m", "input": "hello", "background": true, "max_output_tokens": 1000});
    let answer = hub.post("/v1/responses", body.to_string()).await;
    let receipt = hub.receipts().await.remove(0);
    assert_eq!((answer.status.as_u16(), receipt.input_tokens), (200, None), "{}", answer.text);
    assert!(
        receipt.cost_estimated && receipt.cost.unwrap() >= Usd::from_pico(1000 * 10_000_000),
        "{:?}",
        receipt.cost
    );
}
