//! What a generation consumed.

use serde::{Deserialize, Serialize};

/// Tokens of one generation, as the provider reported them.
///
/// `input` counts the whole prompt, cached tokens included, and `output` the whole
/// answer, reasoning included; the detail fields are parts of those two. Dialects
/// that count otherwise are converted when they are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Prompt tokens, cached ones included.
    pub input: u64,
    /// Answer tokens, reasoning included.
    pub output: u64,
    /// The part of `input` that was read from the provider's prompt cache.
    pub cached_input: u64,
    /// The part of `output` that was spent on reasoning.
    pub reasoning: u64,
}
