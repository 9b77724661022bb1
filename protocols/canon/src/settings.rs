//! How an answer should be: sampling, reasoning, and the form of its text.

use serde_json::{Number, Value};

use crate::Rest;

/// What steers the drawing of tokens. Numbers are kept as they were written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampling {
    /// 0 to 2 (Anthropic: 0 to 1).
    pub temperature: Option<Number>,
    /// Nucleus, 0 to 1.
    pub top_p: Option<Number>,
    /// The most likely tokens that are considered. Not in chat or Responses.
    pub top_k: Option<Number>,
    /// -2 to 2. Not in Messages.
    pub frequency_penalty: Option<Number>,
    /// -2 to 2. Not in Messages.
    pub presence_penalty: Option<Number>,
    /// For answers that repeat. Not in Messages and Responses.
    pub seed: Option<Number>,
}

/// Whether and how much the model reasons before it answers. Each field is what the client said; an encoder
/// derives what its dialect needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reasoning {
    /// Whether to reason at all, where that was said (`thinking.type`).
    pub enabled: Option<bool>,
    /// How hard.
    pub effort: Option<Effort>,
    /// The most tokens for it.
    pub budget: Option<u64>,
    /// Whether thoughts are to be shown (`summary`, `includeThoughts`, `display`); `None`: the default.
    pub shown: Option<bool>,
    /// The fields that have no place of their own.
    pub rest: Rest,
}

/// How hard to reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Not at all.
    None,
    /// As little as possible.
    Minimal,
    /// A little.
    Low,
    /// The usual.
    Medium,
    /// Much.
    High,
    /// More.
    XHigh,
    /// As much as possible.
    Max,
}

impl Effort {
    /// Every effort, in order.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::XHigh, Self::Max];

    /// The word that OpenAI and Anthropic write.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The effort that a word names, whatever its case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effort| effort.as_str().eq_ignore_ascii_case(word))
    }

    /// The budget in tokens that stands for it where a dialect counts tokens. The three in the middle are those of
    /// Google's OpenAI-compatible endpoint; the ends continue them.
    #[must_use]
    pub const fn budget(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Minimal => 512,
            Self::Low => 1024,
            Self::Medium => 8192,
            Self::High => 24_576,
            Self::XHigh => 32_768,
            Self::Max => 65_536,
        }
    }

    /// The effort that a budget comes nearest to without exceeding it; any budget at all is more than none.
    #[must_use]
    pub fn of_budget(tokens: u64) -> Self {
        let least = if tokens == 0 { Self::None } else { Self::Minimal };
        Self::ALL
            .into_iter()
            .rev()
            .find(|effort| effort.budget() <= tokens)
            .map_or(least, |found| found.max(least))
    }
}

/// The form of the answer's text.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// Free, said explicitly.
    Text,
    /// Any JSON object.
    Json,
    /// JSON after a schema.
    Schema {
        /// The schema's name; OpenAI requires one.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// The JSON Schema.
        schema: Value,
        /// Whether the model is held to it.
        strict: Option<bool>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn efforts_and_budgets_agree() {
        for effort in Effort::ALL {
            assert_eq!(Effort::of_budget(effort.budget()), effort);
            assert_eq!(Effort::parse(&effort.as_str().to_uppercase()), Some(effort));
        }
        assert_eq!(Effort::of_budget(31_999), Effort::High);
        assert_eq!(Effort::of_budget(200), Effort::Minimal);
        assert_eq!(Effort::parse("enormous"), None);
    }
}
