//! The shape of every operation. What each one asks and answers lives in the module of its noun; who
//! executes it, and how a surface carries it, is not said here.

use std::fmt;

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Route, Scope};

/// One thing that an operator or an agent can ask of the hub.
pub trait Operation {
    /// The name on every surface: the MCP tool, the A2A skill, the OpenAPI `operationId`.
    const NAME: &'static str;
    /// A few words for people.
    const TITLE: &'static str;
    /// What it does and what to know before calling it, for people and for models that choose a tool.
    const SUMMARY: &'static str;
    /// The scope that a caller must hold.
    const SCOPE: Scope;
    /// What a client may assume of it.
    const HINTS: Hints;
    /// How REST reaches it.
    const ROUTE: Route;
    /// How the command line reaches it: `trivium NOUN VERB`.
    const COMMAND: (&'static str, &'static str);
    /// Arguments as somebody would write them, in JSON: for the OpenAPI document, for guides and for tests.
    const EXAMPLE: &'static str;
    /// Whether nobody wants it any more once its caller has left: it is given up in the middle then. What changes something
    /// goes on to its end instead.
    const ENDS_WITH_CALLER: bool = false;
    /// Arguments that hold what people say, or secrets without a name that tells. Of them only the size is written down.
    const WORDS: &'static [&'static str] = &[];
    /// What is asked.
    type Args: Serialize + DeserializeOwned + JsonSchema;
    /// What is answered.
    type Result: Serialize + DeserializeOwned + JsonSchema;

    /// Checks arguments that have the right types, and brings them into their usual form (trimmed).
    ///
    /// # Errors
    /// [`Invalid`] names the first field that is not acceptable.
    fn check(args: Self::Args) -> Result<Self::Args, Invalid>;
}

/// What a client may assume of an operation, in the sense of MCP's tool annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hints {
    /// Changes nothing.
    pub read_only: bool,
    /// Takes away something that cannot be had back.
    pub destructive: bool,
    /// Asked twice, it has the same effect as asked once.
    pub idempotent: bool,
}

/// An argument that cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The argument's name.
    pub field: &'static str,
    /// What is wrong and what would be right; starts in lower case, without a full stop.
    pub message: String,
}

impl Invalid {
    /// An argument that cannot be accepted, and why.
    #[must_use]
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.field, self.message)
    }
}

impl std::error::Error for Invalid {}
