//! Tests of the rows of models.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::collections::BTreeSet;

use super::{super::builtin as catalogue, *};
use crate::engine::settings::{ModelFacts, Price, Usd};

fn price(provider: &str, model: &str) -> Option<Price> {
    catalogue().unwrap().book().facts_of(provider, model).price
}

/// Input and output in dollars per million tokens.
fn per_million(provider: &str, model: &str) -> Option<(f64, f64)> {
    price(provider, model)
        .map(|price| (price.input.times(1_000_000).dollars(), price.output.times(1_000_000).dollars()))
}

#[test]
fn published_prices_are_found() {
    assert_eq!(per_million("openai", "gpt-4o-mini"), Some((0.15, 0.6)));
    assert_eq!(per_million("anthropic", "claude-haiku-4-5-20251001"), Some((1.0, 5.0)));
    assert_eq!(per_million("groq", "llama-3.3-70b-versatile"), Some((0.59, 0.79)));
    let pro = price("gemini", "gemini-2.5-pro").unwrap();
    assert_eq!(pro.at(200_000).input, pro.input);
    assert_eq!(pro.at(200_001).input, pro.input.times(2), "long prompts have a price of their own");
}

#[test]
fn every_row_belongs_to_a_provider_has_a_day_and_says_something() {
    let catalogue = catalogue().unwrap();
    for rows in rows().unwrap() {
        assert!(rows.providers.iter().all(|id| catalogue.get(id).is_some()), "{:?}", rows.providers);
        let day: Vec<&str> = rows.as_of.split('-').collect();
        assert!(
            matches!(day[..], [year, month, date] if year.len() == 4 && month.len() == 2 && date.len() == 2)
        );
        assert!(!rows.source.is_empty());
        let mut seen = BTreeSet::new();
        for model in rows.models() {
            assert!(seen.insert(model.to_owned()), "{model} twice");
            let provider = rows.providers.first().map_or("", String::as_str);
            assert_ne!(
                *catalogue.book().facts_of(provider, &model.replace('*', "x")),
                ModelFacts::default(),
                "{model}"
            );
        }
    }
}

#[test]
fn nobody_is_said_to_be_free_who_is_not() {
    let catalogue = catalogue().unwrap();
    for rows in rows().unwrap() {
        for (provider, model) in
            rows.providers.iter().flat_map(|id| rows.models().map(move |model| (id, model)))
        {
            let Some(price) = catalogue.book().facts_of(provider, model).price else { continue };
            let free = price.input == Usd::ZERO && price.output == Usd::ZERO && price.request.is_none();
            let local = catalogue.get(provider).unwrap().local;
            let said = model.ends_with(":free") || model.ends_with("-free") || model.ends_with("-flash");
            assert!(!free || local || said, "{provider} {model}");
        }
    }
    assert_eq!(price("openai", "gpt-4o-of-tomorrow"), None, "unknown is not free");
    assert_eq!(price("openai-compatible", "gpt-4o"), None, "a server of whom nobody knows may ask anything");
    assert_eq!(price("ollama", "gpt-oss:20b"), Some(Price::of(Usd::ZERO, Usd::ZERO)));
}

#[test]
fn what_holds_everywhere_has_no_price() {
    for rows in rows().unwrap().into_iter().filter(|rows| rows.providers.is_empty()) {
        let models: Vec<String> = rows.models().map(str::to_owned).collect();
        let book = ModelBook::new(vec![rows]).unwrap();
        for model in models {
            assert_eq!(book.facts_of("", &model.replace('*', "")).price, None, "{model}");
        }
    }
    let facts = catalogue().unwrap().book().facts_of("friendli", "zai-org/GLM-5.2-FP8");
    assert_eq!((facts.context, facts.tools, facts.price), (Some(1_000_000), Some(true), None));
}

#[test]
fn most_of_what_the_catalogue_names_is_known() {
    let catalogue = catalogue().unwrap();
    let named =
        catalogue.providers().iter().flat_map(|row| row.models.iter().map(move |model| (&row.id, model)));
    let unknown: Vec<_> =
        named.clone().filter(|(id, model)| catalogue.book().facts_of(id, model).context.is_none()).collect();
    assert!(unknown.len() * 10 < named.count(), "{unknown:?}");
}
