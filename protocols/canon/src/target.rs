//! Whom a request is encoded for, beyond the dialect.

use crate::Dialect;

/// The target of an encoded request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'a> {
    /// The model as the provider knows it.
    pub model: &'a str,
    /// The dialect in which the client spoke. Signatures without a maker's name can only be the target's own if this
    /// is the dialect that is encoded to.
    pub source: Dialect,
    /// Whose signatures the target accepts. See [`crate::Signature::is_of`].
    pub maker: &'a str,
    /// The target's deviations from its dialect.
    pub quirks: Quirks,
    /// The most tokens that the model can give, where that is known: a larger `max_tokens` is cut down, and reported.
    pub max_output: Option<u64>,
}

/// Deviations from a dialect that change how a request is written. All false: as the vendor documents it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quirks {
    /// `stream_options` is refused.
    pub no_stream_options: bool,
    /// `max_completion_tokens` is not known: the limit is written as `max_tokens`.
    pub legacy_max_tokens: bool,
    /// The role `developer` is not known: it is written as `system`.
    pub developer_to_system: bool,
    /// The role `system` is not known: it is written as `user`.
    pub system_to_user: bool,
    /// Tool-call ids must be exactly nine letters and digits.
    pub tool_id_nine: bool,
    /// `web_search_options` is refused: a wish to search the web cannot be said.
    pub no_web_search: bool,
    /// `reasoning_content` of earlier turns must not be sent.
    pub strip_reasoning: bool,
    /// `reasoning_content` of earlier turns must be sent on tool turns.
    pub echo_reasoning: bool,
}
