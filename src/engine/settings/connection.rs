//! A connection: one account at one provider.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use canon::Dialect;

use super::{Allowance, Known, ModelFacts, OAuth, Provider, Proxy, Secret, Tier, Usd};

/// One account at one provider, ready to be used.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The id that the user gave it.
    pub id: Arc<str>,
    /// Whose account it is.
    pub provider: Arc<Provider>,
    /// The credential; `None` for servers that want none.
    pub credential: Option<Secret>,
    /// How its owner logs in, where there is no key.
    pub oauth: Option<Arc<OAuth>>,
    /// Base URL per dialect, variables filled in, without a trailing slash.
    pub endpoints: BTreeMap<Dialect, String>,
    /// What it serves.
    pub models: Models,
    /// Lower is tried earlier; equals keep the order of the file.
    pub priority: i32,
    /// What the account is to its owner.
    pub tier: Tier,
    /// Whether the operator says that nobody learns from what is sent there.
    pub no_training: bool,
    /// How much, and how fast, its owner lets it be used.
    pub allowance: Arc<Allowance>,
    /// What it is reached through; `None`: nothing.
    pub proxy: Option<Arc<Proxy>>,
    /// Changes when the credential or an endpoint does, so that what was learned of the old account
    /// is not held against the new one. Not reversible, and not unique across installations.
    pub fingerprint: u64,
}

/// The models of a connection.
#[derive(Debug, Clone, Default)]
pub struct Models {
    /// Ids that are listed, in order; the first one is the connection's own choice for `multirouter-auto`.
    pub listed: Vec<Arc<str>>,
    /// Whether ids that are not listed are accepted under the connection's prefix. True when the user
    /// wrote no `models`, so that the list is the catalogue's, which is never complete.
    pub open: bool,
    /// What is said of single models: of all that are listed.
    pub about: HashMap<Arc<str>, About>,
    /// What is known of those that are not listed.
    pub known: Arc<Known>,
}

/// What is said of one model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Words by which requests ask for models that can do something (`web-search`).
    pub tags: Vec<String>,
    /// Its place in the waterfall of `auto-ranked`: a lower number goes first.
    pub rank: Option<u32>,
    /// The most tokens that an answer can have: more is not asked for.
    pub max_output: Option<u64>,
    /// The dialects in which it can be reached; empty: all of the provider's.
    pub dialects: Vec<Dialect>,
    /// What is known of it: the user's word, and beneath it the catalogue's.
    pub facts: Arc<ModelFacts>,
}

impl Models {
    /// Whether `model` carries a tag.
    #[must_use]
    pub fn is_tagged(&self, model: &str, tag: &str) -> bool {
        self.about.get(model).is_some_and(|about| about.tags.iter().any(|known| known == tag))
    }
}

impl Connection {
    /// What is known of `model` here.
    #[must_use]
    pub fn facts_of(&self, model: &str) -> Arc<ModelFacts> {
        match self.models.about.get(model) {
            Some(about) => Arc::clone(&about.facts),
            None => self.models.known.facts_of(&self.provider.id, model),
        }
    }

    /// Whether a model of which this is known costs its owner nothing here.
    #[must_use]
    pub fn is_free(&self, facts: &ModelFacts) -> bool {
        let costs_nothing =
            facts.price.is_some_and(|price| price.input == Usd::ZERO && price.output == Usd::ZERO);
        self.tier == Tier::Free || self.provider.is_at_home() || costs_nothing
    }

    /// The dialect in which a client of `client` reaches `model` here: its own where that is spoken, else the one that
    /// the provider prefers.
    #[must_use]
    pub fn dialect_for(&self, model: &str, client: Dialect) -> Option<Dialect> {
        let said = self.models.about.get(model).map(|about| &about.dialects).filter(|said| !said.is_empty());
        let speaks = |dialect: &Dialect| {
            self.endpoints.contains_key(dialect)
                && said.map_or_else(
                    || self.provider.model_speaks(model, *dialect),
                    |said| said.contains(dialect),
                )
        };
        [Some(client), self.provider.prefers].into_iter().flatten().chain(Dialect::ALL).find(speaks)
    }
}
