//! The tools on offer, and which of them is wanted.

use canon::{Dialect, Tool, ToolChoice, ToolKind, Turn, names};
use serde_json::{Map, Value, json};

use super::{Writer, object};

/// The version of the web search that clients of other dialects get.
const WEB_SEARCH: &str = "web_search_20250305";

/// The name that it must have.
const SEARCH_NAME: &str = "web_search";

impl Writer<'_> {
    pub(super) fn tools(&mut self, turn: &Turn) -> Vec<Value> {
        let allowed = |tool: &Tool| turn.tool_choice.as_ref().is_none_or(|choice| choice.allows(tool));
        let mut offered: Vec<&Tool> = turn.tools.iter().filter(|tool| allowed(tool)).collect();
        if !self.native {
            self.leave_one_search(&mut offered);
        }
        offered.into_iter().filter_map(|tool| self.tool(tool)).collect()
    }

    /// Names of tools are unique here, and the search has a fixed one: a second search says nothing more, and a
    /// client's own tool of that name is what the client means by it.
    fn leave_one_search(&mut self, offered: &mut Vec<&Tool>) {
        let is_search = |tool: &Tool| matches!(tool.kind, ToolKind::WebSearch);
        let mut taken = offered.iter().any(|tool| {
            !is_search(tool) && names::flat(tool.namespace.as_deref(), &tool.name) == SEARCH_NAME
        });
        if taken && offered.iter().any(|tool| is_search(tool)) {
            self.losses.dropped("tools.web_search");
        }
        offered.retain(|tool| !is_search(tool) || !std::mem::replace(&mut taken, true));
    }

    fn tool(&mut self, tool: &Tool) -> Option<Value> {
        let hint = tool.rest.hinted(Dialect::Messages, "$type");
        let mut written = match &tool.kind {
            ToolKind::Function { parameters, strict } => {
                let mut written = self.named(tool, hint);
                let schema =
                    if self.native { parameters.clone() } else { Some(self.schema(parameters.as_ref())) };
                written.extend(schema.map(|schema| ("input_schema".to_owned(), schema)));
                let strict = strict.filter(|strict| self.native || *strict);
                written.extend(strict.map(|strict| ("strict".to_owned(), strict.into())));
                written
            }
            ToolKind::Custom { format } => {
                if format.is_some() {
                    self.losses.dropped("tools.format");
                }
                let mut written = self.named(tool, None);
                written.insert("input_schema".to_owned(), free_text());
                written
            }
            ToolKind::WebSearch if self.native => self.named(tool, hint),
            ToolKind::WebSearch => object([("type", WEB_SEARCH.into()), ("name", SEARCH_NAME.into())]),
            ToolKind::Server { dialect: Dialect::Messages, value } => return Some(value.clone()),
            ToolKind::Server { value, .. } => {
                return self.dropped(&format!("tools.{}", names::kind_of(value)));
            }
        };
        self.mark(tool.cache.as_ref(), &mut written);
        tool.rest.write(Dialect::Messages, &mut written, &mut self.losses);
        Some(Value::Object(written))
    }

    fn named(&self, tool: &Tool, kind: Option<&Value>) -> Map<String, Value> {
        let mut written = Map::new();
        written.extend(kind.map(|kind| ("type".to_owned(), kind.clone())));
        written.insert("name".to_owned(), self.tool_name(tool.namespace.as_deref(), &tool.name));
        let description = tool.description.as_deref().filter(|text| self.native || !text.is_empty());
        written.extend(description.map(|text| ("description".to_owned(), text.into())));
        written
    }

    /// The schema of a tool's arguments, which must be an object's.
    fn schema(&mut self, parameters: Option<&Value>) -> Value {
        match parameters {
            Some(Value::Object(schema)) if schema.contains_key("type") => Value::Object(schema.clone()),
            Some(Value::Object(schema)) => {
                let mut typed = object([("type", "object".into())]);
                typed.extend(schema.clone());
                Value::Object(typed)
            }
            Some(other) if !other.is_null() => {
                self.losses.changed("schema");
                no_arguments()
            }
            _ => no_arguments(),
        }
    }

    /// The field `tool_choice`, with the wish about parallel calls that lives in it.
    pub(super) fn tool_choice(&mut self, turn: &Turn) -> Option<Value> {
        let disabled = match turn.parallel_tool_calls {
            Some(parallel) if self.native || !parallel => Some(!parallel),
            _ => None,
        };
        let mut written = match turn.tool_choice.as_ref() {
            None => {
                disabled?;
                object([("type", "auto".into())])
            }
            Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => {
                object([("type", "auto".into())])
            }
            Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => {
                object([("type", "any".into())])
            }
            Some(ToolChoice::None) if self.native => object([("type", "none".into())]),
            // Where no tool may be called, nothing can be said of several.
            Some(ToolChoice::None) => return Some(json!({"type": "none"})),
            Some(ToolChoice::Named { name, namespace, .. }) => {
                object([("type", "tool".into()), ("name", self.tool_name(namespace.as_deref(), name))])
            }
            Some(ToolChoice::WebSearch) => object([("type", "tool".into()), ("name", SEARCH_NAME.into())]),
            Some(ToolChoice::Opaque { dialect: Dialect::Messages, value }) => return Some(value.clone()),
            Some(ToolChoice::Opaque { .. }) => {
                self.losses.dropped("tool_choice");
                disabled?;
                object([("type", "auto".into())])
            }
        };
        written.extend(disabled.map(|disabled| ("disable_parallel_tool_use".to_owned(), disabled.into())));
        Some(Value::Object(written))
    }
}

fn no_arguments() -> Value {
    json!({"type": "object", "properties": {}})
}

/// The schema of the object that the free text of a custom tool is wrapped into.
fn free_text() -> Value {
    json!({
        "type": "object",
        "properties": {names::CUSTOM_INPUT: {"type": "string"}},
        "required": [names::CUSTOM_INPUT],
    })
}

/// Whether a tool must be called.
pub(super) const fn is_forced(choice: Option<&ToolChoice>) -> bool {
    matches!(
        choice,
        Some(
            ToolChoice::Required
                | ToolChoice::Allowed { required: true, .. }
                | ToolChoice::Named { .. }
                | ToolChoice::WebSearch
        )
    )
}
