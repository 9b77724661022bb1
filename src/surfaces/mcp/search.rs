//! `search_tools`: finds tools that the profile does not list.

use std::sync::{Arc, LazyLock};

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) const NAME: &str = "search_tools";

/// How many are found unless more are wanted.
const FOUND: usize = 10;

/// How many may be wanted.
const MOST: usize = 50;

/// What is searched for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    query: String,
    limit: Option<usize>,
}

/// A tool that was found.
#[derive(Serialize)]
pub(super) struct Found<'a> {
    name: &'a str,
    title: &'a str,
    description: &'a str,
    #[serde(rename = "inputSchema")]
    input_schema: &'a JsonObject,
}

/// The tool itself.
pub(super) static TOOL: LazyLock<Tool> = LazyLock::new(|| {
    let input = json!({
        "type": "object",
        "properties": {
            "query": {"type": "string", "minLength": 1, "maxLength": 500, "description": "What is to be done, in a few words."},
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": FOUND}
        },
        "required": ["query"],
        "additionalProperties": false
    });
    let output = json!({
        "type": "object",
        "properties": {"tools": {"type": "array", "items": {"type": "object", "properties": {
            "name": {"type": "string"}, "title": {"type": "string"}, "description": {"type": "string"}, "inputSchema": {"type": "object"}
        }, "required": ["name", "title", "description", "inputSchema"]}}},
        "required": ["tools"]
    });
    let text = "Finds tools that are not listed, by words of their names and descriptions. What it finds can be called by name.";
    let mut tool = Tool::new(NAME, text, Arc::new(object(input)));
    tool.title = Some("Search tools".to_owned());
    tool.output_schema = Some(Arc::new(object(output)));
    tool.annotations =
        Some(ToolAnnotations::with_title("Search tools").read_only(true).idempotent(true).open_world(false));
    tool
});

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}

impl Search {
    /// The tools that fit best, the best first.
    pub(super) fn among<'a>(&self, tools: impl Iterator<Item = &'a Tool>) -> Vec<Found<'a>> {
        let words: Vec<String> = self
            .query
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        let mut scored: Vec<(usize, &Tool)> =
            tools.map(|tool| (score(tool, &words), tool)).filter(|(score, _)| *score > 0).collect();
        scored.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.name.cmp(&other.name)));
        let limit = self.limit.unwrap_or(FOUND).clamp(1, MOST);
        scored.into_iter().take(limit).map(|(_, tool)| found(tool)).collect()
    }
}

fn found(tool: &Tool) -> Found<'_> {
    Found {
        name: &tool.name,
        title: tool.title.as_deref().unwrap_or_default(),
        description: tool.description.as_deref().unwrap_or_default(),
        input_schema: &tool.input_schema,
    }
}

/// A word in the name counts most, one in the title more than one in the description.
fn score(tool: &Tool, words: &[String]) -> usize {
    let title = tool.title.as_deref().unwrap_or_default().to_lowercase();
    let text = tool.description.as_deref().unwrap_or_default().to_lowercase();
    let worth = |word: &String| {
        // `models` is meant by `model`, and the other way round.
        let stem = word.strip_suffix('s').filter(|stem| stem.len() > 2).unwrap_or(word);
        let named = tool.name.split('_').any(|part| part.starts_with(stem));
        usize::from(named) * 4 + usize::from(title.contains(stem)) * 2 + usize::from(text.contains(stem))
    };
    words.iter().map(worth).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surfaces::mcp::tools;

    fn names(query: &str) -> Vec<String> {
        let search = Search { query: query.to_owned(), limit: Some(5) };
        search
            .among(tools::ALL.iter().map(|(_, tool)| tool))
            .iter()
            .map(|found| found.name.to_owned())
            .collect()
    }

    #[test]
    fn words_of_a_task_find_its_tools() {
        assert_eq!(names("create a key").first().map(String::as_str), Some("create_key"));
        assert!(names("which backups are there?").contains(&"list_backups".to_owned()));
        assert!(names("explain why a request was routed").contains(&"explain_route".to_owned()));
        assert!(names("xyzzy").is_empty());
    }
}
