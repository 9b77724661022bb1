//! The `usage` object of OpenAI answers.

use canon::Usage;
use serde::Deserialize;
use serde_json::value::RawValue;

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
    let wire: Wire = serde_json::from_str(raw?.get()).ok()?;
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
