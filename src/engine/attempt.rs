//! The only retry and fallback loop. It goes through the plan's targets until one gives content; after that
//! the target is fixed, and a failure is the client's to know. Asking one target again and waiting for targets are in
//! the files beside.

mod again;
mod wait;

pub(super) use wait::is_worth as is_worth_waiting;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use canon::{Losses, Mark};
use futures_util::StreamExt;
use http::HeaderValue;
use tokio::time::{Instant, timeout_at};

use super::{
    admit::Permit,
    budget::Denied,
    code::Code,
    fault::{Fault, FaultKind, Scope, Stage},
    health::{Cooldown, Health, Standing, Trial},
    learning::Learning,
    nowhere,
    plan::{Bar, Plan, Skip},
    ports::{Call, Frames, Request, Target, Task, Upstream},
    receipt::AttemptRecord,
    refusal::Refusal,
    settings::{Knobs, Settings},
    settle::Settlement,
    telemetry::Watch,
    trace,
    traffic::{Hold, Traffic},
};

/// The most that is held back before the first content, in bytes, beside three times the request: a role and an id need
/// a few hundred, but Responses repeat what they were asked in each of their first events.
const HELD_LIMIT: usize = 1024 * 1024;

/// One request on its way through its plan.
pub(super) struct Race {
    pub(super) upstream: Arc<dyn Upstream>,
    pub(super) health: Arc<Health>,
    pub(super) traffic: Arc<Traffic>,
    pub(super) settings: Arc<Settings>,
    pub(super) request: Request,
    pub(super) plan: Plan,
    /// What the operator said of its combo.
    pub(super) knobs: Option<Arc<Knobs>>,
    pub(super) settlement: Settlement,
    pub(super) permit: Permit,
    /// The hub's id of the request.
    pub(super) id: Arc<str>,
    /// What it teaches those that follow.
    pub(super) learning: Learning,
}

/// A target that has given content: what came so far, and the rest as it comes.
pub(super) struct Started {
    pub(super) target: Target,
    pub(super) attempts: usize,
    /// Frames that were held back until the first content, and that content.
    pub(super) held: Vec<Bytes>,
    /// The rest; `None` when the answer is complete.
    pub(super) rest: Option<Frames>,
    /// What translation lost.
    pub(super) losses: Losses,
    pub(super) settlement: Settlement,
    pub(super) health: Arc<Health>,
    pub(super) settings: Arc<Settings>,
    pub(super) deadline: Instant,
    /// How long the request may take in all.
    pub(super) total: Duration,
    pub(super) permit: Permit,
    /// The attempt, as health sees it: what becomes of the rest is still to be said.
    pub(super) trial: Trial,
    /// Whether a whole answer shows that the account is well: not everything that is asked for costs it anything.
    pub(super) proves: bool,
    pub(super) learning: Learning,
    /// The attempt that is going on, as those that follow see it.
    pub(super) watch: Watch,
}

/// The first target to give content.
struct First {
    target: Target,
    trial: Trial,
    opened: Opened,
    started_ms: u32,
    watch: Watch,
}

/// Why targets were not asked that nothing is wrong with.
#[derive(Default)]
struct TurnedAway {
    /// No turn in an account's pace.
    crowded: Option<Code>,
    /// No money left.
    denied: Option<Denied>,
}

/// What one target gave until its first content.
struct Opened {
    held: Vec<Bytes>,
    rest: Option<Frames>,
    edits: Vec<canon::Edit>,
    losses: Losses,
}

impl Race {
    /// Tries the targets in order.
    ///
    /// # Errors
    /// When none of them gave content. The receipt is written by then.
    pub(super) async fn run(mut self) -> Result<Started, Refusal> {
        let deadline = self.settlement.meter.arrived() + self.total();
        let mut targets = VecDeque::from(std::mem::take(&mut self.plan.targets));
        let mut faults = Vec::new();
        let mut turned = TurnedAway::default();
        let mut waits = self.settings.routing.wait.retries;
        loop {
            if let Some(first) = self.first_of(&mut targets, &mut faults, &mut turned, deadline).await {
                return Ok(self.started(first, deadline));
            }
            targets = self.wait(&mut waits, &mut faults, deadline).await;
            if targets.is_empty() {
                break;
            }
        }
        let mut refusal = match turned {
            TurnedAway { denied: Some(denied), .. } if faults.is_empty() => denied.refusal(),
            TurnedAway { crowded: Some(code), .. } if faults.is_empty() => {
                nowhere::no_turn(code, &self.request.facts.model)
            }
            _ => self.refusal(faults),
        };
        refusal.attempts = self.settlement.attempts().to_vec();
        refusal.skipped = self.settlement.skips().to_vec();
        self.settlement.refuse(&refusal);
        Err(refusal)
    }

    /// How long the request may take in all, from its arrival to its end.
    fn total(&self) -> Duration {
        let said = self.knobs.as_ref().and_then(|knobs| knobs.deadline);
        said.unwrap_or(self.settings.timeouts.total)
    }

    /// Tries the targets in order until one gives content. What is left of them says nothing.
    async fn first_of(
        &mut self,
        targets: &mut VecDeque<Target>,
        faults: &mut Vec<(Target, Fault)>,
        away: &mut TurnedAway,
        deadline: Instant,
    ) -> Option<First> {
        while let Some(target) = targets.pop_front() {
            // Who waits for a turn is work for the account, and holds nothing that others need.
            let watch = self.learning.begin(&target);
            let turn = match self.traffic.turn(&target, &self.request.task, deadline).await {
                Ok(turn) => turn,
                Err(turned) => {
                    away.crowded = turned.crowded.or(away.crowded);
                    self.skip(target, turned.cooldown);
                    continue;
                }
            };
            // Asked for after the wait, in which others may have found out.
            let trial = match self.begin(&target) {
                Ok(trial) => trial,
                Err(cooldown) => {
                    self.skip(target, cooldown);
                    continue;
                }
            };
            if let Err(denied) = self.settlement.tab.open(&target).await {
                self.settlement.skipped(denied.record(&target));
                away.denied.get_or_insert(denied);
                continue;
            }
            let hold = match self.traffic.share(&target, &self.request) {
                Ok(share) => Hold::new(turn, share),
                Err(turned) => {
                    self.settlement.tab.fail();
                    self.skip(target, turned.cooldown);
                    continue;
                }
            };
            match self.ask(&target, &trial, hold, deadline).await {
                Ok((opened, started_ms, hold)) => {
                    self.settlement.hold(hold);
                    return Some(First { target, trial, opened, started_ms, watch });
                }
                Err(fault) => {
                    self.settlement.tab.fail();
                    self.learning.failed(&watch, &fault);
                    let goes_on = fault.kind.fails_over();
                    if fault.kind.scope() == Scope::Transient {
                        others_first(targets, &target);
                    }
                    faults.push((target, fault));
                    if !goes_on {
                        return None;
                    }
                }
            }
        }
        None
    }

    fn skip(&mut self, target: Target, cooldown: Cooldown) {
        let skip = Skip { target, bar: Bar::Cooling(cooldown) };
        self.settlement.skipped(skip.record());
        self.plan.skipped.push(skip);
    }

    /// Leave to ask a target. A cooldown may have begun after the plan was made, by a parallel request or an earlier
    /// attempt of this one.
    fn begin(&self, target: &Target) -> Result<Trial, Cooldown> {
        if matches!(self.request.task, Task::Kept { .. }) {
            return Ok(Trial::free());
        }
        self.health.begin(target)
    }

    async fn open(&mut self, target: &Target, deadline: Instant) -> Result<Opened, Fault> {
        let total = self.total();
        let timeouts = &self.settings.timeouts;
        let now = Instant::now();
        let start_stage = if self.request.facts.stream { Stage::ResponseStart } else { Stage::FirstContent };
        let start_limit =
            if self.request.facts.stream { timeouts.response_start } else { timeouts.first_content };
        let call = Call {
            target: target.clone(),
            request: self.request.clone(),
            timeouts: timeouts.clone(),
            id: Arc::clone(&self.id),
            traceparent: self.traceparent(),
        };
        let answer =
            within(self.upstream.send(call), now, start_limit, start_stage, deadline, total).await??;
        self.traffic.answered(target, &self.request.task, answer.readings.as_deref());
        let (mut frames, edits, losses) = (answer.frames, answer.edits, answer.losses);
        let mut held = Vec::new();
        let mut held_bytes = 0;
        let held_limit = HELD_LIMIT.saturating_add(self.request.body.len().saturating_mul(3));
        let first_content = timeouts.first_content;
        loop {
            let frame =
                within(frames.next(), now, first_content, Stage::FirstContent, deadline, total).await?;
            let frame = frame.unwrap_or_else(|| {
                Err(Fault::new(FaultKind::Malformed, "the answer ended before it began"))
            })?;
            self.settlement.meter.frame(&frame);
            if !frame.bytes.is_empty() {
                held_bytes += frame.bytes.len();
                held.push(frame.bytes);
            }
            match frame.mark {
                Mark::Empty if held_bytes > held_limit => {
                    let text = format!("more than {held_limit} bytes without any content");
                    return Err(Fault::new(FaultKind::Malformed, text));
                }
                Mark::Empty => {}
                Mark::Content => return Ok(Opened { held, rest: Some(frames), edits, losses }),
                Mark::End => return Ok(Opened { held, rest: None, edits, losses }),
            }
        }
    }

    /// What the provider is told of the trace.
    fn traceparent(&self) -> Option<HeaderValue> {
        if !self.settings.telemetry.propagate {
            return None;
        }
        let context = self.settlement.trace();
        let span = trace::span_of(&self.id, self.settlement.attempts().len() + 1);
        trace::traceparent(
            trace::trace_of(context.as_ref(), &self.id),
            span,
            context.is_none_or(|context| context.sampled),
        )
    }

    fn started(mut self, first: First, deadline: Instant) -> Started {
        let First { target, trial, opened, started_ms, watch } = first;
        let total = self.total();
        let took_ms = self.settlement.meter.elapsed_ms().saturating_sub(started_ms);
        self.learning.served(&target, &watch, took_ms);
        self.settlement.meter.content();
        self.settlement.commit();
        self.health.answering(&trial, &target);
        let record = self.record(&target, started_ms, None);
        self.settlement.attempted(record, opened.edits, opened.losses.clone());
        Started {
            target,
            attempts: self.settlement.attempts().len(),
            held: opened.held,
            rest: opened.rest,
            losses: opened.losses,
            settlement: self.settlement,
            health: self.health,
            settings: self.settings,
            deadline,
            total,
            permit: self.permit,
            trial,
            learning: self.learning,
            watch,
            proves: !matches!(self.request.task, Task::CountTokens | Task::Kept { .. }),
        }
    }

    /// Takes note of a failed attempt.
    fn note(&mut self, target: &Target, trial: &Trial, fault: &Fault, hold: Hold, started_ms: u32) {
        hold.failed(fault, self.settlement.meter.usage());
        if self.traffic.failed(target, &self.request.task, fault) {
            // A window of one model is no matter of the account's health; but whoever refuses is there.
            let there = Fault { kind: FaultKind::Unserved, ..fault.clone() };
            self.health.failed(trial, target, &there, &self.settings.routing);
        } else {
            self.health.failed(trial, target, fault, &self.settings.routing);
        }
        self.attempted(target, fault, started_ms);
    }

    /// Takes note of a failed attempt for the receipt alone.
    fn attempted(&mut self, target: &Target, fault: &Fault, started_ms: u32) {
        // What it said of its answer is not the answer's that the client gets.
        self.settlement.meter.forget();
        let record = self.record(target, started_ms, Some(fault));
        self.settlement.attempted(record, Vec::new(), Losses::default());
    }

    fn record(&self, target: &Target, started_ms: u32, fault: Option<&Fault>) -> AttemptRecord {
        AttemptRecord {
            connection: Arc::clone(&target.connection.id),
            provider: target.connection.provider.id.as_str().into(),
            model: Arc::clone(&target.model),
            started_ms,
            took_ms: self.settlement.meter.elapsed_ms().saturating_sub(started_ms),
            fault: fault.map(|fault| fault.kind),
            status: fault.map_or(Some(200), |fault| fault.status),
            message: fault.map(|fault| fault.message.clone()),
        }
    }

    /// What the client is told when no target gave content.
    fn refusal(&self, mut faults: Vec<(Target, Fault)>) -> Refusal {
        let model = &self.request.facts.model;
        match faults.pop() {
            Some((_, fault)) if fault.kind.is_verdict() => return Refusal::passed_on(fault),
            Some((_, fault)) if fault.kind == FaultKind::TimedOut(Stage::Total) => {
                return Refusal::new(Code::DeadlineExceeded, format!("There was {}.", fault.message));
            }
            last => faults.extend(last),
        }
        // What failed is now cooling, or it is not: the health knows, and is asked instead of guessed at.
        let view = self.health.view();
        let mut skipped = self.plan.skipped.clone();
        let mut failed = Vec::new();
        for (target, fault) in faults {
            match self.traffic.standing(&view, &target) {
                Standing::Cooling(cooldown) => skipped.push(Skip { target, bar: Bar::Cooling(cooldown) }),
                Standing::Fit | Standing::Recovering(_) => failed.push((target, fault)),
            }
        }
        if failed.is_empty() {
            nowhere::left_out(model, &skipped, view.now())
        } else {
            nowhere::all_failed(model, &failed)
        }
    }
}

/// Moves the other models of a connection that just failed behind everybody else: the next one
/// would most likely wait for the same broken host.
fn others_first(targets: &mut VecDeque<Target>, failed: &Target) {
    let (same, others): (VecDeque<_>, VecDeque<_>) =
        targets.drain(..).partition(|target| target.connection.id == failed.connection.id);
    targets.extend(others);
    targets.extend(same);
}

/// Waits for `work` until a stage's limit, counted from `since`, or the request's deadline.
async fn within<T>(
    work: impl Future<Output = T>,
    since: Instant,
    limit: Duration,
    stage: Stage,
    deadline: Instant,
    total: Duration,
) -> Result<T, Fault> {
    let stage_ends = since + limit;
    timeout_at(stage_ends.min(deadline), work).await.map_err(|_| {
        if deadline <= stage_ends {
            Fault::timed_out(Stage::Total, total)
        } else {
            Fault::timed_out(stage, limit)
        }
    })
}
