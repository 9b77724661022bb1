//! The only retry and fallback loop. It goes through the plan's targets until one gives content; after that
//! the target is fixed, and a failure is the client's to know.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use canon::{Losses, Mark};
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use super::{
    admit::Permit,
    code::Code,
    fault::{Fault, FaultKind, Scope, Stage},
    health::{Cooldown, Health, Standing},
    plan::{Plan, Skip},
    ports::{Call, Frames, Request, Target, Task, Upstream},
    receipt::AttemptRecord,
    refusal::Refusal,
    settings::Settings,
    settle::Settlement,
};

/// The most that is held back before the first content, in bytes, beside three times the request: a role and an id need
/// a few hundred, but Responses repeat what they were asked in each of their first events.
const HELD_LIMIT: usize = 1024 * 1024;

/// One request on its way through its plan.
pub(super) struct Race {
    pub(super) upstream: Arc<dyn Upstream>,
    pub(super) health: Arc<Health>,
    pub(super) settings: Arc<Settings>,
    pub(super) request: Request,
    pub(super) plan: Plan,
    pub(super) settlement: Settlement,
    pub(super) permit: Permit,
    /// The hub's id of the request.
    pub(super) id: Arc<str>,
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
    pub(super) permit: Permit,
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
        let deadline = self.settlement.meter.arrived() + self.settings.timeouts.total;
        let mut targets = VecDeque::from(std::mem::take(&mut self.plan.targets));
        let mut faults = Vec::new();
        let mut denied = None;
        while let Some(target) = targets.pop_front() {
            if let Some(cooldown) = self.cooled_meanwhile(&target) {
                let skip = Skip { target, cooldown };
                self.settlement.skipped(skip.record());
                self.plan.skipped.push(skip);
                continue;
            }
            if let Err(no) = self.settlement.tab.open(&target).await {
                self.settlement.skipped(no.record(&target));
                denied.get_or_insert(no);
                continue;
            }
            let started_ms = self.settlement.meter.elapsed_ms();
            match self.open(&target, deadline).await {
                Ok(opened) => return Ok(self.started(target, opened, started_ms, deadline)),
                Err(fault) => {
                    self.note(&target, &fault, started_ms);
                    if !fault.kind.fails_over() {
                        faults.push((target, fault));
                        break;
                    }
                    if fault.kind.scope() == Scope::Transient {
                        others_first(&mut targets, &target);
                    }
                    faults.push((target, fault));
                }
            }
        }
        let mut refusal = match denied {
            Some(denied) if faults.is_empty() => denied.refusal(),
            _ => self.refusal(faults),
        };
        refusal.attempts = self.settlement.attempts().to_vec();
        refusal.skipped = self.settlement.skips().to_vec();
        self.settlement.refuse(&refusal);
        Err(refusal)
    }

    /// A cooldown that began after the plan was made, by a parallel request or an earlier attempt of this one.
    fn cooled_meanwhile(&self, target: &Target) -> Option<Cooldown> {
        if matches!(self.request.task, Task::Kept { .. }) {
            return None;
        }
        match self.health.view().standing(&target.connection, &target.model) {
            Standing::Cooling(cooldown) => Some(cooldown),
            Standing::Fit | Standing::Recovering(_) => None,
        }
    }

    async fn open(&mut self, target: &Target, deadline: Instant) -> Result<Opened, Fault> {
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
        };
        let answer =
            within(self.upstream.send(call), now, start_limit, start_stage, deadline, timeouts.total)
                .await??;
        let (mut frames, edits, losses) = (answer.frames, answer.edits, answer.losses);
        let mut held = Vec::new();
        let mut held_bytes = 0;
        let held_limit = HELD_LIMIT.saturating_add(self.request.body.len().saturating_mul(3));
        let first_content = timeouts.first_content;
        loop {
            let frame =
                within(frames.next(), now, first_content, Stage::FirstContent, deadline, timeouts.total)
                    .await?;
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

    fn started(mut self, target: Target, opened: Opened, started_ms: u32, deadline: Instant) -> Started {
        self.settlement.meter.content();
        self.settlement.commit();
        self.health.succeeded(&target.connection);
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
            permit: self.permit,
        }
    }

    fn note(&mut self, target: &Target, fault: &Fault, started_ms: u32) {
        self.health.failed(target, fault, &self.settings.routing);
        // What it said of its answer is not the answer's that the client gets.
        self.settlement.meter.forget();
        self.settlement.tab.fail();
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
            Some((_, fault)) if fault.kind == FaultKind::InvalidRequest => return Refusal::passed_on(fault),
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
            match view.standing(&target.connection, &target.model) {
                Standing::Cooling(cooldown) => skipped.push(Skip { target, cooldown }),
                Standing::Fit | Standing::Recovering(_) => failed.push((target, fault)),
            }
        }
        if failed.is_empty() { cooling(model, &skipped, view.now()) } else { all_failed(model, &failed) }
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

/// Every target is to be left alone for a while.
pub(super) fn cooling(model: &str, skipped: &[Skip], now: i64) -> Refusal {
    if skipped.iter().all(|skip| skip.cooldown.kind == FaultKind::ModelNotFound) {
        let who = names(skipped.iter().map(|skip| &skip.target));
        return Refusal::new(Code::ModelNotFound, format!("The model `{model}` is unknown to {who}."))
            .about("model");
    }
    let exhausted = skipped.iter().all(|skip| skip.cooldown.kind.is_exhaustion());
    let until = skipped.iter().map(|skip| skip.cooldown.until).min().unwrap_or(now);
    let wait = Duration::from_millis((until - now).max(0).unsigned_abs());
    let (code, what) = if exhausted {
        (Code::RateLimited, "has used up its limits")
    } else {
        (Code::AllCoolingDown, "is out of use for a while")
    };
    let text = format!(
        "Every connection that serves `{model}` {what} ({}). The first one is back in {} s.",
        kinds(skipped),
        wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)),
    );
    Refusal::new(code, text).retry_after(wait)
}

/// How many are left alone for which reason. Which ones they are is for callers who may see the topology.
fn kinds(skipped: &[Skip]) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for skip in skipped {
        *counts.entry(skip.cooldown.kind.as_str()).or_insert(0_usize) += 1;
    }
    counts.into_iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}

fn all_failed(model: &str, failed: &[(Target, Fault)]) -> Refusal {
    if failed.iter().all(|(_, fault)| fault.kind == FaultKind::Unserved && fault.status == Some(404)) {
        let who = names(failed.iter().map(|(target, _)| target));
        let text = format!("The model `{model}` is unknown to {who}, or cannot do this there.");
        return Refusal::new(Code::ModelNotFound, text).about("model");
    }
    let timed_out = failed.iter().all(|(_, fault)| matches!(fault.kind, FaultKind::TimedOut(_)));
    let code = if timed_out { Code::DeadlineExceeded } else { Code::AllFailed };
    let who = names(failed.iter().map(|(target, _)| target));
    Refusal::new(code, format!("No connection could answer for `{model}`; tried: {who}."))
}

/// Which providers were tried. Connections' ids are for callers who may see the topology, so they are not named.
fn names<'a>(targets: impl Iterator<Item = &'a Target>) -> String {
    let mut names: Vec<&str> = targets.map(|target| target.connection.provider.name.as_str()).collect();
    names.dedup();
    names.join(", ")
}
