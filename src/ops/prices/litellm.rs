//! Reads the list of prices that the LiteLLM project publishes, and lists in its format: one JSON object, models by name,
//! prices in US dollars for single tokens. What it says in other units (pictures, seconds, characters) is left out.

use std::{collections::HashMap, sync::Arc};

use serde::Deserialize;
use serde_json::Value;

use crate::engine::settings::{ListedModel, LongPrompt, Price, PriceList, Provenance, Usd};

/// Names that it gives to providers, and ours, where the two differ. A provider that is not here has the same name in both, or
/// is none that the hub knows.
const PROVIDERS: [(&str, &str); 18] = [
    ("azure_ai", "azure"),
    ("bedrock_converse", "bedrock"),
    ("cohere_chat", "cohere"),
    ("dashscope", "alibaba"),
    ("fireworks_ai", "fireworks"),
    ("hyperbolic", "hyperbolic"),
    ("lambda_ai", "lambda"),
    ("meta_llama", "meta-llama"),
    ("nvidia_nim", "nvidia"),
    ("text-completion-codestral", "codestral"),
    ("text-completion-openai", "openai"),
    ("together_ai", "together"),
    ("vercel_ai_gateway", "vercel"),
    ("vertex_ai-anthropic_models", "vertex-partner"),
    ("vertex_ai-language-models", "vertex"),
    ("vertex_ai-mistral_models", "vertex-partner"),
    ("volcengine", "volcengine"),
    ("xiaomi_mimo", "xiaomi"),
];

/// No token costs as much; a list that says so means something else, or is wrong.
const DEAREST: f64 = 0.1;

/// More models than any list has.
const MODELS: usize = 100_000;

/// Prompts that are long where it says so.
const LONG: u64 = 200_000;

/// A list that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadList {
    #[error("it is no JSON object of models: {0}")]
    Json(#[from] serde_json::Error),
    #[error("it has no model with a price")]
    Empty,
    #[error("it has more than {MODELS} models")]
    TooMany,
}

#[derive(Deserialize)]
struct Row {
    litellm_provider: Option<String>,
    input_cost_per_token: Option<f64>,
    output_cost_per_token: Option<f64>,
    cache_read_input_token_cost: Option<f64>,
    cache_creation_input_token_cost: Option<f64>,
    output_cost_per_reasoning_token: Option<f64>,
    input_cost_per_audio_token: Option<f64>,
    output_cost_per_audio_token: Option<f64>,
    input_cost_per_token_above_200k_tokens: Option<f64>,
    output_cost_per_token_above_200k_tokens: Option<f64>,
    cache_read_input_token_cost_above_200k_tokens: Option<f64>,
    cache_creation_input_token_cost_above_200k_tokens: Option<f64>,
    max_input_tokens: Option<Value>,
    max_output_tokens: Option<Value>,
}

/// How many rows a list has, those included that cannot be used; 0 where it is none.
pub(super) fn rows(bytes: &[u8]) -> usize {
    serde_json::from_slice::<HashMap<String, serde::de::IgnoredAny>>(bytes).map_or(0, |rows| rows.len())
}

/// Reads a list. Rows that cannot be understood are left out: it is made by many hands.
pub(super) fn read(bytes: &[u8], provenance: Provenance) -> Result<PriceList, BadList> {
    let rows: HashMap<String, Value> = serde_json::from_slice(bytes)?;
    if rows.len() > MODELS {
        return Err(BadList::TooMany);
    }
    let mut models: HashMap<String, HashMap<String, ListedModel>> = HashMap::new();
    // Sorted, so that of two rows for one model the same holds every time: a name with its provider is the later one.
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by_cached_key(|(name, _)| (name.contains('/'), name.clone()));
    for (name, row) in rows {
        let Ok(row) = serde_json::from_value::<Row>(row) else { continue };
        let Some(theirs) = row.litellm_provider.as_deref() else { continue };
        let listed = row.listed();
        if listed == ListedModel::default() {
            continue;
        }
        let ours = PROVIDERS.iter().find(|(from, _)| *from == theirs).map_or(theirs, |(_, to)| to);
        let model = name.strip_prefix(theirs).and_then(|rest| rest.strip_prefix('/')).unwrap_or(&name);
        models.entry(ours.to_owned()).or_default().insert(model.to_owned(), listed);
    }
    let list = PriceList { provenance: Arc::new(provenance), models };
    let priced = list.models.values().flat_map(HashMap::values).any(|model| model.price.is_some());
    if priced { Ok(list) } else { Err(BadList::Empty) }
}

impl Row {
    fn listed(&self) -> ListedModel {
        ListedModel {
            price: self.price(),
            context: tokens(self.max_input_tokens.as_ref()),
            max_output: tokens(self.max_output_tokens.as_ref()),
        }
    }

    /// The price, if both of its main parts are there and no part is wrong. Unknown is not zero.
    fn price(&self) -> Option<Price> {
        let mut price = Price::of(amount(self.input_cost_per_token?)?, amount(self.output_cost_per_token?)?);
        price.cache_read = optional(self.cache_read_input_token_cost)?;
        price.cache_write = optional(self.cache_creation_input_token_cost)?;
        price.reasoning = optional(self.output_cost_per_reasoning_token)?;
        price.audio_input = optional(self.input_cost_per_audio_token)?;
        price.audio_output = optional(self.output_cost_per_audio_token)?;
        let long =
            (self.input_cost_per_token_above_200k_tokens, self.output_cost_per_token_above_200k_tokens);
        if let (Some(input), Some(output)) = long {
            price.long = Some(LongPrompt {
                above: LONG,
                input: amount(input)?,
                output: amount(output)?,
                cache_read: optional(self.cache_read_input_token_cost_above_200k_tokens)?,
                cache_write: optional(self.cache_creation_input_token_cost_above_200k_tokens)?,
            });
        }
        Some(price)
    }
}

fn amount(dollars: f64) -> Option<Usd> {
    Usd::from_dollars(dollars).filter(|_| dollars <= DEAREST)
}

/// `Some(None)` where nothing is said, `None` where it is no amount.
#[expect(clippy::option_option, reason = "absent and wrong are two things")]
fn optional(dollars: Option<f64>) -> Option<Option<Usd>> {
    dollars.map_or(Some(None), |dollars| amount(dollars).map(Some))
}

/// A number of tokens, which some rows write as text and some as a sentence.
fn tokens(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    (1..=1_000_000_000).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn list(text: &str) -> Result<PriceList, BadList> {
        read(text.as_bytes(), Provenance { source: "x".to_owned(), as_of: "2026-01-01".to_owned() })
    }

    #[test]
    fn prices_and_limits_are_read_by_our_names() {
        let list = list(
            r#"{
            "sample_spec": {"litellm_provider": "one of many", "max_input_tokens": "the most tokens", "input_cost_per_token": 0},
            "gpt-9": {"litellm_provider": "openai", "input_cost_per_token": 1e-6, "output_cost_per_token": 8e-06,
                      "cache_read_input_token_cost": 1e-7, "max_input_tokens": 128000, "max_output_tokens": "16000",
                      "input_cost_per_token_above_200k_tokens": 2e-6, "output_cost_per_token_above_200k_tokens": 1.6e-5},
            "together_ai/some/model": {"litellm_provider": "together_ai", "input_cost_per_token": 0, "output_cost_per_token": 0},
            "free-word": {"litellm_provider": "openai", "input_cost_per_token": -1, "output_cost_per_token": 1},
            "half": {"litellm_provider": "openai", "input_cost_per_token": 1e-6},
            "dear": {"litellm_provider": "openai", "input_cost_per_token": 5, "output_cost_per_token": 5},
            "strange": {"litellm_provider": "openai", "input_cost_per_token": "a lot"},
            "picture": {"litellm_provider": "openai", "output_cost_per_image": 0.04}
        }"#,
        )
        .unwrap();
        let gpt = list.models["openai"]["gpt-9"];
        let price = gpt.price.unwrap();
        assert_eq!((price.input, price.output), (Usd::from_pico(1_000_000), Usd::from_pico(8_000_000)));
        assert_eq!(price.cache_read, Some(Usd::from_pico(100_000)));
        assert_eq!(price.at(200_001).output, Usd::from_pico(16_000_000));
        assert_eq!((gpt.context, gpt.max_output), (Some(128_000), Some(16_000)));
        assert_eq!(list.models["together"]["some/model"].price, Some(Price::of(Usd::ZERO, Usd::ZERO)));
        assert_eq!(list.len(), 2, "{list:?}");
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in ["", "[]", "<html>", "{}", r#"{"a": 1}"#, r#"{"a": {"litellm_provider": "openai"}}"#] {
            assert!(list(text).is_err(), "{text}");
        }
    }
}
