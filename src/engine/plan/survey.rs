//! Looks at everything that is known when a plan is made, and writes it down as [`Inputs`]: which targets cannot be used
//! and why, and what the strategies will order the others by. After this nothing but the inputs is looked at.

use std::{collections::HashMap, sync::Arc};

use canon::Dialect;

use super::{
    Scene,
    bar::{Ability, Bar, Wish},
    draw::Draw,
    group::{Group, Node},
    inputs::{Branch, Growth, Inputs, Leaf, Share, Signals, State, Twig},
};
use crate::engine::{
    cost,
    fault::FaultKind,
    health::{BreakerState, Cooldown, Standing},
    need::{Need, Wishes},
    ports::{Lack, Target},
    quota,
    settings::{Strategy, Tier, Usd},
    task, traffic,
};

/// The inputs of a plan, and what belongs to each leaf.
pub(super) struct Survey<'a> {
    pub(super) inputs: Inputs,
    /// The leaves' targets, in the order of their numbers.
    pub(super) targets: Vec<&'a Target>,
    /// The leaves that cannot be used, and why.
    pub(super) bars: Vec<(usize, Bar)>,
}

/// Looks at a group.
pub(super) fn survey<'a>(group: &'a Group, scene: &Scene<'_>) -> Survey<'a> {
    let mut surveyor = Surveyor {
        scene,
        targets: Vec::new(),
        bars: Vec::new(),
        nested: group.is_nested(),
        looks: group.looks(),
        first: HashMap::new(),
    };
    let root = surveyor.branch(group);
    let Surveyor { targets, bars, .. } = surveyor;
    let affine = scene.affine.and_then(|(connection, model)| {
        targets.iter().position(|target| *target.connection.id == *connection && *target.model == *model)
    });
    let preferred = scene.need.wishes.as_deref().map_or_else(Vec::new, |wishes| preferred(&targets, wishes));
    let inputs = Inputs { seed: scene.seed, now: scene.health.now(), affine, preferred, root };
    Survey { inputs, targets, bars }
}

struct Surveyor<'a, 's> {
    scene: &'s Scene<'s>,
    targets: Vec<&'a Target>,
    bars: Vec<(usize, Bar)>,
    nested: bool,
    /// Whether some strategy looks at what is known of the targets.
    looks: bool,
    /// Where each target stands first.
    first: HashMap<(&'a str, &'a str, Dialect), usize>,
}

impl<'a> Surveyor<'a, '_> {
    fn branch(&mut self, group: &'a Group) -> Branch {
        let members = group.members.iter().map(|member| Twig {
            place: member.place,
            weight: member.weight,
            node: match &member.node {
                Node::Target(target) => Growth::Leaf(self.leaf(target)),
                Node::Group(inner) => Growth::Branch(self.branch(inner)),
            },
        });
        let members = members.collect();
        Branch {
            name: Arc::clone(&group.name),
            strategy: group.strategy,
            sticky: group.sticky,
            by_tier: group.by_tier,
            slot: None,
            scoring: (group.strategy == Strategy::Auto)
                .then(|| group.scoring.clone().unwrap_or_else(|| Box::new(self.scene.scoring.clone()))),
            members,
        }
    }

    fn leaf(&mut self, target: &'a Target) -> Leaf {
        let at = self.targets.len();
        let same_as = self.earlier(target, at);
        self.targets.push(target);
        let (state, bar) = self.stand(target);
        if same_as.is_none() {
            self.bars.extend(bar.map(|bar| (at, bar)));
        }
        let is_looked_at = self.looks && state != State::Barred;
        let signals = if is_looked_at { self.signals(target) } else { Signals::UNKNOWN };
        Leaf {
            connection: Arc::clone(&target.connection.id),
            model: Arc::clone(&target.model),
            same_as,
            state,
            signals,
        }
    }

    /// Two steps of a combo may mean the same target.
    fn earlier(&mut self, target: &'a Target, at: usize) -> Option<usize> {
        if !self.nested {
            return None;
        }
        let first = *self.first.entry((&target.connection.id, &target.model, target.dialect)).or_insert(at);
        (first < at).then_some(first)
    }

    fn stand(&self, target: &Target) -> (State, Option<Bar>) {
        if self.scene.allowed.is_some_and(|is_allowed| !is_allowed(target)) {
            return (State::Barred, Some(Bar::NotAllowed));
        }
        if let Some(bar) = unable(target, self.scene.need) {
            return (State::Barred, Some(bar));
        }
        if let Some(wishes) = self.scene.need.wishes.as_deref()
            && let Some(wish) = unwanted(target, wishes, self.scene.need)
        {
            return (State::Barred, Some(Bar::Unwanted(wish)));
        }
        if let Some(bar) = self.unarmed(target) {
            return (State::Barred, Some(bar));
        }
        match traffic::standing(self.scene.health, self.scene.quota, target) {
            Standing::Fit if self.scene.dear.is_some_and(|is_dear| is_dear(target)) => (State::Dear, None),
            Standing::Fit => (State::Fit, None),
            Standing::Recovering(_) => (State::Recovering, None),
            Standing::Cooling(cooldown) => (State::Barred, Some(Bar::Cooling(cooldown))),
        }
    }

    /// What keeps a target out that has no token.
    fn unarmed(&self, target: &Target) -> Option<Bar> {
        target.connection.oauth.as_ref()?;
        Some(match self.scene.tokens?.lack(&target.connection)? {
            Lack::Login => Bar::NeedsLogin,
            Lack::Pause { until, message } => {
                Bar::Cooling(Cooldown { until, kind: FaultKind::NoToken, message })
            }
        })
    }

    fn signals(&self, target: &Target) -> Signals {
        let need = self.scene.need;
        let seen = self.scene.telemetry.sight(target, self.scene.health.now());
        let room = self.scene.quota.of(&target.connection, &target.model);
        Signals {
            left: room.remaining.map(thousandths),
            five_hours: room.five_hours.map(share),
            week: room.week.map(share),
            resets_at: room.soonest_reset,
            in_flight: seen.in_flight,
            used: seen.used,
            p95_ms: seen.p95_ms,
            success: seen.success,
            cost: expected_cost(target, need),
            context: target.facts.context,
            rank: target.connection.models.about.get(&target.model).and_then(|about| about.rank),
            task_fit: need.task.and_then(|task| task::fit(&target.model, task)),
            breaker: breaker(self.scene.health.breaker(&target.connection)),
            tier: target.connection.tier,
            pull: need.beginning.map_or(0, |beginning| pull(target, beginning)),
        }
    }
}

/// What the model is known not to be able to do, of what the request needs.
fn unable(target: &Target, need: &Need) -> Option<Bar> {
    let facts = &target.facts;
    let lacks = [
        (need.tools, facts.tools, Ability::Tools),
        (need.vision, facts.vision, Ability::Vision),
        (need.structured, facts.structured, Ability::Structured),
    ];
    if let Some((.., ability)) = lacks.into_iter().find(|(needed, has, _)| *needed && *has == Some(false)) {
        return Some(Bar::Lacks(ability));
    }
    let window = facts.context?;
    (need.prompt_at_least > window).then_some(Bar::TooSmall { window, needs: need.prompt_at_least })
}

fn unwanted(target: &Target, wishes: &Wishes, need: &Need) -> Option<Wish> {
    let named = |names: &[String]| names.iter().any(|name| is_called(target, name));
    if !wishes.only.is_empty() && !named(&wishes.only) {
        return Some(Wish::Only);
    }
    if named(&wishes.ignore) {
        return Some(Wish::Ignore);
    }
    if wishes.tier.is_some_and(|tier| tier != target.connection.tier) {
        return Some(Wish::Tier);
    }
    if wishes.no_training && !(target.connection.no_training || target.connection.provider.is_at_home()) {
        return Some(Wish::NoTraining);
    }
    if let Some(most) = wishes.max_cost
        && expected_cost(target, need).is_none_or(|cost| cost > most)
    {
        return Some(Wish::MaxCost);
    }
    None
}

/// Whether a name that a client wrote means this target: its connection's, its provider's or one of the prefixes.
fn is_called(target: &Target, name: &str) -> bool {
    let (connection, provider) = (&target.connection, &target.connection.provider);
    *connection.id == *name || provider.id == name || provider.prefixes.iter().any(|prefix| prefix == name)
}

fn preferred(targets: &[&Target], wishes: &Wishes) -> Vec<usize> {
    let rank = |at: usize| wishes.order.iter().position(|name| is_called(targets[at], name));
    let mut ranked: Vec<(usize, usize)> = (0..targets.len()).filter_map(|at| Some((rank(at)?, at))).collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, at)| at).collect()
}

/// The plan of a request that has one place to go: whether it may.
pub(super) fn only<'a>(target: &'a Target, scene: &Scene<'_>) -> Option<Bar> {
    let (targets, bars, first) = (Vec::new(), Vec::new(), HashMap::new());
    let alone: Surveyor<'a, '_> = Surveyor { scene, targets, bars, nested: false, looks: false, first };
    alone.stand(target).1
}

/// What the request is expected to cost at a target, in picodollars. What is paid by the month costs nothing more.
fn expected_cost(target: &Target, need: &Need) -> Option<u64> {
    if target.connection.tier == Tier::Subscription {
        return Some(0);
    }
    cost::expected(&target.facts, need.prompt, need.expected_answer()).map(Usd::pico)
}

/// How well a provider is by its breaker, in thousandths; nothing is said while all is well.
const fn breaker(state: BreakerState) -> Option<u16> {
    match state {
        BreakerState::Closed => None,
        BreakerState::Degraded => Some(750),
        BreakerState::HalfOpen => Some(500),
        BreakerState::Open => Some(0),
    }
}

fn share(share: quota::Share) -> Share {
    Share { used: thousandths(share.used), resets_at: share.resets_at }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 0 to 1")]
fn thousandths(share: f32) -> u16 {
    (share.clamp(0.0, 1.0) * 1000.0).round() as u16
}

/// The rendezvous of a target with the beginning of a request: the same number each time, and unrelated to any other
/// target's (Thaler and Ravishankar, 1996).
fn pull(target: &Target, beginning: u64) -> u64 {
    Draw::new(beginning).about(&target.connection.id).about(&target.model).number()
}
