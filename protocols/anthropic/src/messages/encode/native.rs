//! The settings of a request that came in this dialect: written as they were.

use canon::{Dialect, Format, Reasoning, Turn};
use serde_json::{Map, Value, json};

use super::{Writer, leftover, object};
use crate::messages::tool_loop;

pub(super) fn settings(
    writer: &mut Writer<'_>,
    turn: &Turn,
    messages: &mut Vec<Value>,
    into: &mut Map<String, Value>,
) {
    let mut put = |name: &str, value: Option<Value>| into.extend(value.map(|value| (name.to_owned(), value)));
    let max_tokens = writer.clamped(turn.max_tokens);
    put("max_tokens", max_tokens.map(Value::from));
    put("tool_choice", writer.tool_choice(turn));
    put("thinking", thinking(writer, turn, messages, max_tokens));
    put("output_config", output_config(turn));
    put("output_format", output_format(turn));
    put("temperature", turn.sampling.temperature.clone().map(Value::Number));
    put("top_p", turn.sampling.top_p.clone().map(Value::Number));
    put("top_k", turn.sampling.top_k.clone().map(Value::Number));
    let says_stop = !turn.stop.is_empty() || turn.rest.hinted(Dialect::Messages, "$stop_sequences").is_some();
    put("stop_sequences", says_stop.then(|| turn.stop.as_slice().into()));
    put("metadata", super::thinking::metadata(turn));
}

impl Writer<'_> {
    /// `max_tokens` within what the model can give.
    pub(super) fn clamped(&mut self, max_tokens: Option<u64>) -> Option<u64> {
        let within = max_tokens.map(|wanted| wanted.min(self.target.max_output.unwrap_or(u64::MAX)));
        if within != max_tokens {
            self.losses.changed("max_tokens");
        }
        within
    }
}

fn thinking(
    writer: &mut Writer<'_>,
    turn: &Turn,
    messages: &mut Vec<Value>,
    max_tokens: Option<u64>,
) -> Option<Value> {
    let reasoning = turn.reasoning.as_ref()?;
    let adaptive = reasoning.rest.hinted(Dialect::Messages, "$type").is_some();
    let enabled = reasoning.enabled?;
    if enabled && !adaptive && writer.lost_thought && tool_loop::lacks_thought(messages) {
        writer.losses.changed("reasoning");
        writer.stopped_thinking = true;
        tool_loop::strip(messages);
        return Some(json!({"type": "disabled"}));
    }
    let kind = match (enabled, adaptive) {
        (_, true) => "adaptive",
        (true, false) => "enabled",
        (false, false) => "disabled",
    };
    let mut written = object([("type", kind.into())]);
    written.extend(
        budget(writer, reasoning, max_tokens).map(|budget| ("budget_tokens".to_owned(), budget.into())),
    );
    let display = reasoning.shown.map(|shown| if shown { "summarized" } else { "omitted" });
    written.extend(display.map(|display| ("display".to_owned(), display.into())));
    reasoning.rest.write(Dialect::Messages, &mut written, &mut writer.losses);
    Some(Value::Object(written))
}

/// The budget; below `max_tokens` where that had to be cut down.
fn budget(writer: &mut Writer<'_>, reasoning: &Reasoning, max_tokens: Option<u64>) -> Option<u64> {
    let budget = reasoning.budget?;
    let most = writer.target.max_output.and(max_tokens).map_or(u64::MAX, |most| most.saturating_sub(1));
    if budget <= most || most < super::thinking::LEAST_BUDGET {
        return Some(budget);
    }
    writer.losses.changed("reasoning");
    Some(most)
}

fn schema(turn: &Turn) -> Option<Value> {
    let Some(Format::Schema { schema, .. }) = &turn.format else { return None };
    Some(json!({"type": "json_schema", "schema": schema}))
}

fn is_older(turn: &Turn) -> bool {
    turn.rest.hinted(Dialect::Messages, "$output_format").is_some()
}

fn output_config(turn: &Turn) -> Option<Value> {
    let mut config = leftover(turn, "output_config");
    let effort = turn.reasoning.as_ref().and_then(|reasoning| reasoning.effort);
    config.extend(effort.map(|effort| ("effort".to_owned(), effort.as_str().into())));
    if !is_older(turn) {
        config.extend(schema(turn).map(|schema| ("format".to_owned(), schema)));
    }
    (!config.is_empty()).then_some(Value::Object(config))
}

fn output_format(turn: &Turn) -> Option<Value> {
    if is_older(turn) { schema(turn) } else { None }
}
