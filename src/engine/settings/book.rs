//! The book of models: rows of facts, found by provider and model. The rows are handed in (they are TOML files in
//! `providers/catalog/models`); what the user said of prices lies over them.

mod row;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

pub use row::{BadRow, Rows};

use super::{ModelFacts, Price, PriceList, PriceSource, provider::matches};

/// Everything that is known of models, indexed. Immutable once built.
#[derive(Debug, Clone, Default)]
pub struct ModelBook {
    /// Rows of each provider by its id.
    providers: HashMap<String, Chapter>,
    /// Rows that hold at every provider.
    everywhere: Chapter,
}

/// The rows of one provider.
#[derive(Debug, Clone, Default)]
struct Chapter {
    exact: HashMap<String, Told>,
    /// Patterns in lower case, in the order of the data: the first that fits holds.
    patterns: Vec<(String, Told)>,
}

/// Facts and who told them.
#[derive(Debug, Clone)]
struct Told {
    facts: Arc<ModelFacts>,
    by: Arc<Teller>,
}

/// Who says what is known of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Teller {
    /// The vendor's name.
    pub source: String,
    /// The day on which it was last seen, `YYYY-MM-DD`.
    pub as_of: String,
}

impl Chapter {
    fn add(&mut self, model: &str, told: Told) {
        if model.contains('*') {
            self.patterns.push((model.to_ascii_lowercase(), told));
        } else {
            self.exact.entry(model.to_owned()).or_insert(told);
        }
    }

    /// The row of this id, or of the same id without a date at its end: a dated id is one release of the undated model.
    fn exact(&self, model: &str) -> Option<&Told> {
        self.exact.get(model).or_else(|| self.exact.get(undated(model)?))
    }

    fn pattern(&self, lower: &str) -> Option<&Told> {
        self.patterns.iter().find(|(pattern, _)| matches(pattern, lower)).map(|(_, told)| told)
    }
}

impl ModelBook {
    /// Builds the index over rows, keeping their order.
    ///
    /// # Errors
    /// When a row says something that cannot be: a negative price, or one of output without one of input.
    pub fn new(rows: Vec<Rows>) -> Result<Self, BadRow> {
        let mut book = Self::default();
        for rows in rows {
            let by = Arc::new(Teller { source: rows.source.clone(), as_of: rows.as_of.clone() });
            let (providers, known) = rows.facts()?;
            for (model, facts) in known {
                let told = Told { facts, by: Arc::clone(&by) };
                if providers.is_empty() {
                    book.everywhere.add(&model, told.clone());
                }
                for provider in &providers {
                    book.providers.entry(provider.clone()).or_default().add(&model, told.clone());
                }
            }
        }
        Ok(book)
    }

    /// What is known of a model at a provider: the row of exactly this model there; beneath it the provider's pattern,
    /// then what holds everywhere, exactly and by pattern. Each says only what those above it left open.
    #[must_use]
    pub fn facts_of(&self, provider: &str, model: &str) -> Arc<ModelFacts> {
        let mut layers = self.layers(provider, model);
        let Some(first) = layers.next() else { return ModelFacts::unknown() };
        layers.fold(Arc::clone(&first.facts), |above, beneath| {
            let both = above.over(&beneath.facts);
            if both == *above { above } else { Arc::new(both) }
        })
    }

    /// Who says what a model costs at a provider, where that is known.
    #[must_use]
    pub fn price_teller(&self, provider: &str, model: &str) -> Option<&Teller> {
        self.layers(provider, model).find(|told| told.facts.price.is_some()).map(|told| &*told.by)
    }

    /// What says something of a model, what says most first.
    fn layers(&self, provider: &str, model: &str) -> impl Iterator<Item = &Told> {
        let chapter = self.providers.get(provider);
        let lower = model.to_ascii_lowercase();
        let layers = [
            chapter.and_then(|chapter| chapter.exact(model)),
            chapter.and_then(|chapter| chapter.pattern(&lower)),
            self.everywhere.exact(model),
            self.everywhere.pattern(&lower),
        ];
        layers.into_iter().flatten()
    }

    /// How many rows there are for this provider alone.
    #[must_use]
    pub fn rows_of(&self, provider: &str) -> usize {
        self.providers.get(provider).map_or(0, |chapter| chapter.exact.len() + chapter.patterns.len())
    }
}

/// A price that the user wrote once for all connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRule {
    /// The model as the provider knows it; `*` stands for any text.
    pub model: String,
    /// The provider's id; `None`: wherever the model is served.
    pub provider: Option<String>,
    /// What it costs.
    pub price: Price,
}

/// The book, and the user's prices over it: what every connection shares.
#[derive(Debug, Clone, Default)]
pub struct Known {
    book: Arc<ModelBook>,
    prices: Vec<PriceRule>,
    list: Option<Arc<PriceList>>,
}

impl Known {
    /// A book with the user's prices over it; of several that fit, the first holds.
    #[must_use]
    pub const fn new(book: Arc<ModelBook>, prices: Vec<PriceRule>) -> Self {
        Self { book, prices, list: None }
    }

    /// The same with a list between the two.
    #[must_use]
    pub(super) fn with_list(&self, list: Arc<PriceList>) -> Self {
        Self { list: Some(list), ..self.clone() }
    }

    /// What is known of a model at a provider.
    #[must_use]
    pub fn facts_of(&self, provider: &str, model: &str) -> Arc<ModelFacts> {
        let facts = self.book.facts_of(provider, model);
        let listed = self.list.as_ref().and_then(|list| list.over(provider, model, &facts));
        let facts = listed.map_or(facts, Arc::new);
        let rule = self.prices.iter().find(|rule| {
            rule.provider.as_ref().is_none_or(|only| only == provider) && matches(&rule.model, model)
        });
        match rule {
            Some(rule) => Arc::new(ModelFacts {
                price: Some(rule.price),
                price_source: Some(PriceSource::Configured),
                ..(*facts).clone()
            }),
            None => facts,
        }
    }
}

/// The id without the date at its end (`-20250929`, `-2025-09-29`), if it has one.
pub(super) fn undated(model: &str) -> Option<&str> {
    let dated = |digits: usize, sign: &[usize]| {
        let at = model.len().checked_sub(digits)?;
        let (name, end) = (model.get(..at)?, model.get(at..)?);
        let fits = end.bytes().enumerate().all(|(nth, byte)| match sign.contains(&nth) {
            true => byte == b'-',
            false => byte.is_ascii_digit(),
        });
        (fits && end.starts_with("-20") && !name.is_empty()).then_some(name)
    };
    dated(9, &[0]).or_else(|| dated(11, &[0, 5, 8]))
}
