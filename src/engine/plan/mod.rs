//! The planner. It surveys what is known of the targets that a name means (`survey`), and decides (`decide`): a pure
//! function from the survey to the ordered targets, with a reason for each one left out, and the change of the strategies'
//! memory that serving the plan would make.

pub mod auto;
mod autos;
mod bar;
mod combos;
mod decide;
mod directory;
mod draw;
mod elsewhere;
mod group;
mod inputs;
mod memory;
mod near;
mod strategies;
mod substitutes;
mod survey;

#[cfg(test)]
mod tests;

pub use bar::{Ability, Bar, Skip, Wish};
pub use decide::{Decision, decide};
pub use directory::{Directory, Unresolved};
pub use draw::{Draw, Seeds};
pub use group::{Group, Member, Node};
pub use inputs::{Branch, Growth, Inputs, Leaf, Made, Share, Signals, State, Twig};
pub use memory::{Advance, Memory, Slot};

use std::sync::Arc;

use super::{
    health::View,
    need::Need,
    ports::{Target, Tokens},
    quota::QuotaView,
    settings::{Scoring, Strategy},
    telemetry,
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
    /// What strategies that learn from good answers are to be told when one is served.
    pub lessons: Vec<Lesson>,
    /// How it was made; `None` where there was nothing to decide.
    pub made: Option<Box<Made>>,
}

/// A group whose strategy learns from good answers.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// The group's name.
    pub name: Arc<str>,
    /// The targets behind it, each with the place of the member that leads to it.
    pub places: Vec<(Target, usize)>,
}

impl Plan {
    /// Every candidate in the configured order, whatever its state.
    #[must_use]
    pub fn of(group: Group) -> Self {
        Self {
            strategy: group.strategy,
            targets: group.into_targets(),
            skipped: Vec::new(),
            advances: Vec::new(),
            lessons: Vec::new(),
            made: None,
        }
    }
}

/// What is known when a plan is made.
pub struct Scene<'a> {
    /// How the targets stand.
    pub health: &'a View<'a>,
    /// What is left of their quotas.
    pub quota: &'a QuotaView,
    /// What was seen of the targets.
    pub telemetry: &'a telemetry::View<'a>,
    /// What the request needs.
    pub need: &'a Need,
    /// The connection and model that the caller's session belongs to.
    pub affine: Option<(&'a str, &'a str)>,
    /// Which targets the caller may use; `None`: all.
    pub allowed: Option<&'a dyn Fn(&Target) -> bool>,
    /// Which targets a budget that is used up would rather not have.
    pub dear: Option<&'a dyn Fn(&Target) -> bool>,
    /// Who holds the tokens of accounts that people log in to; `None`: nobody looks.
    pub tokens: Option<&'a dyn Tokens>,
    /// How `auto` scores.
    pub scoring: &'a Scoring,
    /// Whence all chance comes.
    pub seed: u64,
}

/// Leaves in a plan that is kept in the receipt. A plan of more is made, and not kept: it would be larger than most requests.
const KEPT: usize = 256;

/// A group that was looked at: all that a plan follows from but for what strategies remember.
pub struct Surveyed<'a> {
    group: &'a Group,
    survey: survey::Survey<'a>,
}

/// Looks at a group.
#[must_use]
pub fn survey<'a>(group: &'a Group, scene: &Scene<'_>) -> Surveyed<'a> {
    Surveyed { group, survey: survey::survey(group, scene) }
}

impl Surveyed<'_> {
    /// Whether the plan depends on what strategies remember.
    #[must_use]
    pub fn remembers(&self) -> bool {
        self.survey.inputs.root.remembers()
    }

    /// Takes in what strategies remember.
    pub fn recall(&mut self, memory: &Memory) {
        self.survey.inputs.root.recall(memory);
    }

    /// Orders the targets: those that are fit in the strategies' order, then those that failed a moment ago, and none
    /// that is to be left alone.
    #[must_use]
    pub fn decide(self) -> Plan {
        let Self { group, survey } = self;
        let decision = decide(&survey.inputs);
        let skip = |(at, bar): (usize, Bar)| Skip { target: survey.targets[at].clone(), bar };
        Plan {
            targets: decision.order.iter().map(|&at| survey.targets[at].clone()).collect(),
            skipped: survey.bars.into_iter().map(skip).collect(),
            strategy: group.strategy,
            advances: decision.advances,
            lessons: lessons(group),
            made: (2..=KEPT)
                .contains(&survey.targets.len())
                .then(|| Box::new(Made { inputs: survey.inputs, order: decision.order })),
        }
    }
}

/// The plan of a group by what is known and remembered.
#[must_use]
pub fn plan(group: &Group, scene: &Scene<'_>, memory: &Memory) -> Plan {
    if let Some(plan) = alone(group, scene) {
        return plan;
    }
    let mut surveyed = survey(group, scene);
    surveyed.recall(memory);
    surveyed.decide()
}

/// The plan of a group that has one place to go; `None` where there is a choice.
#[must_use]
pub fn alone(group: &Group, scene: &Scene<'_>) -> Option<Plan> {
    let target = group.only()?;
    let (targets, skipped) = match survey::only(target, scene) {
        None => (vec![target.clone()], Vec::new()),
        Some(bar) => (Vec::new(), vec![Skip { target: target.clone(), bar }]),
    };
    let (advances, lessons, made) = (Vec::new(), Vec::new(), None);
    Some(Plan { targets, skipped, strategy: group.strategy, advances, lessons, made })
}

fn is_same(one: &Target, other: &Target) -> bool {
    one.connection.id == other.connection.id && one.model == other.model && one.dialect == other.dialect
}

/// The groups whose strategy learns from good answers.
fn lessons(group: &Group) -> Vec<Lesson> {
    let mut found = Vec::new();
    let mut open = vec![group];
    while let Some(group) = open.pop() {
        if group.strategy == Strategy::Lkgp {
            let places = group.members.iter().flat_map(|member| {
                member.node.targets().into_iter().map(|target| (target.clone(), member.place))
            });
            found.push(Lesson { name: Arc::clone(&group.name), places: places.collect() });
        }
        open.extend(group.members.iter().filter_map(|member| match &member.node {
            Node::Group(inner) => Some(inner),
            Node::Target(_) => None,
        }));
    }
    found
}

impl Lesson {
    /// What is remembered when `served` gave a good answer.
    #[must_use]
    pub fn learned(&self, served: &Target, at: i64) -> Option<Advance> {
        let (_, place) = self.places.iter().find(|(target, _)| is_same(target, served))?;
        Some(Advance { name: Arc::clone(&self.name), slot: Slot::Good { place: *place, at } })
    }
}
