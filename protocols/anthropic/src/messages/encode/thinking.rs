//! Whether and how a model thinks that is asked in another dialect, and the limits that go with it.

use canon::{Effort, Reasoning, Turn};
use serde_json::{Value, json};

use super::{Writer, leftover};
use crate::messages::{
    generation::{Generation, Thinks},
    tool_loop,
};

/// `max_tokens`, which the API wants to know, where nobody said it: room for long answers and files, and within what
/// every model since Claude 3.5 gives.
const MAX_TOKENS: u64 = 8192;

/// The most that is asked for where nobody said how much: what every model that thinks can give.
const MOST_UNASKED: u64 = 32_000;

/// The smallest budget that the API takes.
pub(super) const LEAST_BUDGET: u64 = 1024;

/// How the model is told to think.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The field `thinking`.
    pub(super) thinking: Option<Value>,
    /// `output_config.effort`.
    pub(super) effort: Option<&'static str>,
    /// `max_tokens`.
    pub(super) max_tokens: u64,
    /// Whether it thinks, so that sampling is restricted.
    pub(super) thinks: bool,
}

/// What the client said about thinking.
enum Wish {
    Nothing,
    Off,
    On { effort: Effort, budget: Option<u64> },
}

fn wish(reasoning: Option<&Reasoning>) -> Wish {
    let Some(reasoning) = reasoning else { return Wish::Nothing };
    if reasoning.enabled == Some(false)
        || reasoning.effort == Some(Effort::None)
        || reasoning.budget == Some(0)
    {
        return Wish::Off;
    }
    let said = reasoning.enabled.is_some() || reasoning.effort.is_some() || reasoning.budget.is_some();
    if !said && reasoning.shown != Some(true) {
        return Wish::Nothing;
    }
    let of_budget = reasoning.budget.map(|budget| Effort::of_budget(budget).max(Effort::Low));
    let effort = reasoning.effort.or(of_budget).unwrap_or(Effort::Medium);
    Wish::On { effort, budget: reasoning.budget }
}

/// Makes the plan. `forced` says that a tool must be called, which thinking does not allow: the call weighs more.
pub(super) fn plan(writer: &mut Writer<'_>, turn: &Turn, messages: &mut Vec<Value>, forced: bool) -> Plan {
    let generation = Generation::of(writer.target.model);
    let reasoning = turn.reasoning.as_ref();
    if let Some(reasoning) = reasoning {
        reasoning.rest.lost(&mut writer.losses);
    }
    let shown = reasoning.and_then(|reasoning| reasoning.shown);
    match wish(reasoning) {
        Wish::Nothing => off(writer, turn, None),
        Wish::Off => stopped(writer, turn, generation),
        Wish::On { .. } if forced => {
            writer.losses.changed("reasoning");
            stopped(writer, turn, generation)
        }
        Wish::On { effort, budget } => match generation.thinks() {
            Thinks::Never => {
                writer.losses.dropped("reasoning");
                off(writer, turn, None)
            }
            Thinks::Adaptive => adaptive(writer, turn, generation, effort, shown),
            Thinks::Budget if tool_loop::lacks_thought(messages) => {
                writer.losses.changed("reasoning");
                tool_loop::strip(messages);
                off(writer, turn, None)
            }
            Thinks::Budget => budgeted(writer, turn, budget.unwrap_or_else(|| effort.budget()), shown),
        },
    }
}

fn off(writer: &mut Writer<'_>, turn: &Turn, thinking: Option<Value>) -> Plan {
    let max_tokens = max_tokens(writer, turn, 0);
    Plan { thinking, max_tokens, ..Plan::default() }
}

/// Thinking is not wanted. Where nothing is said most models do not think.
fn stopped(writer: &mut Writer<'_>, turn: &Turn, generation: Generation) -> Plan {
    if !generation.can_stop_thinking() {
        writer.losses.changed("reasoning");
        let plan = off(writer, turn, None);
        return Plan { effort: Some(Effort::Low.as_str()), thinks: true, ..plan };
    }
    off(writer, turn, generation.thinks_unasked().then(|| json!({"type": "disabled"})))
}

fn adaptive(
    writer: &mut Writer<'_>,
    turn: &Turn,
    generation: Generation,
    wanted: Effort,
    shown: Option<bool>,
) -> Plan {
    let effort = match wanted {
        Effort::None | Effort::Minimal => Effort::Low,
        Effort::XHigh if !generation.knows_xhigh() => Effort::High,
        other => other,
    };
    let said_budget = turn.reasoning.as_ref().is_some_and(|reasoning| reasoning.budget.is_some());
    if effort != wanted || said_budget {
        writer.losses.changed("reasoning");
    }
    let max_tokens = max_tokens(writer, turn, effort.budget());
    let thinking = match shown {
        Some(true) => json!({"type": "adaptive", "display": "summarized"}),
        Some(false) => json!({"type": "adaptive", "display": "omitted"}),
        None => json!({"type": "adaptive"}),
    };
    Plan { thinking: Some(thinking), effort: Some(effort.as_str()), max_tokens, thinks: true }
}

fn budgeted(writer: &mut Writer<'_>, turn: &Turn, wanted: u64, shown: Option<bool>) -> Plan {
    let max_tokens = max_tokens(writer, turn, wanted.max(LEAST_BUDGET));
    if max_tokens <= LEAST_BUDGET {
        writer.losses.changed("reasoning");
        return Plan { max_tokens, ..Plan::default() };
    }
    // A quarter is left for the answer itself where both do not fit.
    let most = (max_tokens - max_tokens / 4).min(max_tokens - 1).max(LEAST_BUDGET);
    let budget = if wanted < max_tokens { wanted.max(LEAST_BUDGET) } else { most };
    let said = turn.reasoning.as_ref().and_then(|reasoning| reasoning.budget);
    if said.is_some_and(|said| said != budget) {
        writer.losses.changed("reasoning");
    }
    let mut thinking = super::object([("type", "enabled".into()), ("budget_tokens", budget.into())]);
    if shown == Some(false) {
        thinking.insert("display".to_owned(), "omitted".into());
    }
    Plan { thinking: Some(Value::Object(thinking)), effort: None, max_tokens, thinks: true }
}

/// `max_tokens`: what was said, or the default and `thoughts` above it, within what the model can give. Who names a
/// budget knows the model; an effort says nothing of its size.
fn max_tokens(writer: &mut Writer<'_>, turn: &Turn, thoughts: u64) -> u64 {
    let said = writer.clamped(turn.max_tokens);
    let names_budget = turn.reasoning.as_ref().is_some_and(|reasoning| reasoning.budget.is_some());
    let most = writer.target.max_output.unwrap_or(u64::MAX);
    let most = if names_budget { most } else { most.min(MOST_UNASKED) };
    said.unwrap_or_else(|| MAX_TOKENS.saturating_add(thoughts).min(most))
}

/// The field `metadata`.
pub(super) fn metadata(turn: &Turn) -> Option<Value> {
    let mut metadata = leftover(turn, "metadata");
    metadata.extend(turn.user.as_deref().map(|user| ("user_id".to_owned(), user.into())));
    (!metadata.is_empty()).then_some(Value::Object(metadata))
}
