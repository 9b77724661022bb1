//! What a model answers, in one piece.

use serde_json::Value;

use crate::{Block, Rest, Usage};

/// A whole answer. Of several candidates only the first: asking for more is a declared loss of translation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// The provider's id of the answer.
    pub id: String,
    /// The model as the provider names it.
    pub model: String,
    /// When it was made, in seconds since the Unix epoch, where the dialect says so.
    pub created: Option<i64>,
    /// What was said, in order.
    pub blocks: Vec<Block>,
    /// Why it ended.
    pub stop: Stop,
    /// The stop text that was met.
    pub stop_sequence: Option<String>,
    /// Tokens; `None` where the provider gave none.
    pub usage: Option<Usage>,
    /// The logprobs of the text, token by token, as chat writes the elements of `logprobs.content`.
    pub logprobs: Vec<Value>,
    /// Everything that has no typed field.
    pub rest: Rest,
}

/// Why an answer ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Stop {
    /// It was complete.
    #[default]
    End,
    /// `max_tokens` was reached.
    MaxTokens,
    /// A stop text was met.
    Sequence,
    /// Tools are called.
    ToolUse,
    /// The provider, or the model, refused.
    Refusal,
    /// A server tool needs another round: the client sends the answer back to go on (Anthropic's `pause_turn`).
    Pause,
    /// The context window is full.
    ContextFull,
    /// Another reason, in the provider's word.
    Other(String),
}
