//! What the engine needs from the world, as traits: somebody who talks to providers, somewhere
//! to put receipts and cooldowns, and a clock. It knows none of the implementations.

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use canon::{Dialect, Edit, Facts, Frame};
use futures_core::{Stream, future::BoxFuture};

use super::{
    fault::{Fault, FaultKind},
    receipt::Receipt,
    settings::{Connection, Timeouts},
};

/// One place that a request can go to.
#[derive(Debug, Clone)]
pub struct Target {
    /// The account at the provider.
    pub connection: Arc<Connection>,
    /// The model as the provider knows it.
    pub model: Arc<str>,
    /// The dialect in which the provider is spoken to.
    pub dialect: Dialect,
}

/// What is to be sent: the client's own bytes and what a scan of them found.
#[derive(Debug, Clone)]
pub struct Request {
    /// The dialect in which the client spoke.
    pub dialect: Dialect,
    /// The client's body.
    pub body: Bytes,
    /// What routing and sending need to know of it.
    pub facts: Arc<Facts>,
}

/// One attempt, ready to be sent.
#[derive(Debug, Clone)]
pub struct Call {
    /// Where to.
    pub target: Target,
    /// What.
    pub request: Request,
    /// The deadlines; the engine itself watches first content and total.
    pub timeouts: Timeouts,
}

/// Pieces of an answer. The stream ends after the answer's end, or with the first error.
pub type Frames = Pin<Box<dyn Stream<Item = Result<Frame, Fault>> + Send>>;

/// A provider's answer with a good status.
pub struct Answer {
    /// The answer, piece by piece; a unary one is a single piece.
    pub frames: Frames,
    /// What was changed in the body that was sent.
    pub edits: Vec<Edit>,
}

/// Somebody who can put a call to its target.
pub trait Upstream: Send + Sync {
    /// Sends the call and waits for the status line. Dropping the future, or the
    /// frames that it gave, stops the work at the provider.
    fn send(&self, call: Call) -> BoxFuture<'static, Result<Answer, Fault>>;
}

/// Somewhere to put receipts. Never blocks: when its queue is full it drops and counts.
pub trait ReceiptSink: Send + Sync {
    /// Takes a finished request's record.
    fn record(&self, receipt: Receipt);
}

/// A connection, or one model on it, that is to be left alone for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CooldownRecord {
    /// The connection's id.
    pub connection: Arc<str>,
    /// The model, when only that one is meant.
    pub model: Option<Arc<str>>,
    /// [`Connection::fingerprint`] at that time: a changed credential makes the record void.
    pub fingerprint: u64,
    /// When it ends, in milliseconds since the Unix epoch.
    pub until: i64,
    /// What caused it.
    pub kind: FaultKind,
    /// The evidence in words.
    pub message: String,
}

/// Somewhere to keep cooldowns, so that they survive a restart.
pub trait CooldownSink: Send + Sync {
    /// Keeps a cooldown, in place of an earlier one of the same connection and model.
    fn cooled(&self, record: CooldownRecord);
    /// Forgets a cooldown that was reset before its time.
    fn cleared(&self, connection: Arc<str>, model: Option<Arc<str>>);
}

/// The time of day.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch.
    fn now(&self) -> i64;
}
