//! Finds the targets that a model name means. Made once for each settings snapshot.
//!
//! A name is, in this order: a combo; a virtual model, or a name below `auto` (`autos.rs`); an id that connections list; `prefix/model`, where the prefix is a
//! connection's id, a provider's id or one of its prefixes, and the model may be `*` for all that are listed below it; `tag/word`, for all
//! that carry the tag. What is none of these may lead elsewhere (`elsewhere.rs`). Vendors use slashes in their own ids
//! (`openai/gpt-oss-120b` at Groq), so a listed id goes before a prefix; where both readings are listed, and by
//! different connections, the name is ambiguous.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use canon::Dialect;

use super::{
    autos::{self, Auto},
    combos::Combos,
    elsewhere::Elsewhere,
    group::Group,
    near,
};
use crate::engine::{
    pipeline::Keeper,
    ports::Target,
    settings::{
        AUTO, BELOW_AUTO, Catalogue, Connection, Hidden, PrefixMatch, ROUND_ROBIN, Scoring, Settings,
        Strategy, VIRTUAL_MODELS,
    },
};

/// Why a name means nothing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// There are no connections at all.
    NoConnections,
    /// Nobody serves it; these are like it.
    Unknown {
        /// Names that may have been meant.
        near: Vec<String>,
    },
    /// Two readings of it are served by different connections; these names are clear.
    Ambiguous {
        /// Clear names, one for each connection.
        options: Vec<String>,
    },
    /// The prefix is known and not served.
    Declined {
        /// Whose prefix it is.
        name: String,
        /// Why it is not served.
        reason: String,
        /// What to use instead.
        instead: String,
    },
    /// It is a combo, and none of its steps leads anywhere.
    EmptyCombo {
        /// The combo's id.
        id: String,
    },
    /// The prefix is a provider's that has no connection.
    NotConfigured {
        /// The provider's id.
        provider: String,
    },
}

/// An index over the connections of one settings snapshot.
#[derive(Debug)]
pub struct Directory {
    pub(super) connections: Vec<Arc<Connection>>,
    pub(super) combos: Combos,
    pub(super) elsewhere: Elsewhere,
    combo_ids: Vec<Arc<str>>,
    strategy: Strategy,
    auto: Strategy,
    scoring: Scoring,
    hidden: Arc<Hidden>,
    /// Connections that list a model, by the model's id.
    pub(super) listed: HashMap<Arc<str>, Vec<usize>>,
    /// Connections by every prefix that leads to them.
    pub(super) prefixes: HashMap<String, Vec<usize>>,
    catalogue: Arc<Catalogue>,
}

impl Directory {
    /// Indexes the connections of `settings`.
    #[must_use]
    pub fn new(settings: &Settings, catalogue: Arc<Catalogue>) -> Self {
        let mut listed: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
        let mut prefixes: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, connection) in settings.connections.iter().enumerate() {
            for model in &connection.models.listed {
                let at_model = listed.entry(Arc::clone(model)).or_default();
                if at_model.last() != Some(&at) {
                    at_model.push(at);
                }
            }
            let provider = &connection.provider;
            let words: BTreeSet<&str> = std::iter::once(&*connection.id)
                .chain([provider.id.as_str()])
                .chain(provider.prefixes.iter().map(String::as_str))
                .collect();
            for word in words {
                prefixes.entry(word.to_owned()).or_default().push(at);
            }
        }
        let strategy = settings.routing.default_strategy;
        Self {
            connections: settings.connections.clone(),
            combos: Combos::new(&settings.combos),
            elsewhere: Elsewhere::new(&settings.routing),
            combo_ids: settings.combos.iter().map(|combo| Arc::clone(&combo.id)).collect(),
            strategy,
            auto: settings.routing.auto,
            scoring: settings.routing.scoring.clone(),
            hidden: Arc::clone(&settings.routing.hidden),
            listed,
            prefixes,
            catalogue,
        }
    }

    /// The targets that `name`, asked for in `dialect`, means, and what orders them.
    ///
    /// # Errors
    /// When it means nothing, or two things.
    pub fn resolve(&self, name: &str, dialect: Dialect) -> Result<Group, Unresolved> {
        if self.connections.is_empty() {
            return Err(Unresolved::NoConnections);
        }
        let name = self.stands_for(name).unwrap_or(name);
        if let Some(combo) = self.combos.named(name) {
            return self.asked_for(combo, dialect);
        }
        if let Some(group) = self.below_auto(name, dialect) {
            return if group.is_empty() { Err(self.unknown(name)) } else { Ok(group) };
        }
        let strategy = match name {
            AUTO => self.auto,
            ROUND_ROBIN => Strategy::RoundRobin,
            _ => self.strategy,
        };
        let targets = self.meant(name, dialect)?;
        if targets.is_empty() {
            return Err(self.unknown(name));
        }
        Ok(Group::of(name, strategy, targets))
    }

    /// The group of `auto`, or of a name below it; `None` for other names.
    pub(super) fn auto(&self, name: &str, dialect: Dialect) -> Option<Group> {
        if name == AUTO {
            return Some(Group::of(AUTO, self.auto, self.every_target(dialect)));
        }
        self.below_auto(name, dialect)
    }

    /// The group of a name below `auto`, which no connection lists; `None` for other names.
    pub(super) fn below_auto(&self, name: &str, dialect: Dialect) -> Option<Group> {
        let auto = name.strip_prefix(BELOW_AUTO).and_then(Auto::parse)?;
        (!self.listed.contains_key(name))
            .then(|| auto.group(name, self.auto, &self.scoring, self.every_target(dialect)))
    }

    /// The targets that a name means which is no combo's, in the configured order.
    pub(super) fn meant(&self, name: &str, dialect: Dialect) -> Result<Vec<Target>, Unresolved> {
        match (name, name.strip_suffix("/*")) {
            (AUTO, _) => Ok(self.every_target(dialect)),
            (ROUND_ROBIN, _) => Ok(self.every_connection(dialect)),
            (_, Some(prefix)) => self.below(prefix, name, dialect),
            (_, None) => match self.tag_in(name) {
                Some(tag) => Ok(self.tagged(tag, dialect)),
                None => self.real(name, dialect),
            },
        }
    }

    /// The one target that stands for a connection, whatever the model: for what the provider keeps. `None` when there
    /// is no such connection, or it does not speak `dialect`.
    #[must_use]
    pub fn pinned(&self, pin: &Keeper, dialect: Dialect) -> Option<Group> {
        let is_it =
            |known: &&Arc<Connection>| known.id == pin.connection && known.fingerprint == pin.fingerprint;
        let connection = self.connections.iter().find(is_it)?;
        let target =
            Target { connection: Arc::clone(connection), model: "".into(), dialect, facts: Arc::default() };
        connection
            .endpoints
            .contains_key(&dialect)
            .then(|| Group::of(Arc::clone(&connection.id), Strategy::Exhaust, vec![target]))
    }

    /// Names that mean more than one model: combos in the configured order, then those that are always there.
    pub fn virtuals(&self) -> impl Iterator<Item = &str> {
        let ids = self.combo_ids.iter().map(|id| &**id);
        let built_in = VIRTUAL_MODELS.into_iter().filter(|id| self.combos.named(id).is_none());
        ids.chain(built_in)
    }

    /// Whether a name stands for several models: a combo's, or one that is always there.
    pub(in crate::engine) fn is_several(&self, name: &str) -> bool {
        let name = self.stands_for(name).unwrap_or(name);
        self.combos.named(name).is_some()
            || VIRTUAL_MODELS.contains(&name)
            || name.starts_with(BELOW_AUTO) && !self.listed.contains_key(name)
    }

    /// Every model that is listed and not hidden, in the configured order, with the provider that serves it first.
    pub fn models(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut seen = BTreeSet::new();
        self.connections.iter().flat_map(move |connection| {
            let fresh: Vec<&Arc<str>> =
                self.shown(connection).filter(|model| seen.insert(Arc::clone(model))).collect();
            fresh.into_iter().map(|model| (&**model, connection.provider.id.as_str()))
        })
    }

    /// The listed models of a connection that are not hidden.
    pub(super) fn shown<'a>(&'a self, connection: &'a Connection) -> impl Iterator<Item = &'a Arc<str>> {
        connection.models.listed.iter().filter(|model| !self.hidden.hides(&connection.id, model))
    }

    fn all_shown<'a>(
        &'a self,
        connection: &'a Arc<Connection>,
        dialect: Dialect,
    ) -> impl Iterator<Item = Target> + 'a {
        self.shown(connection).filter_map(move |model| target(connection, model, dialect))
    }

    fn every_target(&self, dialect: Dialect) -> Vec<Target> {
        self.connections.iter().flat_map(|connection| self.all_shown(connection, dialect)).collect()
    }

    /// Every listed model of the connections that a prefix leads to, without those that are hidden.
    fn below(&self, prefix: &str, name: &str, dialect: Dialect) -> Result<Vec<Target>, Unresolved> {
        let under = self.prefixes.get(prefix).ok_or_else(|| self.unreachable(name))?;
        Ok(under.iter().flat_map(|&at| self.all_shown(&self.connections[at], dialect)).collect())
    }

    /// One target for each connection: its first model stands for it.
    fn every_connection(&self, dialect: Dialect) -> Vec<Target> {
        self.connections
            .iter()
            .filter_map(|connection| target(connection, self.shown(connection).next()?, dialect))
            .collect()
    }

    fn real(&self, name: &str, dialect: Dialect) -> Result<Vec<Target>, Unresolved> {
        let whole = self.listed.get_key_value(name).map(|(model, at)| (Arc::clone(model), at.clone()));
        let split = name.split_once('/').and_then(|(prefix, model)| {
            let connections = self.prefixes.get(prefix)?;
            (!model.is_empty()).then_some((Arc::<str>::from(model), connections))
        });
        let of = |model: &Arc<str>, at: &[usize]| -> Vec<Target> {
            at.iter().filter_map(|&at| target(&self.connections[at], model, dialect)).collect()
        };
        match (whole, split) {
            (Some((model, at)), Some((rest, under))) => {
                let also: Vec<usize> = under
                    .iter()
                    .copied()
                    .filter(|&at| self.lists(at, &rest) && !self.lists(at, name))
                    .collect();
                if also.is_empty() {
                    return Ok(of(&model, &at));
                }
                let clear = |at: usize, model: &str| format!("{}/{model}", self.connections[at].id);
                let options =
                    at.iter().map(|&at| clear(at, name)).chain(also.iter().map(|&at| clear(at, &rest)));
                Err(Unresolved::Ambiguous { options: options.collect() })
            }
            (Some((model, at)), None) => Ok(of(&model, &at)),
            (None, Some((rest, under))) => {
                let serving: Vec<usize> = under
                    .iter()
                    .copied()
                    .filter(|&at| self.connections[at].models.open || self.lists(at, &rest))
                    .collect();
                if serving.is_empty() { Err(self.unknown(name)) } else { Ok(of(&rest, &serving)) }
            }
            (None, None) => Err(self.unreachable(name)),
        }
    }

    pub(super) fn lists(&self, at: usize, model: &str) -> bool {
        self.listed.get(model).is_some_and(|listing| listing.contains(&at))
    }

    fn unreachable(&self, name: &str) -> Unresolved {
        match name.split_once('/').and_then(|(prefix, _)| self.catalogue.by_prefix(prefix)) {
            Some(PrefixMatch::Declined(row)) => Unresolved::Declined {
                name: row.name.clone(),
                reason: row.reason.clone(),
                instead: row.instead.clone(),
            },
            Some(PrefixMatch::Provider(provider)) => {
                Unresolved::NotConfigured { provider: provider.id.clone() }
            }
            None => self.unknown(name),
        }
    }

    fn unknown(&self, name: &str) -> Unresolved {
        let known = self.models().map(|(model, _)| model).chain(self.virtuals()).chain(autos::NAMES);
        let tags = self.tags();
        Unresolved::Unknown { near: near::near(name, known.chain(tags.iter().map(String::as_str))) }
    }
}

/// A target for a request in the client's dialect: in that dialect if the connection speaks it for this model.
pub(super) fn target(connection: &Arc<Connection>, model: &Arc<str>, client: Dialect) -> Option<Target> {
    let dialect = connection.dialect_for(model, client)?;
    Some(Target {
        connection: Arc::clone(connection),
        model: Arc::clone(model),
        dialect,
        facts: connection.facts_of(model),
    })
}
