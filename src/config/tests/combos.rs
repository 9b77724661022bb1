//! The section `combos`: what is accepted, and what every mistake is told.

use super::*;
use crate::engine::settings::{Strategy, Wanted};

const ACCOUNTS: &str = "
providers:
  - {id: groq-1, type: groq, api_key: k1, models: [llama-3.3-70b, llama-3.1-8b]}
  - {id: gemini-1, type: gemini, api_key: k2}
";

fn with_accounts(combos: &str) -> String {
    format!("{ACCOUNTS}combos:\n{combos}")
}

#[test]
fn steps_are_names_or_say_more() {
    let loaded = accepted(&with_accounts(
        "  - {id: small, steps: [llama-3.1-8b, gemini-1/gemini-2.5-flash, gemini/anything-else]}
  - id: team/coding
    description: for the editor
    strategy: weighted
    connections: round_robin
    sticky: 3
    steps:
      - {model: llama-3.3-70b, connection: groq-1, weight: 70}
      - {combo: small, weight: 30}
      - combo/small
      - groq/*
  - {id: 'off', enabled: false, steps: [nobody-has-this]}
",
    ));
    assert!(loaded.warnings.is_empty(), "{:#?}", loaded.warnings);
    let [small, coding] = &loaded.settings.combos[..] else { panic!("{:#?}", loaded.settings.combos) };
    assert_eq!((small.strategy, small.connections, small.sticky), (Strategy::Priority, Strategy::Exhaust, 1));
    assert_eq!(
        (coding.strategy, coding.connections, coding.sticky),
        (Strategy::Weighted, Strategy::RoundRobin, 3)
    );
    assert_eq!(coding.description.as_deref(), Some("for the editor"));
    let weights: Vec<u32> = coding.steps.iter().map(|step| step.weight).collect();
    assert_eq!(weights, [70, 30, 1, 1]);
    assert_eq!(coding.steps[1].wanted, coding.steps[2].wanted);
    assert_eq!(
        coding.steps[0].wanted,
        Wanted::Model { name: "llama-3.3-70b".into(), connection: Some("groq-1".into()) }
    );
}

#[test]
fn every_mistake_is_told_with_its_place_and_a_remedy() {
    let table = [
        ("  - {steps: [llama-3.1-8b]}", "`id` is missing (give the combo a name, such as `id: coding`)"),
        ("  - {id: 'a b', steps: [llama-3.1-8b]}", "expected a name of letters, digits,"),
        ("  - {id: a}", "`steps` is missing (write for example `steps: ["),
        ("  - {id: a, steps: []}", "expected a list of models, found an empty list"),
        (
            "  - {id: a, steps: [{weight: 1}]}",
            "the step leads nowhere (write either `model: gpt-4o`, `combo: small` or",
        ),
        ("  - {id: a, steps: [{model: b, combo: c}]}", "to a model or to a combo, not to both"),
        (
            "  - {id: a, steps: [{model: llama-3.1-8b, weight: -1}]}",
            "expected a whole number from 0 to 1000000, found the number `-1`",
        ),
        ("  - {id: a, sticky: 0, steps: [llama-3.1-8b]}", "expected a number of requests from 1 to 10000"),
        ("  - {id: a, strategy: best, steps: [llama-3.1-8b]}", "found the text `best`"),
        (
            "  - {id: a, steps: [llama-3.3-70c]}",
            "no connection serves a model named `llama-3.3-70c` (did you mean `llama-3.3-70b`?)",
        ),
        ("  - {id: a, steps: [openai/gpt-5]}", "no connection serves a model named `openai/gpt-5`"),
        ("  - {id: a, steps: [groq/unlisted]}", "no connection serves a model named `groq/unlisted`"),
        (
            "  - {id: a, steps: [{model: llama-3.1-8b, connection: groq-2}]}",
            "there is no connection `groq-2` that can be used (did you mean `groq-1`?)",
        ),
        ("  - {id: a, steps: [combo/b]}", "there is no combo `b`"),
        ("  - {id: a, steps: [llama-3.1-8b]}\n  - {id: b, steps: [a]}", "(it is a combo: write `combo/a`)"),
        (
            "  - {id: a, steps: [combo/a]}",
            "the combo leads back to itself: a → a (remove one of these steps)",
        ),
        (
            "  - {id: a, steps: [llama-3.1-8b]}\n  - {id: a, steps: [llama-3.3-70b]}",
            "the combo `a` is given twice, in lines 6 and 7",
        ),
        (
            "  - {id: a, stepz: [x], steps: [llama-3.1-8b]}",
            "unknown key `stepz` in `combos[0]` (did you mean `steps`?",
        ),
    ];
    for (combos, expected) in table {
        let words = only(&refused(&with_accounts(combos)));
        assert!(words.contains(expected), "{combos}\n  {words}\n  {expected}");
        assert!(words.starts_with("error: line "), "{words}");
    }
}

#[test]
fn circles_and_depths_are_told_by_everybody_in_them() {
    let circle = "  - {id: a, steps: [combo/b]}\n  - {id: b, steps: [llama-3.1-8b, combo/c]}\n  - {id: c, steps: [combo/a]}";
    let told = refused(&with_accounts(circle));
    assert_eq!(told.len(), 3);
    assert!(in_words(&told[1]).contains("b → c → a → b"), "{told:#?}");

    let chain = |count: usize| {
        let inner = (1..count).map(|at| format!("  - {{id: c{at}, steps: [combo/c{}]}}\n", at + 1));
        let all: String = inner.collect();
        with_accounts(&format!("{all}  - {{id: c{count}, steps: [llama-3.1-8b]}}\n"))
    };
    accepted(&chain(8));
    assert!(only(&refused(&chain(9))).contains("combos are nested more than 8 deep: c1 → c2"));
}

#[test]
fn what_a_missing_key_takes_away_is_a_warning() {
    let yaml = "
providers:
  - {id: groq-1, type: groq, api_key: '${NO_SUCH_KEY}', models: [llama-3.3-70b]}
combos:
  - {id: a, steps: [llama-3.3-70b, {model: llama-3.3-70b, connection: groq-1}]}
";
    let loaded = accepted(yaml);
    let about = loaded.warnings.iter().filter(|one| one.path.starts_with("combos[0].steps")).count();
    assert_eq!((loaded.settings.combos.len(), about), (1, 2), "{:#?}", loaded.warnings);
}

#[test]
fn a_combo_that_takes_the_place_of_a_model_is_told() {
    let loaded = accepted(&with_accounts(
        "  - {id: llama-3.1-8b, steps: [llama-3.3-70b]}\n  - {id: auto, steps: [llama-3.3-70b]}",
    ));
    assert_eq!(loaded.warnings.len(), 2, "{:#?}", loaded.warnings);
    assert!(in_words(&loaded.warnings[0]).contains("takes the place of the model of this name"));
}

#[test]
fn shaping_is_read_and_checked() {
    use crate::engine::settings::ThinkingMode;
    let loaded = accepted(&with_accounts(
        "  - id: a
    steps: [llama-3.3-70b]
    cache: false
    compress: true
    thinking: 2048
    system_prompt: Be kind.
    system_prompt_place: after
    background: {to: llama-3.1-8b, phrases: [Name This]}
    small: {tokens: 100, to: combo/b}
    large: {tokens: 9000, to: gemini/gemini-2.5-pro}
  - {id: b, steps: [llama-3.1-8b], background: llama-3.1-8b, thinking: Adaptive}
  - {id: c, steps: [llama-3.1-8b]}
",
    ));
    let [a, b, c] = &loaded.settings.combos[..] else { panic!("{:#?}", loaded.settings.combos) };
    assert_eq!((a.cache, a.join, b.cache), (Some(false), None, None));
    let shaping = a.shaping.as_ref().unwrap();
    assert!(shaping.compress && shaping.thinking == ThinkingMode::Custom(2048));
    let system = shaping.system.as_ref().unwrap();
    assert!(&*system.text == "Be kind." && system.after);
    assert_eq!(&*shaping.background.as_ref().unwrap().phrases[0], "name this");
    let (small, large) = (shaping.small.as_ref().unwrap(), shaping.large.as_ref().unwrap());
    assert_eq!((small.tokens, &*small.to, large.tokens), (100, "combo/b", 9000));
    assert_eq!(b.shaping.as_ref().unwrap().thinking, ThinkingMode::Adaptive);
    assert!(c.shaping.is_none());
    let table = [
        ("thinking: much", "expected `passthrough`, `auto`, `adaptive`, or a number of tokens"),
        ("thinking: -1", "found the number `-1`"),
        ("background: nobody", "no connection serves a model named `nobody`"),
        ("background: {phrases: [x]}", "`to` is missing"),
        ("small: 5", "expected a mapping of settings"),
        ("large: {to: llama-3.1-8b}", "`tokens` is missing"),
        ("large: {tokens: 5, to: combo/z}", "there is no combo `z`"),
        ("system_prompt_place: middle", "expected `before` or `after`"),
        ("cache: perhaps", "expected true or false"),
    ];
    for (line, expected) in table {
        let problems = refused(&with_accounts(&format!("  - {{id: a, steps: [llama-3.1-8b], {line}}}")));
        assert!(in_words(&problems[0]).contains(expected), "{line}: {}", in_words(&problems[0]));
    }
}
