//! What is known of one model at one provider: data that routing filters and orders by. Where it is looked up is
//! `book`; what a request costs by it is `engine::cost`.

use std::sync::{Arc, LazyLock};

use super::{PriceSource, Usd};

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
    /// Who says so.
    pub price_source: Option<PriceSource>,
}

/// Nothing known, once for all.
static UNKNOWN: LazyLock<Arc<ModelFacts>> = LazyLock::new(Arc::default);

impl ModelFacts {
    /// Facts of a model of which nothing is known. They are shared: no memory is taken.
    #[must_use]
    pub fn unknown() -> Arc<Self> {
        Arc::clone(&UNKNOWN)
    }

    /// The same, with what is not known taken from `beneath`.
    #[must_use]
    pub fn over(&self, beneath: &Self) -> Self {
        Self {
            context: self.context.or(beneath.context),
            max_output: self.max_output.or(beneath.max_output),
            tools: self.tools.or(beneath.tools),
            vision: self.vision.or(beneath.vision),
            structured: self.structured.or(beneath.structured),
            reasoning: self.reasoning.or(beneath.reasoning),
            price: self.price.or(beneath.price),
            price_source: match self.price {
                Some(_) => self.price_source.clone(),
                None => beneath.price_source.clone(),
            },
        }
    }
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
    /// The prices of requests with a long prompt, where those have prices of their own.
    pub long: Option<LongPrompt>,
}

/// What the tokens of a request cost whose whole prompt is longer than so many tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongPrompt {
    /// Prompts of more tokens than this are long.
    pub above: u64,
    /// [`Price::input`] of such a request.
    pub input: Usd,
    /// [`Price::output`] of such a request.
    pub output: Usd,
    /// [`Price::cache_read`] of such a request.
    pub cache_read: Option<Usd>,
    /// [`Price::cache_write`] of such a request.
    pub cache_write: Option<Usd>,
}

impl Price {
    /// Tokens at these prices, and nothing else that is special.
    #[must_use]
    pub const fn of(input: Usd, output: Usd) -> Self {
        Self {
            input,
            output,
            cache_read: None,
            cache_write: None,
            reasoning: None,
            audio_input: None,
            audio_output: None,
            request: None,
            long: None,
        }
    }

    /// The prices that hold for a prompt of so many tokens.
    #[must_use]
    pub fn at(&self, prompt: u64) -> Self {
        match self.long {
            Some(long) if prompt > long.above => Self {
                input: long.input,
                output: long.output,
                cache_read: long.cache_read,
                cache_write: long.cache_write,
                long: None,
                ..*self
            },
            _ => *self,
        }
    }
}
