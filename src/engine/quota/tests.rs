//! The ledger as a whole: many requests at a time, every way in which one can end, and what is known after a restart.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, atomic::AtomicI64},
};

use bytes::Bytes;
use canon::{Dialect, Facts, Usage};
use proptest::prelude::*;

use super::*;
use crate::engine::{
    fault::{Fault, FaultKind},
    ports::Task,
    settings::{Allowance, AuthStyle, Limit, Models, Provider, Quota, Reset, Span, Unit},
};

type Place = (Arc<str>, Option<Arc<str>>);

/// Stands until it is moved, and keeps the last record of each window.
#[derive(Default)]
struct World {
    now: AtomicI64,
    kept: Mutex<HashMap<Place, WindowRecord>>,
}

impl Clock for World {
    fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }
}

impl WindowSink for World {
    fn window(&self, record: WindowRecord) {
        self.kept.lock().unwrap().insert((Arc::clone(&record.name), record.model.clone()), record);
    }
}

impl World {
    fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    fn records(&self) -> Vec<WindowRecord> {
        self.kept.lock().unwrap().values().cloned().collect()
    }
}

fn limit(span: Span, unit: Unit, amount: u64) -> Limit {
    Limit { span, unit, amount, model: None, reset: Reset::Rolling, each: 0 }
}

fn target(limits: Vec<Limit>) -> Target {
    let row = serde_json::json!({"id": "p", "name": "P", "auth": AuthStyle::Bearer});
    let provider: Provider = serde_json::from_value(row).unwrap();
    let quota = Quota { limits, ..Quota::default() };
    let connection = Connection {
        id: "c".into(),
        provider: Arc::new(provider),
        credential: None,
        oauth: None,
        endpoints: BTreeMap::new(),
        models: Models::default(),
        priority: 0,
        tier: crate::engine::settings::Tier::default(),
        no_training: false,
        proxy: None,
        allowance: Arc::new(Allowance { quota, pace: None }),
        fingerprint: 1,
    };
    Target {
        connection: Arc::new(connection),
        model: "m".into(),
        dialect: Dialect::Chat,
        facts: Arc::default(),
    }
}

fn request(bytes: usize) -> Request {
    Request {
        dialect: Dialect::Chat,
        task: Task::Generate,
        body: Bytes::from(vec![b' '; bytes]),
        facts: Arc::new(Facts::default()),
        headers: http::HeaderMap::new(),
        searches: false,
        keeps: false,
        shaping: None,
    }
}

fn ledger(world: &Arc<World>, target: &Target) -> Ledger {
    let kept = world.records();
    let (clock, sink) = (Arc::<World>::clone(world), Arc::<World>::clone(world));
    Ledger::new(clock, sink, &kept, &[Arc::clone(&target.connection)])
}

fn remaining(ledger: &Ledger, target: &Target) -> f32 {
    ledger.view().of(&target.connection, &target.model).remaining.unwrap()
}

fn used(tokens: u64) -> Usage {
    Usage { input: tokens, ..Usage::default() }
}

fn reading(name: &'static str, span: Option<Span>, used: f64, resets_at: i64) -> Reading {
    Reading {
        name,
        unit: None,
        span,
        of_model: false,
        limit: None,
        used,
        resets_at: Some(resets_at),
        refills: false,
        exhausted: false,
    }
}

#[test]
fn fifty_of_two_hundred_threads_pass_a_limit_of_fifty() {
    let world = Arc::new(World::default());
    let target = target(vec![limit(Span::DAY, Unit::Requests, 50)]);
    let ledger = ledger(&world, &target);
    let start = std::sync::Barrier::new(200);
    let held: Vec<Option<Reservation>> = std::thread::scope(|scope| {
        let ask = || {
            start.wait();
            ledger.reserve(&target, &request(10)).ok().flatten()
        };
        let threads: Vec<_> = (0..200).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(held.iter().flatten().count(), 50);
    let blocked = ledger.view().blocked(&target.connection, "m").unwrap();
    assert_eq!((&*blocked.window, blocked.until > 0), ("requests per day", true));
}

#[test]
fn each_way_to_end_has_its_price() {
    let fault = |kind, status| Fault { status, ..Fault::new(kind, "evidence") };
    // Kind, status, reported tokens: requests and tokens that count. The guess is 25 for the body and 1000 for the answer.
    for (kind, status, reported, requests, tokens) in [
        (FaultKind::RateLimited, Some(429), None, 0, 0),
        (FaultKind::Unreachable, None, None, 0, 0),
        (FaultKind::InvalidRequest, None, None, 0, 0),
        (FaultKind::InvalidRequest, Some(400), None, 1, 0),
        (FaultKind::Unavailable, Some(503), None, 1, 0),
        (FaultKind::Malformed, Some(200), None, 1, 1025),
        (FaultKind::Cut, Some(200), Some(7), 1, 7),
        (FaultKind::TimedOut(crate::engine::fault::Stage::FirstContent), None, None, 1, 1025),
    ] {
        let world = Arc::new(World::default());
        let limits = vec![limit(Span::DAY, Unit::Requests, 10), limit(Span::DAY, Unit::Tokens, 10_000)];
        let target = target(limits);
        let ledger = ledger(&world, &target);
        let hold = ledger.reserve(&target, &request(100)).unwrap().unwrap();
        hold.failed(&fault(kind, status), reported.map(used));
        ledger.save();
        let kept = world.records();
        let count = |name: &str| kept.iter().find(|one| *one.name == *name).unwrap().used;
        assert_eq!(
            (count("requests per day"), count("tokens per day")),
            (requests, tokens),
            "{kind} {status:?}"
        );
    }
}

#[test]
fn a_limit_of_one_model_leaves_the_others_alone() {
    let world = Arc::new(World::default());
    let mut only = limit(Span::DAY, Unit::Requests, 1);
    only.model = Some("m".into());
    let target = target(vec![only]);
    let ledger = ledger(&world, &target);
    drop(ledger.reserve(&target, &request(1)).unwrap());
    assert!(ledger.reserve(&target, &request(1)).is_err());
    let other = Target { model: "other".into(), ..target };
    assert!(ledger.reserve(&other, &request(1)).unwrap().is_none());
}

#[test]
fn a_request_larger_than_the_window_waits_for_an_empty_one() {
    let world = Arc::new(World::default());
    let target = target(vec![limit(Span::MINUTE, Unit::Tokens, 500)]);
    let ledger = ledger(&world, &target);
    let large = ledger.reserve(&target, &request(8000)).unwrap().unwrap();
    assert!(ledger.reserve(&target, &request(8000)).is_err());
    large.settle(Some(used(3000)));
    assert!(remaining(&ledger, &target) <= 0.0);
    world.pass(61);
    assert!(ledger.reserve(&target, &request(8000)).is_ok());
}

#[test]
fn the_planner_sees_both_windows_of_a_subscription() {
    let world = Arc::new(World::default());
    let target = target(Vec::new());
    let ledger = ledger(&world, &target);
    assert_eq!(ledger.view().of(&target.connection, "m"), Headroom::default());
    let (five, week) = (Some(Span::FIVE_HOURS), Some(Span::WEEK));
    ledger.learn(&target, &[reading("5h", five, 0.25, 5000), reading("week", week, 0.5, 90_000)]);
    let room = ledger.view().of(&target.connection, "m");
    assert_eq!(room.five_hours, Some(Share { used: 0.25, resets_at: Some(5000) }));
    assert_eq!(room.week, Some(Share { used: 0.5, resets_at: Some(90_000) }));
    assert_eq!((room.remaining, room.soonest_reset, room.blocked), (Some(0.5), Some(5000), None));
    ledger.learn(&target, &[reading("week", week, 0.99, 90_000)]);
    let blocked = ledger.view().of(&target.connection, "m").blocked.unwrap();
    assert_eq!((&*blocked.window, blocked.until), ("week", 90_000));
    assert!(ledger.reserve(&target, &request(1)).is_err());
    world.pass(90);
    assert_eq!(ledger.view().blocked(&target.connection, "m"), None);
}

#[test]
fn people_see_where_each_figure_comes_from_and_how_old_it_is() {
    let world = Arc::new(World::default());
    let target = target(vec![limit(Span::DAY, Unit::Tokens, 10_000)]);
    let ledger = ledger(&world, &target);
    let running = ledger.reserve(&target, &request(400)).unwrap().unwrap();
    ledger.learn(&target, &[reading("5h", Some(Span::FIVE_HOURS), 0.5, 20_000_000)]);
    let seen = |at: usize| ledger.windows(&target.connection).remove(at);
    assert_eq!((seen(0).used, seen(0).reserved), (0.0, 0.11));
    running.settle(Some(used(500)));
    assert_eq!((seen(0).used, seen(0).reserved), (0.05, 0.0));
    assert_eq!((seen(0).source, seen(0).confidence), (Source::Configured, Confidence::Counted));
    assert_eq!((seen(1).source, seen(1).confidence, seen(1).as_of), (Source::Header, Confidence::Told, 0));
    world.pass(1801);
    assert_eq!(seen(1).confidence, Confidence::Stale);
}

#[test]
fn an_orderly_stop_counts_nothing_twice_and_a_kill_counts_too_much_rather_than_too_little() {
    for (limit_of, orderly) in [(10_u64, true), (1000, true), (10, false), (1000, false)] {
        let world = Arc::new(World::default());
        let target = target(vec![limit(Span::DAY, Unit::Requests, limit_of)]);
        let ledger = self::ledger(&world, &target);
        for _ in 0..7 {
            drop(ledger.reserve(&target, &request(1)).unwrap());
            world.pass(60);
        }
        if orderly {
            ledger.save();
        }
        drop(ledger);
        let again = self::ledger(&world, &target);
        let mut left = 0;
        while again.reserve(&target, &request(1)).is_ok() {
            left += 1;
        }
        let lead = if orderly { 0 } else { (limit_of / 50).max(1) };
        assert!(left <= limit_of - 7 && left >= limit_of - 7 - lead, "{left} {limit_of} {orderly}");
        // What was used is given back when its time has come, not a day after the restart.
        world.pass(86_400 + 1440);
        assert!(again.reserve(&target, &request(1)).is_ok());
    }
}

#[test]
fn what_a_provider_told_survives_a_restart_and_another_credential_does_not() {
    let world = Arc::new(World::default());
    let target = target(Vec::new());
    let first = ledger(&world, &target);
    let of_model =
        Reading { of_model: true, exhausted: true, ..reading("tokens a day", Some(Span::DAY), 1.0, 80_000) };
    first.learn(&target, &[reading("5h", Some(Span::FIVE_HOURS), 0.5, 70_000), of_model]);
    drop(first);
    let again = ledger(&world, &target);
    let room = again.view().of(&target.connection, "m");
    assert_eq!(room.five_hours, Some(Share { used: 0.5, resets_at: Some(70_000) }));
    assert_eq!(room.blocked.map(|blocked| blocked.until), Some(80_000));
    assert_eq!(
        again.view().blocked(&target.connection, "other"),
        None,
        "the other models are as good as before"
    );
    let renewed = Arc::new(Connection { fingerprint: 2, ..(*target.connection).clone() });
    again.retain(std::slice::from_ref(&renewed));
    assert_eq!(again.view().of(&renewed, "m"), Headroom::default());
}

#[test]
fn a_reload_keeps_the_count_and_what_runs_gives_back_to_it() {
    let world = Arc::new(World::default());
    let target = target(vec![limit(Span::DAY, Unit::Tokens, 4000)]);
    let ledger = ledger(&world, &target);
    let running = ledger.reserve(&target, &request(4)).unwrap().unwrap();
    let limits = vec![limit(Span::DAY, Unit::Tokens, 2000), limit(Span::MINUTE, Unit::Requests, 5)];
    let changed = self::target(limits);
    ledger.retain(std::slice::from_ref(&changed.connection));
    assert!(
        ledger.reserve(&changed, &request(4)).is_err(),
        "1001 are reserved, and 1001 do not fit beside them"
    );
    running.settle(Some(used(10)));
    assert!(ledger.reserve(&changed, &request(4)).is_ok());
}

proptest! {
    /// Whatever happens in whatever order: never more requests than the limit within a span, nothing stays reserved, and
    /// what is left is never above the limit.
    #[test]
    fn requests_never_exceed_their_limit(
        steps in proptest::collection::vec((0usize..5, 0i64..40), 1..120),
        most in 1u64..12,
    ) {
        let world = Arc::new(World::default());
        let limits = vec![limit(Span::MINUTE, Unit::Requests, most), limit(Span::HOUR, Unit::Tokens, 50_000)];
        let target = target(limits);
        let ledger = ledger(&world, &target);
        let (mut running, mut sent): (Vec<(Reservation, i64)>, Vec<i64>) = (Vec::new(), Vec::new());
        for (what, pause) in steps {
            world.pass(pause);
            match what {
                0 | 1 => if let Ok(Some(hold)) = ledger.reserve(&target, &request(40)) {
                    running.push((hold, world.now()));
                    sent.push(world.now());
                    let within = sent.iter().filter(|at| **at > world.now() - 60_000).count();
                    prop_assert!(within as u64 <= most);
                },
                2 => if let Some((hold, _)) = running.pop() {
                    hold.settle(Some(used(100)));
                },
                3 => if let Some((hold, at)) = running.pop() {
                    hold.failed(&Fault::new(FaultKind::RateLimited, "no"), None);
                    let place = sent.iter().rposition(|one| *one == at).unwrap();
                    sent.remove(place);
                },
                _ => drop(running.pop()),
            }
            let room = remaining(&ledger, &target);
            prop_assert!((0.0..=1.0).contains(&room));
        }
        running.clear();
        world.pass(3661);
        prop_assert!((remaining(&ledger, &target) - 1.0).abs() < 1e-6);
    }
}
