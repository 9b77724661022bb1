//! What differs between the dialects on the way to a provider and back, as one table. Everything else about sending
//! is the same for all of them.

use std::borrow::Cow;

use anthropic::messages;
use canon::{Dialect, Piece, UnaryError, Usage};
use gemini::generate;
use openai::{chat, completions, embeddings, responses};

use crate::engine::ports::Task;

/// Reads one event of a stream.
pub(super) type ReadEvent = fn(&[u8]) -> Piece;

/// Reads a unary answer.
pub(super) type ReadUnary = fn(&[u8]) -> Result<Option<Usage>, UnaryError>;

/// Where a request goes, below the base URL of its dialect.
pub(super) fn path(dialect: Dialect, task: &Task, model: &str, stream: bool) -> Cow<'static, str> {
    match (dialect, task) {
        (_, Task::Kept { path, .. }) => Cow::Owned(format!("{}{path}", responses::PATH)),
        (_, Task::Compact) => Cow::Owned(format!("{}/compact", responses::PATH)),
        (_, Task::Complete) => Cow::Borrowed(completions::PATH),
        (_, Task::Embed) => Cow::Borrowed(embeddings::PATH),
        (Dialect::Responses, Task::CountTokens) => Cow::Owned(format!("{}/input_tokens", responses::PATH)),
        (Dialect::Gemini, Task::CountTokens) => Cow::Owned(gemini::count_tokens::path(model)),
        (_, Task::CountTokens) => Cow::Borrowed(anthropic::count_tokens::PATH),
        (Dialect::Chat, Task::Generate) => Cow::Borrowed(chat::PATH),
        (Dialect::Responses, Task::Generate) => Cow::Borrowed(responses::PATH),
        (Dialect::Messages, Task::Generate) => Cow::Borrowed(messages::PATH),
        (Dialect::Gemini, Task::Generate) => Cow::Owned(generate::path(model, stream)),
    }
}

/// The reader of events.
pub(super) fn read_event(dialect: Dialect, task: &Task) -> ReadEvent {
    match (dialect, task) {
        (_, Task::Complete) => completions::read_event,
        (_, Task::Kept { .. }) => unpaid,
        (Dialect::Chat, _) => chat::read_event,
        (Dialect::Responses, _) => responses::read_event,
        (Dialect::Messages, _) => messages::read_event,
        (Dialect::Gemini, _) => generate::read_event,
    }
}

/// The reader of unary answers.
pub(super) fn read_unary(dialect: Dialect, task: &Task) -> ReadUnary {
    match (dialect, task) {
        (_, Task::Complete) => completions::read_unary,
        (_, Task::Embed) => embeddings::read_unary,
        (_, Task::Compact) => compacted,
        (_, Task::CountTokens | Task::Kept { .. }) => any_object,
        (Dialect::Chat, Task::Generate) => chat::read_unary,
        (Dialect::Responses, Task::Generate) => responses::read_unary,
        (Dialect::Messages, Task::Generate) => messages::read_unary,
        (Dialect::Gemini, Task::Generate) => generate::read_unary,
    }
}

/// What ends a stream that said why it finished and then stopped without its last event, for clients that wait for it.
pub(super) const fn missing_end(dialect: Dialect) -> &'static [u8] {
    match dialect {
        Dialect::Chat => chat::DONE,
        Dialect::Messages => messages::STOP,
        // The last event of Responses holds the whole answer, and Gemini has none.
        Dialect::Responses | Dialect::Gemini => b"",
    }
}

/// What an error body says, for receipts and logs.
pub(super) fn message_of(dialect: Dialect, body: &[u8]) -> String {
    match dialect {
        Dialect::Chat | Dialect::Responses => openai::fault::message_of(body),
        Dialect::Messages => anthropic::fault::message_of(body),
        Dialect::Gemini => gemini::fault::message_of(body),
    }
}

/// Whether a body is an error that a client of this dialect can read.
pub(super) fn is_error_body(dialect: Dialect, body: &[u8]) -> bool {
    match dialect {
        Dialect::Chat | Dialect::Responses => openai::fault::is_error_body(body),
        Dialect::Messages => anthropic::fault::is_error_body(body),
        Dialect::Gemini => gemini::fault::is_error_body(body),
    }
}

/// A compaction, which costs tokens as an answer does.
fn compacted(body: &[u8]) -> Result<Option<Usage>, UnaryError> {
    any_object(body)?;
    Ok(responses::read_unary(body).unwrap_or_default())
}

/// What a stream of something kept costs: it was paid for when it was made.
fn unpaid(event: &[u8]) -> Piece {
    match responses::read_event(event) {
        Piece::Chunk { mark, finished, usage_only, .. } => {
            Piece::Chunk { mark, usage: None, finished, usage_only }
        }
        other => other,
    }
}

/// An answer whose fields the hub does not need: any JSON object.
fn any_object(body: &[u8]) -> Result<Option<Usage>, UnaryError> {
    match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
        Ok(_) if body.trim_ascii_start().starts_with(b"{") => Ok(None),
        _ if body.trim_ascii().is_empty() => Err(UnaryError::Empty),
        _ => Err(UnaryError::NotAnAnswer),
    }
}
