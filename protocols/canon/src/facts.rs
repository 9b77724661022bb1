//! What a scan of a request's body finds: all that routing and sending need to know of it.

use std::ops::Range;

/// Facts of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The model as the client named it.
    pub model: String,
    /// Whether the client asked for a stream.
    pub stream: bool,
    /// Whether the client asked for the usage of a stream.
    pub wants_usage: bool,
    /// The earlier answer that the request goes on from (`previous_response_id`).
    pub continues: Option<String>,
    /// Whether it brings tools.
    pub tools: bool,
    /// Whether the answer is to follow a JSON Schema.
    pub structured: bool,
    /// The most tokens that the answer may have.
    pub max_output: Option<u64>,
    /// The client's own name for what belongs together (`prompt_cache_key`, `metadata.user_id`).
    pub session: Option<String>,
    /// Where the parts that may be edited stand in the body.
    pub spans: Spans,
}

/// The field in which a client tells the hub what it wants of the targets, in every dialect.
pub const EXTENSION: &str = "trivium";

/// Byte ranges of a body, for edits that leave every other byte as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spans {
    /// The model's JSON string, quotes included; `None` where the dialect names the model outside of the body.
    pub model: Option<Range<usize>>,
    /// The value of `stream_options`, when there is one.
    pub stream_options: Option<Range<usize>>,
    /// The value that holds the conversation: `messages`, `input` or `contents`.
    pub turns: Option<Range<usize>>,
    /// The value of the field [`EXTENSION`], which is the hub's own and goes no further.
    pub extension: Option<Range<usize>>,
}
