//! What the hub may change in a body that otherwise passes through unchanged: a closed list.

use std::{fmt, ops::Range};

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Facts;

/// One change to a passed-through body. Every one that was made is recorded in the receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edit {
    /// The model name was replaced by the target's.
    Model,
    /// `stream_options.include_usage` was set, so that the answer can be metered.
    IncludeUsage,
    /// Thoughts that another maker signed were taken out, since the target would refuse them.
    ForeignThoughts,
    /// Words that the provider does not know were replaced by those that it does (a role, a field's name, an id).
    Quirks,
    /// The most tokens of the answer were cut down to what the model can give.
    Limit,
    /// A web search was put into the provider's own form.
    WebSearch,
    /// A system prompt of the operator's was added.
    SystemPrompt,
    /// How much the model is to think was changed by the operator's wish.
    Thinking,
    /// The conversation was shortened to fit the model's context window.
    Compressed,
    /// The body was put into the target's own dialect: nothing of it is the client's bytes.
    Translated,
}

impl Edit {
    /// Whether the operator of a combo wished for it, and no provider needed it.
    #[must_use]
    pub const fn is_shaping(self) -> bool {
        matches!(self, Self::SystemPrompt | Self::Thinking | Self::Compressed)
    }

    /// The edit's name as it is written in receipts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::IncludeUsage => "include-usage",
            Self::ForeignThoughts => "foreign-thoughts",
            Self::Quirks => "quirks",
            Self::Limit => "limit",
            Self::WebSearch => "web-search",
            Self::SystemPrompt => "system-prompt",
            Self::Thinking => "thinking",
            Self::Compressed => "compressed",
            Self::Translated => "translated",
        }
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The patch that gives a body another model name, if it needs one.
#[must_use]
pub fn rename(facts: &Facts, model: &str) -> Option<(Range<usize>, String)> {
    let span = facts.spans.model.clone()?;
    (facts.model != model).then(|| (span, Value::from(model).to_string()))
}

/// The body with texts in place of ranges, which do not overlap. Every byte outside of them stays; without patches the
/// body is shared and not copied.
#[must_use]
pub fn patched(body: &Bytes, mut patches: Vec<(Range<usize>, String)>) -> Bytes {
    if patches.is_empty() {
        return body.clone();
    }
    patches.sort_by_key(|(range, _)| range.start);
    let grown: usize = patches.iter().map(|(_, text)| text.len()).sum();
    let mut edited = BytesMut::with_capacity(body.len() + grown);
    let mut from = 0;
    for (range, text) in patches {
        edited.put_slice(&body[from..range.start]);
        edited.put_slice(text.as_bytes());
        from = range.end;
    }
    edited.put_slice(&body[from..]);
    edited.freeze()
}
