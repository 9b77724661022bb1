//! Names beyond those of models and combos: tags, and what the operator lets names lead to that mean nothing otherwise. The
//! map goes before the substitutes, and neither ever takes a name that is served.

use std::{collections::BTreeSet, sync::Arc};

use canon::Dialect;

use super::{
    directory::{Directory, target},
    substitutes::substitute,
};
use crate::engine::{
    ports::Target,
    settings::{Connection, Mapping, Routing, TAGGED, VIRTUAL_MODELS, is_below_auto},
};

/// Where names lead that mean nothing otherwise.
#[derive(Debug)]
pub(super) struct Elsewhere {
    map: Arc<[Mapping]>,
    substitute: bool,
}

impl Elsewhere {
    pub(super) fn new(routing: &Routing) -> Self {
        Self { map: Arc::clone(&routing.map), substitute: routing.substitute }
    }

    fn is_nowhere(&self) -> bool {
        self.map.is_empty() && !self.substitute
    }
}

impl Directory {
    /// The name that this one leads to, if it means nothing otherwise and the operator lets it lead elsewhere.
    #[must_use]
    pub fn stands_for(&self, name: &str) -> Option<&str> {
        if self.elsewhere.is_nowhere() || self.is_known(name) {
            return None;
        }
        let mapped = self.elsewhere.map.iter().find(|rule| rule.takes(name)).map(|rule| &*rule.to);
        mapped.or_else(|| if self.elsewhere.substitute { substitute(name) } else { None })
    }

    /// Whether a name means something by itself.
    fn is_known(&self, name: &str) -> bool {
        self.combos.named(name).is_some()
            || VIRTUAL_MODELS.contains(&name)
            || is_below_auto(name)
            || self.listed.contains_key(name)
            || self.tag_in(name).is_some_and(|tag| self.carries(tag))
            || self.is_below_a_prefix(name)
    }

    fn is_below_a_prefix(&self, name: &str) -> bool {
        let Some((prefix, model)) = name.split_once('/') else { return false };
        let under = self.prefixes.get(prefix).map_or(&[][..], Vec::as_slice);
        let serves = |&at: &usize| model == "*" || self.connections[at].models.open || self.lists(at, model);
        !model.is_empty() && under.iter().any(serves)
    }

    /// The tag that a name asks for. A model of this very name, or a connection that is called `tag`, goes before it.
    pub(super) fn tag_in<'a>(&self, name: &'a str) -> Option<&'a str> {
        let tag = name.strip_prefix(TAGGED)?;
        let is_taken =
            self.listed.contains_key(name) || self.prefixes.contains_key(TAGGED.trim_end_matches('/'));
        (!is_taken).then_some(tag)
    }

    /// Every listed model that carries a tag, in the configured order.
    pub(super) fn tagged(&self, tag: &str, dialect: Dialect) -> Vec<Target> {
        let of = |connection: &Arc<Connection>| {
            let carrying = self.shown(connection).filter(|model| connection.models.is_tagged(model, tag));
            carrying.filter_map(|model| target(connection, model, dialect)).collect::<Vec<_>>()
        };
        self.connections.iter().flat_map(of).collect()
    }

    fn carries(&self, tag: &str) -> bool {
        let has = |model: &Arc<str>, at: &usize| self.connections[*at].models.is_tagged(model, tag);
        self.listed.iter().any(|(model, at)| at.iter().any(|at| has(model, at)))
    }

    /// The names of all tags that listed models carry.
    pub(super) fn tags(&self) -> BTreeSet<String> {
        let about = self.connections.iter().flat_map(|connection| connection.models.about.values());
        about.flat_map(|about| about.tags.iter().map(|tag| format!("{TAGGED}{tag}"))).collect()
    }
}
