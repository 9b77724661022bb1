//! What the engine needs from the world, as traits: somebody who talks to providers, somewhere
//! to put receipts and cooldowns, and a clock. It knows none of the implementations.

mod capture;
mod limits;
mod tokens;

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use canon::{Dialect, Edit, Facts, Frame, Losses};
use futures_core::{Stream, future::BoxFuture};
use http::{HeaderMap, HeaderValue};

use super::{
    fault::{Fault, FaultKind},
    receipt::Receipt,
    settings::{Connection, ModelFacts, Shaping, Timeouts, Usd},
};

pub use capture::{CaptureSink, Captured, Payload, PayloadStage, Room, Tape};
pub use limits::{Reading, WindowRecord, WindowSink};
pub use tokens::{Lack, Tokens};

/// One place that a request can go to.
#[derive(Debug, Clone)]
pub struct Target {
    /// The account at the provider.
    pub connection: Arc<Connection>,
    /// The model as the provider knows it.
    pub model: Arc<str>,
    /// The dialect in which the provider is spoken to.
    pub dialect: Dialect,
    /// What is known of the model there.
    pub facts: Arc<ModelFacts>,
}

/// What is to be sent: the client's own bytes and what a scan of them found.
#[derive(Debug, Clone)]
pub struct Request {
    /// The dialect in which the client spoke.
    pub dialect: Dialect,
    /// What is asked for in it.
    pub task: Task,
    /// The client's body.
    pub body: Bytes,
    /// What routing and sending need to know of it.
    pub facts: Arc<Facts>,
    /// Headers of the client that a provider of the same dialect should see (`anthropic-beta`). Never credentials.
    pub headers: HeaderMap,
    /// Whether the request came by the route that forces a web search: its tool is to be put into the target's form.
    pub searches: bool,
    /// Whether the hub keeps the answer itself where the provider does not speak the dialect (Responses).
    pub keeps: bool,
    /// What is to be done to the request at its target, by the operator's wish. The engine fills it in.
    pub shaping: Option<Arc<Shaping>>,
}

/// What is asked for, beside the dialect. Only generation is translated: all else goes to those who speak the dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// An answer to a conversation.
    Generate,
    /// The continuation of a text (OpenAI's legacy completions).
    Complete,
    /// Embeddings (OpenAI's).
    Embed,
    /// How many tokens a request has (Anthropic's and Gemini's).
    CountTokens,
    /// A shorter conversation (Responses).
    Compact,
    /// Something that the provider keeps (Responses): its method, and its path below the dialect's.
    Kept {
        /// The method.
        method: http::Method,
        /// The path, such as `/resp_1/input_items?limit=5`.
        path: String,
    },
}

impl Task {
    /// Whether a target of another dialect can do it.
    #[must_use]
    pub const fn is_translated(&self) -> bool {
        matches!(self, Self::Generate)
    }
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
    /// The hub's id of the request, for answers that need one made.
    pub id: Arc<str>,
    /// The trace for the provider, where the operator wants it to know.
    pub traceparent: Option<HeaderValue>,
    /// Takes down what is sent and answered, where the operator wants that.
    pub tape: Option<Arc<Tape>>,
}

/// Pieces of an answer. The stream ends after the answer's end, or with the first error.
pub type Frames = Pin<Box<dyn Stream<Item = Result<Frame, Fault>> + Send>>;

/// A provider's answer with a good status.
pub struct Answer {
    /// The answer, piece by piece; a unary one is a single piece.
    pub frames: Frames,
    /// What was changed in the body that was sent.
    pub edits: Vec<Edit>,
    /// What the target's dialect could not say of the request, and the client's of a unary answer.
    pub losses: Losses,
    /// What it told of the account's windows.
    pub readings: Option<Box<[Reading]>>,
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

/// A connection, one model on it, or a provider's host, that is to be left alone for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CooldownRecord {
    /// What kind of lock it is.
    pub lock: LockKind,
    /// The connection's id. Of a breaker: `host:` and the host, which no id can be.
    pub connection: Arc<str>,
    /// The model, when only that one is meant.
    pub model: Option<Arc<str>>,
    /// [`Connection::fingerprint`] at that time: a changed credential makes the record void. 0 of a breaker.
    pub fingerprint: u64,
    /// When it began, in milliseconds since the Unix epoch.
    pub since: i64,
    /// When it ends, in milliseconds since the Unix epoch.
    pub until: i64,
    /// What caused it.
    pub kind: FaultKind,
    /// The evidence in words.
    pub message: String,
    /// Locks in a row: the next one lasts the longer for it.
    pub level: u32,
    /// Failures in a row that spoke of a dead account.
    pub strikes: u32,
}

impl CooldownRecord {
    /// An ordinary cooldown that begins the row.
    #[must_use]
    pub fn cooldown(
        connection: Arc<str>,
        model: Option<Arc<str>>,
        fingerprint: u64,
        until: i64,
        kind: FaultKind,
        message: impl Into<String>,
    ) -> Self {
        let (lock, message) = (LockKind::Cooldown, message.into());
        Self { lock, connection, model, fingerprint, since: 0, until, kind, message, level: 0, strikes: 0 }
    }
}

/// The kinds of locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockKind {
    /// It passes by itself.
    Cooldown,
    /// The account is taken for dead; when the lock ends, one request tests it.
    Terminal,
    /// The breaker of a provider's host is open; when the lock ends, one request probes it.
    Breaker,
}

impl LockKind {
    /// The kind as it is written in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cooldown => "cooldown",
            Self::Terminal => "terminal",
            Self::Breaker => "breaker",
        }
    }

    /// The kind that [`Self::as_str`] wrote.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Cooldown, Self::Terminal, Self::Breaker].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Somewhere to keep cooldowns, so that they survive a restart.
pub trait CooldownSink: Send + Sync {
    /// Keeps a cooldown, in place of an earlier one of the same connection and model.
    fn cooled(&self, record: CooldownRecord);
    /// Forgets a cooldown that was reset before its time.
    fn cleared(&self, connection: Arc<str>, model: Option<Arc<str>>);
}

/// What is written down as spent of one budget in one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRecord {
    /// The budget's id.
    pub budget: Arc<str>,
    /// Whose part of it: the caller's id where each has a part, else empty.
    pub holder: Arc<str>,
    /// When the window began, in milliseconds since the Unix epoch.
    pub window: i64,
    /// As much may have been spent in it.
    pub leased: Usd,
}

/// The store failed.
#[derive(Debug, thiserror::Error)]
#[error("the budgets' leases could not be kept: {0}")]
pub struct LeaseError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Somewhere to keep leases, so that a restart forgets nothing that was spent.
pub trait LeaseStore: Send + Sync {
    /// The leases of windows that began at `since` (milliseconds since the Unix epoch) or later; deletes the others.
    fn load(&self, since: i64) -> BoxFuture<'_, Result<Vec<LeaseRecord>, LeaseError>>;
    /// Keeps leases, each in place of an earlier one of the same budget and holder. They are on disk when it is done.
    fn put(&self, leases: Vec<LeaseRecord>) -> BoxFuture<'_, Result<(), LeaseError>>;
}

/// The time of day.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch.
    fn now(&self) -> i64;
}
