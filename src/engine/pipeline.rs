//! The life of a request, step by step. A surface gives it a caller and bytes, and gets a reply to send.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use canon::{Dialect, look, names};
use operations::Scope;

pub use super::delivery::{Piece, Pieces, Reply, Served};
use super::{
    admit::{Admission, Permit},
    attempt::{self, Race},
    budget::Budgets,
    caller::Caller,
    capture::Captures,
    delivery,
    health::Health,
    learning::{Knowledge, Learning},
    need::{Need, Wishes},
    nowhere,
    plan::{self, Directory, Draw, Group, Plan, Scene, Seeds},
    policy::{self, Rates, Ticket},
    ports::{CaptureSink, Clock, Lack, ReceiptSink, Request, Target, Task, Tokens, Upstream},
    pricing::Pricing,
    quota::Ledger,
    refusal::Refusal,
    resolve, reuse,
    settings::{Adherence, Catalogue, Connection, Knobs, PriceList, Routing, Settings},
    settle::{Opening, Settlement},
    shaping::{Shaped, Shapers},
    tab::Tab,
    trace::TraceContext,
    traffic::Traffic,
};

/// The engine: everything that requests share.
pub struct Engine {
    snapshot: ArcSwap<Snapshot>,
    catalogue: Arc<Catalogue>,
    health: Arc<Health>,
    traffic: Arc<Traffic>,
    knowledge: Arc<Knowledge>,
    seeds: Seeds,
    admission: Admission,
    upstream: Arc<dyn Upstream>,
    receipts: Arc<dyn ReceiptSink>,
    captures: Option<Captures>,
    pricing: Pricing,
    clock: Arc<dyn Clock>,
    budgets: Arc<Budgets>,
    tokens: Option<Arc<dyn Tokens>>,
    rates: Arc<Rates>,
    started_at: i64,
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
    /// What the client calls the session that this belongs to.
    pub session: Option<String>,
    /// The trace that it belongs to, by its client's word.
    pub trace: Option<TraceContext>,
    /// What the client wants of the targets.
    pub wishes: Option<Box<Wishes>>,
    /// How long the status is held back for the first content of a stream, and how long a stream
    /// may be silent before a sign of life is due.
    pub keep_alive: Duration,
    /// What the client says of answers that were made before.
    pub freshness: reuse::Freshness,
    /// What the surface did to the request before.
    pub shaped: Shaped,
    /// The caller's place among its own requests; the engine fills it in.
    pub ticket: Option<Arc<Ticket>>,
}

/// One account, as it was when something was left with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeper {
    /// The connection's id.
    pub connection: Arc<str>,
    /// [`super::settings::Connection::fingerprint`]: another account does not have it.
    pub fingerprint: u64,
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
        let ledger = Arc::new(Ledger::forgetful(Arc::clone(&clock), &settings.connections));
        let traffic = Arc::new(Traffic::new(Arc::clone(&clock), ledger, &settings.connections));
        let reuse = reuse::Shared::new(&settings.cache);
        let pricing = Pricing::new(settings.clone());
        let snapshot = ArcSwap::from_pointee(Snapshot::new(settings, &catalogue, clock.now()));
        let (knowledge, seeds) = (Arc::new(Knowledge::new()), Seeds::new(seed));
        let budgets = Arc::new(Budgets::volatile(Arc::clone(&clock)));
        let rates = Arc::new(Rates::volatile(Arc::clone(&clock)));
        let started_at = clock.now();
        Self {
            snapshot,
            catalogue,
            health,
            traffic,
            knowledge,
            seeds,
            admission,
            upstream,
            receipts,
            captures: None,
            pricing,
            clock,
            budgets,
            tokens: None,
            rates,
            started_at,
            reuse,
        }
    }

    /// The same engine with a ledger that goes on from an earlier run, and is kept for the next.
    #[must_use]
    pub fn with_ledger(mut self, ledger: Arc<Ledger>) -> Self {
        let connections = &self.snapshot.load().settings.connections;
        self.traffic = Arc::new(Traffic::new(Arc::clone(&self.clock), ledger, connections));
        self
    }

    /// The same with budgets that go on from an earlier life.
    #[must_use]
    pub fn with_budgets(mut self, budgets: Budgets) -> Self {
        self.budgets = Arc::new(budgets);
        self
    }

    /// The same, with somewhere to put messages word for word where the settings want them kept.
    #[must_use]
    pub fn with_captures(mut self, sink: Arc<dyn CaptureSink>) -> Self {
        self.captures = Some(Captures::new(sink));
        self
    }

    /// The same with somebody who holds the tokens of connections that people log in to.
    #[must_use]
    pub fn with_tokens(mut self, tokens: Arc<dyn Tokens>) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// What a connection with a login lacks for requests to be sent there.
    #[must_use]
    pub fn lack(&self, connection: &Connection) -> Option<Lack> {
        connection.oauth.as_ref()?;
        self.tokens.as_ref()?.lack(connection)
    }

    /// The same with counts of callers that go on from an earlier life.
    #[must_use]
    pub fn with_rates(mut self, rates: Rates) -> Self {
        self.rates = Arc::new(rates);
        self
    }

    /// When it was made, in milliseconds since the Unix epoch.
    #[must_use]
    pub const fn started_at(&self) -> i64 {
        self.started_at
    }

    /// How often callers have asked.
    #[must_use]
    pub const fn rates(&self) -> &Arc<Rates> {
        &self.rates
    }

    /// The providers that can be named.
    #[must_use]
    pub const fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// What requests taught.
    pub(super) const fn knowledge(&self) -> &Arc<Knowledge> {
        &self.knowledge
    }

    /// What was spent, and may be.
    #[must_use]
    pub const fn budgets(&self) -> &Arc<Budgets> {
        &self.budgets
    }

    /// Takes new settings. Running requests keep the ones that they began with.
    pub fn reload(&self, settings: Settings) {
        self.admission.resize(&settings.limits);
        self.reuse.cache.resize(&settings.cache);
        self.health.retain(&settings.connections);
        let is_configured = |id: &str| settings.connections.iter().any(|one| *one.id == *id);
        self.knowledge.telemetry.retain(is_configured);
        self.traffic.retain(&settings.connections);
        let mut pricing = self.pricing.lock();
        let settings = pricing.write(settings);
        self.snapshot.store(Arc::new(Snapshot::new(settings, &self.catalogue, self.clock.now())));
    }

    /// Takes other prices, or those of the catalogue again. What the user wrote stays.
    pub fn reprice(&self, list: Option<Arc<PriceList>>) {
        let mut pricing = self.pricing.lock();
        let settings = pricing.list(list);
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

    /// The quotas of the connections.
    #[must_use]
    pub fn quota(&self) -> &Ledger {
        self.traffic.ledger()
    }

    /// How many requests are under way at a connection.
    #[must_use]
    pub fn in_flight(&self, connection: &Connection) -> u32 {
        self.traffic.pacer().in_flight(connection)
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
    #[must_use]
    pub fn shared_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Answers a request.
    ///
    /// # Errors
    /// When there is no answer to give; its receipt is written.
    pub async fn generate(&self, mut inbound: Inbound) -> Result<Reply, Refusal> {
        let snapshot = self.snapshot();
        let own = inbound.caller.policy.as_ref().and_then(|policy| policy.cache);
        let mut rate = None;
        match self.let_in(&inbound, &snapshot) {
            Ok(None) => {}
            Ok(Some(ticket)) => {
                rate = Some(ticket.told());
                inbound.ticket = Some(Arc::new(ticket));
            }
            Err(refusal) => {
                self.open_free(&inbound).refuse(&refusal);
                return Err(refusal);
            }
        }
        let mut reply = match snapshot.rules.of(snapshot.meaning(&inbound.request.facts.model), own) {
            None => self.fresh(inbound, &snapshot, None).await,
            Some(rule) => Box::pin(self.reusing(inbound, snapshot, rule)).await,
        }?;
        reply.rate = rate;
        Ok(reply)
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
        let mut settlement = self.open(&inbound, &snapshot.settings);
        settlement.meter.record(recorder);
        if let Some(captures) = &self.captures {
            settlement.take_down(captures.open(&inbound, &snapshot.settings.capture));
        }
        let name = inbound.shaped.asked.as_ref().unwrap_or(&inbound.request.facts.model);
        let shaping = snapshot.shapers.of(snapshot.meaning(name)).cloned();
        match self.prepare(&inbound, snapshot, &mut settlement).await {
            Ok(Prepared { permit, mut plan, session, knobs }) => {
                let learning = Learning {
                    knowledge: Arc::clone(&self.knowledge),
                    clock: Arc::clone(&self.clock),
                    session: session.map(|session| (session, Arc::clone(&inbound.caller.id))),
                    lessons: std::mem::take(&mut plan.lessons),
                    counts: inbound.request.task == Task::Generate,
                };
                let race = Race {
                    upstream: Arc::clone(&self.upstream),
                    health: Arc::clone(&self.health),
                    traffic: Arc::clone(&self.traffic),
                    settings: Arc::clone(&snapshot.settings),
                    request: Request { shaping, ..inbound.request },
                    plan,
                    knobs,
                    settlement,
                    permit,
                    id: inbound.id.as_str().into(),
                    learning,
                };
                Ok(Running { race, keep_alive: inbound.keep_alive })
            }
            Err(refusal) => {
                settlement.refuse(&refusal);
                Err(refusal)
            }
        }
    }

    fn open(&self, inbound: &Inbound, settings: &Arc<Settings>) -> Settlement {
        let tab = Tab::new(&inbound.request, &inbound.caller, settings, &self.budgets);
        let opening = self.opening(inbound);
        let mut settlement = Settlement::open(opening, &inbound.caller, tab, Arc::clone(&self.receipts));
        settlement.shaped(&inbound.shaped.shapes);
        settlement.admitted(inbound.ticket.clone());
        settlement
    }

    /// Opens the receipt of a request that is answered with what was made for another.
    pub(super) fn open_free(&self, inbound: &Inbound) -> Settlement {
        let mut settlement = self.free(self.opening(inbound), &inbound.caller);
        settlement.shaped(&inbound.shaped.shapes);
        settlement.admitted(inbound.ticket.clone());
        settlement
    }

    /// Opens a receipt for which there is nothing to pay.
    pub(super) fn free(&self, opening: Opening, caller: &Caller) -> Settlement {
        Settlement::open(opening, caller, Tab::free(&self.budgets), Arc::clone(&self.receipts))
    }

    fn opening(&self, inbound: &Inbound) -> Opening {
        let facts = &inbound.request.facts;
        Opening {
            id: inbound.id.clone(),
            at: self.clock.now(),
            client_request_id: inbound.client_request_id.clone(),
            dialect: inbound.request.dialect,
            model: inbound.shaped.asked.as_ref().unwrap_or(&facts.model).clone(),
            session: inbound.session.as_ref().or(facts.session.as_ref()).cloned(),
            trace: inbound.trace,
            stream: facts.stream,
        }
    }

    /// Everything that can be refused before a provider is asked.
    async fn prepare(
        &self,
        inbound: &Inbound,
        snapshot: &Snapshot,
        settlement: &mut Settlement,
    ) -> Result<Prepared, Refusal> {
        policy::require(&inbound.caller, Scope::ExecuteCompletions)?;
        let name = &inbound.request.facts.model;
        let candidates = resolve::candidates(snapshot, inbound)?;
        let knobs = candidates.knobs.clone();
        let permit = self.admission.admit(&snapshot.settings.limits).await?;
        let (mut plan, session) = if matches!(inbound.request.task, Task::Kept { .. }) {
            // Whoever keeps it is asked, in whatever state: nobody else has it.
            (Plan::of(candidates), None)
        } else {
            let mut need = Need::of(&inbound.request, &candidates, inbound.wishes.clone());
            let asked = inbound.shaped.asked.as_ref().unwrap_or(name);
            if snapshot.shapers.compresses(snapshot.meaning(asked)) {
                // It will be made to fit.
                need.prompt_at_least = 0;
            }
            let session = session(inbound, &candidates, &snapshot.settings.routing);
            (self.decide(&candidates, &need, session, snapshot, inbound)?, session)
        };
        settlement.planned(&mut plan);
        let now = self.clock.now();
        if plan.targets.is_empty() && !attempt::is_worth_waiting(&plan, &snapshot.settings.routing.wait, now)
        {
            let mut refusal = nowhere::left_out(name, &plan.skipped, now);
            refusal.skipped = settlement.skips().to_vec();
            return Err(refusal);
        }
        Ok(Prepared { permit, plan, session, knobs })
    }

    /// Plans, and keeps what the strategies remember: one step, so that two requests never take the same turn.
    fn decide(
        &self,
        candidates: &Group,
        need: &Need,
        session: Option<u64>,
        snapshot: &Snapshot,
        inbound: &Inbound,
    ) -> Result<Plan, Refusal> {
        let (caller, budgets) = (&inbound.caller, &snapshot.settings.budgets);
        let choice = policy::choice(caller, snapshot, resolve::asked(inbound))?;
        let is_dear = |target: &Target| self.budgets.is_dear(budgets, caller, target);
        let dear: Option<&dyn Fn(&Target) -> bool> = if budgets.is_empty() { None } else { Some(&is_dear) };
        Ok(self.with_scene(need, session, snapshot, choice, dear, |scene| {
            if let Some(plan) = plan::alone(candidates, scene) {
                return plan;
            }
            let scene = Scene { seed: self.seeds.next(), ..*scene };
            let mut surveyed = plan::survey(candidates, &scene);
            if !surveyed.remembers() {
                return surveyed.decide();
            }
            let mut memory = self.knowledge.memory.lock().unwrap_or_else(PoisonError::into_inner);
            surveyed.recall(&memory);
            let mut plan = surveyed.decide();
            for advance in plan.advances.drain(..) {
                memory.commit(advance);
            }
            plan
        }))
    }

    /// Looks at what is known, for as long as `plan` takes.
    fn with_scene(
        &self,
        need: &Need,
        session: Option<u64>,
        snapshot: &Snapshot,
        choice: Option<policy::Choice<'_>>,
        dear: Option<&dyn Fn(&Target) -> bool>,
        plan: impl FnOnce(&Scene<'_>) -> Plan,
    ) -> Plan {
        let belonging = session.and_then(|session| self.knowledge.affinity.of(session, self.clock.now()));
        let allows = choice.map(|choice| move |target: &Target| choice.may_use(target));
        plan(&Scene {
            allowed: allows.as_ref().map(|allows| allows as &dyn Fn(&Target) -> bool),
            health: &self.health.view(),
            quota: &self.quota().view(),
            telemetry: &self.knowledge.telemetry.view(),
            need,
            affine: belonging.as_ref().map(|belonging| (&*belonging.connection, &*belonging.model)),
            dear,
            tokens: self.tokens.as_deref(),
            scoring: &snapshot.settings.routing.scoring,
            seed: self.seeds.coming(),
        })
    }

    /// The targets that a request of `caller` for `model` with these needs would go to now, without using a turn or a draw.
    ///
    /// # Errors
    /// When the name means nothing here, or nothing that the caller may use.
    pub fn simulate(
        &self,
        caller: &Caller,
        model: &str,
        dialect: Dialect,
        need: &Need,
    ) -> Result<Plan, Refusal> {
        let snapshot = self.snapshot();
        let candidates = resolve::named(&snapshot, caller, model, dialect)?;
        let choice = policy::choice(caller, &snapshot, model)?;
        let need = &Need { task: candidates.task.or(need.task), ..need.clone() };
        let memory = self.knowledge.memory.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(self
            .with_scene(need, None, &snapshot, choice, None, |scene| plan::plan(&candidates, scene, &memory)))
    }
}

/// What a request needs to be let loose.
struct Prepared {
    permit: Permit,
    plan: Plan,
    session: Option<u64>,
    knobs: Option<Arc<Knobs>>,
}

/// A number for the session that a request belongs to: of this caller, for this name. The client's own word for it, or the
/// request's beginning where the settings go by that.
fn session(inbound: &Inbound, candidates: &Group, routing: &Routing) -> Option<u64> {
    let facts = &inbound.request.facts;
    let affinity = candidates.knobs.as_ref().and_then(|knobs| knobs.affinity).unwrap_or(routing.affinity);
    if affinity == Adherence::Off || !matches!(inbound.request.task, Task::Generate) {
        return None;
    }
    if candidates.is_single() {
        return None;
    }
    let named = inbound.session.as_deref().or(facts.session.as_deref());
    let begun = || {
        let text = std::str::from_utf8(&inbound.request.body).ok()?;
        Some(look::beginning(text.get(facts.spans.turns.clone()?)?))
    };
    let word = match affinity {
        Adherence::Beginning => named.or_else(begun),
        Adherence::Session | Adherence::Off => named,
    }?;
    let of = |text: &str| names::hash(text);
    Some(Draw::new(of(word)).about(&inbound.caller.id).about(&facts.model).number())
}

impl Snapshot {
    fn new(settings: Settings, catalogue: &Arc<Catalogue>, now: i64) -> Self {
        let directory = Directory::new(&settings, Arc::clone(catalogue));
        let (rules, shapers) = (reuse::Rules::new(&settings), Shapers::new(&settings));
        Self { settings: Arc::new(settings), directory, rules, shapers, loaded_at: now }
    }

    /// The name under which to look up what the operator said of a name: the one that it leads to, where it leads elsewhere.
    #[must_use]
    pub fn meaning<'a>(&'a self, name: &'a str) -> &'a str {
        self.directory.stands_for(name).unwrap_or(name)
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
        delivery::reply(self.race, self.keep_alive).await
    }
}
