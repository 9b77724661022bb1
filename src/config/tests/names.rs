//! The sections `aliases` and `map`, steps by tag, and what combos say for all of their requests: what is accepted, and what
//! every mistake is told.

use std::time::Duration;

use super::{super::write_combos, *};
use crate::engine::settings::{Adherence, Combo, Knobs, Step, Strategy, Wanted};

const ACCOUNTS: &str = "
providers:
  - {id: groq-1, type: groq, api_key: k1, models: [llama-3.3-70b, {id: llama-3.1-8b, tags: [web-search, fast]}]}
  - {id: gemini-1, type: gemini, api_key: k2}
";

fn with_accounts(sections: &str) -> String {
    format!("{ACCOUNTS}{sections}\n")
}

fn names(combo: &Combo) -> Vec<String> {
    let name = |step: &'_ Step| match &step.wanted {
        Wanted::Model { name, .. } | Wanted::Combo(name) => name.to_string(),
    };
    combo.steps.iter().map(name).collect()
}

#[test]
fn an_alias_is_a_combo_with_its_targets_in_order() {
    let loaded = accepted(&with_accounts(
        "combos: [{id: big, steps: [llama-3.3-70b]}]
aliases:
  small: [llama-3.1-8b, gemini/gemini-2.5-flash]
  one: llama-3.1-8b
  team/titles: {targets: [{tag: fast}, combo/big, combo/small], description: for titles}
  old: {targets: [nobody-has-this], enabled: false}
",
    ));
    assert!(loaded.warnings.is_empty(), "{:#?}", loaded.warnings);
    let ids: Vec<&str> = loaded.settings.combos.iter().map(|combo| &*combo.id).collect();
    assert_eq!(ids, ["big", "small", "one", "team/titles"]);
    assert!(loaded.settings.combos.iter().all(|combo| combo.strategy == Strategy::Priority));
    assert_eq!(names(&loaded.settings.combos[1]), ["llama-3.1-8b", "gemini/gemini-2.5-flash"]);
    assert_eq!(names(&loaded.settings.combos[3]), ["tag/fast", "big", "small"]);
    assert_eq!(loaded.settings.combos[3].description.as_deref(), Some("for titles"));
    assert_eq!(origin_of(&loaded, "aliases.small.targets").line(), Some(7));
}

#[test]
fn the_map_is_read_in_order() {
    let loaded = accepted(&with_accounts(
        "aliases: {coding: llama-3.3-70b}
map:
  - {match: \"claude-*-haiku*\", to: tag/fast}
  - {match: claude-*, to: coding}
  - {match: gpt-*, to: combo/coding}
  - {match: \"*\", to: auto/chat:cheap}
routing: {substitute: on}
",
    ));
    assert!(loaded.warnings.is_empty(), "{:#?}", loaded.warnings);
    let leads: Vec<&str> = loaded.settings.routing.map.iter().map(|rule| &*rule.to).collect();
    assert_eq!(leads, ["tag/fast", "coding", "combo/coding", "auto/chat:cheap"]);
    assert!(loaded.settings.routing.substitute);
    assert!(!accepted("").settings.routing.substitute);
}

#[test]
fn rules_that_do_nothing_are_told() {
    let loaded = accepted(&with_accounts(
        "map: [{match: claude-*, to: auto}, {match: claude-opus-*, to: llama-3.1-8b}, {match: llama-3.1-8b, to: auto}]",
    ));
    let told: Vec<String> = loaded.warnings.iter().map(in_words).collect();
    let [covered, served] = &told[..] else { panic!("{told:#?}") };
    assert!(covered.contains("map[1].match: no name gets here: the rule for `claude-*` takes them all"));
    assert!(served.contains("map[2].match: `llama-3.1-8b` is served under this name"), "{served}");
}

#[test]
fn every_mistake_is_told_with_its_place_and_a_remedy() {
    let table = [
        (
            "aliases: [small]",
            "expected a mapping of names, found a list (write each alias as a name and its targets",
        ),
        ("aliases: {small: }", "aliases.small.targets: `targets` is missing"),
        ("aliases: {small: []}", "expected a list of models, found an empty list"),
        ("aliases: {small: {enabled: true}}", "`targets` is missing"),
        ("aliases: {'a b': llama-3.1-8b}", "expected a name of letters, digits,"),
        ("aliases: {small: llama-3.1-8c}", "no connection serves a model named `llama-3.1-8c` (did you mean"),
        (
            "aliases: {small: {target: [llama-3.1-8b]}}",
            "unknown key `target` in `aliases.small` (did you mean `targets`?",
        ),
        (
            "aliases: {small: [{model: llama-3.1-8b, weight: -1}]}",
            "expected a whole number from 0 to 1000000",
        ),
        ("aliases: {a: combo/b, b: combo/a}", "the alias leads back to itself: a → b → a (remove one"),
        (
            "combos: [{id: a, steps: [combo/b]}]\naliases: {b: combo/a}",
            "the combo leads back to itself: a → b → a",
        ),
        (
            "combos: [{id: a, steps: [llama-3.1-8b]}]\naliases: {a: llama-3.1-8b}",
            "`a` is the name of a combo in line 5 and of an alias in line 6 (rename one",
        ),
        ("aliases: {a: {targets: [{tag: slow}]}}", "no listed model carries the tag `slow`"),
        ("combos: [{id: a, steps: [{tag: fasd}]}]", "the tag `fasd` (did you mean `fast`?)"),
        (
            "combos: [{id: a, steps: [{tag: fast, model: b}]}]",
            "a model, a combo or a tag, and to one of them only",
        ),
        ("map: {claude: coding}", "expected a list of rules, found a mapping"),
        ("map: [{to: auto}]", "map[0].match: `match` is missing (write for example `match: \"claude-*\"`)"),
        ("map: [{match: claude-*}]", "map[0].to: `to` is missing"),
        ("map: [{match: x, too: auto, to: auto}]", "unknown key `too` in `map[0]` (did you mean `to`?"),
        (
            "aliases: {coding: llama-3.1-8b}\nmap: [{match: x, to: codin}]",
            "the rule leads nowhere: there is no combo, alias or model `codin` (did you mean `coding`?)",
        ),
        ("map: [{match: x, to: combo/llama-3.1-8b}]", "the rule leads nowhere"),
        ("map: [{match: x, to: auto/codling}]", "the rule leads nowhere"),
        ("routing: {substitute: perhaps}", "expected `on` or `off`"),
        ("combos: [{id: a, retries: 11, steps: [llama-3.1-8b]}]", "expected a whole number from 0 to 10"),
        (
            "combos: [{id: a, retry_pause_seconds: 61, steps: [llama-3.1-8b]}]",
            "expected seconds from 0 to 60",
        ),
        (
            "combos: [{id: a, deadline_seconds: 0, steps: [llama-3.1-8b]}]",
            "expected seconds from 0.001 to 86400",
        ),
        (
            "combos: [{id: a, affinity: always, steps: [llama-3.1-8b]}]",
            "expected `off`, `session` or `beginning`",
        ),
        (
            "combos: [{id: a, fallback: gpt-4o, steps: [llama-3.1-8b]}]",
            "expected `off`, `auto`, or a name below it",
        ),
    ];
    for (sections, expected) in table {
        let problems = refused(&with_accounts(sections));
        let told: Vec<String> = problems.iter().map(in_words).collect();
        assert!(told.iter().any(|words| words.contains(expected)), "{sections}\n  {told:#?}\n  {expected}");
        assert!(told.iter().all(|words| words.starts_with("error: line ")), "{told:#?}");
    }
}

#[test]
fn what_a_missing_key_takes_away_is_a_warning() {
    let yaml = "
providers:
  - {id: groq-1, type: groq, api_key: '${NO_SUCH_KEY}', models: [llama-3.3-70b]}
aliases: {small: [llama-3.3-70b, {tag: fast}]}
map: [{match: claude-*, to: llama-3.3-70b}, {match: gpt-*, to: small}]
";
    let loaded = accepted(yaml);
    let about = |start| loaded.warnings.iter().filter(|one| one.path.starts_with(start)).count();
    assert_eq!(
        (about("aliases.small"), about("map[0].to"), about("map[1]")),
        (2, 1, 0),
        "{:#?}",
        loaded.warnings
    );
    let problems = refused(&yaml.replace("to: small", "to: combo/smal"));
    let errors = problems.iter().filter(|one| one.severity == Severity::Error).map(in_words);
    let [error] = &errors.collect::<Vec<_>>()[..] else { panic!("{problems:#?}") };
    assert!(error.contains("no combo, alias or model `combo/smal` (did you mean `small`?)"), "{error}");
}

#[test]
fn a_name_that_takes_the_place_of_another_is_told() {
    let loaded = accepted(&with_accounts("aliases: {llama-3.1-8b: llama-3.3-70b, auto/fast: llama-3.1-8b}"));
    let told: Vec<String> = loaded.warnings.iter().map(in_words).collect();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(
        told.iter().all(|one| one.contains("the alias `") && one.contains("takes the place of the model"))
    );
}

const EVERYTHING: &str = "combos:
  - id: all
    description: \"says \\\"all\\\": $$5\"
    strategy: auto
    connections: round-robin
    sticky: 3
    by_tier: true
    mode: ship-fast
    cache: false
    join: true
    compress: true
    thinking: 2048
    system_prompt: \"Be kind.\\nAlways.\"
    system_prompt_place: after
    background: {to: llama-3.1-8b, phrases: [name this]}
    small: {tokens: 100, to: combo/plain}
    large: {tokens: 9000, to: gemini/gemini-2.5-pro}
    retries: 0
    retry_pause_seconds: 0.5
    deadline_seconds: 90
    affinity: beginning
    fallback: auto/coding:cheap
    steps:
      - llama-3.3-70b
      - {model: llama-3.3-70b, connection: groq-1, weight: 70}
      - {combo: plain, weight: 0}
      - {tag: fast}
      - {tag: fast, connection: groq-1}
      - gemini/*
  - {id: plain, affinity: \"off\", thinking: adaptive, background: llama-3.1-8b, steps: [combo/alias]}
aliases: {alias: llama-3.1-8b}
";

#[test]
fn knobs_are_read_and_all_of_a_combo_is_written_as_it_was_read() {
    let first = accepted(&with_accounts(EVERYTHING));
    let combos: Vec<Combo> = first.settings.combos.iter().map(|combo| (**combo).clone()).collect();
    let [all, plain, alias] = &combos[..] else { panic!("{combos:#?}") };
    let knobs = Knobs {
        retries: Some(0),
        retry_pause: Some(Duration::from_millis(500)),
        deadline: Some(Duration::from_secs(90)),
        affinity: Some(Adherence::Beginning),
    };
    assert_eq!(all.knobs.as_deref(), Some(&knobs));
    assert_eq!(all.fallback.as_deref(), Some("auto/coding:cheap"));
    assert_eq!(plain.knobs.as_ref().unwrap().affinity, Some(Adherence::Off));
    assert_eq!((&alias.knobs, &alias.fallback), (&None, &None));

    let again = accepted(&with_accounts(&format!("combos:\n{}", write_combos(&combos))));
    let again: Vec<Combo> = again.settings.combos.iter().map(|combo| (**combo).clone()).collect();
    assert_eq!(again, combos, "{}", write_combos(&combos));
}
