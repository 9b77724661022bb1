//! Thinking: how it is asked for, what it forbids, and that what was thought comes back unchanged.

use serde_json::{Map, Value};

use super::super::ask::Choice;
use super::super::fields::{below, object, only, set, text, wrong};
use super::super::problem::Problem;
use super::super::seal;
use super::super::speech::Context;
use super::MAKER;

/// What a seal on a thinking block is for.
pub(super) const THINKING: &str = "thinking";

/// What a seal on withheld thinking is for.
pub(super) const REDACTED: &str = "redacted_thinking";

/// The least that may be thought.
const LEAST: u64 = 1_024;

/// How thinking was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Thinking {
    /// At all.
    pub(super) on: bool,
    /// By a budget, which makes thinking a must.
    pub(super) budgeted: bool,
    /// Without showing it.
    pub(super) omitted: bool,
}

/// Reads `thinking`, and refuses what cannot be asked for with it.
pub(super) fn read(body: &Map<String, Value>, max_tokens: u64, choice: &Choice) -> Result<Thinking, Problem> {
    let Some(config) = set(body, "thinking") else { return Ok(Thinking::default()) };
    let config = object("thinking", config)?;
    let kind = text("thinking", config, "type")?;
    let place = below("thinking", kind);
    let mut read = Thinking { on: true, ..Thinking::default() };
    match kind {
        "disabled" => {
            only(&place, config, &["type"])?;
            return Ok(Thinking::default());
        }
        "adaptive" => only(&place, config, &["type", "display", "block_binding"])?,
        "between_tools" => only(&place, config, &["type"])?,
        "enabled" => {
            only(&place, config, &["type", "budget_tokens", "display", "block_binding"])?;
            read.budgeted = true;
            budget(&place, config, max_tokens)?;
        }
        other => {
            let what = format!(
                "Input tag '{other}' found using 'type' does not match any of the expected tags: 'adaptive', \
                 'between_tools', 'disabled', 'enabled'"
            );
            return Err(wrong("thinking", what));
        }
    }
    read.omitted = match set(config, "display").map(Value::as_str) {
        None | Some(Some("summarized" | "updates")) => false,
        Some(Some("omitted")) => true,
        Some(_) => {
            return Err(wrong(&below(&place, "display"), "Input should be 'summarized' or 'omitted'"));
        }
    };
    sampling(body)?;
    if matches!(choice, Choice::Required | Choice::Named(_)) {
        return Err(Problem::invalid("Thinking may not be enabled when tool_choice forces tool use."));
    }
    Ok(read)
}

fn budget(place: &str, config: &Map<String, Value>, max_tokens: u64) -> Result<(), Problem> {
    let place = below(place, "budget_tokens");
    let Some(budget) = set(config, "budget_tokens") else { return Err(wrong(&place, "Field required")) };
    let Some(budget) = budget.as_i64() else { return Err(wrong(&place, "Input should be a valid integer")) };
    match u64::try_from(budget) {
        Ok(budget) if budget >= LEAST && budget < max_tokens => Ok(()),
        Ok(budget) if budget >= LEAST => {
            Err(Problem::invalid("`max_tokens` must be greater than `thinking.budget_tokens`."))
        }
        _ => Err(wrong(&place, format!("Input should be greater than or equal to {LEAST}"))),
    }
}

/// Thinking leaves no choice of how words are drawn.
fn sampling(body: &Map<String, Value>) -> Result<(), Problem> {
    let number = |name| set(body, name).and_then(Value::as_f64);
    if number("temperature").is_some_and(|temperature| temperature != 1.0) {
        return Err(Problem::invalid("`temperature` may only be set to 1 when thinking is enabled."));
    }
    if number("top_p").is_some_and(|top_p| top_p < 0.95) {
        return Err(Problem::invalid(
            "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
        ));
    }
    if number("top_k").is_some() {
        return Err(Problem::invalid("`top_k` must be unset when thinking is enabled."));
    }
    Ok(())
}

/// Checks a thinking block that came back.
pub(super) fn check(
    place: &str,
    block: &Map<String, Value>,
    kind: &str,
    context: &Context<'_>,
) -> Result<(), Problem> {
    let maker = context.maker(MAKER);
    let inner = below(place, kind);
    if kind == REDACTED {
        only(&inner, block, &["type", "data"])?;
        if seal::is_own(text(&inner, block, "data")?, maker, REDACTED) {
            return Ok(());
        }
        return Err(wrong(place, "Invalid `data` in `redacted_thinking` block"));
    }
    only(&inner, block, &["type", "thinking", "signature"])?;
    let thought = text(&inner, block, "thinking")?;
    let signature = block.get("signature").and_then(Value::as_str);
    if signature == Some(seal::seal(maker, THINKING, thought).as_str()) {
        return Ok(());
    }
    Err(wrong(place, "Invalid `signature` in `thinking` block"))
}
