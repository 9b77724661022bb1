//! The record of one finished request. It carries numbers and short words, never prompts, answers or secrets.

use std::sync::Arc;

use canon::{Dialect, Edit, Losses, Usage};

use super::{fault::FaultKind, plan::Made, settings::Usd, shaping::Shape, trace::TraceContext};

/// One finished request: who asked, what was planned, what was tried, and how it ended.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The hub's request id (`x-request-id`).
    pub id: String,
    /// When the request arrived, in milliseconds since the Unix epoch.
    pub at: i64,
    /// [`super::caller::Caller::id`].
    pub caller: Arc<str>,
    /// The client's own `x-request-id`, if it sent one.
    pub client_request_id: Option<String>,
    /// The dialect in which the client spoke.
    pub dialect: Dialect,
    /// The model as the client named it.
    pub model: String,
    /// What the client calls the session that the request belongs to.
    pub session: Option<String>,
    /// The trace that the request belongs to, by its client's word.
    pub trace: Option<TraceContext>,
    /// Whether the client asked for a stream.
    pub stream: bool,
    /// The strategy that ordered the targets; empty when planning failed.
    pub strategy: &'static str,
    /// What was tried, in order.
    pub attempts: Vec<AttemptRecord>,
    /// What was left out of the plan, and why.
    pub skipped: Vec<SkipRecord>,
    /// How the plan was made; `None` where there was nothing to decide.
    pub plan: Option<Box<Made>>,
    /// HTTP status that the client got.
    pub status: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// Public error code, when the client got an error.
    pub error: Option<&'static str>,
    /// Set where the answer was made for another request: nothing was asked of a provider, and nothing spent.
    pub reused: Option<Reuse>,
    /// What was done to the request before it was planned.
    pub shaped: Vec<Shape>,
    /// Tokens, where known.
    pub usage: Option<Usage>,
    /// Whether it is of a kind that is paid for: counting tokens is not, nor looking at what a provider keeps.
    pub billed: bool,
    /// What the answer cost; `None` where that is not known, or nothing was answered.
    pub cost: Option<Usd>,
    /// Whether the cost is by estimated tokens, since the provider's count did not come.
    pub cost_estimated: bool,
    /// Changes made to the passed-through body for the last attempt.
    pub edits: Vec<Edit>,
    /// What the translation for the last attempt lost.
    pub losses: Losses,
    /// Milliseconds from arrival to the first content, if any came.
    pub first_content_ms: Option<u32>,
    /// Milliseconds from arrival to the end.
    pub total_ms: u32,
    /// Bytes of answer given to the client.
    pub bytes_out: u64,
}

/// One try at one target.
#[derive(Debug, Clone)]
pub struct AttemptRecord {
    /// The connection's id.
    pub connection: Arc<str>,
    /// The provider's id.
    pub provider: Arc<str>,
    /// The model as the provider knows it.
    pub model: Arc<str>,
    /// Milliseconds from the request's arrival to the start of this attempt.
    pub started_ms: u32,
    /// Milliseconds that the attempt took.
    pub took_ms: u32,
    /// `None`: it served the answer. Otherwise what went wrong.
    pub fault: Option<FaultKind>,
    /// The provider's HTTP status, when there was one.
    pub status: Option<u16>,
    /// What went wrong in words; secrets and bodies are never part of it.
    pub message: Option<String>,
}

/// A target that the planner left out.
#[derive(Debug, Clone)]
pub struct SkipRecord {
    /// The connection's id.
    pub connection: Arc<str>,
    /// The model as the provider knows it.
    pub model: Arc<str>,
    /// Why, in words for people.
    pub reason: String,
    /// When it becomes eligible again, in milliseconds since the Unix epoch, where that is known.
    pub until: Option<i64>,
}

impl Receipt {
    /// Takes out everything that a client or a provider worded: names and numbers stay.
    pub(super) fn forget_words(&mut self) {
        self.client_request_id = None;
        self.plan = None;
        self.attempts.iter_mut().for_each(|attempt| attempt.message = None);
        for skip in &mut self.skipped {
            let kind = skip.reason.find(':').unwrap_or(skip.reason.len());
            skip.reason.truncate(kind);
        }
    }
}

/// How a request came by an answer that was made for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// From the cache.
    Cached,
    /// From a request like it that was under way.
    Joined,
    /// From what its idempotency key stands for.
    Replayed,
}

impl Reuse {
    /// The word that is written in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cached => "cached",
            Self::Joined => "joined",
            Self::Replayed => "replayed",
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The client got the whole answer.
    Completed,
    /// The client got an error instead of an answer.
    Failed,
    /// The answer broke after its first content; the client got an error event.
    Interrupted,
    /// The client left before the end.
    ClientLeft,
}

impl Outcome {
    /// The outcome as it is written in the store and in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::ClientLeft => "client_left",
        }
    }
}
