//! The ledger's promises as properties, and what a budget does when its store is slow, fails, or outlives it.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use canon::Dialect;
use futures_core::future::BoxFuture;
use operations::Scopes;
use proptest::prelude::*;

use super::{
    ledger::{Ledger, Room, slice},
    *,
};
use crate::engine::{
    caller::CallerKind,
    settings::{AuthStyle, Connection, Models, Provider, Scope, Tier, Window},
};

/// Days of the test's clock.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// A store that counts, and can fail or take its time.
#[derive(Default)]
struct Shelf {
    leases: Mutex<BTreeMap<Key, LeaseRecord>>,
    puts: AtomicUsize,
    fails: AtomicBool,
}

impl LeaseStore for Shelf {
    fn load(&self, since: i64) -> BoxFuture<'_, Result<Vec<LeaseRecord>, LeaseError>> {
        let kept = lock(&self.leases).values().filter(|lease| lease.window >= since).cloned().collect();
        Box::pin(std::future::ready(Ok(kept)))
    }

    fn put(&self, leases: Vec<LeaseRecord>) -> BoxFuture<'_, Result<(), LeaseError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if self.fails.load(Ordering::Relaxed) {
                return Err(LeaseError("the disk is full".into()));
            }
            self.puts.fetch_add(1, Ordering::Relaxed);
            let keyed = leases.into_iter().map(|lease| ((lease.budget.clone(), lease.holder.clone()), lease));
            lock(&self.leases).extend(keyed);
            Ok(())
        })
    }
}

struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct Scene {
    shelf: Arc<Shelf>,
    hand: Arc<Hand>,
    budget: Vec<Arc<Budget>>,
    budgets: Arc<Budgets>,
}

impl Scene {
    async fn new(mode: Mode, limit: f64) -> Self {
        let (shelf, hand) = (Arc::<Shelf>::default(), Arc::new(Hand(AtomicI64::new(100 * DAY))));
        let budget = Budget {
            id: "b".into(),
            scope: Scope::All,
            limit: usd(limit),
            window: Window::Day,
            reset_minute: 0,
            mode,
            warn: 0.8,
            over: Over::Warn,
            unknown_price: UnknownPrice::Refuse,
        };
        let budgets = Arc::new(Budgets::load(shelf.clone(), hand.clone()).await.unwrap());
        Self { shelf, hand, budget: vec![Arc::new(budget)], budgets }
    }

    /// The same after a crash: only the store is left.
    async fn again(self) -> Self {
        let budgets = Arc::new(Budgets::load(self.shelf.clone(), self.hand.clone()).await.unwrap());
        Self { budgets, ..self }
    }

    async fn reserve(&self, amount: f64) -> Result<Vec<Hold>, Denied> {
        self.budgets.reserve(&self.budget, &caller(), &target(), Some(usd(amount))).await
    }

    async fn spend(&self, amount: f64, cost: f64) -> Result<(), Denied> {
        for hold in self.reserve(amount).await? {
            hold.settle(usd(cost));
        }
        Ok(())
    }

    fn spent(&self) -> f64 {
        self.budgets.spent(&self.budget[0], "").dollars()
    }
}

fn usd(dollars: f64) -> Usd {
    Usd::from_dollars(dollars).unwrap()
}

fn caller() -> Caller {
    let (id, name) = ("key_1".into(), "ci".into());
    Caller { id, name, kind: CallerKind::Key, scopes: Scopes::default(), address: None, policy: None }
}

fn target() -> Target {
    let provider: Provider =
        serde_json::from_value(serde_json::json!({"id": "p", "name": "P", "auth": AuthStyle::Bearer}))
            .unwrap();
    let connection = Connection {
        id: "c".into(),
        provider: Arc::new(provider),
        credential: None,
        oauth: None,
        endpoints: BTreeMap::new(),
        models: Models::default(),
        allowance: Arc::default(),
        no_training: false,
        proxy: None,
        priority: 0,
        tier: Tier::Cheap,
        fingerprint: 1,
    };
    Target {
        connection: Arc::new(connection),
        model: "m".into(),
        dialect: Dialect::Chat,
        facts: Arc::default(),
    }
}

#[test]
fn a_budget_counts_whom_it_names() {
    let of = |scope: Scope| scope::holder(&scope, &caller(), &target()).as_deref().map(str::to_owned);
    for scope in [
        Scope::All,
        Scope::Caller("key_1".into()),
        Scope::Caller("ci".into()),
        Scope::Tier(Tier::Cheap),
        Scope::Provider("p".into()),
    ] {
        assert_eq!(of(scope.clone()).as_deref(), Some(""), "{scope:?}");
    }
    assert_eq!(of(Scope::EachCaller).as_deref(), Some("key_1"));
    for scope in [Scope::Caller("other".into()), Scope::Tier(Tier::Free), Scope::Provider("q".into())] {
        assert_eq!(of(scope), None);
    }
}

#[tokio::test(start_paused = true)]
async fn two_hundred_at_once_get_exactly_what_there_is() {
    let scene = Arc::new(Scene::new(Mode::Strict, 50.0).await);
    let all = (0..200).map(|_| {
        let scene = Arc::clone(&scene);
        tokio::spawn(async move { scene.spend(1.0, 1.0).await.is_ok() })
    });
    let mut spent = 0;
    for one in all.collect::<Vec<_>>() {
        spent += usize::from(one.await.unwrap());
    }
    assert_eq!((spent, scene.spent()), (50, 50.0));
    assert!(scene.shelf.puts.load(Ordering::Relaxed) < 25, "slices, not requests, are written");
}

#[tokio::test(start_paused = true)]
async fn what_is_reserved_comes_back_and_what_was_spent_stays() {
    let scene = Scene::new(Mode::Strict, 10.0).await;
    let held = scene.reserve(6.0).await.unwrap();
    let full = scene.reserve(6.0).await.err().unwrap();
    assert!(full.clone().refusal().message.contains("is reserved for requests that are running"));
    assert_eq!(full.refusal().retry_after, Some(Duration::from_secs(1)));
    drop(held);
    assert_eq!(scene.spent(), 0.0);
    scene.spend(6.0, 2.5).await.unwrap();
    assert_eq!(scene.spent(), 2.5);
    scene.spend(1.0, 7.5).await.unwrap();
    let used_up = scene.reserve(0.5).await.err().unwrap().refusal();
    assert_eq!((used_up.code.as_str(), used_up.status()), ("budget_exceeded", 429));
    assert!(
        used_up
            .message
            .starts_with("The budget `b` of $10 per day is used up. It begins anew at 1970-04-12 00:00 UTC.")
    );
    assert_eq!(used_up.retry_after, Some(Duration::from_secs(86_400)));
    scene.hand.0.fetch_add(DAY, Ordering::Relaxed);
    scene.spend(10.0, 10.0).await.unwrap();
    scene.hand.0.fetch_sub(DAY, Ordering::Relaxed);
    assert!(scene.reserve(1.0).await.is_err(), "a clock that is set back begins no new window");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_outlives_its_window_does_not_count_in_the_next() {
    let scene = Scene::new(Mode::Strict, 10.0).await;
    let held = scene.reserve(6.0).await.unwrap();
    scene.hand.0.fetch_add(DAY, Ordering::Relaxed);
    let next = scene.reserve(10.0).await.unwrap();
    for hold in held {
        hold.settle(usd(6.0));
    }
    assert_eq!(scene.spent(), 0.0);
    drop(next);
    scene.spend(10.0, 10.0).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_lease_and_spending_counts_too_much_and_never_too_little() {
    let mut scene = Scene::new(Mode::Strict, 50.0).await;
    let mut really = 0.0;
    for _ in 0..4 {
        scene.spend(1.0, 0.75).await.unwrap();
        really += 0.75;
        scene = scene.again().await;
        let counted = scene.spent();
        assert!(counted >= really, "{counted} of {really}");
    }
    // Each crash may lose a slice, and what was reserved and cost less.
    let lost = scene.spent() - really;
    assert!(lost <= 4.0 * (slice(usd(50.0)).dollars() + 0.25), "{lost}");
    scene.budgets.close().await.unwrap();
    let before = scene.spent();
    scene.spend(1.0, 0.5).await.unwrap();
    scene.budgets.close().await.unwrap();
    let scene = scene.again().await;
    assert_eq!(scene.spent(), before + 0.5, "an orderly stop loses nothing");
}

#[tokio::test(start_paused = true)]
async fn without_a_store_a_strict_budget_refuses_and_a_soft_one_goes_on() {
    let strict = Scene::new(Mode::Strict, 50.0).await;
    strict.spend(1.0, 1.0).await.unwrap();
    strict.shelf.fails.store(true, Ordering::Relaxed);
    let mut served = 0;
    let refused = loop {
        match strict.spend(1.0, 1.0).await {
            Ok(()) => served += 1,
            Err(denied) => break denied.refusal(),
        }
    };
    assert!(served <= 3, "no more than was leased: {served}");
    assert_eq!((refused.code.as_str(), refused.status()), ("budget_unavailable", 503));
    strict.shelf.fails.store(false, Ordering::Relaxed);
    strict.spend(1.0, 1.0).await.unwrap();

    let soft = Scene::new(Mode::Soft, 5.0).await;
    soft.shelf.fails.store(true, Ordering::Relaxed);
    for _ in 0..10 {
        soft.spend(1.0, 1.0).await.unwrap();
    }
    assert_eq!(soft.spent(), 10.0);
    soft.shelf.fails.store(false, Ordering::Relaxed);
    soft.spend(1.0, 1.0).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(soft.again().await.spent() >= 11.0, "what a soft budget counts survives too");
}

#[tokio::test]
async fn the_verdict_is_that_of_the_strictest() {
    let mut scene = Scene::new(Mode::Soft, 1.0).await;
    let other = |budget: &Budget, id: &str| Budget { id: id.into(), ..budget.clone() };
    let soft = Arc::clone(&scene.budget[0]);
    let degrades = Budget { over: Over::Degrade(Tier::Free), ..other(&soft, "d") };
    let strict = Budget { mode: Mode::Strict, ..other(&soft, "s") };
    let verdict = |scene: &Scene| scene.budgets.verdict(&scene.budget, &caller(), &target());
    scene.budget.push(Arc::new(degrades));
    assert_eq!(verdict(&scene), Verdict::Within);
    scene.spend(1.0, 1.0).await.unwrap();
    assert_eq!(verdict(&scene), Verdict::Degrade(Tier::Free));
    scene.budget.push(Arc::new(strict));
    scene.spend(1.0, 1.0).await.unwrap();
    assert_eq!(verdict(&scene), Verdict::UsedUp { until: 101 * DAY });
}

#[tokio::test]
async fn an_unknown_price_is_not_taken_for_zero() {
    let scene = Scene::new(Mode::Strict, 1.0).await;
    let denied = scene.budgets.reserve(&scene.budget, &caller(), &target(), None).await.err().unwrap();
    assert_eq!(denied.refusal().code.as_str(), "price_unknown");
    let allows = vec![Arc::new(Budget { unknown_price: UnknownPrice::Allow, ..(*scene.budget[0]).clone() })];
    assert!(scene.budgets.reserve(&allows, &caller(), &target(), None).await.unwrap().is_empty());
}

#[test]
fn the_usual_answer_is_learned() {
    let usual = Usual::default();
    assert_eq!(usual.output(&target()), 1024, "nothing is known yet");
    usual.learn(&target(), 4000);
    assert_eq!(usual.output(&target()), 4000);
    for _ in 0..100 {
        usual.learn(&target(), 800);
    }
    assert!((790..=810).contains(&usual.output(&target())), "{}", usual.output(&target()));
    for _ in 0..100 {
        usual.learn(&target(), 1);
    }
    assert_eq!(usual.output(&target()), 256, "never less than this");
}

#[derive(Debug, Clone)]
enum Step {
    Reserve(u64),
    /// Which of the running ones, and how many hundredths of its reservation it cost.
    Settle(usize, u64),
    Release(usize),
    Lease,
    NextWindow,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u64..400).prop_map(Step::Reserve),
        3 => (any::<usize>(), 0_u64..=100).prop_map(|(which, part)| Step::Settle(which, part)),
        1 => any::<usize>().prop_map(Step::Release),
        3 => Just(Step::Lease),
        1 => Just(Step::NextWindow),
    ];
    proptest::collection::vec(step, 1..200)
}

proptest! {
    /// Whatever happens in whatever order: never beyond the limit, never beyond what was written down, the sums are those
    /// of what runs and what was settled, and each window begins with nothing.
    #[test]
    fn a_strict_ledger_never_spends_more_than_it_may(steps in steps()) {
        let limit = Usd::from_pico(1000);
        let mut ledger = Ledger::new(0, Usd::ZERO, true);
        let (mut running, mut spent, mut written, mut window) = (Vec::<(i64, u64)>::new(), 0, 0, 0);
        for step in steps {
            match step {
                Step::Reserve(pico) => {
                    let fits = ledger.used().pico() + pico <= limit.pico();
                    match ledger.reserve(Usd::from_pico(pico), Some(limit)) {
                        Room::Reserved => {
                            prop_assert!(fits);
                            running.push((window, pico));
                        }
                        Room::NotLeased => prop_assert!(fits && ledger.used().pico() + pico > written),
                        Room::None => prop_assert!(!fits),
                    }
                }
                Step::Settle(which, part) if !running.is_empty() => {
                    let (began, pico) = running.swap_remove(which % running.len());
                    let cost = pico * part / 100;
                    ledger.settle(began, Usd::from_pico(pico), Usd::from_pico(cost));
                    spent += if began == window { cost } else { 0 };
                }
                Step::Release(which) if !running.is_empty() => {
                    let (began, pico) = running.swap_remove(which % running.len());
                    ledger.settle(began, Usd::from_pico(pico), Usd::ZERO);
                }
                Step::Lease => {
                    if let Some(next) = ledger.next_lease(limit, true) {
                        prop_assert!(next.pico() > written && next <= limit, "ahead, and within the limit");
                        written = next.pico();
                        ledger.lease(window, next);
                    }
                }
                Step::NextWindow => {
                    window += 1;
                    (spent, written) = (0, 0);
                    ledger.roll(window);
                    ledger.roll(window - 1);
                    prop_assert_eq!(ledger.used(), Usd::ZERO);
                }
                Step::Settle(..) | Step::Release(_) => {}
            }
            let reserved: u64 = running.iter().filter(|(began, _)| *began == window).map(|(_, pico)| pico).sum();
            prop_assert_eq!(ledger.used().pico(), spent + reserved);
            prop_assert_eq!(ledger.spent().pico(), spent);
            prop_assert!(ledger.used() <= limit && ledger.used().pico() <= written);
        }
    }
}
