//! The strategies that look at what is known of their members: who is known how, and who is tried in which order.

use std::sync::Arc;

use super::super::{Branch, Growth, Inputs, Leaf, Share, Signals, Slot, State, Twig, auto::Bench, decide};
use crate::engine::settings::{Strategy, Tier};

/// One request's inputs for members with these names and signals.
fn inputs(strategy: Strategy, members: &[(&str, Signals)]) -> Inputs {
    let twig = |(place, (name, signals)): (usize, &(&str, Signals))| Twig {
        place,
        weight: 1,
        node: Growth::Leaf(Leaf {
            connection: (*name).into(),
            model: "m".into(),
            same_as: None,
            state: State::Fit,
            signals: *signals,
        }),
    };
    let root = Branch {
        name: "g".into(),
        strategy,
        sticky: 1,
        by_tier: false,
        slot: None,
        scoring: None,
        members: members.iter().enumerate().map(twig).collect(),
    };
    Inputs { seed: 1, now: 1_000_000, affine: None, preferred: Vec::new(), root }
}

fn order_of(inputs: &Inputs) -> String {
    let names: Vec<Arc<str>> = inputs.root.leaves().map(|leaf| Arc::clone(&leaf.connection)).collect();
    decide(inputs).order.iter().map(|&at| &*names[at]).collect::<Vec<_>>().join("")
}

fn order(strategy: Strategy, members: &[(&str, Signals)]) -> String {
    order_of(&inputs(strategy, members))
}

const ANY: Signals = Signals::UNKNOWN;

#[test]
fn the_cheapest_that_is_known_goes_first_and_the_unknown_last() {
    let cost = |cost| Signals { cost, ..ANY };
    let members = [("a", cost(None)), ("b", cost(Some(9))), ("c", cost(Some(0))), ("d", cost(Some(9)))];
    assert_eq!(order(Strategy::CostOptimized, &members), "cbda");
}

#[test]
fn the_smallest_window_that_fits_goes_first_and_the_unknown_last() {
    let context = |context| Signals { context, ..ANY };
    let members = [("a", context(None)), ("b", context(Some(200_000))), ("c", context(Some(8_000)))];
    assert_eq!(order(Strategy::ContextOptimized, &members), "cba");
}

#[test]
fn the_least_used_goes_first() {
    let used = |used| Signals { used, ..ANY };
    assert_eq!(
        order(Strategy::LeastUsed, &[("a", used(7)), ("b", used(2)), ("c", used(0)), ("d", used(2))]),
        "cbda"
    );
}

#[test]
fn the_most_headroom_goes_first_and_no_quota_is_all_of_it() {
    let left = |left| Signals { left, ..ANY };
    let members = [("a", left(Some(100))), ("b", left(Some(900))), ("c", left(None)), ("d", left(Some(900)))];
    assert_eq!(order(Strategy::Headroom, &members), "cbda");
}

#[test]
fn the_window_that_starts_anew_soonest_goes_first() {
    let resets = |resets_at| Signals { resets_at, ..ANY };
    let members = [("a", resets(None)), ("b", resets(Some(9))), ("c", resets(Some(3)))];
    assert_eq!(order(Strategy::ResetWindow, &members), "cba");
}

#[test]
fn untouched_accounts_go_first_then_the_week_that_ends_soonest_then_the_priority() {
    let share = |used, resets_at| Some(Share { used, resets_at });
    let windows = |five_hours, week| Signals { five_hours, week, ..ANY };
    let members = [
        ("a", ANY),
        ("b", windows(share(500, Some(60)), share(100, Some(900)))),
        ("c", windows(share(0, None), share(0, None))),
        ("d", windows(share(0, None), share(300, Some(500)))),
        ("e", windows(share(0, None), share(0, Some(50)))),
        ("f", windows(share(10, Some(1)), share(10, None))),
    ];
    assert_eq!(order(Strategy::ResetAware, &members), "cedbfa");

    let unseen = Signals { tier: Tier::Subscription, ..ANY };
    let members = [("a", ANY), ("b", windows(share(10, Some(1)), share(10, Some(1)))), ("c", unseen)];
    assert_eq!(
        order(Strategy::ResetAware, &members),
        "cba",
        "a subscription that has not told of its windows"
    );
}

#[test]
fn requests_that_begin_alike_go_to_the_same_target() {
    let pull = |pull| Signals { pull, ..ANY };
    assert_eq!(order(Strategy::CacheOptimized, &[("a", pull(3)), ("b", pull(9)), ("c", pull(5))]), "bca");
}

#[test]
fn the_best_rank_goes_first() {
    let rank = |rank| Signals { rank, ..ANY };
    let members = [("a", rank(None)), ("b", rank(Some(20))), ("c", rank(Some(1))), ("d", rank(None))];
    assert_eq!(order(Strategy::AutoRanked, &members), "cbad");
}

#[test]
fn the_last_good_one_goes_first_while_that_is_fresh() {
    let mut inputs = inputs(Strategy::Lkgp, &[("a", ANY), ("b", ANY), ("c", ANY)]);
    assert_eq!(order_of(&inputs), "abc");
    inputs.root.slot = Some(Slot::Good { place: 2, at: inputs.now });
    assert_eq!(order_of(&inputs), "cab");
    inputs.now += 3_600_000;
    assert_eq!(order_of(&inputs), "abc");
}

#[test]
fn of_two_choices_the_less_loaded_wins() {
    let members = [("a", Signals { in_flight: 50, ..ANY }), ("b", ANY)];
    for seed in 0..100 {
        assert_eq!(order_of(&Inputs { seed, ..inputs(Strategy::P2c, &members) }), "ba");
    }
    // Of three, the loaded one is first only where it is not drawn against a better one: never.
    let members = [("a", ANY), ("s", Signals { p95_ms: Some(60_000), ..ANY }), ("b", ANY)];
    let firsts: String = (0..300)
        .filter_map(|seed| order_of(&Inputs { seed, ..inputs(Strategy::P2c, &members) }).chars().next())
        .collect();
    assert!(!firsts.contains('s') && firsts.contains('a') && firsts.contains('b'));
}

/// A queue in numbers: requests come every 10 ms; one of four servers takes 400 ms, the others 20. Two choices keep the mean
/// far below what a random choice gives.
#[test]
fn two_choices_beat_chance_on_a_slow_target() {
    let mean = |strategy: Strategy| {
        let serve = [400_u64, 20, 20, 20];
        let mut busy: [Vec<u64>; 4] = Default::default();
        let mut waited = 0;
        for nth in 0..2_000_u64 {
            let now = nth * 10;
            busy.iter_mut().for_each(|queue| queue.retain(|end| *end > now));
            let signals = |at: usize| Signals {
                in_flight: busy[at].len() as u32,
                p95_ms: (nth > 100).then_some(serve[at] as u32),
                ..ANY
            };
            let members = [("0", signals(0)), ("1", signals(1)), ("2", signals(2)), ("3", signals(3))];
            let first = decide(&Inputs { seed: nth, ..inputs(strategy, &members) }).order[0];
            let end = busy[first].iter().copied().max().unwrap_or(now).max(now) + serve[first];
            busy[first].push(end);
            waited += end - now;
        }
        waited / 2_000
    };
    let (choices, chance) = (mean(Strategy::P2c), mean(Strategy::Random));
    assert!(choices * 5 < chance, "two choices: {choices} ms, chance: {chance} ms");
}

#[test]
fn auto_goes_by_the_score_and_explains_it() {
    let members = [
        ("a", Signals { cost: Some(100), p95_ms: Some(2_000), ..ANY }),
        ("b", Signals { cost: Some(100), p95_ms: Some(200), ..ANY }),
        ("c", Signals { cost: Some(100), p95_ms: Some(200), breaker: Some(500), ..ANY }),
    ];
    let inputs = Inputs { seed: 3, ..inputs(Strategy::Auto, &members) };
    assert_eq!(order_of(&inputs), "bca");
    let decision = decide(&inputs);
    assert_eq!(decision.scores.len(), 3);
    assert!(decision.scores.windows(2).all(|pair| pair[0].0 < pair[1].0));
}

#[test]
fn auto_explores_one_request_in_twenty_and_never_in_an_outage() {
    let explored = |members: &[(&str, Signals)]| {
        (0..10_000)
            .filter(|&seed| decide(&Inputs { seed, ..inputs(Strategy::Auto, members) }).order[0] != 0)
            .count()
    };
    let good = Signals { p95_ms: Some(100), ..ANY };
    let slow = Signals { p95_ms: Some(900), ..ANY };
    // Half of the explorations draw the one that is first anyway: 250 of 10,000, with a standard deviation of 15.6.
    let times = explored(&[("a", good), ("b", slow)]);
    assert!((188..=312).contains(&times), "{times}");
    let ill = |signals: Signals| Signals { breaker: Some(500), ..signals };
    assert_eq!(explored(&[("a", ill(good)), ("b", ill(slow))]), 0);
}

#[test]
fn auto_puts_the_hopeless_on_the_bench_and_back() {
    let hopeless = Signals {
        left: Some(0),
        breaker: Some(0),
        cost: Some(1_000_000),
        p95_ms: Some(1_000_000),
        success: Some(0),
        task_fit: Some(0),
        ..ANY
    };
    let mut inputs =
        inputs(Strategy::Auto, &[("a", hopeless), ("b", Signals { cost: Some(1), p95_ms: Some(1), ..ANY })]);
    inputs.seed = 3;
    let decision = decide(&inputs);
    let benched = vec![Bench { place: 0, until: inputs.now + 300_000, times: 1 }];
    assert_eq!(decision.advances.first().map(|advance| &advance.slot), Some(&Slot::Bench(benched.clone())));
    // Better now, and still benched until its time is over.
    inputs.root.slot = Some(Slot::Bench(benched));
    if let Some(Growth::Leaf(leaf)) = inputs.root.members.first_mut().map(|twig| &mut twig.node) {
        leaf.signals = Signals { cost: Some(1), p95_ms: Some(1), task_fit: Some(1000), ..ANY };
    }
    assert_eq!(order_of(&inputs), "ba");
    inputs.now += 300_000;
    assert_eq!(order_of(&inputs), "ab");
}

#[test]
fn a_group_by_tier_uses_up_one_tier_after_the_other() {
    let tier = |tier| Signals { tier, ..ANY };
    let members = [
        ("a", tier(Tier::Free)),
        ("b", tier(Tier::Key)),
        ("c", tier(Tier::Subscription)),
        ("d", tier(Tier::Cheap)),
        ("e", tier(Tier::Subscription)),
    ];
    let mut inputs = inputs(Strategy::RoundRobin, &members);
    inputs.root.by_tier = true;
    assert_eq!(order_of(&inputs), "cebda");
    inputs.root.slot = decide(&inputs).advances.pop().map(|advance| advance.slot);
    assert_eq!(order_of(&inputs), "ecbda", "turns are taken within the tier");
}

#[test]
fn a_session_and_the_callers_own_order_go_before_the_strategy_and_take_no_turn() {
    let mut inputs = inputs(Strategy::RoundRobin, &[("a", ANY), ("b", ANY), ("c", ANY), ("d", ANY)]);
    inputs.preferred = vec![3, 1];
    assert_eq!(order_of(&inputs), "dbac");
    inputs.preferred.clear();
    inputs.affine = Some(2);
    assert_eq!(order_of(&inputs), "cabd");
    assert!(decide(&inputs).advances.is_empty());
    if let Some(Growth::Leaf(leaf)) = inputs.root.members.get_mut(2).map(|twig| &mut twig.node) {
        leaf.state = State::Barred;
    }
    assert_eq!(order_of(&inputs), "abd", "it is dropped the moment it cannot be used");
}
