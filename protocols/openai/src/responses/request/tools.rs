//! Tools, read and written. The tools of a namespace become tools that know its name; what else the namespace says
//! lies on the first of them, under names that begin with [`OUTER`].

use canon::{Dialect, Fields, Losses, Tool, ToolKind, names, schema};
use serde_json::{Map, Value, json};

use super::hint;
use crate::responses::OWN;

/// What the name of a field of a namespace begins with in the rest of its first tool.
const OUTER: &str = "namespace.";

/// The type of the web search that can be demanded.
pub(super) const FORCED_SEARCH: &str = "web_search_preview";

/// Offers the web search under the type that can be demanded.
pub(super) fn force_search(tools: &mut [Value]) {
    for tool in tools.iter_mut().filter_map(Value::as_object_mut) {
        if tool.get("type").and_then(Value::as_str) == Some("web_search") {
            tool.insert("type".to_owned(), FORCED_SEARCH.into());
        }
    }
}

/// The built-in web search has several types, some with a date.
pub(super) fn is_web_search(kind: &str) -> bool {
    kind == "web_search" || kind.starts_with("web_search_")
}

/// Reads a list of tools.
pub(super) fn read(list: Vec<Value>) -> Vec<Tool> {
    let mut tools = Vec::with_capacity(list.len());
    for value in list {
        read_into(value, &mut tools);
    }
    tools
}

fn read_into(value: Value, tools: &mut Vec<Tool>) {
    let Value::Object(map) = value else { return tools.push(server(value, None)) };
    let mut fields = Fields::new(map);
    let filled = fields.peek("tools").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    if fields.peek_str("type") != Some("namespace") || fields.peek_str("name").is_none() || !filled {
        return tools.push(one(fields, None));
    }
    let name = fields.string("name").ok().flatten().unwrap_or_default();
    let nested = fields.list("tools").ok().flatten().unwrap_or_default();
    let first = tools.len();
    tools.extend(nested.into_iter().map(|value| match value {
        Value::Object(map) => one(Fields::new(map), Some(&name)),
        other => server(other, Some(&name)),
    }));
    if let Some(tool) = tools.get_mut(first) {
        tool.rest.hint(OWN, hint::NAMESPACE, true);
        for (field, value) in fields.into_map().into_iter().filter(|(field, _)| field != "type") {
            tool.rest.hint(OWN, &format!("{OUTER}{field}"), value);
        }
    }
}

fn server(value: Value, namespace: Option<&str>) -> Tool {
    Tool {
        name: String::new(),
        namespace: namespace.map(str::to_owned),
        description: None,
        kind: ToolKind::Server { dialect: OWN, value },
        cache: None,
        rest: canon::Rest::default(),
    }
}

fn one(mut fields: Fields, namespace: Option<&str>) -> Tool {
    let named = fields.peek_str("name").is_some();
    let kind = match fields.peek_str("type") {
        Some("function") if named => ToolKind::Function {
            parameters: if fields.peek("parameters").is_some_and(Value::is_object) {
                fields.take("parameters")
            } else {
                None
            },
            strict: fields.peek("strict").and_then(Value::as_bool),
        },
        Some("custom") if named => ToolKind::Custom { format: fields.take("format") },
        Some(kind) if is_web_search(kind) && namespace.is_none() => return web_search(fields),
        _ => return server(Value::Object(fields.into_map()), namespace),
    };
    if matches!(kind, ToolKind::Function { strict: Some(_), .. }) {
        fields.take("strict");
    }
    let name = fields.string("name").ok().flatten().unwrap_or_default();
    let described = fields.peek_str("description").is_some();
    let description = if described { fields.string("description").ok().flatten() } else { None };
    fields.take("type");
    let namespace = namespace.map(str::to_owned);
    Tool { name, namespace, description, kind, cache: None, rest: fields.rest(OWN) }
}

fn web_search(mut fields: Fields) -> Tool {
    let kind = fields.string("type").ok().flatten().unwrap_or_default();
    let mut rest = fields.rest(OWN);
    rest.hint(OWN, hint::TYPE, kind);
    let kind = ToolKind::WebSearch;
    Tool { name: String::new(), namespace: None, description: None, kind, cache: None, rest }
}

/// Writes tools, those of one namespace together. `native`: each is to be what it was.
pub(super) fn write(tools: &[Tool], native: bool, losses: &mut Losses) -> Vec<Value> {
    let mut list: Vec<Value> = Vec::with_capacity(tools.len());
    let mut namespace: Option<&str> = None;
    for tool in tools.iter().filter(|tool| tool.rest.hinted(OWN, hint::BROUGHT).is_none()) {
        let Some(value) = write_one(tool, native, losses) else { continue };
        let Some(own) = tool.namespace.as_deref() else {
            namespace = None;
            list.push(value);
            continue;
        };
        if namespace != Some(own) || tool.rest.hinted(OWN, hint::NAMESPACE).is_some() {
            namespace = Some(own);
            list.push(begun(own, tool));
        }
        if let Some(Value::Array(nested)) = list.last_mut().and_then(|last| last.get_mut("tools")) {
            nested.push(value);
        }
    }
    list
}

/// A namespace without tools yet.
fn begun(name: &str, first: &Tool) -> Value {
    let mut namespace = Map::new();
    namespace.insert("type".to_owned(), "namespace".into());
    namespace.insert("name".to_owned(), name.into());
    let rest = first.rest.of(OWN).into_iter().flatten();
    namespace.extend(
        rest.filter_map(|(field, value)| Some((field.strip_prefix(OUTER)?.to_owned(), value.clone()))),
    );
    if first.rest.hinted(OWN, hint::NAMESPACE).is_none() {
        // Required where a namespace is written; nobody said what this one is for.
        namespace.insert("description".to_owned(), name.into());
    }
    namespace.insert("tools".to_owned(), Value::Array(Vec::new()));
    Value::Object(namespace)
}

fn write_one(tool: &Tool, native: bool, losses: &mut Losses) -> Option<Value> {
    if tool.cache.is_some() {
        losses.dropped("cache_control");
    }
    let mut object = Map::new();
    match &tool.kind {
        ToolKind::Function { parameters, strict } => {
            named(tool, "function", native, &mut object);
            match parameters {
                Some(parameters) => object.insert("parameters".to_owned(), parameters.clone()),
                None if native => None,
                None => object.insert("parameters".to_owned(), json!({ "type": "object", "properties": {} })),
            };
            // Here a function is strict unless it says that it is not; elsewhere it is the other way round.
            let mut strict = strict.or((!native).then_some(false));
            if !native && strict == Some(true) && !parameters.as_ref().is_some_and(schema::is_closed) {
                strict = Some(false);
                losses.dropped("strict");
            }
            if let Some(strict) = strict {
                object.insert("strict".to_owned(), strict.into());
            }
        }
        ToolKind::Custom { format } => {
            named(tool, "custom", native, &mut object);
            if let Some(format) = format {
                object.insert("format".to_owned(), format.clone());
            }
        }
        ToolKind::WebSearch => {
            let kind = tool.rest.hinted(OWN, hint::TYPE).cloned();
            object.insert("type".to_owned(), kind.unwrap_or_else(|| "web_search".into()));
        }
        ToolKind::Server { dialect: Dialect::Responses, value } => return Some(value.clone()),
        ToolKind::Server { value, .. } => {
            losses.dropped(&format!("tools.{}", names::kind_of(value)));
            return None;
        }
    }
    write_rest(tool, &mut object, losses);
    Some(Value::Object(object))
}

fn named(tool: &Tool, kind: &str, native: bool, object: &mut Map<String, Value>) {
    object.insert("type".to_owned(), kind.into());
    let name = if native { tool.name.as_str().into() } else { names::flat(None, &tool.name) };
    object.insert("name".to_owned(), name.into_owned().into());
    if let Some(description) = &tool.description {
        object.insert("description".to_owned(), description.as_str().into());
    }
}

fn write_rest(tool: &Tool, object: &mut Map<String, Value>, losses: &mut Losses) {
    let Some(own) = tool.rest.of(OWN) else { return tool.rest.lost(losses) };
    for (name, value) in own.iter().filter(|(name, _)| !name.starts_with('$') && !name.starts_with(OUTER)) {
        object.entry(name.as_str()).or_insert_with(|| value.clone());
    }
}
