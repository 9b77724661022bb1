//! A list of prices and limits that somebody publishes: what it says of models lies over what is built in, and beneath what
//! the user wrote.

use std::{collections::HashMap, sync::Arc};

use super::{About, Connection, ModelFacts, Models, Price, Settings, book::undated};

/// Who says what a model costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PriceSource {
    /// The operator, in the configuration.
    Configured,
    /// The rows that are built in.
    BuiltIn(Arc<Provenance>),
    /// A list that was fetched.
    Fetched(Arc<Provenance>),
}

/// Where a price was seen, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The vendor's name, or the host of a list.
    pub source: String,
    /// The day on which it was last seen, `YYYY-MM-DD`.
    pub as_of: String,
}

/// A list of prices and limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceList {
    /// Where it comes from.
    pub provenance: Arc<Provenance>,
    /// What it says, by the provider's id and the model as the provider spells it.
    pub models: HashMap<String, HashMap<String, ListedModel>>,
}

/// What a list says of one model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListedModel {
    /// What it costs.
    pub price: Option<Price>,
    /// Its context window, in tokens.
    pub context: Option<u64>,
    /// The most tokens that an answer can have.
    pub max_output: Option<u64>,
}

impl PriceList {
    /// How many models it tells of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.models.values().map(HashMap::len).sum()
    }

    /// Whether it tells of none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn model(&self, provider: &str, model: &str) -> Option<&ListedModel> {
        let models = self.models.get(provider)?;
        models.get(model).or_else(|| models.get(undated(model)?))
    }

    /// What is known of a model with this list; `None` where it says nothing new. Limits only where none are known.
    pub(super) fn over(&self, provider: &str, model: &str, facts: &ModelFacts) -> Option<ModelFacts> {
        let listed = self.model(provider, model)?;
        let mut new = facts.clone();
        new.context = facts.context.or(listed.context);
        new.max_output = facts.max_output.or(listed.max_output);
        if let Some(price) = listed.price
            && facts.price_source != Some(PriceSource::Configured)
        {
            new.price = Some(price);
            new.price_source = Some(PriceSource::Fetched(Arc::clone(&self.provenance)));
        }
        (new != *facts).then_some(new)
    }
}

impl Settings {
    /// The same settings with the prices of a list.
    #[must_use]
    pub fn priced(mut self, list: &Arc<PriceList>) -> Self {
        for connection in &mut self.connections {
            *connection = Arc::new(priced(connection, list));
        }
        self
    }
}

fn priced(connection: &Connection, list: &Arc<PriceList>) -> Connection {
    let provider = &connection.provider.id;
    let about = connection.models.about.iter().map(|(model, about)| {
        let facts = list.over(provider, model, &about.facts);
        let facts = facts.map_or_else(|| Arc::clone(&about.facts), Arc::new);
        (Arc::clone(model), About { facts, ..about.clone() })
    });
    let known = Arc::new(connection.models.known.with_list(Arc::clone(list)));
    let models = Models { about: about.collect(), known, ..connection.models.clone() };
    Connection { models, ..connection.clone() }
}
