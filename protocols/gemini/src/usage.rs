//! The `usageMetadata` object of Gemini answers.

use canon::Usage;
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default)]
    prompt_token_count: Option<u64>,
    #[serde(default)]
    candidates_token_count: Option<u64>,
    #[serde(default)]
    thoughts_token_count: Option<u64>,
    #[serde(default)]
    tool_use_prompt_token_count: Option<u64>,
    #[serde(default)]
    cached_content_token_count: Option<u64>,
    #[serde(default)]
    total_token_count: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<Vec<Part>>,
    #[serde(default)]
    candidates_tokens_details: Option<Vec<Part>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    #[serde(default)]
    modality: Option<String>,
    #[serde(default)]
    token_count: Option<u64>,
}

/// Reads a `usageMetadata` value. One that is not understood, or counts nothing, is no usage.
pub(crate) fn read(raw: Option<&RawValue>) -> Option<Usage> {
    serde_json::from_str(raw?.get()).ok().as_ref().and_then(of)
}

/// The same, of a decoded value.
pub(crate) fn of_value(value: &Value) -> Option<Usage> {
    Wire::deserialize(value).ok().as_ref().and_then(of)
}

fn of(wire: &Wire) -> Option<Usage> {
    // The first chunks of some providers say only which traffic class was used.
    wire.prompt_token_count.or(wire.candidates_token_count).or(wire.total_token_count)?;
    let reasoning = wire.thoughts_token_count.unwrap_or(0);
    Some(Usage {
        // What server tools put into the prompt is billed as prompt, and counted beside it.
        input: wire
            .prompt_token_count
            .unwrap_or(0)
            .saturating_add(wire.tool_use_prompt_token_count.unwrap_or(0)),
        output: wire.candidates_token_count.unwrap_or(0).saturating_add(reasoning),
        cached_input: wire.cached_content_token_count.unwrap_or(0),
        cache_write: 0,
        audio_input: audio(wire.prompt_tokens_details.as_deref()),
        reasoning,
        audio_output: audio(wire.candidates_tokens_details.as_deref()),
    })
}

fn audio(parts: Option<&[Part]>) -> u64 {
    let sound = |part: &&Part| part.modality.as_deref() == Some("AUDIO");
    parts.into_iter().flatten().filter(sound).filter_map(|part| part.token_count).sum()
}

/// The `usageMetadata` object that says `usage`.
pub(crate) fn written(usage: &Usage) -> Value {
    let mut wire = Map::new();
    let candidates = usage.output.saturating_sub(usage.reasoning);
    wire.insert("promptTokenCount".into(), usage.input.into());
    wire.insert("candidatesTokenCount".into(), candidates.into());
    wire.insert("totalTokenCount".into(), usage.input.saturating_add(usage.output).into());
    for (name, tokens) in
        [("cachedContentTokenCount", usage.cached_input), ("thoughtsTokenCount", usage.reasoning)]
    {
        if tokens > 0 {
            wire.insert(name.into(), tokens.into());
        }
    }
    for (name, sound, all) in [
        ("promptTokensDetails", usage.audio_input, usage.input),
        ("candidatesTokensDetails", usage.audio_output, candidates),
    ] {
        if sound > 0 {
            let text = all.saturating_sub(sound);
            let parts =
                json!([{"modality": "TEXT", "tokenCount": text}, {"modality": "AUDIO", "tokenCount": sound}]);
            wire.insert(name.into(), parts);
        }
    }
    Value::Object(wire)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    #[test]
    fn thoughts_are_output_and_cached_tokens_are_input() {
        let wire = json!({"promptTokenCount": 20, "cachedContentTokenCount": 8, "candidatesTokenCount": 5,
            "thoughtsTokenCount": 7, "toolUsePromptTokenCount": 3, "totalTokenCount": 35,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 16}, {"modality": "AUDIO", "tokenCount": 4}]});
        let usage = Usage {
            input: 23,
            output: 12,
            cached_input: 8,
            reasoning: 7,
            audio_input: 4,
            ..Usage::default()
        };
        assert_eq!(of_value(&wire), Some(usage));
        assert_eq!(of_value(&written(&usage)), Some(usage));
        assert_eq!(of_value(&json!({"trafficType": "ON_DEMAND"})), None);
        assert_eq!(of_value(&json!({"promptTokenCount": "x"})), None);
        let raw = serde_json::value::to_raw_value(&wire).unwrap();
        assert_eq!(read(Some(&raw)), Some(usage));
    }
}
