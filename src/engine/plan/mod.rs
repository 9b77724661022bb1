//! The planner: a pure function from what was asked and what is known to the ordered targets, with a reason
//! for each one left out, and the change of the strategies' memory that serving the plan would make.

mod combos;
mod directory;
mod draw;
mod group;
mod memory;
mod near;
mod strategies;

#[cfg(test)]
mod tests;

pub use directory::{Directory, Unresolved};
pub use draw::Draw;
pub use group::{Group, Member, Node};
pub use memory::{Advance, Memory, Slot};

use std::{collections::HashSet, sync::Arc};

use self::strategies::{Candidate, Turn};
use super::{
    health::{Standing, View},
    ports::Target,
    quota::QuotaView,
    receipt::SkipRecord,
    settings::Strategy,
    traffic,
};

/// Where a request can go, in order, and why not elsewhere.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The targets in the order in which they are to be tried.
    pub targets: Vec<Target>,
    /// What was left out.
    pub skipped: Vec<Skip>,
    /// What ordered them.
    pub strategy: Strategy,
    /// What the strategies remember, to be kept when the plan is used.
    pub advances: Vec<Advance>,
}

/// A target that was left out, with its standing.
#[derive(Debug, Clone)]
pub struct Skip {
    /// The target.
    pub target: Target,
    /// Why.
    pub cooldown: super::health::Cooldown,
}

impl Skip {
    /// The same for a receipt.
    #[must_use]
    pub fn record(&self) -> SkipRecord {
        SkipRecord {
            connection: Arc::clone(&self.target.connection.id),
            model: Arc::clone(&self.target.model),
            reason: format!("{}: {}", self.cooldown.kind, self.cooldown.message),
            until: Some(self.cooldown.until),
        }
    }
}

impl Plan {
    /// Every candidate in the configured order, whatever its state.
    #[must_use]
    pub fn of(group: Group) -> Self {
        let strategy = group.strategy;
        Self { targets: group.into_targets(), skipped: Vec::new(), strategy, advances: Vec::new() }
    }
}

/// What is known when a plan is made.
pub struct Scene<'a> {
    /// How the targets stand.
    pub health: &'a View<'a>,
    /// What is left of their quotas.
    pub quota: &'a QuotaView,
    /// What the strategies remember.
    pub memory: &'a Memory,
    /// The plan's chance.
    pub draw: Draw,
}

/// Orders the targets of a group: those that are fit in the strategies' order, then those that failed a
/// moment ago, and none that is to be left alone.
#[must_use]
pub fn plan(group: &Group, scene: &Scene<'_>) -> Plan {
    let mut arranged = arrange(group, scene);
    let mut targets = arranged.fit;
    targets.append(&mut arranged.recovering);
    let mut skipped = arranged.skipped;
    if group.is_nested() {
        // Two steps of a combo may mean the same target; it is tried, or left out, once.
        let mut seen = HashSet::new();
        targets.retain(|target| seen.insert(identity(target)));
        skipped.retain(|skip| seen.insert(identity(&skip.target)));
    }
    Plan { targets, skipped, strategy: group.strategy, advances: arranged.advances }
}

type Identity = (Arc<str>, Arc<str>, canon::Dialect);

fn identity(target: &Target) -> Identity {
    (Arc::clone(&target.connection.id), Arc::clone(&target.model), target.dialect)
}

/// A group's targets by how they stand, each list in the order in which it is to be used.
#[derive(Default)]
struct Arranged {
    fit: Vec<Target>,
    recovering: Vec<Target>,
    skipped: Vec<Skip>,
    advances: Vec<Advance>,
}

/// A member of a group with what is known of it.
enum Known<'a> {
    Fit(&'a Target),
    Recovering(&'a Target),
    Group(Arranged),
}

impl Known<'_> {
    fn is_fit(&self) -> bool {
        match self {
            Self::Fit(_) => true,
            Self::Recovering(_) => false,
            Self::Group(arranged) => !arranged.fit.is_empty(),
        }
    }
}

fn arrange(group: &Group, scene: &Scene<'_>) -> Arranged {
    let mut arranged = Arranged::default();
    let mut known = Vec::with_capacity(group.members.len());
    for member in &group.members {
        let candidate = Candidate { place: member.place, weight: member.weight };
        match &member.node {
            Node::Target(target) => match traffic::standing(scene.health, scene.quota, target) {
                Standing::Fit => known.push((candidate, Known::Fit(target))),
                Standing::Recovering(_) => known.push((candidate, Known::Recovering(target))),
                Standing::Cooling(cooldown) => {
                    arranged.skipped.push(Skip { target: target.clone(), cooldown });
                }
            },
            Node::Group(inner) => {
                let mut inner = arrange(inner, scene);
                arranged.skipped.append(&mut inner.skipped);
                if !inner.fit.is_empty() || !inner.recovering.is_empty() {
                    known.push((candidate, Known::Group(inner)));
                }
            }
        }
    }
    // The strategy chooses among those that are fit. Where none is, a failure of a moment ago is no reason to refuse.
    let any_fit = known.iter().any(|(_, known)| known.is_fit());
    let (usable, behind): (Vec<_>, Vec<_>) =
        known.into_iter().partition(|(_, known)| known.is_fit() == any_fit);
    if usable.is_empty() {
        return arranged;
    }
    let (candidates, mut usable): (Vec<Candidate>, Vec<Option<Known<'_>>>) =
        usable.into_iter().map(|(candidate, known)| (candidate, Some(known))).unzip();
    let turn = Turn {
        candidates: &candidates,
        sticky: group.sticky,
        slot: scene.memory.of(&group.name),
        draw: scene.draw.about(&group.name),
    };
    let ordered = strategies::of(group.strategy).order(turn);
    arranged.advances.extend(ordered.slot.map(|slot| Advance { name: Arc::clone(&group.name), slot }));
    for (nth, at) in ordered.order.into_iter().enumerate() {
        if let Some(known) = usable.get_mut(at).and_then(Option::take) {
            arranged.take(known, nth == 0);
        }
    }
    for (_, known) in behind {
        arranged.take(known, false);
    }
    arranged
}

impl Arranged {
    /// Takes a member's targets behind those that are there. Only the turn of the group that is used passes on.
    fn take(&mut self, known: Known<'_>, is_used: bool) {
        match known {
            Known::Fit(target) => self.fit.push(target.clone()),
            Known::Recovering(target) => self.recovering.push(target.clone()),
            Known::Group(mut inner) => {
                self.fit.append(&mut inner.fit);
                self.recovering.append(&mut inner.recovering);
                if is_used {
                    self.advances.append(&mut inner.advances);
                }
            }
        }
    }
}
