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

/// A body without the hub's own field ([`crate::EXTENSION`]), and the ranges of the facts moved along.
#[must_use]
pub fn without_extension(body: &Bytes, facts: &mut Facts) -> Bytes {
    let Some(value) = facts.spans.extension.take() else { return body.clone() };
    let gone = member(body, value);
    let length = gone.len();
    for span in [&mut facts.spans.model, &mut facts.spans.stream_options, &mut facts.spans.turns] {
        if let Some(span) = span.as_mut().filter(|span| span.start >= gone.end) {
            *span = span.start - length..span.end - length;
        }
    }
    patched(body, vec![(gone, String::new())])
}

/// The range of a member of an object, with its name and one comma, by the range of its value.
fn member(body: &[u8], value: Range<usize>) -> Range<usize> {
    let before = |at: usize| body[..at].iter().rposition(|byte| !byte.is_ascii_whitespace());
    let after = |at: usize| body[at..].iter().position(|byte| !byte.is_ascii_whitespace()).map(|by| at + by);
    // Before the value stand a colon and the name in its quotes, in which nothing is escaped.
    let quoted = before(value.start).and_then(before);
    let start =
        quoted.and_then(|end| body[..end].iter().rposition(|byte| *byte == b'"')).unwrap_or(value.start);
    match (before(start), after(value.end)) {
        (Some(comma), _) if body[comma] == b',' => comma..value.end,
        (_, Some(comma)) if body[comma] == b',' => start..comma + 1,
        _ => start..value.end,
    }
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;
    use crate::{EXTENSION, Spans, scan};

    #[test]
    fn the_hubs_own_field_goes_and_all_else_stays() {
        for (body, left) in [
            (r#"{"model":"m","trivium":{"only":["a"]},"messages":[1]}"#, r#"{"model":"m","messages":[1]}"#),
            (r#"{ "trivium" : {} , "model":"m","messages":[1]}"#, r#"{  "model":"m","messages":[1]}"#),
            (r#"{"messages":[1],"model":"m" , "trivium":{"x":"\"}"}}"#, r#"{"messages":[1],"model":"m" }"#),
            (r#"{"model":"m","messages":[1]}"#, r#"{"model":"m","messages":[1]}"#),
        ] {
            let [model, turns, extension] = scan::fields(body, ["model", "messages", EXTENSION]).unwrap();
            let span = |raw: Option<&serde_json::value::RawValue>| raw.map(|raw| scan::span(body, raw));
            let spans = Spans {
                model: span(model),
                turns: span(turns),
                extension: span(extension),
                ..Spans::default()
            };
            let mut facts = Facts { model: "m".to_owned(), spans, ..Facts::default() };
            let edited = without_extension(&Bytes::from_static(body.as_bytes()), &mut facts);
            assert_eq!(edited, left);
            assert_eq!(&edited[facts.spans.model.unwrap()], b"\"m\"");
            assert_eq!(&edited[facts.spans.turns.unwrap()], b"[1]");
        }
    }
}
