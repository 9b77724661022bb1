//! The `usage` object of Responses, read and written.

use canon::Usage;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    input_tokens_details: Option<InputDetails>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize, Default)]
struct InputDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
    #[serde(default)]
    audio_tokens: Option<u64>,
}

#[derive(Deserialize, Default)]
struct OutputDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
    #[serde(default)]
    audio_tokens: Option<u64>,
}

impl Wire {
    fn usage(self) -> Option<Usage> {
        let input = self.input_tokens_details.unwrap_or_default();
        let output = self.output_tokens_details.unwrap_or_default();
        Some(Usage {
            input: self.input_tokens?,
            output: self.output_tokens.unwrap_or(0),
            cached_input: input.cached_tokens.unwrap_or(0),
            cache_write: input.cache_write_tokens.unwrap_or(0),
            audio_input: input.audio_tokens.unwrap_or(0),
            reasoning: output.reasoning_tokens.unwrap_or(0),
            audio_output: output.audio_tokens.unwrap_or(0),
        })
    }
}

/// Reads a `usage` value. One that is not understood is no usage: an answer is worth more than its count.
pub(super) fn read(raw: Option<&RawValue>) -> Option<Usage> {
    serde_json::from_str::<Wire>(raw?.get()).ok()?.usage()
}

/// Reads a `usage` value that is already decoded.
pub(super) fn of(value: &Value) -> Option<Usage> {
    Wire::deserialize(value).ok()?.usage()
}

/// The `usage` object.
pub(super) fn written(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.input,
        "input_tokens_details": {
            "cached_tokens": usage.cached_input,
            "cache_write_tokens": usage.cache_write,
        },
        "output_tokens": usage.output,
        "output_tokens_details": { "reasoning_tokens": usage.reasoning },
        "total_tokens": usage.input.saturating_add(usage.output),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_undoes_writing() {
        let usage =
            Usage { input: 9, output: 4, cached_input: 3, cache_write: 2, reasoning: 1, ..Usage::default() };
        assert_eq!(of(&written(&usage)), Some(usage));
        assert_eq!(of(&json!({"input_tokens": "many"})), None);
    }
}
