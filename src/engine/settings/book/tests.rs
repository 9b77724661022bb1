//! Look-up in the book. What the built-in rows say is tested beside them.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use super::*;
use crate::engine::settings::{Provenance, Usd};

fn book() -> ModelBook {
    let rows = serde_json::json!([
        {"source": "a", "as_of": "2026-01-01", "providers": ["openai"], "known": {
            "gpt-9": {"context": 100, "price": {"input": 2, "output": 10}},
            "gpt-9-2026-01-02": {"context": 50},
            "gpt-*": {"context": 7, "vision": true},
            "gpt-9-mini*": {"tools": false}
        }},
        {"source": "b", "as_of": "2026-01-01", "known": {
            "*gpt-9*": {"max_output": 9, "vision": false, "reasoning": true},
            "*OSS*": {"context": 3}
        }}
    ]);
    ModelBook::new(serde_json::from_value(rows).unwrap()).unwrap()
}

#[test]
fn the_closest_row_holds_and_the_others_fill_its_gaps() {
    let book = book();
    let facts = book.facts_of("openai", "gpt-9");
    let expected = ModelFacts {
        context: Some(100),
        max_output: Some(9),
        vision: Some(true),
        reasoning: Some(true),
        price: Some(Price::of(Usd::from_pico(2_000_000), Usd::from_pico(10_000_000))),
        price_source: Some(PriceSource::BuiltIn(Arc::new(Provenance {
            source: "a".to_owned(),
            as_of: "2026-01-01".to_owned(),
        }))),
        ..ModelFacts::default()
    };
    assert_eq!(*facts, expected);
    assert_eq!(book.facts_of("openai", "gpt-9-20260102"), facts, "a dated id is the undated model");
    assert_eq!(
        book.facts_of("openai", "gpt-9-2026-01-02").context,
        Some(50),
        "unless it has a row of its own"
    );
    assert_eq!(book.facts_of("openai", "gpt-9-mini").tools, Some(false), "the longer pattern goes first");
    let elsewhere = book.facts_of("groq", "x/gpt-9");
    assert_eq!((elsewhere.context, elsewhere.max_output, elsewhere.price), (None, Some(9), None));
    assert_eq!(book.facts_of("groq", "gpt-oss-1").context, Some(3), "patterns do not mind case");
}

#[test]
fn nothing_known_is_one_and_the_same_and_takes_no_memory() {
    let nothing = book().facts_of("groq", "whatever");
    assert!(Arc::ptr_eq(&nothing, &ModelFacts::unknown()));
    assert_eq!(nothing.price, None, "unknown is not zero");
    let known = Known::new(Arc::new(book()), Vec::new());
    assert!(Arc::ptr_eq(&known.facts_of("groq", "whatever"), &nothing));
}

#[test]
fn the_users_price_goes_before_the_catalogues() {
    let rule = |model: &str, provider: Option<&str>, dollars: f64| PriceRule {
        model: model.to_owned(),
        provider: provider.map(str::to_owned),
        price: Price::of(Usd::per_million(dollars).unwrap(), Usd::ZERO),
    };
    let rules = vec![rule("gpt-9", Some("groq"), 1.0), rule("gpt-*", None, 3.0)];
    let known = Known::new(Arc::new(book()), rules);
    let input = |provider: &str, model: &str| known.facts_of(provider, model).price.unwrap().input.pico();
    assert_eq!(
        [input("groq", "gpt-9"), input("openai", "gpt-9"), input("x", "gpt-1")],
        [1_000_000, 3_000_000, 3_000_000]
    );
    assert_eq!(known.facts_of("openai", "gpt-9").context, Some(100), "the rest stays");
}

#[test]
fn rows_that_cannot_be_are_refused() {
    let rows = serde_json::json!([{"source": "a", "as_of": "d", "known": {"m": {"price": {"input": -1, "output": 1}}}}]);
    let error = ModelBook::new(serde_json::from_value(rows).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the price of `m` (a) is no amount of money");
}

#[test]
fn dates_are_known_by_their_form() {
    assert_eq!(undated("claude-haiku-4-5-20251001"), Some("claude-haiku-4-5"));
    assert_eq!(undated("gpt-4o-2024-08-06"), Some("gpt-4o"));
    for none in ["gpt-4o", "-20251001", "m-19991001", "m-2024-0806", "äöü-2025100", ""] {
        assert_eq!(undated(none), None, "{none}");
    }
}
