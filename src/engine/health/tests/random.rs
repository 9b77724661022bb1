//! Random sequences of everything that can happen, against a model that is too simple to be wrong: it keeps the evidence,
//! and knows how far and how long each piece of it may reach. The breaker's model counts on its fingers.

use proptest::prelude::*;

use super::*;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    /// A request wants to ask a target; it takes this place among those that run.
    Begin { slot: usize, nth: usize, model: &'static str },
    /// Its first content comes.
    Content { slot: usize },
    /// Its answer is whole.
    Whole { slot: usize },
    /// It fails.
    Fail { slot: usize, kind: FaultKind, said: Option<u64> },
    /// Its client leaves.
    Leave { slot: usize },
    /// Attempts at a host fail one after the other.
    Storm { nth: usize, times: usize },
    /// A provider says so often that an account is dead, each time when its pause is over.
    Death { nth: usize, times: usize },
    /// Time passes.
    Pass { millis: i64 },
    /// A connection is reset by hand.
    Reset { nth: usize, model: Option<&'static str> },
    /// The hub stops and starts.
    Restart,
}

const SLOTS: usize = 6;

const KINDS: [FaultKind; 14] = [
    FaultKind::InvalidRequest,
    FaultKind::ContextLength,
    FaultKind::Unauthorized,
    FaultKind::CredentialExpired,
    FaultKind::Deactivated,
    FaultKind::PaymentRequired,
    FaultKind::ModelNotFound,
    FaultKind::RateLimited,
    FaultKind::ModelLimited,
    FaultKind::DailyQuota,
    FaultKind::Unavailable,
    FaultKind::Unreachable,
    FaultKind::Malformed,
    FaultKind::Cut,
];

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    let model = prop_oneof![Just("m"), Just("n")];
    let pass = prop_oneof![
        4 => 0i64..2000,
        3 => 2000i64..60_000,
        3 => proptest::sample::select(vec![15_000i64, 30_000, 60_000, 120_000]),
        1 => 60_000i64..100_000_000,
    ];
    // Failures of the host are the half of all, so that breakers get to open.
    let kind = prop_oneof![Just(FaultKind::Unreachable), proptest::sample::select(KINDS.to_vec())];
    prop_oneof![
        8 => (slot.clone(), 0usize..3, model.clone()).prop_map(|(slot, nth, model)| Step::Begin { slot, nth, model }),
        2 => slot.clone().prop_map(|slot| Step::Content { slot }),
        1 => slot.clone().prop_map(|slot| Step::Whole { slot }),
        8 => (slot.clone(), kind, proptest::option::weighted(0.3, 0u64..5000))
            .prop_map(|(slot, kind, said)| Step::Fail { slot, kind, said }),
        2 => (0usize..3, 3usize..14).prop_map(|(nth, times)| Step::Storm { nth, times }),
        1 => (0usize..3, 1usize..6).prop_map(|(nth, times)| Step::Death { nth, times }),
        1 => slot.prop_map(|slot| Step::Leave { slot }),
        6 => pass.prop_map(|millis| Step::Pass { millis }),
        1 => (0usize..3, proptest::option::of(model)).prop_map(|(nth, model)| Step::Reset { nth, model }),
        1 => Just(Step::Restart),
    ]
}

/// A failure that was reported, and what it may be held against.
struct Evidence {
    at: i64,
    nth: usize,
    model: Arc<str>,
    kind: FaultKind,
    said: Option<u64>,
}

impl Evidence {
    /// Whether it may be held against this target.
    fn covers(&self, nth: usize, model: &str) -> bool {
        let same_host = (self.nth < 2) == (nth < 2);
        match self.kind.scope() {
            _ if same_host && fault(self.kind, None).is_of_host() => true,
            Scope::Request => false,
            Scope::Model => self.nth == nth && &*self.model == model,
            Scope::Connection | Scope::Transient => self.nth == nth,
        }
    }

    /// The longest that it may last, in milliseconds: the provider's word, or the most that the rules know.
    fn longest(&self) -> i64 {
        let rules = 1000
            * match self.kind {
                FaultKind::ModelNotFound | FaultKind::ModelLimited => 1800,
                FaultKind::DailyQuota => 25 * 3600,
                FaultKind::Unauthorized | FaultKind::RateLimited => 2400,
                FaultKind::Deactivated | FaultKind::CredentialExpired | FaultKind::PaymentRequired => 86_400,
                _ => 300,
            };
        rules.max(self.said.unwrap_or_default() as i64 * 1000)
    }
}

/// What a breaker should be, told from nothing but what happened to its host.
#[derive(Debug, Default)]
struct Fingers {
    /// When failures in a row were counted.
    row: Vec<i64>,
    /// Until when it is open, and who probes it afterwards.
    open: Option<(i64, Option<usize>)>,
    /// The probe that has given content and not ended.
    proving: Option<usize>,
    opened: u32,
}

impl Fingers {
    fn state(&self, now: i64) -> BreakerState {
        match self.open {
            Some((until, _)) if now < until => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
            None if self.row.len() >= 7 && now < self.row.last().unwrap() + 30_000 => BreakerState::Degraded,
            None => BreakerState::Closed,
        }
    }

    fn close(&mut self) {
        *self = Self::default();
    }

    fn fail(&mut self, now: i64, slot: usize) {
        let probe = self.proving == Some(slot) || self.open.is_some_and(|(_, probe)| probe == Some(slot));
        if !probe {
            if self.open.is_some() || self.row.last().is_some_and(|last| now - last < breaker::TOGETHER) {
                return;
            }
            if self.row.last().is_some_and(|last| now - last > breaker::ROW) {
                (self.row, self.opened) = (Vec::new(), 0);
            }
        }
        self.row.push(now);
        if probe || self.row.len() >= 12 {
            let pause = [30_000, 60_000, 120_000, 240_000].get(self.opened as usize).copied();
            (self.open, self.proving) = (Some((now + pause.unwrap_or(300_000), None)), None);
            self.opened += 1;
        }
    }
}

/// Everything together.
struct Play {
    ground: Ground,
    running: [Option<(Trial, Target, usize)>; SLOTS],
    evidence: Vec<Evidence>,
    fingers: [Fingers; 2],
    /// Who tests which dead account.
    testers: [Option<usize>; 3],
}

impl Play {
    /// Whether a connection is taken for dead, and its rest is over.
    fn is_due_for_a_test(&self, nth: usize) -> bool {
        let (id, now) = (&self.ground.connections[nth].id, self.ground.world.now());
        let locks = self.ground.health.locks();
        locks
            .iter()
            .any(|lock| lock.connection == *id && lock.lock == LockKind::Terminal && lock.until <= now)
    }

    fn act(&mut self, step: &Step) {
        let now = self.ground.world.now();
        match *step {
            Step::Begin { slot, nth, model } => {
                self.leave(slot);
                let target = self.ground.at(nth, model);
                let standing = self.ground.standing(&target);
                let due = self.is_due_for_a_test(nth);
                match self.ground.health.begin(&target) {
                    Ok(trial) => {
                        if due {
                            assert!(trial.is_single() && self.testers[nth].is_none(), "two tests at a time");
                            self.testers[nth] = Some(slot);
                        }
                        assert!(!matches!(standing, Standing::Cooling(_)), "begun while cooling");
                        if let Some((_, probe)) = &mut self.fingers[nth / 2].open {
                            assert!(trial.is_single() && probe.is_none(), "two probes at a time");
                            *probe = Some(slot);
                        }
                        self.running[slot] = Some((trial, target, nth));
                    }
                    Err(_) => {
                        assert!(matches!(standing, Standing::Cooling(_)), "refused while {standing:?}");
                    }
                }
            }
            Step::Content { slot } => {
                let Some((trial, target, nth)) = &self.running[slot] else { return };
                self.ground.health.answering(trial, target);
                let fingers = &mut self.fingers[nth / 2];
                if fingers.open.is_some_and(|(_, probe)| probe == Some(slot)) {
                    (fingers.open, fingers.proving) = (None, Some(slot));
                    fingers.row = vec![now; 7];
                }
            }
            Step::Whole { slot } => {
                let Some((trial, target, nth)) = self.running[slot].take() else { return };
                self.testers[nth] = None;
                self.ground.health.succeeded(&trial, &target);
                let fingers = &mut self.fingers[nth / 2];
                if fingers.open.is_none_or(|(_, probe)| probe == Some(slot)) {
                    fingers.close();
                }
            }
            Step::Fail { slot, kind, said } => {
                let Some((trial, target, nth)) = self.running[slot].take() else { return };
                let fault = fault(kind, said);
                self.testers[nth].take_if(|tester| *tester == slot || kind.scope() == Scope::Connection);
                self.ground.health.failed(&trial, &target, &fault, &self.ground.routing);
                self.evidence.push(Evidence { at: now, nth, model: Arc::clone(&target.model), kind, said });
                if fault.is_of_host() {
                    self.fingers[nth / 2].fail(now, slot);
                } else {
                    self.forget(slot, nth);
                }
            }
            Step::Storm { nth, times } => {
                for _ in 0..times {
                    self.ground.pass(300);
                    let (now, kind) = (self.ground.world.now(), FaultKind::Unreachable);
                    self.ground.fail(&self.ground.at(nth, "m"), kind, None);
                    self.evidence.push(Evidence { at: now, nth, model: "m".into(), kind, said: None });
                    self.fingers[nth / 2].fail(now, SLOTS);
                }
            }
            Step::Death { nth, times } => {
                for _ in 0..times {
                    let (now, kind) = (self.ground.world.now(), FaultKind::Deactivated);
                    self.ground.fail(&self.ground.at(nth, "m"), kind, None);
                    self.testers[nth] = None;
                    self.evidence.push(Evidence { at: now, nth, model: "m".into(), kind, said: None });
                    self.ground.pass(self.ground.cooling(&self.ground.at(nth, "m")) * 1000 + 999);
                }
            }
            Step::Leave { slot } => self.leave(slot),
            Step::Pass { millis } => self.ground.pass(millis),
            Step::Reset { nth, model } => {
                self.ground.health.reset(&self.ground.connections[nth], model);
                if model.is_none() {
                    self.testers[nth] = None;
                    self.fingers[nth / 2].close();
                    assert_eq!(self.ground.standing(&self.ground.at(nth, "m")), Standing::Fit);
                }
            }
            Step::Restart => {
                (0..SLOTS).for_each(|slot| self.leave(slot));
                let running = |locks: Vec<CooldownRecord>| -> Vec<_> {
                    locks.into_iter().filter(|lock| lock.until > now).collect()
                };
                let before = running(self.ground.health.locks());
                self.ground.restart();
                assert_eq!(running(self.ground.health.locks()), before);
                for fingers in &mut self.fingers {
                    // Only what is open is kept.
                    if fingers.open.is_none_or(|(until, _)| until <= now) {
                        fingers.close();
                    }
                }
            }
        }
    }

    fn leave(&mut self, slot: usize) {
        if let Some((_, _, nth)) = self.running[slot].take() {
            self.forget(slot, nth);
        }
    }

    /// A probe ended without a word on the host.
    fn forget(&mut self, slot: usize, nth: usize) {
        self.testers[nth].take_if(|tester| *tester == slot);
        let fingers = &mut self.fingers[nth / 2];
        if let Some((_, probe)) = &mut fingers.open {
            probe.take_if(|probe| *probe == slot);
        }
        fingers.proving.take_if(|probe| *probe == slot);
    }

    /// What holds at any time.
    fn check(&self, step: &Step, before: [BreakerState; 2]) {
        let now = self.ground.world.now();
        for nth in 0..3 {
            for model in ["m", "n"] {
                let cooldown = match self.ground.standing(&self.ground.at(nth, model)) {
                    Standing::Fit => continue,
                    Standing::Recovering(cooldown) | Standing::Cooling(cooldown) => cooldown,
                };
                // Somebody who finds out how a place stands keeps others away for a second at a time, and a host whose
                // probe answers is used behind others for a while.
                let proved = self.fingers[nth / 2].row.last().map(|last| last + 30_000);
                let is_evidence = |one: &&Evidence| {
                    one.covers(nth, model)
                        && one.kind == cooldown.kind
                        && (cooldown.until <= one.at + one.longest()
                            || cooldown.until == now + SOON
                            || Some(cooldown.until) == proved)
                };
                assert!(
                    self.evidence.iter().any(|one| is_evidence(&one)),
                    "{cooldown:?} of {nth} {model} has no evidence after {step:?}"
                );
            }
        }
        for (host, nth) in [(0, 0), (1, 2)] {
            let state = self.ground.breaker(&self.ground.at(nth, "m"));
            assert_eq!(state, self.fingers[host].state(now), "after {step:?}: {:?}", self.fingers[host]);
            assert!(is_edge(before[host], state, step), "{:?} to {state:?} by {step:?}", before[host]);
        }
    }
}

/// The edges that a breaker may take, each with what may lead along it.
fn is_edge(from: BreakerState, to: BreakerState, step: &Step) -> bool {
    use BreakerState::{Closed, Degraded, HalfOpen, Open};
    match (from, to) {
        _ if from == to => true,
        (Closed, Degraded | Open) | (Degraded, Open) | (HalfOpen, Open) => {
            matches!(step, Step::Fail { .. } | Step::Storm { .. })
        }
        (Degraded, Closed) => true,
        (Open, HalfOpen) => {
            matches!(step, Step::Pass { .. } | Step::Storm { .. } | Step::Death { .. })
        }
        (HalfOpen, Degraded) => matches!(step, Step::Content { .. }),
        // Whoever answers with a refusal of its own is there; a half-open breaker is not kept over a restart.
        (HalfOpen, Closed) => {
            matches!(step, Step::Whole { .. } | Step::Fail { .. } | Step::Reset { .. } | Step::Restart)
        }
        (Open, Closed) => matches!(step, Step::Reset { .. }),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_lock_without_evidence_beyond_its_scope_or_its_time(steps in proptest::collection::vec(step(), 1..250)) {
        let mut play = Play {
            ground: Ground::new(),
            running: Default::default(),
            evidence: Vec::new(),
            fingers: Default::default(),
            testers: Default::default(),
        };
        for step in &steps {
            let before = [0, 2].map(|nth| play.ground.breaker(&play.ground.at(nth, "m")));
            play.act(step);
            play.check(step, before);
        }
        // Every lock ends, and every place can be taken again.
        (0..SLOTS).for_each(|slot| play.leave(slot));
        play.ground.pass(2 * 86_400_000);
        for nth in 0..3 {
            prop_assert_eq!(play.ground.standing(&play.ground.at(nth, "m")), Standing::Fit);
            prop_assert!(play.ground.health.begin(&play.ground.at(nth, "m")).is_ok());
        }
    }
}
