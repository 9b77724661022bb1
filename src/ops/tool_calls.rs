//! The record of tool calls: who called what over MCP, and how it ended. Calls are written by a task of their own, off the way
//! of the call; where that does not keep up, callers wait for a place in its queue, and no call is left out.

mod digests;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use operations::{
    audit::AuditVerdict,
    mcp::{
        CallDetail, CallOutcome, DEFAULT_HOURS, DEFAULT_PAGE, GetToolCallStats, ListToolCalls, Sums,
        ToolCallPage, ToolCallStats, ToolSums,
    },
};
use serde_json::{Map, Value};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

use self::digests::{Digests, Guessable};
use super::{
    OpError,
    ports::{CallSum, LogError, NewCall, SigningKeyStore, ToolCallLog},
};
use crate::{
    engine::{caller::Caller, ports::Clock},
    observe::events,
};

/// Calls that can wait to be written down; whoever ends another one waits until there is room.
const QUEUE: usize = 1024;

/// Calls that are written in one transaction.
const BATCH: usize = 256;

/// Between two attempts where the store fails.
const AGAIN: Duration = Duration::from_secs(1);

/// How long it is waited until all calls are written down, before they are read or the hub stops.
const PATIENCE: Duration = Duration::from_secs(3);

/// The largest arguments that are kept, in bytes; of larger ones only the size.
const MOST_ARGUMENTS: usize = 4 * 1024;

/// Longest name of a tool, a client or a version that is kept, in characters.
const MOST_NAME: usize = 128;

const HOUR_MS: i64 = 3_600_000;

/// What the writing task is told.
enum Told {
    Call(Box<Heard>),
    Flush(oneshot::Sender<()>),
}

/// A call, and what its arguments come to until that is made a digest.
struct Heard {
    call: NewCall,
    arguments: Option<Guessable>,
}

/// The record of one hub.
pub struct ToolCalls {
    log: Arc<dyn ToolCallLog>,
    clock: Arc<dyn Clock>,
    queue: mpsc::Sender<Told>,
}

/// A call that is under way. Dropped before its end, it is recorded as cancelled.
pub struct UnderWay {
    calls: Arc<ToolCalls>,
    heard: Option<Box<Heard>>,
    ended: bool,
    began: Instant,
}

impl ToolCalls {
    /// A record in `log`, with a task that writes. The key to its digests is in `keys`.
    #[must_use]
    pub fn start(
        log: Arc<dyn ToolCallLog>,
        keys: Arc<dyn SigningKeyStore>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let (queue, told) = mpsc::channel(QUEUE);
        tokio::spawn(write(Arc::clone(&log), Digests::new(keys, Arc::clone(&clock)), told));
        Arc::new(Self { log, clock, queue })
    }

    /// A call begins. Of `arguments`, as they were sent, a digest is kept.
    #[must_use]
    pub fn begin(
        self: &Arc<Self>,
        caller: &Caller,
        tool: &str,
        arguments: Option<&Map<String, Value>>,
        detail: CallDetail,
    ) -> UnderWay {
        let call = NewCall {
            at: self.clock.now(),
            caller: Arc::clone(&caller.id),
            caller_name: Arc::clone(&caller.name),
            tool: named(tool),
            outcome: CallOutcome::Cancelled,
            took_ms: 0,
            detail: CallDetail {
                client: detail.client.as_deref().map(named),
                client_version: detail.client_version.as_deref().map(named),
                ..detail
            },
        };
        let heard = Some(Box::new(Heard { call, arguments: arguments.map(Guessable::of) }));
        UnderWay { calls: Arc::clone(self), heard, ended: false, began: Instant::now() }
    }

    /// Waits until everything that was recorded before is written down, or the store has failed for too long.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        let flush = async {
            if self.queue.send(Told::Flush(done)).await.is_ok() {
                drop(written.await);
            }
        };
        drop(timeout(PATIENCE, flush).await);
    }

    /// Lists calls, newest first.
    ///
    /// # Errors
    /// [`OpError::Store`].
    pub async fn list(&self, args: ListToolCalls) -> Result<ToolCallPage, OpError> {
        self.flush().await;
        let limit = args.limit.unwrap_or(DEFAULT_PAGE);
        let one_more = ListToolCalls { limit: Some(limit.saturating_add(1)), ..args };
        let mut calls = self.log.page(one_more).await.map_err(failed)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = calls.len() > limit;
        calls.truncate(limit);
        let next_cursor = calls.last().filter(|_| more).map(|last| last.id);
        Ok(ToolCallPage { calls, next_cursor })
    }

    /// Adds calls up.
    ///
    /// # Errors
    /// [`OpError::Store`].
    pub async fn stats(&self, args: GetToolCallStats) -> Result<ToolCallStats, OpError> {
        let hours = i64::from(args.hours.unwrap_or(DEFAULT_HOURS));
        let since_at = self.clock.now().saturating_sub(hours.saturating_mul(HOUR_MS));
        let (tools, total) = self.sums(since_at).await?;
        let part = |part: u64, of: u64| (of > 0).then(|| ratio(part, of));
        Ok(ToolCallStats { since_at, success_rate: part(total.ok, total.calls), total, tools })
    }

    /// Calls since then by tool, the one that was called most first, and all together.
    pub(super) async fn sums(&self, since: i64) -> Result<(Vec<ToolSums>, Sums), OpError> {
        self.flush().await;
        let sums = self.log.sums(since).await.map_err(failed)?;
        Ok(added_up(&sums))
    }

    /// Checks the hashes of all calls.
    ///
    /// # Errors
    /// [`OpError::Store`].
    pub async fn verify(&self) -> Result<AuditVerdict, OpError> {
        self.flush().await;
        self.log.verify().await.map_err(failed)
    }
}

impl UnderWay {
    /// What is called is known by now, and what of the arguments may be shown: nothing of what an unlogged caller says.
    pub fn is_of(&mut self, tool: &str, scope: Option<&str>, shown: Option<Value>) {
        let Some(Heard { call, .. }) = self.heard.as_deref_mut() else { return };
        tool.clone_into(&mut call.tool);
        call.detail.scope = scope.map(str::to_owned);
        call.detail.arguments = shown.map(|shown| {
            let size = shown.to_string().len();
            if size > MOST_ARGUMENTS { format!("[{size} bytes]").into() } else { shown }
        });
    }

    /// Ids of requests to models that it made.
    pub fn caused(&mut self, requests: Vec<String>) {
        if let Some(heard) = &mut self.heard {
            heard.call.detail.caused = requests;
        }
    }

    /// It has ended. Waits for a place in the queue.
    pub async fn end(mut self, outcome: CallOutcome, error: Option<&str>, result_bytes: u64) {
        let took_ms = self.took_ms();
        if let Some(Heard { call, .. }) = self.heard.as_deref_mut() {
            if outcome == CallOutcome::Denied {
                // Anybody with a key can be denied something, as often as they like.
                call.detail.arguments = None;
            }
            call.outcome = outcome;
            call.detail.error = error.map(str::to_owned);
            call.detail.result_bytes = result_bytes;
            call.took_ms = took_ms;
        }
        self.ended = true;
        let queue = self.calls.queue.clone();
        // The call is given away only with a place for it: whoever leaves now does not take it along.
        if let Ok(place) = queue.reserve().await
            && let Some(heard) = self.heard.take()
        {
            place.send(Told::Call(heard));
        }
    }

    fn took_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let Some(mut heard) = self.heard.take() else { return };
        if !self.ended {
            heard.call.took_ms = self.took_ms();
            heard.call.detail.error = Some("cancelled".to_owned());
        }
        let queue = self.calls.queue.clone();
        // Without a runtime the process is about to end.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { queue.send(Told::Call(heard)).await });
        }
    }
}

async fn write(log: Arc<dyn ToolCallLog>, mut digests: Digests, mut told: mpsc::Receiver<Told>) {
    let mut batch = Vec::with_capacity(BATCH);
    while told.recv_many(&mut batch, BATCH).await > 0 {
        let (mut heard, mut flushed) = (Vec::new(), Vec::new());
        for told in batch.drain(..) {
            match told {
                Told::Call(call) => heard.push(*call),
                Told::Flush(done) => flushed.push(done),
            }
        }
        if !heard.is_empty() {
            keep(&*log, &mut digests, heard, &told).await;
        }
        for done in flushed {
            // Whoever waited may have left.
            let _ = done.send(());
        }
    }
}

/// Writes calls down, however often that takes, while there is a hub.
async fn keep(
    log: &dyn ToolCallLog,
    digests: &mut Digests,
    mut heard: Vec<Heard>,
    told: &mpsc::Receiver<Told>,
) {
    loop {
        if heard.iter().any(|one| one.arguments.is_some()) {
            digests.prepare().await;
        }
        let calls: Arc<[NewCall]> = heard.iter_mut().map(|one| digested(one, digests)).collect();
        let Err(error) = log.append(calls).await else { return };
        events::tool_calls_waiting(&error, heard.len());
        if told.is_closed() {
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// The call as it is written down.
fn digested(heard: &mut Heard, digests: &Digests) -> NewCall {
    let arguments = heard.arguments.as_ref();
    heard.call.detail.arguments_digest = arguments.and_then(|arguments| digests.of(arguments));
    heard.call.clone()
}

fn added_up(sums: &[CallSum]) -> (Vec<ToolSums>, Sums) {
    let mut by_tool: BTreeMap<&str, (Sums, u64)> = BTreeMap::new();
    let (mut total, mut took) = (Sums::default(), 0);
    for sum in sums {
        let (of_tool, took_by_tool) = by_tool.entry(&sum.tool).or_default();
        count(of_tool, sum);
        count(&mut total, sum);
        *took_by_tool += sum.took_ms;
        took += sum.took_ms;
    }
    let average = |sums: Sums, took: u64| Sums {
        average_ms: (sums.calls > 0).then(|| ratio(took, sums.calls)),
        ..sums
    };
    let mut tools: Vec<ToolSums> = by_tool
        .into_iter()
        .map(|(tool, (sums, took))| ToolSums { tool: tool.to_owned(), sums: average(sums, took) })
        .collect();
    tools.sort_by_key(|tool| std::cmp::Reverse(tool.sums.calls));
    (tools, average(total, took))
}

fn count(sums: &mut Sums, sum: &CallSum) {
    sums.calls += sum.calls;
    match sum.outcome {
        CallOutcome::Ok => sums.ok += sum.calls,
        CallOutcome::Error => sums.error += sum.calls,
        CallOutcome::Denied => sums.denied += sum.calls,
        CallOutcome::Cancelled => sums.cancelled += sum.calls,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls stay far below where it matters")]
fn ratio(part: u64, of: u64) -> f64 {
    part as f64 / of as f64
}

/// A name of somebody else's, within bounds and without what a database or a terminal stumbles over.
fn named(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(MOST_NAME).collect()
}

fn failed(error: LogError) -> OpError {
    OpError::Store(Box::new(error))
}
