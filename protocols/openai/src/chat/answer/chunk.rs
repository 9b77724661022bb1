//! A `chat.completion.chunk` as providers send it: one typed parse, in which what may have several types stays open.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

#[derive(Deserialize)]
pub(super) struct Chunk<'a> {
    #[serde(default)]
    pub(super) id: Value,
    #[serde(default)]
    pub(super) model: Value,
    #[serde(default)]
    pub(super) created: Value,
    #[serde(default)]
    pub(super) choices: Option<Vec<Choice>>,
    #[serde(borrow, default)]
    pub(super) usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    pub(super) index: Value,
    #[serde(default)]
    pub(super) delta: Option<Delta>,
    /// Some stream a whole answer as one chunk.
    #[serde(default)]
    pub(super) message: Option<Delta>,
    #[serde(default)]
    pub(super) finish_reason: Value,
    #[serde(default)]
    pub(super) logprobs: Value,
    /// Moonshot reports it here.
    #[serde(default)]
    pub(super) usage: Value,
}

#[derive(Deserialize, Default)]
pub(super) struct Delta {
    #[serde(default)]
    pub(super) content: Value,
    #[serde(default)]
    pub(super) reasoning_content: Value,
    #[serde(default)]
    pub(super) reasoning: Value,
    #[serde(default)]
    pub(super) reasoning_details: Value,
    #[serde(default)]
    pub(super) refusal: Value,
    #[serde(default)]
    pub(super) tool_calls: Option<Vec<Call>>,
    #[serde(default)]
    pub(super) function_call: Option<Function>,
    #[serde(default)]
    pub(super) annotations: Value,
    #[serde(default)]
    pub(super) images: Value,
    #[serde(default)]
    pub(super) audio: Value,
}

#[derive(Deserialize, Default)]
pub(super) struct Call {
    #[serde(default)]
    pub(super) index: Value,
    #[serde(default)]
    pub(super) id: Value,
    #[serde(default)]
    pub(super) function: Option<Function>,
    #[serde(default)]
    pub(super) custom: Option<Function>,
    #[serde(default)]
    pub(super) extra_content: Value,
}

#[derive(Deserialize, Default)]
pub(super) struct Function {
    #[serde(default)]
    pub(super) name: Value,
    /// Text, or from some the object itself.
    #[serde(default)]
    pub(super) arguments: Value,
    /// The arguments of a custom tool.
    #[serde(default)]
    pub(super) input: Value,
}

/// The text of a field, if there is any.
pub(super) fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// The elements of a field, if there are any.
pub(super) fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        _ => Vec::new(),
    }
}

/// An index, which some write as a text.
pub(super) fn index(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
