//! How rows of the book are written: by model, in dollars per million tokens, as vendors publish their prices.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use thiserror::Error;

use crate::engine::settings::{LongPrompt, ModelFacts, Price, PriceSource, Provenance, Usd};

/// Rows with one source.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// Who said so: the vendor's name.
    pub source: String,
    /// The day on which it was last seen, `YYYY-MM-DD`.
    pub as_of: String,
    /// The ids of the providers where it holds; empty: everywhere.
    #[serde(default)]
    pub providers: Vec<String>,
    /// The facts by model, as the provider spells it. `*` stands for any text.
    known: BTreeMap<String, Row>,
}

/// A row that says what cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the price of `{model}` ({source_name}) is no amount of money")]
pub struct BadRow {
    /// The model.
    pub model: String,
    /// [`Rows::source`].
    pub source_name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    context: Option<u64>,
    max_output: Option<u64>,
    tools: Option<bool>,
    vision: Option<bool>,
    structured: Option<bool>,
    reasoning: Option<bool>,
    price: Option<Written>,
}

/// Prices in dollars per million tokens; `request` in dollars.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    reasoning: Option<f64>,
    audio_input: Option<f64>,
    audio_output: Option<f64>,
    request: Option<f64>,
    long: Option<WrittenLong>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLong {
    above: u64,
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
}

/// The models of [`Rows`] and their facts.
type Facts = Vec<(String, Arc<ModelFacts>)>;

impl Rows {
    /// The models that it has rows for.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str)
    }

    /// Where it holds, and the facts by model; of patterns the longest comes first, since it says most.
    pub(super) fn facts(self) -> Result<(Vec<String>, Facts), BadRow> {
        let Self { source, providers, known, as_of } = self;
        let provenance = Arc::new(Provenance { source: source.clone(), as_of });
        let mut facts = Vec::with_capacity(known.len());
        for (model, row) in known {
            let price = row.price.as_ref().map(Written::price);
            let Some(price) = price.map_or(Some(None), |price| price.map(Some)) else {
                return Err(BadRow { model, source_name: source });
            };
            facts.push((model, Arc::new(row.facts(price, &provenance))));
        }
        facts.sort_by_key(|(model, _)| std::cmp::Reverse(model.len()));
        Ok((providers, facts))
    }
}

impl Row {
    fn facts(&self, price: Option<Price>, provenance: &Arc<Provenance>) -> ModelFacts {
        ModelFacts {
            context: self.context,
            max_output: self.max_output,
            tools: self.tools,
            vision: self.vision,
            structured: self.structured,
            reasoning: self.reasoning,
            price,
            price_source: price.map(|_| PriceSource::BuiltIn(Arc::clone(provenance))),
        }
    }
}

impl Written {
    /// The prices of single tokens; `None` where one is no amount.
    fn price(&self) -> Option<Price> {
        Some(Price {
            input: Usd::per_million(self.input)?,
            output: Usd::per_million(self.output)?,
            cache_read: optional(self.cache_read)?,
            cache_write: optional(self.cache_write)?,
            reasoning: optional(self.reasoning)?,
            audio_input: optional(self.audio_input)?,
            audio_output: optional(self.audio_output)?,
            request: self.request.map_or(Some(None), |dollars| Usd::from_dollars(dollars).map(Some))?,
            long: self.long.as_ref().map_or(Some(None), |long| long.price().map(Some))?,
        })
    }
}

impl WrittenLong {
    fn price(&self) -> Option<LongPrompt> {
        Some(LongPrompt {
            above: self.above,
            input: Usd::per_million(self.input)?,
            output: Usd::per_million(self.output)?,
            cache_read: optional(self.cache_read)?,
            cache_write: optional(self.cache_write)?,
        })
    }
}

/// `Some(None)` where nothing was written, `None` where it is no amount.
#[expect(clippy::option_option, reason = "absent and wrong are two things")]
fn optional(dollars: Option<f64>) -> Option<Option<Usd>> {
    dollars.map_or(Some(None), |dollars| Usd::per_million(dollars).map(Some))
}
