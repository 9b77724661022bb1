//! What a name means: targets, or further groups of them, and the strategy that orders them. A model that several
//! accounts serve is a group of targets; a combo is a group of its steps, each of them again a group.

use std::sync::Arc;

use crate::engine::{
    ports::Target,
    settings::{Knobs, Scoring, Strategy},
    task::TaskKind,
};

/// Members and how to order them.
#[derive(Debug, Clone)]
pub struct Group {
    /// The name, for the strategy's memory: what has one name takes its turns together.
    pub name: Arc<str>,
    /// The strategy that orders the members.
    pub strategy: Strategy,
    /// Requests in a row that stay with one member, where the strategy takes turns or draws. At least 1.
    pub sticky: u32,
    /// Whether members of a better tier go before all others.
    pub by_tier: bool,
    /// How `auto` scores the members, where that differs from the settings.
    pub scoring: Option<Box<Scoring>>,
    /// What requests for it are about, whatever they say.
    pub task: Option<TaskKind>,
    /// What holds for its requests instead of the settings for all. Of groups within groups the outermost counts.
    pub knobs: Option<Arc<Knobs>>,
    /// The members in the configured order.
    pub members: Vec<Member>,
}

/// One member of a group.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its place in the configured order; stays the same when others are left out.
    pub place: usize,
    /// Its share where the strategy draws.
    pub weight: u32,
    /// What it is.
    pub node: Node,
}

/// A member itself.
#[derive(Debug, Clone)]
pub enum Node {
    /// One place to go to.
    Target(Target),
    /// Several, with a strategy of their own.
    Group(Group),
}

impl Node {
    /// Every target that it leads to, in the configured order.
    #[must_use]
    pub fn targets(&self) -> Vec<&Target> {
        match self {
            Self::Target(target) => vec![target],
            Self::Group(group) => group.members.iter().flat_map(|member| member.node.targets()).collect(),
        }
    }
}

impl Group {
    /// A group of targets that all weigh the same.
    #[must_use]
    pub fn of(name: impl Into<Arc<str>>, strategy: Strategy, targets: Vec<Target>) -> Self {
        let member = |(place, target)| Member { place, weight: 1, node: Node::Target(target) };
        let members = targets.into_iter().enumerate().map(member).collect();
        Self {
            name: name.into(),
            strategy,
            sticky: 1,
            by_tier: false,
            scoring: None,
            task: None,
            knobs: None,
            members,
        }
    }

    /// The same, and another that comes after everything of it.
    pub(super) fn before(self, last: Self) -> Self {
        let name = format!("{}, then {}", self.name, last.name);
        let member = |(place, group)| Member { place, weight: 1, node: Node::Group(group) };
        let members = [self, last].into_iter().enumerate().map(member).collect();
        Self { members, ..Self::of(name, Strategy::Priority, Vec::new()) }
    }

    /// Whether there is at most one place to go.
    #[must_use]
    pub fn is_single(&self) -> bool {
        match self.members.as_slice() {
            [] => true,
            [Member { node: Node::Group(inner), .. }] => inner.is_single(),
            [_] => true,
            _ => false,
        }
    }

    /// Whether there is nowhere to go.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Every target, in the configured order.
    #[must_use]
    pub fn into_targets(self) -> Vec<Target> {
        let mut targets = Vec::with_capacity(self.members.len());
        for member in self.members {
            match member.node {
                Node::Target(target) => targets.push(target),
                Node::Group(group) => targets.append(&mut group.into_targets()),
            }
        }
        targets
    }

    /// Leaves out the targets that do not pass, and the groups that have none left.
    pub fn retain(&mut self, passes: &impl Fn(&Target) -> bool) {
        self.members.retain_mut(|member| match &mut member.node {
            Node::Target(target) => passes(target),
            Node::Group(group) => {
                group.retain(passes);
                !group.is_empty()
            }
        });
    }

    /// Whether any of the targets is one that is looked for.
    pub(in crate::engine) fn any(&self, is: &impl Fn(&Target) -> bool) -> bool {
        self.members.iter().any(|member| match &member.node {
            Node::Target(target) => is(target),
            Node::Group(group) => group.any(is),
        })
    }

    /// Changes every target.
    pub fn for_each(&mut self, change: &impl Fn(&mut Target)) {
        for member in &mut self.members {
            match &mut member.node {
                Node::Target(target) => change(target),
                Node::Group(group) => group.for_each(change),
            }
        }
    }

    /// The one place to go, where there is no other.
    #[must_use]
    pub(super) fn only(&self) -> Option<&Target> {
        match self.members.as_slice() {
            [Member { node: Node::Group(inner), .. }] => inner.only(),
            [Member { node: Node::Target(target), .. }] => Some(target),
            _ => None,
        }
    }

    /// Whether some strategy in it looks at what is known of the targets.
    #[must_use]
    pub(super) fn looks(&self) -> bool {
        let inner = |member: &Member| matches!(&member.node, Node::Group(group) if group.looks());
        self.strategy.looks() || self.by_tier || self.members.iter().any(inner)
    }

    /// Whether there are groups among the members.
    #[must_use]
    pub(super) fn is_nested(&self) -> bool {
        self.members.iter().any(|member| matches!(member.node, Node::Group(_)))
    }
}
