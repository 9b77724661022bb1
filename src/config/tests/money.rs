//! Facts and prices of models, and the section `budgets`: what is accepted, and what every mistake is told.

use super::*;
use crate::engine::settings::{
    Mode, ModelFacts, Over, Price, PriceSource, Scope, Tier, UnknownPrice, Usd, Window,
};

const MODEL: &str = "
providers:
  - id: one
    type: openai
    api_key: k1
    tier: cheap
    models:
      - m
      - id: n
        context: 65536
        max_output: 1000
        tools: true
        vision: false
        price: {input: 2, output: 10, cache_read: 0.2, request: 0.01}
";

fn per_million(dollars: f64) -> Usd {
    Usd::per_million(dollars).unwrap()
}

#[test]
fn what_the_user_says_of_a_model_goes_before_what_is_said_of_all() {
    let prices = "prices:\n  - {model: 'n*', price: {input: 7, output: 7}}\n  - {model: '*', provider: openai, price: {input: 1, output: 3}}\n";
    let loaded = accepted(&format!("{prices}{MODEL}"));
    let one = connection(&loaded, "one");
    assert_eq!(one.tier, Tier::Cheap);
    let expected = ModelFacts {
        context: Some(65_536),
        max_output: Some(1000),
        tools: Some(true),
        vision: Some(false),
        price: Some(Price {
            cache_read: Some(per_million(0.2)),
            request: Usd::from_dollars(0.01),
            ..Price::of(per_million(2.0), per_million(10.0))
        }),
        price_source: Some(PriceSource::Configured),
        ..ModelFacts::default()
    };
    assert_eq!(*one.facts_of("n"), expected);
    let price = |model: &str| one.facts_of(model).price.map(|price| price.input);
    assert_eq!(
        [price("m"), price("new"), price("other")],
        [per_million(1.0), per_million(7.0), per_million(1.0)].map(Some)
    );
    let shown =
        |path: &str| loaded.effective.iter().find(|one| one.path == path).map(|one| one.value.as_str());
    assert_eq!(shown("providers[0].models[1].price.cache_read"), Some("0.2"));
    assert_eq!(shown("prices[1].provider"), Some("openai"));
    assert!(origin_of(&loaded, "providers[0].models[1].context").line().is_some());
}

#[test]
fn without_a_word_nothing_is_known_and_the_tier_is_key() {
    let loaded = accepted("providers:\n  - {id: one, type: openai, api_key: k1, models: [m]}\n");
    let one = connection(&loaded, "one");
    assert_eq!(
        (one.tier, &*one.facts_of("m"), one.facts_of("m").price),
        (Tier::Key, &ModelFacts::default(), None)
    );
}

#[test]
fn prices_that_are_none_are_refused_with_place_and_remedy() {
    for (price, told) in [
        (
            "{input: -1, output: 1}",
            "line 2, prices[0].price.input: expected dollars per million tokens, from 0 to 1000000, found the number `-1` (write for example `input: 0.5`)",
        ),
        (
            "{input: 1, output: much}",
            "line 2, prices[0].price.output: expected dollars per million tokens, from 0 to 1000000, found the text `much` (write for example `output: 1.5`)",
        ),
        ("{input: nan, output: 1}", "prices[0].price.input"),
        (
            "{input: 1}",
            "line 2, prices[0].price.output: `output` is missing in the price (write both, such as `price: {input: 0.5, output: 1.5}`; write 0 for what is free)",
        ),
        ("{input: 1, output: 1, outputs: 2}", "did you mean `output`?"),
        ("3", "expected a mapping of settings"),
    ] {
        let problem = only(&refused(&format!("prices:\n  - {{model: m, price: {price}}}\n")));
        assert!(problem.contains(told), "{problem}");
    }
    for (rule, told) in [
        ("{model: m}", "`price` is missing"),
        ("{price: {input: 1, output: 1}}", "`model` is missing"),
        ("{model: m, provider: opnai, price: {input: 1, output: 1}}", "did you mean `openai`?"),
    ] {
        let problem = only(&refused(&format!("prices:\n  - {rule}\n")));
        assert!(problem.contains(told), "{problem}");
    }
    assert!(only(&refused("prices: 3\n")).contains("expected a list of prices"));
}

#[test]
fn budgets_have_defaults_and_every_word_of_their_own() {
    let loaded = accepted(
        "budgets:
  - {id: house, for: all, limit: 200}
  - {id: each, for: '*', limit: 0.5, window: day, reset: '06:30', unknown_price: allow}
  - {id: ci, for: ci-bot, limit: 1, mode: soft}
  - {id: t, for: tier:key, limit: 1, mode: soft, over: degrade, degrade_to: cheap, warn: 0.5}
  - {id: p, for: provider:openai, limit: 1, window: week}
  - {id: k, for: key:all, limit: 1}
",
    );
    let budgets = &loaded.settings.budgets;
    let scopes: Vec<_> = budgets.iter().map(|budget| budget.scope.clone()).collect();
    let caller = |name: &str| Scope::Caller(name.into());
    let expected = [
        Scope::All,
        Scope::EachCaller,
        caller("ci-bot"),
        Scope::Tier(Tier::Key),
        Scope::Provider("openai".into()),
        caller("all"),
    ];
    assert_eq!(scopes, expected);
    let (house, each, ci, t) = (&budgets[0], &budgets[1], &budgets[2], &budgets[3]);
    assert_eq!(
        (house.limit, house.window, house.reset_minute),
        (Usd::from_dollars(200.0).unwrap(), Window::Month, 0)
    );
    assert_eq!(
        (house.mode, house.over, house.unknown_price),
        (Mode::Strict, Over::Warn, UnknownPrice::Refuse)
    );
    assert_eq!((each.window, each.reset_minute, each.unknown_price), (Window::Day, 390, UnknownPrice::Allow));
    assert_eq!((ci.mode, ci.unknown_price), (Mode::Soft, UnknownPrice::Allow));
    assert_eq!((t.over, t.warn), (Over::Degrade(Tier::Cheap), 0.5));
}

#[test]
fn budgets_that_cannot_be_are_refused() {
    for (budget, told) in [
        ("{id: a, for: all}", "`limit` is missing"),
        ("{for: all, limit: 1}", "`id` is missing"),
        ("{id: a, limit: 1}", "`for` is missing"),
        ("{id: a, for: all, limit: 0}", "a limit of nothing refuses everything"),
        ("{id: a, for: all, limit: -2}", "expected dollars, more than 0"),
        ("{id: a, for: tier:gold, limit: 1}", "found `tier:gold`"),
        ("{id: a, for: provider:nobody, limit: 1}", "found `provider:nobody`"),
        ("{id: a, for: all, limit: 1, reset: '24:00'}", "expected a time of day"),
        ("{id: a, for: all, limit: 1, reset: '6:30'}", "expected a time of day"),
        ("{id: a, for: all, limit: 1, window: year}", "expected `day`, `week` or `month`"),
        ("{id: a, for: all, limit: 1, warn: 80}", "expected a part of the limit"),
        ("{id: a, for: all, limit: 1, over: degrade}", "a strict budget refuses"),
        ("{id: a, for: all, limit: 1, degrade_to: free}", "without `over: degrade`"),
        ("{id: a b, for: all, limit: 1}", "expected a name of letters"),
    ] {
        let problem = only(&refused(&format!("budgets:\n  - {budget}\n")));
        assert!(problem.contains(told), "{problem}");
    }
    let twice = refused("budgets:\n  - {id: a, for: all, limit: 1}\n  - {id: a, for: '*', limit: 1}\n");
    assert!(only(&twice).contains("given twice, in lines 2 and 3"));
}
