//! How much the model thinks, by the operator's wish instead of the client's.

use canon::{Dialect, Encoded, Message, Quirks, Reasoning, Role, Target, Turn};
use serde_json::{Map, Value};

use super::size;
use crate::engine::settings::ThinkingMode;

/// Thinking by size: a prompt of at most so many tokens, and the budget for it. Short questions need little thought, and
/// long ones are mostly work; documented in `docs/configuration.md`.
const ADAPTIVE: [(u64, u64); 4] = [(1_000, 1_024), (10_000, 4_096), (50_000, 8_192), (u64::MAX, 16_384)];

/// Where dialects say it: fields, and a field within a field.
const PLACES: [(&str, Option<&str>); 5] = [
    ("reasoning_effort", None),
    ("reasoning", None),
    ("thinking", None),
    ("output_config", Some("effort")),
    ("generationConfig", Some("thinkingConfig")),
];

/// What is asked of the model instead of what the client asks; `None`: that holds. `Some(None)`: nothing is.
pub(super) fn wish(mode: ThinkingMode, turn: &Turn) -> Option<Option<Reasoning>> {
    let budget = match mode {
        ThinkingMode::Passthrough => return None,
        // Nothing was said, so there is nothing to take away.
        ThinkingMode::Auto => return turn.reasoning.is_some().then_some(None),
        ThinkingMode::Custom(tokens) => tokens,
        ThinkingMode::Adaptive => {
            let size = size(turn);
            ADAPTIVE.iter().find(|(most, _)| size <= *most).map_or(0, |(_, budget)| *budget)
        }
    };
    let shown = turn.reasoning.as_ref().and_then(|reasoning| reasoning.shown);
    Some(Some(Reasoning { enabled: Some(budget > 0), budget: Some(budget), shown, ..Reasoning::default() }))
}

/// The body with what `model` understands of the wish. How a model is told is the encoders' knowledge: one is asked how it
/// would tell it, and the answer is copied.
pub(super) fn written(
    body: Vec<u8>,
    dialect: Dialect,
    model: &str,
    reasoning: Reasoning,
    max_tokens: Option<u64>,
) -> Vec<u8> {
    let probe = Turn {
        messages: vec![Message::new(Role::User, vec![canon::Block::text("x")])],
        reasoning: Some(reasoning),
        max_tokens,
        ..Turn::default()
    };
    let other = if dialect == Dialect::Chat { Dialect::Messages } else { Dialect::Chat };
    let target = Target { model, source: other, maker: "", quirks: Quirks::default(), max_output: None };
    let Encoded { body: told, .. } = dialects::encode(dialect, &probe, &target);
    let read = |bytes: &[u8]| serde_json::from_slice::<Map<String, Value>>(bytes).ok();
    let (Some(mut fields), Some(mut told)) = (read(&body), read(&told)) else { return body };
    for (name, within) in PLACES {
        match (within, told.remove(name)) {
            (None, Some(value)) => {
                fields.insert(name.to_owned(), value);
            }
            (Some(within), Some(Value::Object(mut outer))) => {
                let place = fields.entry(name).or_insert_with(|| Value::Object(Map::new()));
                if let (Some(value), Some(place)) = (outer.remove(within), place.as_object_mut()) {
                    place.insert(within.to_owned(), value);
                }
            }
            _ => {}
        }
    }
    serde_json::to_vec(&fields).unwrap_or(body)
}
