//! What is known of one model at one provider: data that routing filters and orders by.

use super::Usd;

/// Facts of a model where it is served. Whatever is `None` is not known, and nothing is concluded from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelFacts {
    /// The context window in tokens: request and answer together.
    pub context: Option<u64>,
    /// The most tokens that an answer can have.
    pub max_output: Option<u64>,
    /// Whether it can call tools.
    pub tools: Option<bool>,
    /// Whether it can see images.
    pub vision: Option<bool>,
    /// Whether it can be held to a JSON Schema.
    pub structured: Option<bool>,
    /// Whether it thinks before it answers.
    pub reasoning: Option<bool>,
    /// What it costs.
    pub price: Option<Price>,
}

/// Prices of single tokens, and of requests. `input` and `output` are known where there is a price at all; where one of
/// the others is `None`, the token costs what it would cost without being special.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// A token of the request.
    pub input: Usd,
    /// A token of the answer.
    pub output: Usd,
    /// A token of the request that was read from the provider's cache.
    pub cache_read: Option<Usd>,
    /// A token of the request that was written to the provider's cache.
    pub cache_write: Option<Usd>,
    /// A token of thoughts.
    pub reasoning: Option<Usd>,
    /// A token of sound in the request.
    pub audio_input: Option<Usd>,
    /// A token of sound in the answer.
    pub audio_output: Option<Usd>,
    /// Each request, beside its tokens.
    pub request: Option<Usd>,
}
