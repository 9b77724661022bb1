//! Costs of what each dialect's providers count, and estimates. The dialects' own tests show how they are read into `Usage`.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use canon::{Dialect, Usage};
use proptest::prelude::*;

use super::*;
use crate::engine::settings::LongPrompt;

fn usd(per_million: f64) -> Usd {
    Usd::per_million(per_million).unwrap()
}

fn dollars(dollars: f64) -> Usd {
    Usd::from_dollars(dollars).unwrap()
}

fn sonnet() -> Price {
    Price { cache_read: Some(usd(0.3)), cache_write: Some(usd(3.75)), ..Price::of(usd(3.0), usd(15.0)) }
}

/// The cost of what a provider of `dialect` counted in `answer`.
fn cost(dialect: Dialect, answer: &serde_json::Value, price: &Price) -> Usd {
    let usage = dialects::decode_answer(dialect, answer.to_string().as_bytes()).unwrap().usage.unwrap();
    of_usage(price, &usage)
}

#[test]
fn anthropics_input_is_without_the_cache_and_is_not_billed_twice() {
    let answer = serde_json::json!({"type": "message", "role": "assistant", "content": [], "stop_reason": "end_turn", "usage":
        {"input_tokens": 1000, "cache_read_input_tokens": 10_000, "cache_creation_input_tokens": 2000, "output_tokens": 500}});
    // 1000 × $3, 10,000 × $0.30, 2000 × $3.75 and 500 × $15 for a million.
    assert_eq!(cost(Dialect::Messages, &answer, &sonnet()), dollars(0.021));
}

#[test]
fn openais_prompt_includes_what_was_cached() {
    let price = Price { cache_read: Some(usd(1.25)), ..Price::of(usd(2.5), usd(10.0)) };
    let chat = serde_json::json!({"object": "chat.completion", "choices": [{"index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "x"}}],
        "usage": {"prompt_tokens": 10_000, "completion_tokens": 1000, "total_tokens": 11_000,
            "prompt_tokens_details": {"cached_tokens": 8000}, "completion_tokens_details": {"reasoning_tokens": 400}}});
    assert_eq!(
        cost(Dialect::Chat, &chat, &price),
        dollars(0.025),
        "2000 plain, 8000 cached, thoughts as answer"
    );
    let responses = serde_json::json!({"object": "response", "status": "completed", "output": [],
        "usage": {"input_tokens": 10_000, "input_tokens_details": {"cached_tokens": 8000}, "output_tokens": 1000,
            "output_tokens_details": {"reasoning_tokens": 400}, "total_tokens": 11_000}});
    assert_eq!(cost(Dialect::Responses, &responses, &price), dollars(0.025));
}

#[test]
fn geminis_thoughts_are_answer_and_its_cache_is_prompt() {
    let price =
        Price { cache_read: Some(usd(0.03)), audio_input: Some(usd(1.0)), ..Price::of(usd(0.3), usd(2.5)) };
    let answer = serde_json::json!({"candidates": [{"content": {"parts": [{"text": "x"}], "role": "model"}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 10_000, "cachedContentTokenCount": 4000, "candidatesTokenCount": 100,
            "thoughtsTokenCount": 900, "totalTokenCount": 11_000,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 9000}, {"modality": "AUDIO", "tokenCount": 1000}]}});
    // 4000 cached, 1000 of sound, 5000 plain, 1000 of answer.
    let expected = Usd::from_pico(4000 * 30_000 + 1000 * 1_000_000 + 5000 * 300_000 + 1000 * 2_500_000);
    assert_eq!(cost(Dialect::Gemini, &answer, &price), expected);
}

#[test]
fn tokens_with_a_price_of_their_own_and_requests_are_charged_at_it() {
    let price = Price {
        reasoning: Some(usd(20.0)),
        audio_output: Some(usd(80.0)),
        request: Usd::from_dollars(0.005),
        ..Price::of(usd(1.0), usd(10.0))
    };
    let usage = Usage { output: 100, reasoning: 30, audio_output: 50, ..Usage::default() };
    let expected = Usd::from_pico(30 * 20_000_000 + 50 * 80_000_000 + 20 * 10_000_000 + 5_000_000_000);
    assert_eq!(of_usage(&price, &usage), expected);
}

#[test]
fn a_long_prompt_is_charged_at_its_price_as_a_whole() {
    let long =
        LongPrompt { above: 1000, input: usd(6.0), output: usd(22.5), cache_read: None, cache_write: None };
    let price = Price { long: Some(long), ..sonnet() };
    let of =
        |input| of_usage(&price, &Usage { input, output: 10, cached_input: 1000, ..Usage::default() }).pico();
    assert_eq!(of(1000), 1000 * 300_000 + 10 * 15_000_000);
    assert_eq!(of(1001), 1001 * 6_000_000 + 10 * 22_500_000, "no price for its cache: the full one");
}

#[test]
fn what_is_not_known_is_not_zero_and_what_is_expected_is_bounded_by_the_model() {
    assert_eq!(expected(&ModelFacts::default(), 10, 10), None);
    let facts = ModelFacts {
        price: Some(sonnet()),
        max_output: Some(100),
        context: Some(1000),
        ..ModelFacts::default()
    };
    assert_eq!(expected(&facts, 500, 50), Some(Usd::from_pico(500 * 3_000_000 + 50 * 15_000_000)));
    assert_eq!(expected(&facts, 5000, 5000), expected(&facts, 1000, 100));
    let free = ModelFacts { price: Some(Price::of(Usd::ZERO, Usd::ZERO)), ..ModelFacts::default() };
    assert_eq!(expected(&free, 10, 10), Some(Usd::ZERO));
}

#[test]
fn pictures_are_not_taken_for_text() {
    assert_eq!(prompt_tokens(b"{\"a\":\"words and more\"}"), 6);
    let body = |letters: usize| {
        format!("{{\"url\":\"data:image/png;base64,{}\"}}", "A".repeat(letters)).into_bytes()
    };
    assert!((1334..1400).contains(&prompt_tokens(&body(200_000))));
    assert!((10_000..10_100).contains(&prompt_tokens(&body(2_000_000))), "a document");
}

#[test]
fn several_answers_share_their_prompt() {
    for (dialect, body, answers) in [
        (Dialect::Chat, r#"{"n":3}"#, 3),
        (Dialect::Chat, r#"{"n":0}"#, 1),
        (Dialect::Gemini, r#"{"generationConfig":{"candidateCount":2}}"#, 2),
        (Dialect::Messages, r#"{"n":3}"#, 1),
    ] {
        assert_eq!(asked_answers(dialect, body.as_bytes()), answers, "{body}");
    }
    let price = Price { request: Some(Usd::from_pico(7)), ..sonnet() };
    let facts = ModelFacts { price: Some(price), ..ModelFacts::default() };
    let expected = Usd::from_pico(7 + 100 * 3_000_000 + 3 * 10 * 15_000_000);
    assert_eq!(expected_of_several(&facts, 100, 10, 3), Some(expected));
}

#[test]
fn an_answer_in_the_background_is_known_by_its_flag() {
    assert!(is_deferred(Dialect::Responses, br#"{"model":"m","background":true}"#));
    assert!(!is_deferred(Dialect::Responses, br#"{"model":"m","background":false}"#));
    assert!(!is_deferred(Dialect::Chat, br#"{"background":true}"#));
}

proptest! {
    /// A detail is a part of the whole: whatever a provider claims, each token is paid for once, at one of the prices.
    #[test]
    fn no_claim_makes_a_token_cost_more_than_the_dearest_price(
        input in 0_u64..10_000, output in 0_u64..10_000, cached in 0_u64..20_000, written in 0_u64..20_000, thought in 0_u64..20_000,
    ) {
        let usage = Usage { input, output, cached_input: cached, cache_write: written, reasoning: thought, ..Usage::default() };
        let cost = of_usage(&sonnet(), &usage);
        prop_assert!(cost <= usd(3.75).times(input) + usd(15.0).times(output));
        prop_assert!(cost >= usd(0.3).times(input) + usd(15.0).times(output));
    }
}
