//! What a model answers, piece by piece.

use serde_json::Value;

use crate::{Block, Citation, Signature, Stop, Usage};

/// One piece of an answer that streams.
///
/// Order: `Start`; then blocks, each `Open`, any number of `Delta`s, `Close`; then `Stop`; then `End`. Blocks may be
/// open side by side (chat interleaves tool calls); [`crate::Sequence`] brings them into a row. `Usage` may stand
/// anywhere, and the last one holds. Indexes count blocks from 0 in the order of their opening.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The answer begins.
    Start {
        /// The provider's id of the answer; empty where it has none.
        id: String,
        /// The model as the provider names it; empty where it does not say.
        model: String,
        /// Seconds since the Unix epoch, where the dialect says so.
        created: Option<i64>,
    },
    /// A block begins.
    Open {
        /// Its index.
        index: u32,
        /// What it is.
        block: Opening,
    },
    /// More of an open block.
    Delta {
        /// Its index.
        index: u32,
        /// What is added.
        delta: Delta,
    },
    /// A block is complete.
    Close {
        /// Its index.
        index: u32,
    },
    /// Tokens so far.
    Usage(Usage),
    /// Why the answer ends.
    Stop {
        /// The reason.
        stop: Stop,
        /// The stop text that was met.
        sequence: Option<String>,
    },
    /// The answer is complete: nothing follows.
    End,
}

/// What a block is when it begins.
#[derive(Debug, Clone, PartialEq)]
pub enum Opening {
    /// Text follows.
    Text,
    /// Thoughts follow.
    Thinking {
        /// The id of the item, where it has one.
        id: Option<String>,
    },
    /// The arguments of a tool call follow.
    ToolCall {
        /// The call's id; empty where the dialect has none.
        id: String,
        /// The tool's name as it stands on the wire.
        name: String,
        /// The tool's namespace, where the wire says it.
        namespace: Option<String>,
        /// Whether it is a custom tool.
        custom: bool,
    },
    /// A refusal follows.
    Refusal,
    /// The whole block: a picture, a redacted thought, a server tool's result. Nothing follows but its `Close`.
    Whole(Box<Block>),
}

/// What is added to a block.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// Text, of a text block, a thinking block or a refusal; or a piece of a tool call's arguments.
    Text(String),
    /// The signature of a thinking block or a tool call.
    Signature(Signature),
    /// A citation of a text block.
    Citation(Citation),
    /// Logprobs of text that just came, as chat writes the elements of `logprobs.content`.
    Logprobs(Vec<Value>),
}
