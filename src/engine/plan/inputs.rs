//! What a plan follows from, as plain data: the tree of groups with what was known of each leaf, what strategies
//! remembered, and a seed. It is kept in the receipt, so that the same decision can be made, and explained, again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    auto::Scoring,
    memory::{Memory, Slot},
};
use crate::engine::settings::{Strategy, Tier};

/// Everything that [`super::decide()`] looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// Whence all chance in the plan comes.
    pub seed: u64,
    /// The time, in milliseconds since the Unix epoch.
    pub now: i64,
    /// The leaf to which the caller's session belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affine: Option<usize>,
    /// The leaves that the caller named first, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preferred: Vec<usize>,
    /// What is to be ordered.
    pub root: Branch,
}

/// A decision as it is kept: what it followed from, and what it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// What was looked at.
    pub inputs: Inputs,
    /// The leaves in the order in which they were to be tried.
    pub order: Vec<usize>,
}

/// A group as the planner sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// The group's name.
    pub name: Arc<str>,
    /// What orders its members.
    pub strategy: Strategy,
    /// Requests in a row that stay with one member.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub sticky: u32,
    /// Whether members of a better tier go before all others.
    #[serde(default, skip_serializing_if = "is_default")]
    pub by_tier: bool,
    /// What its strategy remembers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// How `auto` scores its members; only there where that is the strategy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scoring: Option<Box<Scoring>>,
    /// The members in the configured order.
    pub members: Vec<Twig>,
}

/// A member of a [`Branch`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Twig {
    /// Its place in the configured order.
    pub place: usize,
    /// Its share where the strategy draws.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
    /// What it is.
    #[serde(flatten)]
    pub node: Growth,
}

/// What grows on a twig.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Growth {
    /// One target.
    Leaf(Leaf),
    /// A group of its own.
    Branch(Branch),
}

/// One target as the planner sees it. Leaves are numbered in the order in which the tree lists them, from 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leaf {
    /// The connection's id, for people who read it later.
    pub connection: Arc<str>,
    /// The model as the provider knows it, likewise.
    pub model: Arc<str>,
    /// An earlier leaf that is the same target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<usize>,
    /// Whether it can be used.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// What strategies order by.
    #[serde(default, skip_serializing_if = "is_default")]
    pub signals: Signals,
}

/// Whether a leaf can be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As far as is known.
    #[default]
    Fit,
    /// It failed a moment ago: behind the others.
    Recovering,
    /// Yes, and a budget that is used up would rather have others: behind them.
    Dear,
    /// No.
    Barred,
}

/// What is known of a target at the moment of a plan. Whole numbers, so that a recorded plan is repeated exactly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signals {
    /// Requests that it is working on.
    #[serde(skip_serializing_if = "is_default")]
    pub in_flight: u32,
    /// Requests that it was given within the last hour.
    #[serde(skip_serializing_if = "is_default")]
    pub used: u32,
    /// The time to the first content that 95 of 100 of the last answers kept, in milliseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub p95_ms: Option<u32>,
    /// How many of 1,000 attempts of the last hour succeeded.
    #[serde(skip_serializing_if = "is_default")]
    pub success: Option<u16>,
    /// How well its provider is: 1,000 with a closed breaker, less with one that is degraded or half open.
    #[serde(skip_serializing_if = "is_default")]
    pub breaker: Option<u16>,
    /// The smallest share of a quota that is left, in thousandths.
    #[serde(skip_serializing_if = "is_default")]
    pub left: Option<u16>,
    /// The window of five hours.
    #[serde(skip_serializing_if = "is_default")]
    pub five_hours: Option<Share>,
    /// The window of a week.
    #[serde(skip_serializing_if = "is_default")]
    pub week: Option<Share>,
    /// When the first of its windows starts anew, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "is_default")]
    pub resets_at: Option<i64>,
    /// What the request is expected to cost, in picodollars.
    #[serde(skip_serializing_if = "is_default")]
    pub cost: Option<u64>,
    /// The context window in tokens.
    #[serde(skip_serializing_if = "is_default")]
    pub context: Option<u64>,
    /// The rank that the operator gave the model; lower goes first.
    #[serde(skip_serializing_if = "is_default")]
    pub rank: Option<u32>,
    /// How good the model is at what the request is about, in thousandths.
    #[serde(skip_serializing_if = "is_default")]
    pub task_fit: Option<u16>,
    /// What the account is to its owner.
    #[serde(skip_serializing_if = "is_default")]
    pub tier: Tier,
    /// The rendezvous of this target with the request's stable prefix; the highest number attracts it.
    #[serde(skip_serializing_if = "is_default")]
    pub pull: u64,
}

/// How far a quota's window is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// In thousandths.
    pub used: u16,
    /// When it starts anew, in milliseconds since the Unix epoch; `None` when it has not begun or is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<i64>,
}

impl Signals {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        in_flight: 0,
        used: 0,
        p95_ms: None,
        success: None,
        breaker: None,
        left: None,
        five_hours: None,
        week: None,
        resets_at: None,
        cost: None,
        context: None,
        rank: None,
        task_fit: None,
        tier: Tier::Key,
        pull: 0,
    };
}

impl Branch {
    /// Whether some strategy in it remembers something.
    #[must_use]
    pub fn remembers(&self) -> bool {
        let inner = |twig: &Twig| matches!(&twig.node, Growth::Branch(branch) if branch.remembers());
        self.strategy.remembers() || self.members.iter().any(inner)
    }

    /// Fills in what strategies remember.
    pub fn recall(&mut self, memory: &Memory) {
        if self.strategy.remembers() {
            self.slot = memory.of(&self.name).cloned();
        }
        for twig in &mut self.members {
            if let Growth::Branch(branch) = &mut twig.node {
                branch.recall(memory);
            }
        }
    }

    /// The leaves in the order of their numbers.
    pub fn leaves(&self) -> Box<dyn Iterator<Item = &Leaf> + '_> {
        Box::new(self.members.iter().flat_map(|twig| match &twig.node {
            Growth::Leaf(leaf) => Box::new(std::iter::once(leaf)) as Box<dyn Iterator<Item = &Leaf>>,
            Growth::Branch(branch) => branch.leaves(),
        }))
    }
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_one(number: &u32) -> bool {
    *number == 1
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
