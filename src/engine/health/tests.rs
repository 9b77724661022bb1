//! Health on a clock that stands until it is moved: what locks what and for how long, one case at a time. `random` has
//! the sequences that nobody thinks of.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking")]

mod random;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use canon::Dialect;

use super::*;
use crate::engine::{
    fault::{FaultKind, Stage},
    settings::{AuthStyle, Models, Provider, Zone},
};

/// A connection, and a model when only that one is meant.
type Place = (Arc<str>, Option<Arc<str>>);

/// A clock, and the store as it would survive a restart.
#[derive(Default)]
struct World {
    now: AtomicI64,
    kept: Mutex<BTreeMap<Place, CooldownRecord>>,
}

impl Clock for World {
    fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }
}

impl CooldownSink for World {
    fn cooled(&self, record: CooldownRecord) {
        self.kept.lock().unwrap().insert((Arc::clone(&record.connection), record.model.clone()), record);
    }
    fn cleared(&self, connection: Arc<str>, model: Option<Arc<str>>) {
        self.kept.lock().unwrap().remove(&(connection, model));
    }
}

struct Ground {
    health: Arc<Health>,
    world: Arc<World>,
    routing: Routing,
    connections: Vec<Arc<Connection>>,
}

/// An account at a host.
fn connection(id: &str, host: &str) -> Arc<Connection> {
    let row = serde_json::json!({"id": "p", "name": "P", "auth": AuthStyle::Bearer});
    let provider: Provider = serde_json::from_value(row).unwrap();
    Arc::new(Connection {
        id: id.into(),
        provider: Arc::new(Provider { day: Zone::Pacific, ..provider }),
        credential: None,
        oauth: None,
        endpoints: BTreeMap::from([(Dialect::Chat, format!("https://{host}/v1"))]),
        models: Models { open: true, ..Models::default() },
        priority: 0,
        tier: crate::engine::settings::Tier::default(),
        no_training: false,
        proxy: None,
        allowance: Arc::default(),
        fingerprint: 1,
    })
}

fn target(connection: &Arc<Connection>, model: &str) -> Target {
    Target {
        connection: Arc::clone(connection),
        model: model.into(),
        dialect: Dialect::Chat,
        facts: Arc::default(),
    }
}

impl Ground {
    /// Two accounts at one host and a third one elsewhere.
    fn new() -> Self {
        let world = Arc::new(World::default());
        let connections =
            vec![connection("a", "one.test"), connection("b", "one.test"), connection("c", "two.test:81")];
        let health = Health::new(Arc::<World>::clone(&world), Arc::<World>::clone(&world), vec![], &[]);
        Self { health: Arc::new(health), world, routing: Routing::default(), connections }
    }

    fn at(&self, nth: usize, model: &str) -> Target {
        target(&self.connections[nth], model)
    }

    fn pass(&self, millis: i64) {
        self.world.now.fetch_add(millis, Ordering::Relaxed);
    }

    fn standing(&self, target: &Target) -> Standing {
        self.health.view().standing(&target.connection, &target.model)
    }

    fn breaker(&self, target: &Target) -> BreakerState {
        self.health.view().breaker(&target.connection)
    }

    /// A failure beside which nothing else happens.
    fn fail(&self, target: &Target, kind: FaultKind, said: Option<u64>) {
        self.health.failed(&Trial::free(), target, &fault(kind, said), &self.routing);
    }

    /// How long a target is left alone from now, in seconds; 0 if it is not.
    fn cooling(&self, target: &Target) -> i64 {
        match self.standing(target) {
            Standing::Cooling(cooldown) => (cooldown.until - self.world.now()) / 1000,
            Standing::Fit | Standing::Recovering(_) => 0,
        }
    }

    /// The same after a stop and a start.
    fn restart(&mut self) {
        let now = self.world.now();
        let kept = self.world.kept.lock().unwrap().values().filter(|one| one.until > now).cloned().collect();
        let (clock, sink) = (Arc::<World>::clone(&self.world), Arc::<World>::clone(&self.world));
        self.health = Arc::new(Health::new(clock, sink, kept, &self.connections));
    }
}

fn fault(kind: FaultKind, said: Option<u64>) -> Fault {
    let status = matches!(kind, FaultKind::Unavailable).then_some(503);
    Fault { retry_after: said.map(Duration::from_secs), status, ..Fault::new(kind, "evidence") }
}

#[test]
fn passing_failures_double_their_pause_and_a_success_ends_it() {
    let ground = Ground::new();
    let target = ground.at(0, "m");
    for seconds in [5, 10, 20, 40] {
        ground.fail(&target, FaultKind::Malformed, None);
        // A request that failed beside it counts as the same failure.
        ground.fail(&target, FaultKind::Cut, None);
        let until = ground.world.now() + seconds * 1000;
        assert!(
            matches!(ground.standing(&target), Standing::Recovering(cooldown) if cooldown.until == until)
        );
        ground.pass(seconds * 1000);
        assert_eq!(ground.standing(&target), Standing::Fit);
    }
    ground.fail(&target, FaultKind::Malformed, None);
    ground.health.succeeded(&Trial::free(), &target);
    assert_eq!(ground.standing(&target), Standing::Fit);
    assert!(ground.world.kept.lock().unwrap().is_empty(), "what passes by itself is not kept");
    assert!(ground.health.read().accounts.is_empty(), "and nothing is remembered of a healthy account");
}

#[test]
fn the_longer_word_of_a_provider_holds() {
    let ground = Ground::new();
    let target = ground.at(0, "m");
    ground.fail(&target, FaultKind::RateLimited, Some(60));
    ground.fail(&target, FaultKind::RateLimited, Some(10));
    assert_eq!(ground.cooling(&target), 60);
    ground.fail(&target, FaultKind::RateLimited, Some(90));
    assert_eq!(ground.cooling(&target), 90);
    assert_eq!((ground.cooling(&ground.at(0, "n")), ground.cooling(&ground.at(1, "m"))), (90, 0));
}

#[test]
fn without_a_word_of_the_provider_cooldowns_double_and_a_success_begins_anew() {
    let ground = Ground::new();
    let target = ground.at(0, "m");
    for seconds in [300, 600, 1200, 2400, 2400] {
        for _ in 0..3 {
            ground.fail(&target, FaultKind::Unauthorized, None);
        }
        assert_eq!(ground.cooling(&target), seconds, "failures beside each other are one");
        ground.pass(seconds * 1000);
    }
    // The provider's word neither grows nor lets grow.
    for _ in 0..5 {
        ground.fail(&target, FaultKind::RateLimited, Some(7));
        assert_eq!(ground.cooling(&target), 7);
        ground.pass(7000);
    }
    ground.health.succeeded(&Trial::free(), &target);
    ground.fail(&target, FaultKind::RateLimited, None);
    assert_eq!(ground.cooling(&target), 300);
    ground.pass(300_000 + lock::FADES_AFTER);
    ground.fail(&target, FaultKind::RateLimited, None);
    assert_eq!(ground.cooling(&target), 300, "an hour of peace is forgotten too");
}

#[test]
fn a_model_is_locked_for_itself_and_each_success_halves_its_count() {
    let ground = Ground::new();
    let (target, other) = (ground.at(0, "m"), ground.at(0, "n"));
    for seconds in [120, 240, 480, 960, 1800, 1800] {
        ground.fail(&target, FaultKind::ModelNotFound, None);
        assert_eq!((ground.cooling(&target), ground.cooling(&other)), (seconds, 0));
        ground.pass(seconds * 1000);
    }
    // Six in a row; a success makes it three, and the next failure is the fourth.
    ground.health.succeeded(&Trial::free(), &other);
    ground.health.succeeded(&Trial::free(), &target);
    ground.fail(&target, FaultKind::ModelLimited, None);
    assert_eq!(ground.cooling(&target), 960);
}

#[test]
fn a_quota_of_the_day_is_locked_until_the_vendors_midnight() {
    let ground = Ground::new();
    let target = ground.at(0, "m");
    // 2026-11-21T03:00:00Z is seven in the evening in California.
    ground.pass(1_795_230_000_000);
    ground.fail(&target, FaultKind::DailyQuota, None);
    assert_eq!((ground.cooling(&target), ground.cooling(&ground.at(0, "n"))), (5 * 3600, 0));
    ground.pass(5 * 3_600_000);
    ground.fail(&target, FaultKind::DailyQuota, Some(60));
    assert_eq!(ground.cooling(&target), 60, "a provider's word goes before");
}

#[test]
fn a_breaker_opens_for_all_accounts_of_the_host_and_for_no_other() {
    let ground = Ground::new();
    let (a, b, c) = (ground.at(0, "m"), ground.at(1, "m"), ground.at(2, "m"));
    for nth in 1..=12 {
        ground.pass(1000);
        ground.fail(&a, FaultKind::Unreachable, None);
        ground.fail(&a, FaultKind::Cut, None);
        let expected = match nth {
            ..7 => BreakerState::Closed,
            7..12 => BreakerState::Degraded,
            _ => BreakerState::Open,
        };
        assert_eq!((ground.breaker(&b), ground.breaker(&c)), (expected, BreakerState::Closed), "{nth}");
    }
    assert_eq!((ground.cooling(&b), ground.standing(&c)), (30, Standing::Fit));
    assert!(ground.health.begin(&b).is_err() && ground.health.begin(&c).is_ok());
    let Standing::Cooling(cooldown) = ground.standing(&b) else { panic!() };
    assert_eq!(&*cooldown.message, "one.test failed 12 times in a row; at last: evidence");
}

/// A ground on which the breaker of the first host has just become half-open.
fn half_open() -> Ground {
    let ground = Ground::new();
    for _ in 0..12 {
        ground.pass(1000);
        ground.fail(&ground.at(0, "m"), FaultKind::TimedOut(Stage::FirstContent), None);
    }
    ground.pass(30_000);
    assert_eq!(ground.breaker(&ground.at(1, "m")), BreakerState::HalfOpen);
    ground
}

#[test]
fn one_probe_at_a_time_closes_the_breaker_or_opens_it_for_longer() {
    let ground = half_open();
    let b = ground.at(1, "m");
    for pause in [60, 120, 240, 300, 300] {
        let probe = ground.health.begin(&b).unwrap();
        assert!(probe.is_single() && ground.health.begin(&b).is_err() && ground.health.begin(&b).is_err());
        ground.health.failed(&probe, &b, &fault(FaultKind::Unavailable, None), &ground.routing);
        assert_eq!((ground.breaker(&b), ground.cooling(&b)), (BreakerState::Open, pause));
        ground.pass(pause * 1000);
    }
    // A client that leaves gives the place to the next one.
    drop(ground.health.begin(&b).unwrap());
    let probe = ground.health.begin(&b).unwrap();
    ground.health.answering(&probe, &b);
    assert_eq!(ground.breaker(&b), BreakerState::Degraded, "others need not wait for the end");
    assert!(!ground.health.begin(&b).unwrap().is_single());
    ground.health.succeeded(&probe, &b);
    assert_eq!(ground.breaker(&b), BreakerState::Closed);
    assert!(ground.world.kept.lock().unwrap().is_empty());
}

#[test]
fn a_probe_that_breaks_after_its_first_content_opens_the_breaker_again() {
    let ground = half_open();
    let b = ground.at(1, "m");
    let probe = ground.health.begin(&b).unwrap();
    ground.health.answering(&probe, &b);
    ground.pass(20_000);
    ground.health.failed(&probe, &b, &fault(FaultKind::Cut, None), &ground.routing);
    assert_eq!((ground.breaker(&b), ground.cooling(&b)), (BreakerState::Open, 60));
}

#[test]
fn what_is_no_failure_of_the_host_never_trips_the_breaker_and_proves_a_probe() {
    let ground = Ground::new();
    let a = ground.at(0, "m");
    let busy = Fault { status: Some(529), ..Fault::new(FaultKind::Unavailable, "busy") };
    for _ in 0..50 {
        ground.pass(1000);
        ground.fail(&a, FaultKind::RateLimited, None);
        ground.fail(&a, FaultKind::Malformed, None);
        ground.fail(&a, FaultKind::InvalidRequest, None);
        ground.health.failed(&Trial::free(), &a, &busy, &ground.routing);
        assert_eq!(ground.breaker(&a), BreakerState::Closed);
    }
    let ground = half_open();
    let b = ground.at(1, "m");
    let probe = ground.health.begin(&b).unwrap();
    let limited = Fault { status: Some(429), ..fault(FaultKind::RateLimited, Some(5)) };
    ground.health.failed(&probe, &b, &limited, &ground.routing);
    assert_eq!((ground.breaker(&b), ground.cooling(&b)), (BreakerState::Closed, 5));
}

#[test]
fn an_account_is_dead_only_when_that_is_confirmed_and_a_test_revives_it() {
    let ground = Ground::new();
    let a = ground.at(0, "m");
    let locks = || ground.health.locks().iter().map(|lock| lock.lock).collect::<Vec<_>>();
    for seconds in [300, 600] {
        for _ in 0..10 {
            ground.fail(&a, FaultKind::Deactivated, None);
        }
        assert_eq!((ground.cooling(&a), locks()), (seconds, vec![LockKind::Cooldown]));
        ground.pass(seconds * 1000);
    }
    for hours in [1, 2, 4, 8, 16, 24, 24] {
        ground.fail(&a, FaultKind::PaymentRequired, None);
        assert_eq!((ground.cooling(&a), locks()), (hours * 3600, vec![LockKind::Terminal]));
        ground.pass(hours * 3_600_000);
        assert_eq!(ground.standing(&a), Standing::Fit, "due for a test");
        let test = ground.health.begin(&a).unwrap();
        assert!(test.is_single() && ground.health.begin(&a).is_err());
    }
    let test = ground.health.begin(&a).unwrap();
    ground.health.succeeded(&test, &a);
    assert!(locks().is_empty() && ground.world.kept.lock().unwrap().is_empty());
    ground.fail(&a, FaultKind::Deactivated, None);
    assert_eq!(ground.cooling(&a), 300, "one word is not enough");
}

#[test]
fn a_failure_of_another_kind_is_no_confirmation() {
    let ground = Ground::new();
    let a = ground.at(0, "m");
    for kind in
        [FaultKind::Deactivated, FaultKind::Deactivated, FaultKind::RateLimited, FaultKind::Deactivated]
    {
        ground.fail(&a, kind, None);
        ground.pass(ground.cooling(&a) * 1000);
    }
    assert!(ground.health.locks().is_empty());
}

#[test]
fn locks_survive_a_restart_as_they_were() {
    let mut ground = Ground::new();
    let (a, b) = (ground.at(0, "m"), ground.at(1, "m"));
    for _ in 0..3 {
        ground.pass(2_500_000);
        ground.fail(&a, FaultKind::Deactivated, None);
    }
    ground.fail(&b, FaultKind::DailyQuota, None);
    for _ in 0..12 {
        ground.pass(300);
        ground.fail(&ground.at(2, "m"), FaultKind::Unreachable, None);
    }
    let locks = ground.health.locks();
    let kinds: Vec<LockKind> = locks.iter().map(|lock| lock.lock).collect();
    assert_eq!(kinds, [LockKind::Terminal, LockKind::Cooldown, LockKind::Breaker]);
    ground.restart();
    assert_eq!(ground.health.locks(), locks);
    assert_eq!(ground.breaker(&ground.at(2, "m")), BreakerState::Open);
    // The rows go on where they were.
    ground.pass(30_000);
    let c = ground.at(2, "m");
    let probe = ground.health.begin(&c).unwrap();
    ground.health.failed(&probe, &c, &fault(FaultKind::Unreachable, None), &ground.routing);
    assert_eq!(ground.cooling(&c), 60);
}

#[test]
fn a_reset_by_hand_forgets_what_it_names() {
    let ground = Ground::new();
    let (m, n, b) = (ground.at(0, "m"), ground.at(0, "n"), ground.at(1, "m"));
    ground.fail(&m, FaultKind::ModelNotFound, None);
    ground.fail(&n, FaultKind::ModelNotFound, None);
    ground.health.reset(&m.connection, Some("m"));
    assert_eq!((ground.standing(&m), ground.cooling(&n)), (Standing::Fit, 120));
    for _ in 0..12 {
        ground.pass(300);
        ground.fail(&m, FaultKind::Unreachable, None);
    }
    ground.fail(&m, FaultKind::Unauthorized, None);
    assert_eq!(ground.world.kept.lock().unwrap().len(), 3);
    ground.health.reset(&m.connection, None);
    for target in [&m, &n, &b] {
        assert_eq!(ground.standing(target), Standing::Fit);
    }
    assert!(ground.world.kept.lock().unwrap().is_empty());
}

#[test]
fn another_credential_is_another_account() {
    let ground = Ground::new();
    let a = ground.at(0, "m");
    ground.fail(&a, FaultKind::Unauthorized, None);
    let renewed = Connection { fingerprint: 2, ..(*a.connection).clone() };
    assert_eq!(ground.health.view().standing(&renewed, "m"), Standing::Fit);
    ground.health.retain(&[Arc::new(renewed)]);
    assert!(ground.health.locks().is_empty() && ground.world.kept.lock().unwrap().is_empty());
}
