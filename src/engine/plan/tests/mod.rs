//! The strategies' semantics, each as a table: who is configured, who can be used, and who is tried in which order.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod signals;

use std::{collections::BTreeMap, sync::Arc};

use canon::Dialect;
use proptest::{
    prelude::{any, prop_assert_eq},
    proptest,
};

use super::*;
use crate::engine::{
    fault::FaultKind,
    health::Health,
    ports::{Clock, CooldownRecord, CooldownSink},
    settings::{AuthStyle, Connection, Models, Provider},
    telemetry::Telemetry,
};

struct Still;

impl Clock for Still {
    fn now(&self) -> i64 {
        1_000
    }
}

impl CooldownSink for Still {
    fn cooled(&self, _: CooldownRecord) {}
    fn cleared(&self, _: Arc<str>, _: Option<Arc<str>>) {}
}

fn target(id: &str) -> Target {
    let provider: Provider =
        serde_json::from_value(serde_json::json!({"id": "p", "name": "P", "auth": AuthStyle::Bearer}))
            .unwrap();
    let connection = Connection {
        id: id.into(),
        provider: Arc::new(provider),
        credential: None,
        oauth: None,
        endpoints: BTreeMap::new(),
        models: Models::default(),
        priority: 0,
        tier: crate::engine::settings::Tier::default(),
        no_training: false,
        proxy: None,
        allowance: Arc::default(),
        fingerprint: 1,
    };
    Target {
        connection: Arc::new(connection),
        model: "m".into(),
        dialect: Dialect::Chat,
        facts: Arc::default(),
    }
}

/// A group of connections of these names, `name=weight` where the weight is not 1.
fn group(strategy: Strategy, names: &str) -> Group {
    let members = names.split(' ').enumerate().map(|(place, name)| {
        let (name, weight) = name.split_once('=').unwrap_or((name, "1"));
        Member { place, weight: weight.parse().unwrap(), node: Node::Target(target(name)) }
    });
    Group { members: members.collect(), ..Group::of("g", strategy, Vec::new()) }
}

fn nested(strategy: Strategy, groups: Vec<Group>) -> Group {
    let member = |(place, group)| Member { place, weight: 1, node: Node::Group(group) };
    let members = groups.into_iter().enumerate().map(member).collect();
    Group { members, ..Group::of("outer", strategy, Vec::new()) }
}

/// Plans one request after the other, and remembers.
struct Planner {
    health: Health,
    memory: Memory,
    seed: u64,
}

impl Planner {
    /// With these connections cooling down.
    fn without(cooling: &[&str]) -> Self {
        let kept = cooling
            .iter()
            .map(|id| CooldownRecord::cooldown((*id).into(), None, 1, 2_000, FaultKind::RateLimited, "429"));
        let connections: Vec<_> = cooling.iter().map(|id| target(id).connection).collect();
        let health = Health::new(Arc::new(Still), Arc::new(Still), kept.collect(), &connections);
        Self { health, memory: Memory::default(), seed: 0 }
    }

    fn plan(&mut self, group: &Group) -> Plan {
        self.seed += 1;
        let telemetry = Telemetry::default();
        let scene = Scene {
            allowed: None,
            health: &self.health.view(),
            quota: &QuotaView::none(),
            telemetry: &telemetry.view(),
            need: &Need::default(),
            affine: None,
            dear: None,
            tokens: None,
            scoring: &Scoring::default(),
            seed: Draw::new(self.seed).number(),
        };
        let mut plan = plan(group, &scene, &self.memory);
        if let Some(made) = &plan.made {
            let kept = serde_json::to_string(made).unwrap();
            let again: Made = serde_json::from_str(&kept).unwrap();
            assert_eq!(again, **made);
            let order = decide(&again.inputs).order;
            assert_eq!(order, made.order, "what is kept gives the same order again");
            let leaves: Vec<&Leaf> = again.inputs.root.leaves().collect();
            let ids: Vec<_> = order.iter().map(|&at| &leaves[at].connection).collect();
            assert_eq!(ids, plan.targets.iter().map(|target| &target.connection.id).collect::<Vec<_>>());
        }
        plan.advances.drain(..).for_each(|advance| self.memory.commit(advance));
        plan
    }

    /// The whole order, in one word.
    fn order(&mut self, group: &Group) -> String {
        let plan = self.plan(group);
        let ids: Vec<&str> = plan.targets.iter().map(|target| &*target.connection.id).collect();
        ids.join("")
    }

    /// Who is first, `count` times.
    fn firsts(&mut self, group: &Group, count: usize) -> String {
        (0..count).filter_map(|_| self.order(group).chars().next()).collect()
    }
}

#[test]
fn priority_and_exhaust_keep_the_configured_order() {
    for strategy in [Strategy::Priority, Strategy::Exhaust] {
        let group = group(strategy, "a b c");
        assert_eq!(Planner::without(&[]).order(&group), "abc");
        assert_eq!(Planner::without(&["a"]).order(&group), "bc");
        assert_eq!(Planner::without(&[]).firsts(&group, 3), "aaa");
    }
}

#[test]
fn round_robin_takes_turns_and_falls_back_on_those_behind() {
    let mut group = group(Strategy::RoundRobin, "a b c");
    let mut planner = Planner::without(&[]);
    assert_eq!(
        [planner.order(&group), planner.order(&group), planner.order(&group), planner.order(&group)],
        ["abc", "bca", "cab", "abc"]
    );
    assert_eq!(Planner::without(&["b"]).firsts(&group, 5), "acaca", "its turns are shared evenly");
    group.sticky = 3;
    assert_eq!(Planner::without(&[]).firsts(&group, 10), "aaabbbccca");
    assert_eq!(Planner::without(&["a", "b", "c"]).order(&group), "");
}

#[test]
fn weighted_draws_by_weight_and_falls_back_by_it() {
    let shares = group(Strategy::Weighted, "a=70 b=30");
    let drawn = Planner::without(&[]).firsts(&shares, 10_000);
    let of_a = drawn.matches('a').count();
    // The standard deviation of 10,000 draws at 0.7 is 45.8; four of them are 184.
    assert!((6_816..=7_184).contains(&of_a), "{of_a}");
    assert_eq!(Planner::without(&["a"]).firsts(&shares, 50), "b".repeat(50));

    let falling = group(Strategy::Weighted, "a=1 b=0 c=1000000 d=5");
    let mut planner = Planner::without(&[]);
    assert_eq!(planner.order(&falling), "cdab", "a weight of 0 comes last");
    let nothing = group(Strategy::Weighted, "a=0 b=0");
    let drawn = planner.firsts(&nothing, 100);
    assert!(drawn.contains('a') && drawn.contains('b'), "zeros among themselves are equal");

    let sticky = Group { sticky: 4, ..group(Strategy::Weighted, "a=50 b=50") };
    let drawn = Planner::without(&[]).firsts(&sticky, 400);
    assert!(drawn.as_bytes().chunks(4).all(|four| four.iter().all(|one| *one == four[0])), "{drawn}");
    assert!(drawn.contains('a') && drawn.contains('b'));
}

#[test]
fn random_gives_every_order_alike() {
    let group = group(Strategy::Random, "a b c");
    let mut planner = Planner::without(&[]);
    let mut counts = BTreeMap::new();
    for _ in 0..6_000 {
        *counts.entry(planner.order(&group)).or_insert(0_i32) += 1;
    }
    assert_eq!(counts.len(), 6);
    // 1,000 each; five standard deviations are 144.
    assert!(counts.values().all(|count| (count - 1_000).abs() < 144), "{counts:?}");
}

#[test]
fn strict_random_goes_through_the_deck_before_it_shuffles_anew() {
    let group = group(Strategy::StrictRandom, "a b c d");
    let mut planner = Planner::without(&[]);
    let drawn = planner.firsts(&group, 400);
    let mut rounds = BTreeMap::new();
    for round in drawn.as_bytes().chunks(4) {
        let mut sorted = round.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, b"abcd", "everybody once in a round");
        *rounds.entry(round.to_vec()).or_insert(0) += 1;
    }
    assert!(rounds.len() > 15, "24 orders are possible, {} came in 100 rounds", rounds.len());
    let without = Planner::without(&["b"]).firsts(&group, 30);
    assert!(
        without
            .as_bytes()
            .chunks(3)
            .all(|round| ["a", "c", "d"].iter().all(|one| round.contains(&one.as_bytes()[0])))
    );
}

#[test]
fn a_group_within_a_group_takes_its_own_turns_when_it_is_used() {
    let inner = Group { name: "inner".into(), ..group(Strategy::RoundRobin, "a b") };
    let outer = nested(
        Strategy::RoundRobin,
        vec![inner, Group { name: "x".into(), ..group(Strategy::Priority, "c d") }],
    );
    let mut planner = Planner::without(&[]);
    assert_eq!(planner.order(&outer), "abcd");
    assert_eq!(planner.order(&outer), "cdba", "the inner turn has passed on");
    assert_eq!(planner.order(&outer), "bacd");
    assert_eq!(planner.order(&outer), "cdab", "and did not while it was only the fall-back");
    assert_eq!(Planner::without(&["a", "b"]).firsts(&outer, 3), "ccc", "an empty group has no turn");
}

#[test]
fn a_target_that_two_steps_mean_is_tried_once() {
    let outer = nested(
        Strategy::Priority,
        vec![group(Strategy::Priority, "b a"), group(Strategy::Priority, "a b c")],
    );
    assert_eq!(Planner::without(&[]).order(&outer), "bac");
    let plan = Planner::without(&["a"]).plan(&outer);
    assert_eq!(plan.skipped.len(), 1);
}

fn strategies() -> impl proptest::strategy::Strategy<Value = Strategy> {
    proptest::sample::select(Strategy::ALL.to_vec())
}

proptest! {
    /// Whatever the strategy, the tree, the weights, the state and the history: every target that can be used is in the
    /// plan once, no other is, and the same inputs give the same plan.
    #[test]
    fn every_plan_is_total_and_deterministic(
        outer in strategies(),
        inner in proptest::collection::vec((strategies(), proptest::collection::vec((0_u8..12, 0_u32..4), 1..6), 1_u32..4), 1..5),
        cooling in proptest::collection::btree_set(0_u8..12, 0..8),
        seed in any::<u64>(),
    ) {
        let name = |id: u8| format!("c{id}");
        let groups = inner.iter().enumerate().map(|(nth, (strategy, members, sticky))| {
            let members = members.iter().enumerate().map(|(place, (id, weight))| Member {
                place,
                weight: *weight,
                node: Node::Target(target(&name(*id))),
            });
            let empty = Group::of(format!("g{nth}"), *strategy, Vec::new());
            Group { sticky: *sticky, members: members.collect(), ..empty }
        });
        let group = nested(outer, groups.collect());
        let cooling: Vec<String> = cooling.into_iter().map(name).collect();
        let cooling: Vec<&str> = cooling.iter().map(String::as_str).collect();
        let (mut one, mut other) = (Planner::without(&cooling), Planner::without(&cooling));
        one.seed = seed >> 1;
        other.seed = seed >> 1;
        let mut expected: Vec<String> = inner.iter().flat_map(|(_, members, _)| members).map(|(id, _)| name(*id)).collect();
        expected.sort();
        expected.dedup();
        let (skipped, usable): (Vec<String>, Vec<String>) =
            expected.into_iter().partition(|id| cooling.contains(&id.as_str()));
        for _ in 0..5 {
            let plan = one.plan(&group);
            let ids: Vec<String> = plan.targets.iter().map(|target| target.connection.id.to_string()).collect();
            let again: Vec<String> = other.plan(&group).targets.iter().map(|target| target.connection.id.to_string()).collect();
            prop_assert_eq!(&ids, &again);
            let mut sorted = ids;
            sorted.sort();
            prop_assert_eq!(&sorted, &usable);
            let mut left_out: Vec<String> = plan.skipped.iter().map(|skip| skip.target.connection.id.to_string()).collect();
            left_out.sort();
            prop_assert_eq!(&left_out, &skipped);
        }
    }
}
