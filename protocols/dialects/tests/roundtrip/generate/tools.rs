//! The tools on offer.

use canon::{Dialect, Tool, ToolKind};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    blocks::{extra, maybe},
    schema,
};

const NAMES: [&str; 5] = ["search", "read_file", "run-it", "look_up", "write"];

/// The tools of a dialect, each name once.
pub(super) fn tools(dialect: Dialect) -> BoxedStrategy<Vec<Tool>> {
    let functions = vec(tool(dialect), 0..4);
    let provided = (weighted(0.15, Just(web_search(dialect))), weighted(0.1, Just(server(dialect))));
    (functions, provided)
        .prop_map(|(mut tools, (search, server))| {
            for (tool, name) in tools.iter_mut().zip(NAMES) {
                name.clone_into(&mut tool.name);
            }
            // The tools of a namespace stand together.
            tools.sort_by_key(|tool| tool.namespace.is_some());
            tools.extend(server);
            tools.extend(search);
            tools
        })
        .boxed()
}

fn tool(dialect: Dialect) -> BoxedStrategy<Tool> {
    let function = (weighted(0.85, schema::object()), weighted(0.3, any::<bool>()))
        .prop_map(|(parameters, strict)| ToolKind::Function { parameters, strict });
    let custom = weighted(
        0.7,
        prop_oneof![
            Just(json!({"type": "text"})),
            Just(json!({"type": "grammar", "syntax": "lark", "definition": "start: \"x\""}))
        ],
    )
    .prop_map(|format| ToolKind::Custom { format });
    let kind = match dialect {
        Dialect::Chat | Dialect::Responses => prop_oneof![5 => function, 1 => custom].boxed(),
        Dialect::Messages | Dialect::Gemini => function.boxed(),
    };
    let namespaced = if dialect == Dialect::Responses { 0.2 } else { 0.0 };
    let marked = if matches!(dialect, Dialect::Chat | Dialect::Messages) { 0.15 } else { 0.0 };
    let more = (
        maybe(namespaced, Just("mcp".to_owned())),
        maybe(marked, Just(json!({"type": "ephemeral"}))),
        extra(dialect, "x_tool"),
    );
    (kind, weighted(0.7, "[a-z ]{1,12}"), more)
        .prop_map(move |(kind, description, (namespace, cache, rest))| {
            let mut tool = Tool { name: String::new(), namespace, description, kind, cache, rest };
            if dialect == Dialect::Gemini {
                of_gemini(&mut tool);
            }
            tool
        })
        .boxed()
}

/// Gemini has no strictness, and its decoder keeps a schema as it was written.
fn of_gemini(tool: &mut Tool) {
    let ToolKind::Function { parameters, strict } = &mut tool.kind else { return };
    *strict = None;
    if let Some(written) = parameters {
        tool.rest.hint(Dialect::Gemini, "$parametersJsonSchema", written.clone());
    }
}

fn web_search(dialect: Dialect) -> Tool {
    let mut tool = bare(ToolKind::WebSearch);
    if dialect == Dialect::Messages {
        "web_search".clone_into(&mut tool.name);
        tool.rest.hint(dialect, "$type", "web_search_20250305");
    }
    tool
}

fn server(dialect: Dialect) -> Tool {
    let value: Value = match dialect {
        Dialect::Chat => json!({"type": "x_server", "size": 1}),
        Dialect::Responses => json!({"type": "file_search", "vector_store_ids": ["vs_1"]}),
        Dialect::Messages => json!({"type": "bash_20250124", "name": "bash"}),
        Dialect::Gemini => json!({"type": "codeExecution", "codeExecution": {}}),
    };
    bare(ToolKind::Server { dialect, value })
}

fn bare(kind: ToolKind) -> Tool {
    Tool {
        name: String::new(),
        namespace: None,
        description: None,
        kind,
        cache: None,
        rest: canon::Rest::default(),
    }
}
