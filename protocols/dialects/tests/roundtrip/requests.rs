//! Requests through every pair of dialects.

use canon::{Block, Dialect, Effort, Kind, Losses, Quirks, Reasoning, Target, Turn};
use proptest::prelude::*;
use serde_json::Value;

use crate::alike::{Way, changed, lost, normalised};
use crate::forget::{forget, lacks_thought, strip_loop};
use crate::{allowed, generate, rules};

/// Models whose rules differ.
fn models(to: Dialect) -> &'static [&'static str] {
    match to {
        Dialect::Messages => &["claude-sonnet-4-5", "claude-opus-4-6", "other-1"],
        Dialect::Gemini => &["gemini-2.5-flash", "gemini-3-flash-preview", "gemini-2.5-pro"],
        Dialect::Chat | Dialect::Responses => &["m-1"],
    }
}

fn target(way: Way) -> Target<'static> {
    let Way { from: source, model, max_output, .. } = way;
    Target { model, source, maker: "m", quirks: Quirks::default(), max_output }
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

/// The turn as its dialect's decoder makes it of its request.
fn as_decoded(dialect: Dialect, turn: &Turn) -> Turn {
    let way = Way { from: dialect, to: dialect, model: "m-1", max_output: None };
    let encoded = dialects::encode(dialect, turn, &target(way));
    assert!(encoded.losses.is_empty(), "the generator made what {dialect} cannot say: {}", encoded.losses);
    dialects::decode(dialect, &encoded.body).unwrap_or_else(|error| {
        panic!("the generator made what {dialect} does not read: {error} {}", json(&encoded.body))
    })
}

/// Whether a signature names its maker.
fn has_named(turn: &Turn) -> bool {
    turn.messages.iter().flat_map(|message| &message.blocks).any(|block| match &block.kind {
        Kind::Thinking(thinking) => thinking.signature.as_ref().is_some_and(|it| it.maker.is_some()),
        Kind::ToolCall(call) => call.signature.as_ref().is_some_and(|it| it.maker.is_some()),
        _ => false,
    })
}

/// Within a dialect nothing is lost, and what is written is what was read.
fn is_identity(dialect: Dialect, turn: &Turn) {
    let way = Way { from: dialect, to: dialect, model: "m-1", max_output: None };
    let once = dialects::encode(dialect, turn, &target(way));
    assert!(once.losses.is_empty(), "lost within {dialect}: {}", once.losses);
    let back = dialects::decode(dialect, &once.body).unwrap();
    assert_eq!(turn, &back, "{dialect}");
    let twice = dialects::encode(dialect, &back, &target(way));
    assert_eq!(json(&once.body), json(&twice.body), "{dialect}");
}

fn crosses(turn: &Turn, way: Way) {
    let Way { from, to, .. } = way;
    let encoded = dialects::encode(to, turn, &target(way));
    let body = json(&encoded.body);
    for loss in encoded.losses.iter() {
        assert!(allowed::in_requests(from, to, loss), "{from} -> {to}: `{loss}` may not get lost: {body}");
    }
    if from != to {
        rules::check(to, &body);
    }
    let mut back =
        dialects::decode(to, &encoded.body).unwrap_or_else(|error| panic!("{from} -> {to}: {error} {body}"));
    if turn.max_tokens.is_none() && to == Dialect::Messages {
        // Required there, so supplied.
        back.max_tokens = None;
    }
    let left = forget(turn, way, &encoded.losses);
    rests_are_declared(&left, way, &encoded.losses);
    let reasons = (intent(turn.reasoning.as_ref()), intent(back.reasoning.as_ref()));
    let mut expected = normalised(left, way, &encoded.losses);
    let mut got = normalised(back, way, &encoded.losses);
    if to == Dialect::Messages
        && changed(&encoded.losses, "reasoning")
        && lost(&encoded.losses, "thinking")
        && lacks_thought(&expected)
    {
        strip_loop(&mut expected);
        strip_loop(&mut got);
    }
    let context = || format!("{from} -> {to} ({}), losses: {}\n{body}", way.model, encoded.losses);
    assert_eq!(expected.instructions, got.instructions, "{}", context());
    assert_eq!(expected.messages, got.messages, "{}", context());
    assert_eq!(expected, got, "{}", context());
    let told = lost(&encoded.losses, "reasoning") || changed(&encoded.losses, "reasoning");
    assert!(told || agree(reasons.0, reasons.1), "{reasons:?} {}", context());
}

/// What is wished of reasoning, in the words that all dialects share.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Intent {
    /// Nothing, or not to.
    Off,
    /// To reason, and how hard where that is said.
    On(Option<Effort>),
    /// Only that thoughts are shown.
    Shown,
}

fn intent(reasoning: Option<&Reasoning>) -> Intent {
    let Some(reasoning) = reasoning else { return Intent::Off };
    if reasoning.enabled == Some(false)
        || reasoning.effort == Some(Effort::None)
        || reasoning.budget == Some(0)
    {
        return Intent::Off;
    }
    if reasoning.enabled.is_some() || reasoning.effort.is_some() || reasoning.budget.is_some() {
        return Intent::On(reasoning.effort);
    }
    if reasoning.shown.is_some() { Intent::Shown } else { Intent::Off }
}

fn agree(wanted: Intent, got: Intent) -> bool {
    match (wanted, got) {
        (Intent::On(Some(wanted)), Intent::On(Some(got))) => wanted == got,
        // Who wishes to see thoughts may be asked to make some; Gemini says by default that they are shown.
        (Intent::Shown, _) => true,
        (Intent::On(_), Intent::On(_) | Intent::Shown) => true,
        (Intent::Off, Intent::Shown) => true,
        (wanted, got) => wanted == got,
    }
}

/// Fields without a typed place are handed on within their dialect, and declared elsewhere.
fn rests_are_declared(left: &Turn, way: Way, losses: &Losses) {
    if way.from == way.to {
        return;
    }
    let messages = left.messages.iter().flat_map(|message| &message.blocks);
    let rests = left
        .instructions
        .iter()
        .chain(messages)
        .map(|block: &Block| &block.rest)
        .chain(left.messages.iter().map(|message| &message.rest))
        .chain(left.tools.iter().map(|tool| &tool.rest))
        .chain([&left.rest]);
    // What OpenAI's two dialects share is handed on.
    let shared = |name: &str| way.from == Dialect::Chat && way.to == Dialect::Responses && name == "metadata";
    for (name, value) in rests.flat_map(|rest| &rest.fields) {
        let spoken = !name.starts_with('$') && !value.is_null() && !shared(name);
        assert!(
            !spoken || lost(losses, name),
            "{} -> {}: `{name}` got lost silently: {losses}",
            way.from,
            way.to
        );
    }
}

fn through_all(from: Dialect, made: &Turn, pick: usize, max_output: Option<u64>) {
    let turn = as_decoded(from, made);
    if !has_named(&turn) {
        is_identity(from, &turn);
    }
    for to in Dialect::ALL {
        let models = models(to);
        let model = if from == to { "m-1" } else { models[pick % models.len()] };
        crosses(&turn, Way { from, to, model, max_output });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chat(turn in generate::turn(Dialect::Chat), pick in 0_usize..3, most in prop::option::weighted(0.2, 4000_u64..50_000)) {
        through_all(Dialect::Chat, &turn, pick, most);
    }

    #[test]
    fn responses(turn in generate::turn(Dialect::Responses), pick in 0_usize..3, most in prop::option::weighted(0.2, 4000_u64..50_000)) {
        through_all(Dialect::Responses, &turn, pick, most);
    }

    #[test]
    fn messages(turn in generate::turn(Dialect::Messages), pick in 0_usize..3, most in prop::option::weighted(0.2, 4000_u64..50_000)) {
        through_all(Dialect::Messages, &turn, pick, most);
    }

    #[test]
    fn gemini(turn in generate::turn(Dialect::Gemini), pick in 0_usize..3, most in prop::option::weighted(0.2, 4000_u64..50_000)) {
        through_all(Dialect::Gemini, &turn, pick, most);
    }
}
