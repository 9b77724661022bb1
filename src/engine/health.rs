//! What is known of the connections' state: who is to be left alone, until when, and why.
//!
//! Two kinds of cooldown. A *hard* one comes from the provider's own word or from a refused credential: the
//! target is left out until it ends. A *transient* one comes from a failure that may be over at the next request
//! (a 500, a time-out): the target moves behind the healthy ones but is still tried when nothing else is left, so
//! that one bad answer of a sole provider does not black it out.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use super::{
    fault::{Fault, FaultKind, Scope},
    ports::{Clock, CooldownRecord, CooldownSink, Target},
    settings::{Connection, Routing},
};
use crate::observe::events;

/// The first transient cooldown; each further failure in a row doubles it, up to the configured cooldown.
const TRANSIENT_BASE: Duration = Duration::from_secs(5);

/// A provider that says "at once" with a 429 is still given a moment.
const SHORTEST: Duration = Duration::from_millis(250);

/// Locked models per connection. When more fail, the one whose lock ends first is forgotten.
const MODELS_PER_CONNECTION: usize = 256;

/// Why a target is left alone, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cooldown {
    /// When it ends, in milliseconds since the Unix epoch.
    pub until: i64,
    /// What caused it.
    pub kind: FaultKind,
    /// The evidence in words.
    pub message: Arc<str>,
}

/// How a target stands at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is held against it.
    Fit,
    /// It failed a moment ago: to be tried after the others.
    Recovering(Cooldown),
    /// It is to be left alone.
    Cooling(Cooldown),
}

#[derive(Debug, Default)]
struct State {
    fingerprint: u64,
    hard: Option<Cooldown>,
    transient: Option<Cooldown>,
    /// Transient failures in a row.
    strikes: u32,
    models: HashMap<Arc<str>, Cooldown>,
}

type States = HashMap<Arc<str>, State>;

/// The state of every connection about which there is something to say.
pub struct Health {
    states: RwLock<States>,
    clock: Arc<dyn Clock>,
    sink: Arc<dyn CooldownSink>,
}

/// The states as they are while a plan is made.
pub struct View<'a> {
    states: RwLockReadGuard<'a, States>,
    now: i64,
}

impl View<'_> {
    /// How `model` on `connection` stands.
    #[must_use]
    pub fn standing(&self, connection: &Connection, model: &str) -> Standing {
        let Some(state) = self.states.get(&connection.id) else { return Standing::Fit };
        if state.fingerprint != connection.fingerprint {
            return Standing::Fit;
        }
        let running = |cooldown: &&Cooldown| cooldown.until > self.now;
        if let Some(cooldown) = state.hard.as_ref().filter(running) {
            return Standing::Cooling(cooldown.clone());
        }
        if let Some(cooldown) = state.models.get(model).filter(running) {
            return Standing::Cooling(cooldown.clone());
        }
        match state.transient.as_ref().filter(running) {
            Some(cooldown) => Standing::Recovering(cooldown.clone()),
            None => Standing::Fit,
        }
    }

    /// The time at which the view was taken, in milliseconds since the Unix epoch.
    #[must_use]
    pub const fn now(&self) -> i64 {
        self.now
    }
}

impl Health {
    /// Health that starts from cooldowns kept by an earlier run, as far as they are about the accounts that
    /// `connections` name now.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        sink: Arc<dyn CooldownSink>,
        kept: Vec<CooldownRecord>,
        connections: &[Arc<Connection>],
    ) -> Self {
        let same_account = |record: &CooldownRecord| {
            connections.iter().any(|one| one.id == record.connection && one.fingerprint == record.fingerprint)
        };
        let mut states = States::new();
        for record in kept.into_iter().filter(same_account) {
            let state = states.entry(record.connection).or_default();
            state.fingerprint = record.fingerprint;
            let cooldown =
                Cooldown { until: record.until, kind: record.kind, message: record.message.into() };
            match record.model {
                Some(model) => drop(state.models.insert(model, cooldown)),
                None => state.hard = Some(cooldown),
            }
        }
        Self { states: RwLock::new(states), clock, sink }
    }

    /// The states now. Holds a read lock: to be dropped before anything is awaited.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        View { states: self.read(), now: self.clock.now() }
    }

    /// Takes note of a failed attempt.
    pub fn failed(&self, target: &Target, fault: &Fault, routing: &Routing) {
        match (fault.kind.scope(), fault.retry_after) {
            (Scope::Request, _) => {}
            (Scope::Model, _) => self.cool(target, true, fault, routing.retry_after),
            (Scope::Connection | Scope::Transient, Some(wait)) => self.cool(target, false, fault, wait),
            (Scope::Connection, None) => self.cool(target, false, fault, routing.retry_after),
            (Scope::Transient, None) => self.strike(target, fault, routing.retry_after),
        }
    }

    /// Takes note of a served answer: what was transient is over.
    pub fn succeeded(&self, connection: &Connection) {
        let marked = self.read().get(&connection.id).is_some_and(|state| state.strikes > 0);
        if marked && let Some(state) = self.write().get_mut(&connection.id) {
            state.strikes = 0;
            state.transient = None;
        }
    }

    /// Forgets everything about accounts that are no longer configured: connections that are gone, and
    /// those whose credential was replaced.
    pub fn retain(&self, connections: &[Arc<Connection>]) {
        let configured = |id: &Arc<str>, state: &State| {
            connections.iter().any(|one| one.id == *id && one.fingerprint == state.fingerprint)
        };
        let gone: Vec<(Arc<str>, State)> =
            self.write().extract_if(|id, state| !configured(id, state)).collect();
        for (id, state) in gone {
            if state.hard.is_some() {
                self.sink.cleared(Arc::clone(&id), None);
            }
            for model in state.models.into_keys() {
                self.sink.cleared(Arc::clone(&id), Some(model));
            }
        }
    }

    fn cool(&self, target: &Target, only_model: bool, fault: &Fault, wait: Duration) {
        let wait = wait.max(SHORTEST);
        let until = self.clock.now() + millis(wait);
        let cooldown = Cooldown { until, kind: fault.kind, message: fault.message.as_str().into() };
        let model = only_model.then(|| Arc::clone(&target.model));
        {
            let mut states = self.write();
            let state = state_of(&mut states, &target.connection);
            let slot = match &model {
                Some(model) => {
                    make_room(&mut state.models);
                    state.models.insert(Arc::clone(model), cooldown)
                }
                None => state.hard.replace(cooldown),
            };
            // A parallel request may have brought a longer word from the provider: the longer one holds.
            if let Some(earlier) = slot.filter(|earlier| earlier.until > until) {
                match &model {
                    Some(model) => drop(state.models.insert(Arc::clone(model), earlier)),
                    None => state.hard = Some(earlier),
                }
                return;
            }
        }
        let connection = &target.connection;
        events::cooling(&connection.id, model.as_deref(), fault.kind.as_str(), wait, &fault.message);
        self.sink.cooled(CooldownRecord {
            connection: Arc::clone(&connection.id),
            model,
            fingerprint: connection.fingerprint,
            until,
            kind: fault.kind,
            message: fault.message.clone(),
        });
    }

    fn strike(&self, target: &Target, fault: &Fault, longest: Duration) {
        let now = self.clock.now();
        let mut states = self.write();
        let state = state_of(&mut states, &target.connection);
        // Requests that failed together are one failure, not many.
        if state.transient.as_ref().is_some_and(|cooldown| cooldown.until > now) {
            return;
        }
        let wait = TRANSIENT_BASE.saturating_mul(1 << state.strikes.min(16)).min(longest.max(TRANSIENT_BASE));
        state.strikes = state.strikes.saturating_add(1);
        state.transient = Some(Cooldown {
            until: now + millis(wait),
            kind: fault.kind,
            message: fault.message.as_str().into(),
        });
    }

    // A poisoned lock means that a panic happened while it was held; the states are plain
    // values that are replaced whole, so they are still good.
    fn read(&self) -> RwLockReadGuard<'_, States> {
        self.states.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, States> {
        self.states.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The state of a connection; a fresh one when the account behind the id is another one than before.
fn state_of<'a>(states: &'a mut States, connection: &Connection) -> &'a mut State {
    let state = states.entry(Arc::clone(&connection.id)).or_default();
    if state.fingerprint != connection.fingerprint {
        *state = State { fingerprint: connection.fingerprint, ..State::default() };
    }
    state
}

fn make_room(models: &mut HashMap<Arc<str>, Cooldown>) {
    if models.len() < MODELS_PER_CONNECTION {
        return;
    }
    if let Some(first) =
        models.iter().min_by_key(|(_, cooldown)| cooldown.until).map(|(model, _)| Arc::clone(model))
    {
        models.remove(&first);
    }
}

fn millis(duration: Duration) -> i64 {
    duration.as_millis().try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use std::sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    };

    use canon::Dialect;
    use proptest::prelude::*;

    use super::*;
    use crate::engine::settings::{AuthStyle, Models, Provider};

    #[derive(Default)]
    struct World {
        now: AtomicI64,
        kept: Mutex<Vec<CooldownRecord>>,
    }

    impl Clock for World {
        fn now(&self) -> i64 {
            self.now.load(Ordering::Relaxed)
        }
    }

    impl CooldownSink for World {
        fn cooled(&self, record: CooldownRecord) {
            self.kept.lock().unwrap().push(record);
        }
        fn cleared(&self, _: Arc<str>, _: Option<Arc<str>>) {}
    }

    fn target(model: &str) -> Target {
        let provider: Provider =
            serde_json::from_value(serde_json::json!({"id": "p", "name": "P", "auth": AuthStyle::Bearer}))
                .unwrap();
        let connection = Connection {
            id: "c".into(),
            provider: Arc::new(provider),
            credential: None,
            endpoints: std::collections::BTreeMap::new(),
            models: Models { open: true, ..Models::default() },
            priority: 0,
            allowance: Arc::default(),
            fingerprint: 1,
        };
        Target {
            connection: Arc::new(connection),
            model: model.into(),
            dialect: Dialect::Chat,
            facts: Arc::default(),
        }
    }

    fn health() -> (Health, Arc<World>) {
        let world = Arc::new(World::default());
        (Health::new(Arc::<World>::clone(&world), Arc::<World>::clone(&world), Vec::new(), &[]), world)
    }

    fn standing(health: &Health, target: &Target) -> Standing {
        health.view().standing(&target.connection, &target.model)
    }

    fn fault(kind: FaultKind, retry_after: Option<u64>) -> Fault {
        Fault { retry_after: retry_after.map(Duration::from_secs), ..Fault::new(kind, "evidence") }
    }

    #[test]
    fn passing_failures_double_their_pause_and_a_success_ends_it() {
        let (health, world) = health();
        let (target, routing) = (target("m"), Routing::default());
        for seconds in [5, 10, 20, 40] {
            health.failed(&target, &fault(FaultKind::Unavailable, None), &routing);
            // A request that failed beside it counts as the same failure.
            health.failed(&target, &fault(FaultKind::Unavailable, None), &routing);
            assert!(
                matches!(standing(&health, &target), Standing::Recovering(cooldown) if cooldown.until == world.now() + seconds * 1000)
            );
            world.now.fetch_add(seconds * 1000, Ordering::Relaxed);
            assert_eq!(standing(&health, &target), Standing::Fit);
        }
        health.failed(&target, &fault(FaultKind::Unavailable, None), &routing);
        health.succeeded(&target.connection);
        assert_eq!(standing(&health, &target), Standing::Fit);
        assert!(world.kept.lock().unwrap().is_empty(), "what passes by itself is not kept");
    }

    #[test]
    fn the_longer_word_of_a_provider_holds() {
        let (health, world) = health();
        let (target, routing) = (target("m"), Routing::default());
        health.failed(&target, &fault(FaultKind::RateLimited, Some(60)), &routing);
        health.failed(&target, &fault(FaultKind::RateLimited, Some(10)), &routing);
        assert!(
            matches!(standing(&health, &target), Standing::Cooling(cooldown) if cooldown.until == 60_000)
        );
        assert_eq!(world.kept.lock().unwrap().len(), 1);
    }

    proptest! {
        /// Whatever fails: a request's own fault changes nothing, a model's fault touches no other model,
        /// every state ends by itself, and another credential starts afresh.
        #[test]
        fn no_failure_reaches_further_than_its_scope(
            steps in proptest::collection::vec((0usize..6, proptest::option::of(0u64..5000), 0i64..400_000), 1..40),
        ) {
            use FaultKind as Kind;
            let kinds = [Kind::InvalidRequest, Kind::ModelNotFound, Kind::RateLimited, Kind::Unauthorized, Kind::Unavailable, Kind::Cut];
            let (health, world) = health();
            let (one, other, routing) = (target("m"), target("other"), Routing::default());
            for (kind, retry_after, pause) in steps {
                let before = (standing(&health, &one), standing(&health, &other));
                health.failed(&one, &fault(kinds[kind], retry_after), &routing);
                match kinds[kind].scope() {
                    Scope::Request => prop_assert_eq!(before, (standing(&health, &one), standing(&health, &other))),
                    Scope::Model => prop_assert_eq!(before.1, standing(&health, &other)),
                    Scope::Connection => prop_assert!(matches!(standing(&health, &other), Standing::Cooling(_))),
                    Scope::Transient => prop_assert!(standing(&health, &other) != Standing::Fit),
                }
                world.now.fetch_add(pause, Ordering::Relaxed);
            }
            let renewed = Connection { fingerprint: 2, ..(*one.connection).clone() };
            prop_assert_eq!(health.view().standing(&renewed, "m"), Standing::Fit);
            world.now.fetch_add(5_000_000, Ordering::Relaxed);
            prop_assert_eq!(standing(&health, &one), Standing::Fit);
        }
    }
}
