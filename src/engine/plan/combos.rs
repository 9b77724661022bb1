//! Combos: virtual models that the operator made. Each step is a name, resolved as if a client had asked for it, and
//! becomes a group of its own, so that the combo's strategy chooses among steps and the account strategy among accounts.

use std::{collections::HashMap, sync::Arc};

use canon::Dialect;

use super::{
    directory::{Directory, Unresolved},
    group::{Group, Member, Node},
};
use crate::engine::settings::{Combo, Wanted};

/// The prefix under which a combo is found even when a model has its name.
pub(super) const PREFIX: &str = "combo/";

/// The combos of one settings snapshot, by id.
#[derive(Debug)]
pub(super) struct Combos(HashMap<Arc<str>, Arc<Combo>>);

impl Combos {
    pub(super) fn new(combos: &[Arc<Combo>]) -> Self {
        Self(combos.iter().map(|combo| (Arc::clone(&combo.id), Arc::clone(combo))).collect())
    }

    /// The combo that a client's name means.
    pub(super) fn named(&self, name: &str) -> Option<&Combo> {
        self.0.get(name).or_else(|| self.0.get(name.strip_prefix(PREFIX)?)).map(|combo| &**combo)
    }
}

impl Directory {
    /// The group that a combo means to a client: what the combo says for all of its requests, and its last resort, count
    /// where it is asked for by name, and not where it is a step.
    pub(super) fn asked_for(&self, combo: &Combo, dialect: Dialect) -> Result<Group, Unresolved> {
        let last = combo.fallback.as_deref().and_then(|name| self.auto(name, dialect));
        let group = match (self.expand(combo, dialect), last.filter(|last| !last.is_empty())) {
            (Ok(group), Some(last)) => group.before(last),
            (Err(_), Some(last)) => last,
            (found, None) => found?,
        };
        Ok(Group { knobs: combo.knobs.clone(), ..group })
    }

    /// The group that a combo means. Steps that lead nowhere now, because their connection is switched off or has no
    /// key, are left out; `config` has warned of them. Combos do not lead to themselves: `config` has seen to that.
    pub(super) fn expand(&self, combo: &Combo, dialect: Dialect) -> Result<Group, Unresolved> {
        let mut members = Vec::with_capacity(combo.steps.len());
        for (place, step) in combo.steps.iter().enumerate() {
            let group = match &step.wanted {
                Wanted::Combo(id) => self.combos.named(id).and_then(|inner| self.expand(inner, dialect).ok()),
                Wanted::Model { name, connection } => {
                    // Accounts take turns for a model, whichever way it was reached.
                    let mut group = self.below_auto(name, dialect).unwrap_or_else(|| {
                        let targets = self.meant(name, dialect).unwrap_or_default();
                        Group::of(step.name_for_turns(), combo.connections, targets)
                    });
                    if let Some(only) = connection {
                        group.name = step.name_for_turns();
                        group.retain(&|target| target.connection.id == *only);
                    }
                    (!group.is_empty()).then_some(group)
                }
            };
            members.extend(group.map(|group| Member {
                place,
                weight: step.weight,
                node: Node::Group(group),
            }));
        }
        if members.is_empty() {
            return Err(Unresolved::EmptyCombo { id: combo.id.to_string() });
        }
        let name = format!("{PREFIX}{}", combo.id).into();
        Ok(Group {
            name,
            strategy: combo.strategy,
            sticky: combo.sticky,
            by_tier: combo.by_tier,
            scoring: combo.scoring.clone(),
            task: None,
            knobs: None,
            members,
        })
    }
}
