//! What the engine needs from the world, as traits: somebody who talks to providers, somewhere
//! to put receipts and cooldowns, and a clock. It knows none of the implementations.

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use canon::{Dialect, Edit, Facts, Frame, Losses};
use futures_core::{Stream, future::BoxFuture};
use http::HeaderMap;

use super::{
    fault::{Fault, FaultKind},
    receipt::Receipt,
    settings::{Connection, ModelFacts, Shaping, Timeouts},
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
