//! What is done to requests for a combo before they go out, by the operator's wish. Each is declared in the receipt and in
//! a header of the answer.

use std::sync::Arc;

/// The operator's wishes. The default leaves requests as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shaping {
    /// Whether a conversation that is too long for its target is shortened.
    pub compress: bool,
    /// How much the model thinks.
    pub thinking: ThinkingMode,
    /// What is said to the model in the operator's name.
    pub system: Option<SystemPrompt>,
    /// Where requests go that a client makes in the background.
    pub background: Option<Background>,
    /// Where requests of few tokens go.
    pub small: Option<BySize>,
    /// Where requests of many tokens go.
    pub large: Option<BySize>,
}

/// How much the model thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThinkingMode {
    /// As the client says.
    #[default]
    Passthrough,
    /// As the provider does when nothing is said.
    Auto,
    /// As many tokens.
    Custom(u64),
    /// By the size of the request.
    Adaptive,
}

/// A text for the system prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemPrompt {
    /// The text.
    pub text: Arc<str>,
    /// Whether it stands behind what the client says, and not before.
    pub after: bool,
}

/// What is done with requests that no person waits for: titles, tags, topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Background {
    /// The name that is asked for instead.
    pub to: Arc<str>,
    /// Phrases beside the known ones that tell such a request, in lower case.
    pub phrases: Vec<Arc<str>>,
}

/// A name for requests of a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BySize {
    /// The bound in estimated tokens of the prompt, itself outside.
    pub tokens: u64,
    /// The name that is asked for instead.
    pub to: Arc<str>,
}
