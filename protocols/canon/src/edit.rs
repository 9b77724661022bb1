//! What the hub may change in a body that otherwise passes through unchanged: a closed list.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One change to a passed-through body. Every one that was made is recorded in the receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edit {
    /// The model name was replaced by the target's.
    Model,
    /// `stream_options.include_usage` was set, so that the answer can be metered.
    IncludeUsage,
}

impl Edit {
    /// The edit's name as it is written in receipts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::IncludeUsage => "include-usage",
        }
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
