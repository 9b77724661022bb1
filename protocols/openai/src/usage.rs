//! The `usage` object of OpenAI answers.

use canon::Usage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(default)]
    completion_tokens_details: Option<CompletionDetails>,
    /// DeepSeek's word for cached prompt tokens.
    #[serde(default)]
    prompt_cache_hit_tokens: Option<u64>,
}

#[derive(Deserialize, Default)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
    #[serde(default)]
    audio_tokens: Option<u64>,
}

#[derive(Deserialize, Default)]
struct CompletionDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
    #[serde(default)]
    audio_tokens: Option<u64>,
}

/// Reads a `usage` value. One that is not understood is no usage: an answer is worth more than its count.
pub(crate) fn read(raw: Option<&RawValue>) -> Option<Usage> {
    of(serde_json::from_str(raw?.get()).ok()?)
}

/// The same, of a value that is already taken apart.
pub(crate) fn of_value(value: &Value) -> Option<Usage> {
    of(Wire::deserialize(value).ok()?)
}

fn of(wire: Wire) -> Option<Usage> {
    let prompt = wire.prompt_tokens_details.unwrap_or_default();
    let completion = wire.completion_tokens_details.unwrap_or_default();
    Some(Usage {
        input: wire.prompt_tokens?,
        output: wire.completion_tokens.unwrap_or(0),
        cached_input: prompt.cached_tokens.or(wire.prompt_cache_hit_tokens).unwrap_or(0),
        cache_write: prompt.cache_write_tokens.unwrap_or(0),
        audio_input: prompt.audio_tokens.unwrap_or(0),
        reasoning: completion.reasoning_tokens.unwrap_or(0),
        audio_output: completion.audio_tokens.unwrap_or(0),
    })
}

/// A `usage` object for clients.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Written {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptWritten,
    completion_tokens_details: CompletionWritten,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct PromptWritten {
    cached_tokens: u64,
    audio_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cache_write_tokens: u64,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct CompletionWritten {
    reasoning_tokens: u64,
    audio_tokens: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Writes a usage.
pub(crate) const fn write(usage: &Usage) -> Written {
    Written {
        prompt_tokens: usage.input,
        completion_tokens: usage.output,
        total_tokens: usage.input.saturating_add(usage.output),
        prompt_tokens_details: PromptWritten {
            cached_tokens: usage.cached_input,
            audio_tokens: usage.audio_input,
            cache_write_tokens: usage.cache_write,
        },
        completion_tokens_details: CompletionWritten {
            reasoning_tokens: usage.reasoning,
            audio_tokens: usage.audio_output,
        },
    }
}
