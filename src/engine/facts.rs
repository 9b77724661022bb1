//! What a scan of a request's body found: all that routing needs. The engine never decodes a body itself.

/// Facts of one request.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The model as the client named it.
    pub model: String,
    /// Whether the client asked for a stream.
    pub stream: bool,
    /// Whether the client asked for a usage chunk at the end of the stream.
    pub wants_usage: bool,
    /// Where the parts that may be edited stand in the body.
    pub spans: Spans,
}

/// Byte ranges of the body, for edits that leave every other byte as it is.
#[derive(Debug, Clone, Default)]
pub struct Spans {
    /// The model's JSON string, quotes included.
    pub model: std::ops::Range<usize>,
    /// The value of `stream_options`, when there is one.
    pub stream_options: Option<std::ops::Range<usize>>,
}
