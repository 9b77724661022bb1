//! The life of a request, step by step. A surface gives it a caller and bytes, and gets a reply to send.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use async_stream::stream;
use bytes::Bytes;
use canon::{Dialect, Edit, Losses, Mark};
use futures_core::Stream;
use futures_util::StreamExt;
use operations::Scope;
use tokio::time::{Instant, timeout};

use super::{
    admit::{Admission, Permit},
    attempt::{self, Race, Started},
    caller::Caller,
    code::Code,
    fault::{Fault, FaultKind, Stage},
    health::Health,
    plan::{self, Directory, Draw, Group, Memory, Plan, Scene},
    policy,
    ports::{Clock, ReceiptSink, Request, Task, Upstream},
    refusal::Refusal,
    resolve, reuse,
    settings::{Catalogue, Settings},
    settle::{Opening, Settlement},
    shaping::{Shaped, Shapers},
};

/// The engine: everything that requests share.
pub struct Engine {
    snapshot: ArcSwap<Snapshot>,
    catalogue: Arc<Catalogue>,
    health: Arc<Health>,
    memory: Mutex<Memory>,
    seeds: Seeds,
    admission: Admission,
    upstream: Arc<dyn Upstream>,
    receipts: Arc<dyn ReceiptSink>,
    clock: Arc<dyn Clock>,
    pub(super) reuse: reuse::Shared,
}

/// Settings and what was derived from them. A request uses one to its end.
pub struct Snapshot {
    /// The settings.
    pub settings: Arc<Settings>,
    /// The index over their connections.
    pub directory: Directory,
    /// For which names answers are given again.
    rules: reuse::Rules,
    /// For which names requests are shaped.
    pub shapers: Shapers,
    /// When they were loaded, in milliseconds since the Unix epoch.
    pub loaded_at: i64,
}

/// A request as a surface hands it over.
pub struct Inbound {
    /// The hub's request id.
    pub id: String,
    /// The client's own request id.
    pub client_request_id: Option<String>,
    /// Who asks.
    pub caller: Caller,
    /// What is asked.
    pub request: Request,
    /// The account that has to answer, because it keeps what the request refers to.
    pub pin: Option<Keeper>,
    /// A word that the model must be tagged with.
    pub tag: Option<&'static str>,
    /// How long the status is held back for the first content of a stream, and how long a stream
    /// may be silent before a sign of life is due.
    pub keep_alive: Duration,
    /// What the client says of answers that were made before.
    pub freshness: reuse::Freshness,
    /// What the surface did to the request before.
    pub shaped: Shaped,
}

/// One account, as it was when something was left with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeper {
    /// The connection's id.
    pub connection: Arc<str>,
    /// [`super::settings::Connection::fingerprint`]: another account does not have it.
    pub fingerprint: u64,
}

/// A reply that has been decided on.
pub struct Reply {
    /// Who serves it. Empty while the status had to be sent before that was known; filled before the first bytes.
    pub served: Arc<OnceLock<Served>>,
    /// The answer as it comes.
    pub pieces: Pieces,
    /// What the cache did, where it is on for the request.
    pub cached: Option<reuse::Cached>,
}

/// Who serves an answer.
#[derive(Debug, Clone)]
pub struct Served {
    /// The provider's id.
    pub provider: Arc<str>,
    /// The connection's id.
    pub connection: Arc<str>,
    /// [`super::settings::Connection::fingerprint`].
    pub fingerprint: u64,
    /// The model as the provider knows it.
    pub model: Arc<str>,
    /// How many attempts it took.
    pub attempts: usize,
    /// The dialect in which the provider was spoken to.
    pub dialect: Dialect,
    /// What translation lost.
    pub losses: Losses,
    /// What was done to the request by the operator's wish.
    pub shaped: Vec<Edit>,
}

/// What goes to the client, one after the other. Dropping it stops the work for it.
pub type Pieces = Pin<Box<dyn Stream<Item = Piece> + Send>>;

/// A piece of a reply.
#[derive(Debug)]
pub enum Piece {
    /// Bytes in the client's dialect.
    Bytes(Bytes),
    /// A sign of life is due; the surface knows what its dialect has for that.
    KeepAlive,
    /// The answer broke; the surface tells it in its dialect, and the stream is over.
    Broke(Box<Refusal>),
}

impl Engine {
    /// An engine with its first settings. All its random choices follow from `seed`.
    #[must_use]
    pub fn new(
        settings: Settings,
        catalogue: Arc<Catalogue>,
        health: Arc<Health>,
        upstream: Arc<dyn Upstream>,
        receipts: Arc<dyn ReceiptSink>,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> Self {
        let admission = Admission::new(&settings.limits);
        let reuse = reuse::Shared::new(&settings.cache);
        let snapshot = ArcSwap::from_pointee(Snapshot::new(settings, &catalogue, clock.now()));
        let (memory, seeds) = (Mutex::default(), Seeds::new(seed));
        Self { snapshot, catalogue, health, memory, seeds, admission, upstream, receipts, clock, reuse }
    }

    /// Takes new settings. Running requests keep the ones that they began with.
    pub fn reload(&self, settings: Settings) {
        self.admission.resize(&settings.limits);
        self.reuse.cache.resize(&settings.cache);
        self.health.retain(&settings.connections);
        self.snapshot.store(Arc::new(Snapshot::new(settings, &self.catalogue, self.clock.now())));
    }

    /// The settings in use.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// The state of the connections.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// The gate.
    #[must_use]
    pub const fn admission(&self) -> &Admission {
        &self.admission
    }

    /// The time of day.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The clock, to be kept.
    pub(super) fn shared_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Answers a request.
    ///
    /// # Errors
    /// When there is no answer to give; its receipt is written.
    pub async fn generate(&self, inbound: Inbound) -> Result<Reply, Refusal> {
        let snapshot = self.snapshot();
        match snapshot.rules.of(&inbound.request.facts.model) {
            None => self.fresh(inbound, &snapshot, None).await,
            Some(rule) => Box::pin(self.reusing(inbound, snapshot, rule)).await,
        }
    }

    /// Has a request answered by a provider.
    pub(super) async fn fresh(
        &self,
        inbound: Inbound,
        snapshot: &Snapshot,
        recorder: Option<reuse::Recorder>,
    ) -> Result<Reply, Refusal> {
        self.race(inbound, snapshot, recorder).await?.reply().await
    }

    /// Makes a request ready to be put to providers.
    pub(super) async fn race(
        &self,
        inbound: Inbound,
        snapshot: &Snapshot,
        recorder: Option<reuse::Recorder>,
    ) -> Result<Running, Refusal> {
        let mut settlement = self.open(&inbound);
        settlement.meter.record(recorder);
        let name = inbound.shaped.asked.as_ref().unwrap_or(&inbound.request.facts.model);
        let shaping = snapshot.shapers.of(name).cloned();
        match self.prepare(&inbound, snapshot, &mut settlement).await {
            Ok((permit, plan)) => {
                let race = Race {
                    upstream: Arc::clone(&self.upstream),
                    health: Arc::clone(&self.health),
                    settings: Arc::clone(&snapshot.settings),
                    request: Request { shaping, ..inbound.request },
                    plan,
                    settlement,
                    permit,
                    id: inbound.id.as_str().into(),
                };
                Ok(Running { race, keep_alive: inbound.keep_alive })
            }
            Err(refusal) => {
                settlement.refuse(&refusal);
                Err(refusal)
            }
        }
    }

    pub(super) fn open(&self, inbound: &Inbound) -> Settlement {
        let facts = &inbound.request.facts;
        let opening = Opening {
            id: inbound.id.clone(),
            at: self.clock.now(),
            client_request_id: inbound.client_request_id.clone(),
            dialect: inbound.request.dialect,
            model: inbound.shaped.asked.as_ref().unwrap_or(&facts.model).clone(),
            stream: facts.stream,
        };
        let mut settlement = self.settlement(opening, &inbound.caller);
        settlement.shaped(&inbound.shaped.shapes);
        settlement
    }

    /// Opens a receipt.
    pub(super) fn settlement(&self, opening: Opening, caller: &Caller) -> Settlement {
        Settlement::open(opening, caller, Arc::clone(&self.receipts))
    }

    /// Everything that can be refused before a provider is asked.
    async fn prepare(
        &self,
        inbound: &Inbound,
        snapshot: &Snapshot,
        settlement: &mut Settlement,
    ) -> Result<(Permit, Plan), Refusal> {
        policy::require(&inbound.caller, Scope::ExecuteCompletions)?;
        let name = &inbound.request.facts.model;
        let candidates = resolve::candidates(snapshot, inbound)?;
        let permit = self.admission.admit(&snapshot.settings.limits).await?;
        let plan = if matches!(inbound.request.task, Task::Kept { .. }) {
            // Whoever keeps it is asked, in whatever state: nobody else has it.
            Plan::of(candidates)
        } else {
            self.decide(&candidates)
        };
        settlement.planned(plan.strategy.as_str(), plan.skipped.iter().map(plan::Skip::record).collect());
        if plan.targets.is_empty() {
            let mut refusal = attempt::cooling(name, &plan.skipped, self.clock.now());
            refusal.skipped = settlement.skips().to_vec();
            return Err(refusal);
        }
        Ok((permit, plan))
    }

    /// Plans, and keeps what the strategies remember: one step, so that two requests never take the same turn.
    fn decide(&self, candidates: &Group) -> Plan {
        let draw = Draw::new(self.seeds.next());
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let mut plan = plan::plan(candidates, &Scene { health: &self.health.view(), memory: &memory, draw });
        for advance in plan.advances.drain(..) {
            memory.commit(advance);
        }
        plan
    }

    /// The targets that a request for `model` would go to now, without using a turn or a draw.
    ///
    /// # Errors
    /// When the name means nothing here.
    pub fn simulate(&self, model: &str, dialect: Dialect) -> Result<Plan, Refusal> {
        let snapshot = self.snapshot();
        let candidates =
            snapshot.directory.resolve(model, dialect).map_err(|why| resolve::unresolved(model, why))?;
        let draw = Draw::new(self.seeds.coming());
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(plan::plan(&candidates, &Scene { health: &self.health.view(), memory: &memory, draw }))
    }
}

/// A seed for each plan, all following from one.
struct Seeds {
    first: u64,
    used: AtomicU64,
}

impl Seeds {
    fn new(first: u64) -> Self {
        Self { first, used: AtomicU64::new(0) }
    }

    fn next(&self) -> u64 {
        self.nth(self.used.fetch_add(1, Ordering::Relaxed))
    }

    /// The one that the next plan will have.
    fn coming(&self) -> u64 {
        self.nth(self.used.load(Ordering::Relaxed))
    }

    /// Mixed once, so that neighbours have nothing in common.
    fn nth(&self, nth: u64) -> u64 {
        Draw::new(self.first.wrapping_add(nth)).number()
    }
}

impl Snapshot {
    fn new(settings: Settings, catalogue: &Arc<Catalogue>, now: i64) -> Self {
        let directory = Directory::new(&settings, Arc::clone(catalogue));
        let (rules, shapers) = (reuse::Rules::new(&settings), Shapers::new(&settings));
        Self { settings: Arc::new(settings), directory, rules, shapers, loaded_at: now }
    }
}

/// A request that is ready to be put to providers.
pub(super) struct Running {
    race: Race,
    keep_alive: Duration,
}

impl Running {
    /// Puts it to them.
    pub(super) async fn reply(self) -> Result<Reply, Refusal> {
        reply(self.race, self.keep_alive).await
    }
}

/// Runs the race. The status of a stream is held back for the first content, so that another target can
/// still be tried unseen; but not for longer than a client would wait without a sign of life.
async fn reply(race: Race, keep_alive: Duration) -> Result<Reply, Refusal> {
    let stream = race.request.facts.stream;
    let commitment = race.settlement.commitment();
    let mut running = Box::pin(race.run());
    if !stream {
        return running.await.map(|started| committed(started, keep_alive));
    }
    match timeout(keep_alive, &mut running).await {
        Ok(result) => result.map(|started| committed(started, keep_alive)),
        Err(_) => {
            commitment.store(true, Ordering::Relaxed);
            let served = Arc::default();
            let pieces = late(running, keep_alive, Arc::clone(&served));
            Ok(Reply { pieces, served, cached: None })
        }
    }
}

fn committed(started: Started, keep_alive: Duration) -> Reply {
    let served = Arc::new(OnceLock::from(served(&started)));
    Reply { served, pieces: Box::pin(deliver(started, keep_alive)), cached: None }
}

fn served(started: &Started) -> Served {
    let target = &started.target;
    Served {
        provider: target.connection.provider.id.as_str().into(),
        connection: Arc::clone(&target.connection.id),
        fingerprint: target.connection.fingerprint,
        model: Arc::clone(&target.model),
        attempts: started.attempts,
        dialect: target.dialect,
        losses: started.losses.clone(),
        shaped: started.settlement.edits().iter().copied().filter(|edit| edit.is_shaping()).collect(),
    }
}

/// A stream whose status is out while no target has given content yet: signs of life until one does.
fn late(
    mut running: Pin<Box<impl Future<Output = Result<Started, Refusal>> + Send + 'static>>,
    keep_alive: Duration,
    later: Arc<OnceLock<Served>>,
) -> Pieces {
    Box::pin(stream! {
        let started = loop {
            yield Piece::KeepAlive;
            if let Ok(result) = timeout(keep_alive, &mut running).await {
                break result;
            }
        };
        match started {
            Ok(started) => {
                drop(later.set(served(&started)));
                let mut pieces = std::pin::pin!(deliver(started, keep_alive));
                while let Some(piece) = pieces.next().await {
                    yield piece;
                }
            }
            Err(refusal) => yield Piece::Broke(Box::new(refusal)),
        }
    })
}

/// Passes on an answer that has begun.
fn deliver(mut started: Started, keep_alive: Duration) -> impl Stream<Item = Piece> + Send {
    if started.settlement.meter.records() {
        let served = served(&started);
        started.settlement.meter.serve(served);
    }
    let Started { target, held, rest, mut settlement, health, settings, deadline, permit, .. } = started;
    stream! {
        // Settled before the last bytes are handed over: a client that leaves right after them has had its answer.
        let mut rest = rest;
        if rest.is_none() {
            settlement.complete();
        }
        for bytes in held {
            yield Piece::Bytes(bytes);
        }
        let mut heard = Instant::now();
        let mut sent = heard;
        while let Some(frames) = &mut rest {
            let idle_ends = heard + settings.timeouts.idle;
            let wake = (sent + keep_alive).min(idle_ends).min(deadline);
            let fault = match tokio::time::timeout_at(wake, frames.next()).await {
                Ok(Some(Ok(frame))) => {
                    heard = Instant::now();
                    settlement.meter.frame(&frame);
                    if frame.mark == Mark::End {
                        settlement.complete();
                        rest = None;
                    }
                    if !frame.bytes.is_empty() {
                        yield Piece::Bytes(frame.bytes);
                        sent = Instant::now();
                        // A slow reader's time is not the provider's.
                        heard = sent;
                    }
                    continue;
                }
                Ok(Some(Err(fault))) => fault,
                Ok(None) => Fault::new(FaultKind::Cut, "the answer ended before it was complete"),
                Err(_) if wake == deadline => Fault::timed_out(Stage::Total, settings.timeouts.total),
                Err(_) if wake == idle_ends => Fault::timed_out(Stage::Idle, settings.timeouts.idle),
                Err(_) => {
                    yield Piece::KeepAlive;
                    sent = Instant::now();
                    continue;
                }
            };
            health.failed(&target, &fault, &settings.routing);
            let refusal = interrupted(&fault);
            settlement.interrupt(&refusal, &fault);
            rest = None;
            yield Piece::Broke(Box::new(refusal));
        }
        drop(permit);
    }
}

fn interrupted(fault: &Fault) -> Refusal {
    let code = if fault.kind == FaultKind::TimedOut(Stage::Total) {
        Code::DeadlineExceeded
    } else {
        Code::StreamInterrupted
    };
    let mut refusal = Refusal::new(code, format!("The answer broke off: {}.", fault.message));
    // What the provider itself reported keeps its words, or at least its class: clients decide by it what to do next.
    refusal.passed_on.clone_from(&fault.answer);
    refusal.upstream_status = match fault.kind {
        FaultKind::RateLimited => Some(429),
        FaultKind::Unavailable => Some(503),
        FaultKind::InvalidRequest => Some(400),
        _ => None,
    };
    refusal
}
