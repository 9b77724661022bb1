//! Blocks: the pieces that messages and answers are made of.

use serde_json::Value;

use crate::{Dialect, Rest, Signature};

/// One piece of a message or an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// What it is.
    pub kind: Kind,
    /// A prompt-cache mark behind this block, as Anthropic's `cache_control` writes it.
    pub cache: Option<Value>,
    /// Fields of the block that have no place of their own.
    pub rest: Rest,
}

/// What a block is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Text.
    Text {
        /// The text. Never empty in what a decoder makes of a message that said nothing.
        text: String,
        /// Where it was taken from.
        citations: Vec<Citation>,
    },
    /// A picture.
    Image(Media),
    /// Sound.
    Audio(Media),
    /// A document, such as a PDF.
    File(Media),
    /// Moving pictures.
    Video(Media),
    /// The model calls a tool.
    ToolCall(ToolCall),
    /// What a tool answered.
    ToolResult(ToolResult),
    /// What the model thought.
    Thinking(Thinking),
    /// The model declines, in its own words.
    Refusal(String),
    /// Something that only one dialect has (a server tool's result, a search result, an item reference): the whole
    /// object, kept for that dialect.
    Opaque {
        /// Whose object it is.
        dialect: Dialect,
        /// The object.
        value: Value,
    },
}

/// Something that is not text.
#[derive(Debug, Clone, PartialEq)]
pub struct Media {
    /// MIME type, such as `image/png`. `None` where a URL alone was given.
    pub mime: Option<String>,
    /// Where the bytes are.
    pub source: Source,
    /// The file's name, where one was given.
    pub name: Option<String>,
    /// How closely to look (`low`, `high`, `auto`).
    pub detail: Option<String>,
}

/// Where the bytes of a medium are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Here, in base64 (standard alphabet, padded).
    Base64(String),
    /// At an address that the provider is to fetch.
    Url(String),
    /// At the provider, under an id or URI that only this dialect's providers know.
    Uploaded {
        /// Whose id it is.
        dialect: Dialect,
        /// The id or URI.
        id: String,
    },
    /// Here, as plain text (Anthropic's text documents).
    Text(String),
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// The call's id as the client knows it. Empty where the dialect has none (Gemini) and none was made yet.
    pub id: String,
    /// The tool's name, without its namespace.
    pub name: String,
    /// The namespace that the tool belongs to, in dialects that have them.
    pub namespace: Option<String>,
    /// The arguments: JSON text of an object, as the model wrote it; for a custom tool, its input, which is any text.
    pub arguments: String,
    /// Whether the tool takes free text instead of JSON.
    pub custom: bool,
    /// A signature that came with the call (Gemini's `thoughtSignature`).
    pub signature: Option<Signature>,
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    /// The id of the call.
    pub call: String,
    /// The tool's name, in dialects that repeat it. See [`crate::names::called`] for finding it.
    pub name: Option<String>,
    /// The answer: text and media.
    pub content: Vec<Block>,
    /// Whether the tool failed.
    pub failed: bool,
    /// Whether the call was one of a custom tool.
    pub custom: bool,
}

/// What the model thought.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Thinking {
    /// The thoughts, or a summary of them. May be empty beside a signature.
    pub text: String,
    /// What the maker wants back unchanged: a signature, or encrypted thoughts.
    pub signature: Option<Signature>,
    /// Whether the thoughts themselves are withheld, so that the signature is all there is.
    pub redacted: bool,
    /// The id of the item, in dialects whose items have one.
    pub id: Option<String>,
}

/// Where a text was taken from. The typed fields are those that dialects share.
#[derive(Debug, Clone, PartialEq)]
pub struct Citation {
    /// The address, when it is a web page.
    pub url: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// The words that are cited.
    pub quote: Option<String>,
    /// First character of the text that the citation supports, and the one behind its last, counted in characters.
    pub span: Option<(u64, u64)>,
    /// The whole object as its dialect wrote it.
    pub rest: Rest,
}

impl Block {
    /// A block without marks.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { kind, cache: None, rest: Rest::default() }
    }

    /// A block of text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Kind::Text { text: text.into(), citations: Vec::new() })
    }

    /// The text, if it is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Takes `next` into this block where the two are one text or one thought; gives it back where they are not.
    pub(crate) fn grown(&mut self, next: Self) -> Option<Self> {
        if self.cache.is_some() {
            return Some(next);
        }
        match (&mut self.kind, next.kind) {
            (Kind::Text { text, citations }, Kind::Text { text: more, citations: sources })
                if citations.is_empty() =>
            {
                text.push_str(&more);
                citations.extend(sources);
                self.cache = next.cache;
                None
            }
            (Kind::Thinking(thinking), Kind::Thinking(more))
                if thinking.signature.is_none() && !thinking.redacted && !more.redacted =>
            {
                thinking.text.push_str(&more.text);
                thinking.signature = more.signature;
                self.cache = next.cache;
                None
            }
            (_, kind) => Some(Self { kind, cache: next.cache, rest: next.rest }),
        }
    }
}
