//! Gives the client its answer: holds the status back until there is something to say, passes the answer on piece by piece
//! within its deadlines, shows signs of life, and says so when it breaks.

use std::{
    pin::Pin,
    sync::{Arc, OnceLock, atomic::Ordering},
    time::Duration,
};

use async_stream::stream;
use bytes::Bytes;
use canon::{Dialect, Edit, Losses, Mark};
use futures_core::Stream;
use futures_util::StreamExt;
use tokio::time::{Instant, timeout};

use super::{
    attempt::{Race, Started},
    code::Code,
    fault::{Fault, FaultKind, Stage},
    policy::Told,
    refusal::Refusal,
    reuse,
    settings::Usd,
    settle::Settlement,
};

/// A reply that has been decided on.
pub struct Reply {
    /// Who serves it. Empty while the status had to be sent before that was known; filled before the first bytes.
    pub served: Arc<OnceLock<Served>>,
    /// The answer as it comes.
    pub pieces: Pieces,
    /// What the cache did, where it is on for the request.
    pub cached: Option<reuse::Cached>,
    /// How the limits of the caller stand, where it has any.
    pub rate: Option<Told>,
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
    /// What the answer costs, where that is known before it is given: of answers in one piece.
    pub cost: Option<Usd>,
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

/// Runs the race. The status of a stream is held back for the first content, so that another target can
/// still be tried unseen; but not for longer than a client would wait without a sign of life.
pub(super) async fn reply(race: Race, keep_alive: Duration) -> Result<Reply, Refusal> {
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
            Ok(Reply { pieces, served, cached: None, rate: None })
        }
    }
}

fn committed(started: Started, keep_alive: Duration) -> Reply {
    let served = Arc::new(OnceLock::from(served(&started)));
    Reply { served, pieces: Box::pin(deliver(started, keep_alive)), cached: None, rate: None }
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
        cost: match &started.rest {
            None => started.settlement.certain_cost(),
            Some(_) => None,
        },
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
    let Started {
        target,
        held,
        rest,
        mut settlement,
        health,
        settings,
        deadline,
        total,
        permit,
        learning,
        watch,
        trial,
        proves,
        ..
    } = started;
    stream! {
        // Settled before the last bytes are handed over: a client that leaves right after them has had its answer.
        let mut rest = rest;
        let whole = |settlement: &mut Settlement| {
            if proves {
                health.succeeded(&trial, &target);
            }
            settlement.complete();
        };
        if rest.is_none() {
            whole(&mut settlement);
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
                        whole(&mut settlement);
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
                Err(_) if wake == deadline => Fault::timed_out(Stage::Total, total),
                Err(_) if wake == idle_ends => Fault::timed_out(Stage::Idle, settings.timeouts.idle),
                Err(_) => {
                    yield Piece::KeepAlive;
                    sent = Instant::now();
                    continue;
                }
            };
            health.failed(&trial, &target, &fault, &settings.routing);
            learning.failed(&watch, &fault);
            let refusal = interrupted(&fault);
            settlement.interrupt(&refusal, &fault);
            rest = None;
            yield Piece::Broke(Box::new(refusal));
        }
        drop((permit, watch));
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
        FaultKind::RateLimited | FaultKind::ModelLimited | FaultKind::DailyQuota => Some(429),
        FaultKind::Unavailable => Some(503),
        kind if kind.is_verdict() => Some(400),
        _ => None,
    };
    refusal
}
