//! What every dialect can do with a request it has read: say what is asked, and write the answer whole or in events.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ask::Ask;
use super::dice::Dice;
use super::player::Kind;
use super::problem::Problem;
use super::reply::Reply;
use super::script::{Behaviour, Quirk};
use super::store::Memory;

/// A request that was read, in the dialect that will answer it.
pub(super) trait Speech: Send {
    /// What is asked.
    fn ask(&self) -> &Ask;

    /// The answer in one piece.
    fn whole(&self, answer: &Answer<'_>) -> String;

    /// The answer in events.
    fn stream(&self, answer: &Answer<'_>) -> Vec<Mark>;

    /// The event that ends a stream with a failure; `begun` says whether any event came before.
    fn failure(&self, answer: &Answer<'_>, problem: &Problem, begun: bool) -> String;

    /// What the stream is.
    fn stream_type(&self) -> &'static str {
        "text/event-stream; charset=utf-8"
    }

    /// Remembers the answer, where the dialect lets one come back to it.
    fn keep(&self, _answer: &Answer<'_>, _memory: &Mutex<Memory>) {}
}

/// An answer, before it is written.
pub(super) struct Answer<'a> {
    /// What is said, once for each answer that was asked for.
    pub(super) replies: &'a [Reply],
    /// What ids are drawn from; a copy for each writing, so that all writings agree.
    pub(super) dice: Dice,
    /// What makes all answers of this simulator repeat.
    pub(super) seed: u64,
    /// Unix seconds.
    pub(super) now: u64,
    /// What was counted; nothing if the script keeps it back.
    pub(super) usage: Option<Usage>,
}

impl Answer<'_> {
    /// The first reply: the only one, in dialects that know no others.
    pub(super) fn reply(&self) -> Option<&Reply> {
        self.replies.first()
    }
}

/// Tokens that were counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// The whole prompt.
    pub(super) input: u64,
    /// Of the prompt: read from the cache.
    pub(super) cache_read: u64,
    /// Of the prompt: written to the cache.
    pub(super) cache_written: u64,
    /// The whole answer, with the thinking.
    pub(super) output: u64,
    /// Of the answer: thinking.
    pub(super) thinking: u64,
}

impl Usage {
    /// The usage of these answers to a prompt.
    pub(super) fn of(ask: &Ask, replies: &[Reply], (cache_read, cache_written): (u64, u64)) -> Self {
        let thinking = replies.iter().map(|reply| reply.thinking.len() as u64).sum();
        let said: u64 = replies.iter().map(|reply| reply.tokens).sum();
        Self { input: ask.prompt_tokens(), cache_read, cache_written, output: said + thinking, thinking }
    }
}

/// One thing on the way of a healthy stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Bytes of some kind.
    Send(Kind, String),
    /// The time between two pieces of content.
    Pause,
}

impl Mark {
    /// A server-sent event without a name.
    pub(super) fn data(kind: Kind, data: &str) -> Self {
        Self::Send(kind, format!("data: {data}\n\n"))
    }
}

/// One named server-sent event, as text.
pub(super) fn named_event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

/// What a dialect knows of the account besides the body.
pub(super) struct Context<'a> {
    /// The key that asks.
    pub(super) key: &'a str,
    /// How it is served.
    pub(super) behaviour: &'a Behaviour,
    /// What the request's `anthropic-beta` header asks for.
    pub(super) betas: &'a str,
    /// What earlier requests left.
    pub(super) memory: &'a Mutex<Memory>,
}

impl<'a> Context<'a> {
    /// Whether this vendor is strict in that way.
    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.behaviour.quirks.contains(&quirk)
    }

    /// What earlier requests left.
    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose seals the vendor takes for its own.
    pub(super) fn maker(&self, usual: &'a str) -> &'a str {
        self.behaviour.maker.as_deref().unwrap_or(usual)
    }
}
