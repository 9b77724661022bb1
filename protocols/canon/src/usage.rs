//! What a generation consumed.

use serde::{Deserialize, Serialize};

/// Tokens of one generation, as the provider reported them.
///
/// `input` counts the whole prompt, cached tokens included, and `output` the whole answer, reasoning included; the
/// detail fields are parts of those two. Dialects that count otherwise (Anthropic's `input_tokens` is without what
/// was read from or written to the cache) are converted when they are read and when they are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Prompt tokens, cached ones included.
    pub input: u64,
    /// Answer tokens, reasoning included.
    pub output: u64,
    /// The part of `input` that was read from the provider's prompt cache.
    pub cached_input: u64,
    /// The part of `input` that was written to the provider's prompt cache.
    pub cache_write: u64,
    /// The part of `input` that was sound.
    pub audio_input: u64,
    /// The part of `output` that was spent on reasoning.
    pub reasoning: u64,
    /// The part of `output` that was sound.
    pub audio_output: u64,
}

impl Usage {
    /// Two reports of one generation: providers report running totals, so the larger figure holds.
    #[must_use]
    pub fn merged(self, later: Self) -> Self {
        Self {
            input: self.input.max(later.input),
            output: self.output.max(later.output),
            cached_input: self.cached_input.max(later.cached_input),
            cache_write: self.cache_write.max(later.cache_write),
            audio_input: self.audio_input.max(later.audio_input),
            reasoning: self.reasoning.max(later.reasoning),
            audio_output: self.audio_output.max(later.audio_output),
        }
    }
}
