//! The tools that are on offer.

use serde_json::Value;

use crate::{Dialect, Rest, ToolName};

/// One tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name, without its namespace. Empty for built-in tools that have none.
    pub name: String,
    /// The namespace that it belongs to, in dialects that have them.
    pub namespace: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// What kind of tool it is.
    pub kind: ToolKind,
    /// A prompt-cache mark behind this tool.
    pub cache: Option<Value>,
    /// Fields that have no place of their own.
    pub rest: Rest,
}

/// What kind of tool it is.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolKind {
    /// The client runs it, with arguments in JSON.
    Function {
        /// JSON Schema of the arguments; `None` where there are none.
        parameters: Option<Value>,
        /// Whether the arguments are held to the schema.
        strict: Option<bool>,
    },
    /// The client runs it, with free text (Responses and chat `custom`).
    Custom {
        /// The grammar of the text.
        format: Option<Value>,
    },
    /// The provider searches the web. The details are in the tool's rest.
    WebSearch,
    /// Another tool that the provider runs: the whole object.
    Server {
        /// Whose object it is.
        dialect: Dialect,
        /// The object.
        value: Value,
    },
}

/// Which tool is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// None.
    None,
    /// Any, but one.
    Required,
    /// This one.
    Named {
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: Option<String>,
        /// Whether it is a custom tool.
        custom: bool,
    },
    /// One of these, or, where that is not required, none.
    Allowed {
        /// Whether one must be called.
        required: bool,
        /// The functions and custom tools that may be called.
        tools: Vec<ToolName>,
    },
    /// A built-in web search.
    WebSearch,
    /// Something that only one dialect has (a list that names built-in tools): the whole value.
    Opaque {
        /// Whose value it is.
        dialect: Dialect,
        /// The value.
        value: Value,
    },
}

impl ToolChoice {
    /// Whether the choice leaves this tool on offer. Dialects without a list of allowed tools say it by not offering
    /// the others.
    #[must_use]
    pub fn allows(&self, tool: &Tool) -> bool {
        let Self::Allowed { tools, .. } = self else { return true };
        tools.iter().any(|allowed| {
            allowed.name == tool.name && (allowed.namespace.is_none() || allowed.namespace == tool.namespace)
        })
    }
}
