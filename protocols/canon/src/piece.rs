//! What one event of a stream, or a unary body, means to the engine, without decoding more than that takes.

use crate::{Mark, Usage};

/// What one event of a stream is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A comment or an event without data: not part of the answer, and not handed on.
    Nothing,
    /// A piece of the answer.
    Chunk {
        /// What it means to the engine. `End` where the dialect ends with it.
        mark: Mark,
        /// Tokens, when it reports them.
        usage: Option<Usage>,
        /// Whether it says why the answer ended: a stream that stops after it is complete.
        finished: bool,
        /// Whether it is the extra chunk that `stream_options.include_usage` asks for: usage, and no choices.
        usage_only: bool,
    },
    /// The event after which nothing follows, if it holds nothing else (`[DONE]`).
    Done,
    /// An error, with its message.
    Error(String),
    /// Not an event of this dialect: the data is not JSON.
    Garbage,
}

/// Why a body with a good status is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnaryError {
    /// There is no body, or nothing in it.
    Empty,
    /// It is not JSON, or not an object of this shape.
    NotAnAnswer,
    /// It is an error object, and this is its message.
    Reported(String),
}
