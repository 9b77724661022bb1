//! What an answer must know of the request that it answers.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::{ToolKind, Turn, names};

/// What the encoder of an answer needs of the request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Asked {
    /// The hub's id of the request, from which an answer's own ids are made where the target's do not fit.
    pub id: String,
    /// Seconds since the Unix epoch, for dialects whose answers say when they were made.
    pub now: i64,
    /// The model as the client named it. Answers say the provider's name for it where it gave one, as
    /// pass-through does.
    pub model: String,
    /// Whether the client asked for the usage of a stream (chat).
    pub include_usage: bool,
    /// The tools by the name under which they were put to the target ([`names::flat`]).
    pub tools: HashMap<String, ToolName>,
    /// What the answer repeats of its request.
    pub echo: Map<String, Value>,
}

/// A tool as the client knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolName {
    /// Its name, without its namespace.
    pub name: String,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Whether it takes free text: other dialects wrap that into an object with one field, [`names::CUSTOM_INPUT`].
    pub custom: bool,
}

impl Asked {
    /// What answers to `turn` must know.
    #[must_use]
    pub fn of(turn: &Turn) -> Self {
        let tools = turn.tools.iter().filter(|tool| !tool.name.is_empty()).map(|tool| {
            let name = ToolName {
                name: tool.name.clone(),
                namespace: tool.namespace.clone(),
                custom: matches!(tool.kind, ToolKind::Custom { .. }),
            };
            (names::flat(tool.namespace.as_deref(), &tool.name).into_owned(), name)
        });
        Self {
            id: String::new(),
            now: 0,
            model: turn.model.clone(),
            include_usage: turn.include_usage,
            tools: tools.collect(),
            echo: turn.echo.clone(),
        }
    }

    /// The client's tool behind a name on the wire: itself, where nothing was flattened or wrapped.
    #[must_use]
    pub fn tool(&self, wire: &str) -> ToolName {
        self.tools
            .get(wire)
            .cloned()
            .unwrap_or_else(|| ToolName { name: wire.to_owned(), ..ToolName::default() })
    }
}
