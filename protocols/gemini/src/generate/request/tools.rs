//! The tools of a request, and which of them is wanted.

use std::collections::BTreeMap;

use canon::{DecodeError, Dialect, Fields, Losses, Rest, Tool, ToolChoice, ToolKind, ToolName, Turn, names};
use serde_json::{Map, Value, json};

use crate::{
    generate::{hints, spelling},
    schema,
};

/// The entry of `tools` in which a tool stood.
const ENTRY: &str = "$entry";

pub(super) fn decode(fields: &mut Fields, turn: &mut Turn, own: &mut Rest) -> Result<(), DecodeError> {
    let Some(entries) = fields.take("tools") else { return Ok(()) };
    let (entries, single) =
        hints::as_list(entries).ok_or_else(|| DecodeError::new("tools", "must be an array"))?;
    if single {
        hints::leave(own, "$singleTool", true);
    }
    if entries.is_empty() {
        hints::leave(own, "$noTools", true);
    }
    let mut silent = Map::new();
    for (at, entry) in entries.into_iter().enumerate() {
        let before = turn.tools.len();
        let kept = self::entry(entry, at, turn).map_err(|error| error.within(&format!("tools[{at}]")))?;
        if turn.tools.len() == before {
            silent.insert(at.to_string(), kept.unwrap_or_else(|| json!({})));
        }
    }
    if !silent.is_empty() {
        hints::leave(own, "$silentTools", silent);
    }
    Ok(())
}

/// Reads an entry; gives it back if there is no tool in it.
fn entry(entry: Value, at: usize, turn: &mut Turn) -> Result<Option<Value>, DecodeError> {
    let Value::Object(mut map) = entry else { return Err(DecodeError::new("", "must be an object")) };
    let found = spelling::tidy(&mut map, &spelling::TOOL);
    let before = turn.tools.len();
    let mut left = Map::new();
    for (name, value) in map {
        match (name.as_str(), value) {
            ("functionDeclarations", Value::Array(list)) if !list.is_empty() => {
                for (number, function) in list.into_iter().enumerate() {
                    let tool = function_of(function)
                        .map_err(|error| error.within(&format!("functionDeclarations[{number}]")))?;
                    turn.tools.push(tool);
                }
            }
            ("functionDeclarations", value @ Value::Array(_)) => drop(left.insert(name, value)),
            (_, Value::Null) => drop(left.insert(name, Value::Null)),
            ("googleSearch" | "googleSearchRetrieval", Value::Object(settings)) => {
                let mut tool = bare(ToolKind::WebSearch);
                tool.rest = Rest::new(Dialect::Gemini, settings);
                hints::leave(&mut tool.rest, "$tool", name);
                turn.tools.push(tool);
            }
            (_, value) => {
                let value = json!({"type": name, name: value});
                turn.tools.push(bare(ToolKind::Server { dialect: Dialect::Gemini, value }));
            }
        }
    }
    for tool in turn.tools.iter_mut().skip(before) {
        hints::leave(&mut tool.rest, ENTRY, at);
    }
    let Some(first) = turn.tools.get_mut(before) else {
        let mut rest = Rest::default();
        spelling::keep(&mut rest, found);
        spelling::restore(&mut left, &rest);
        return Ok(Some(Value::Object(left)));
    };
    if !left.is_empty() {
        hints::leave(&mut first.rest, "$left", left);
    }
    if let Some(found) = found {
        hints::leave(&mut first.rest, "$entrySpelling", found);
    }
    Ok(None)
}

fn bare(kind: ToolKind) -> Tool {
    Tool { name: String::new(), namespace: None, description: None, kind, cache: None, rest: Rest::default() }
}

fn function_of(function: Value) -> Result<Tool, DecodeError> {
    let Value::Object(mut map) = function else { return Err(DecodeError::new("", "must be an object")) };
    let found = spelling::tidy(&mut map, &spelling::DECLARATION);
    let mut fields = Fields::new(map);
    let name = fields.need_string("name")?;
    let description = fields.string("description")?;
    let (original, parameters) = if let Some(written) = fields.take("parametersJsonSchema") {
        (Some(("$parametersJsonSchema", written.clone())), Some(schema::lower_types(written)))
    } else if let Some(written) = fields.take("parameters") {
        (Some(("$parameters", written.clone())), Some(schema::json_schema(written)))
    } else {
        (None, None)
    };
    let mut rest = fields.rest(Dialect::Gemini);
    if let Some((hint, written)) = original {
        hints::leave(&mut rest, hint, written);
    }
    spelling::keep(&mut rest, found);
    let kind = ToolKind::Function { parameters, strict: None };
    Ok(Tool { name, namespace: None, description, kind, cache: None, rest })
}

/// Writes the tools. Declarations of other dialects' tools stand in one entry.
pub(super) fn encode(turn: &Turn, native: bool, body: &mut Map<String, Value>, losses: &mut Losses) {
    let mut entries: BTreeMap<usize, Map<String, Value>> = BTreeMap::new();
    if let Some(Value::Object(silent)) = hints::hint(&turn.rest, "$silentTools").filter(|_| native) {
        for (at, entry) in silent {
            let entry = entry.as_object().cloned().unwrap_or_default();
            entries.insert(at.parse().unwrap_or_default(), entry);
        }
    }
    let mut spellings = Vec::new();
    // Search and functions in one request need a history that other dialects cannot keep.
    let functions = turn
        .tools
        .iter()
        .any(|tool| matches!(tool.kind, ToolKind::Function { .. } | ToolKind::Custom { .. }));
    let unlisted = matches!(turn.tool_choice, Some(ToolChoice::Allowed { required: false, .. }));
    let is_offered =
        |tool: &&Tool| !unlisted || turn.tool_choice.as_ref().is_none_or(|choice| choice.allows(tool));
    for tool in turn.tools.iter().filter(is_offered) {
        if tool.cache.is_some() {
            losses.dropped("cache_control");
        }
        let at = hints::hint(&tool.rest, ENTRY).and_then(Value::as_u64).filter(|_| native).unwrap_or(0);
        let at = usize::try_from(at).unwrap_or_default();
        let entry = entries.entry(at).or_default();
        write(tool, native, functions, entry, losses);
        if let Some(Value::Object(left)) = hints::hint(&tool.rest, "$left").filter(|_| native) {
            entry.extend(left.clone());
        }
        if let Some(Value::Object(found)) = hints::hint(&tool.rest, "$entrySpelling").filter(|_| native) {
            spellings.push((at, found.clone()));
        }
    }
    for (at, found) in spellings {
        let mut rest = Rest::default();
        spelling::keep(&mut rest, Some(found));
        if let Some(entry) = entries.get_mut(&at) {
            spelling::restore(entry, &rest);
        }
    }
    let mut entries: Vec<Value> =
        entries.into_values().filter(|entry| native || !entry.is_empty()).map(Value::Object).collect();
    let single = native && hints::hint(&turn.rest, "$singleTool").is_some();
    if single && entries.len() == 1 {
        body.extend(entries.pop().map(|entry| ("tools".to_owned(), entry)));
    } else if !entries.is_empty() || (native && hints::hint(&turn.rest, "$noTools").is_some()) {
        body.insert("tools".into(), entries.into());
    }
}

fn write(tool: &Tool, native: bool, functions: bool, entry: &mut Map<String, Value>, losses: &mut Losses) {
    match &tool.kind {
        ToolKind::Function { .. } | ToolKind::Custom { .. } => {
            let function = declaration(tool, native, losses);
            match entry.entry("functionDeclarations").or_insert_with(|| json!([])) {
                Value::Array(list) => list.push(function),
                other => *other = json!([function]),
            }
        }
        ToolKind::WebSearch if !native && functions => losses.dropped("tools.web_search"),
        ToolKind::WebSearch => {
            let mut settings = Map::new();
            tool.rest.write(Dialect::Gemini, &mut settings, losses);
            let name = hints::hint(&tool.rest, "$tool").and_then(Value::as_str).unwrap_or("googleSearch");
            entry.insert(name.to_owned(), settings.into());
        }
        ToolKind::Server { dialect: Dialect::Gemini, value } => {
            let name = value.get("type").and_then(Value::as_str).unwrap_or_default();
            entry.insert(name.to_owned(), value.get(name).cloned().unwrap_or_default());
        }
        ToolKind::Server { value, .. } => {
            losses.dropped(&format!("tools.{}", names::kind_of(value)));
        }
    }
}

fn declaration(tool: &Tool, native: bool, losses: &mut Losses) -> Value {
    let mut function = Map::new();
    let name =
        if native { tool.name.as_str().into() } else { names::flat(tool.namespace.as_deref(), &tool.name) };
    function.insert("name".into(), name.into());
    function.extend(tool.description.as_deref().map(|text| ("description".to_owned(), text.into())));
    let hinted = ["parameters", "parametersJsonSchema"]
        .into_iter()
        .find_map(|name| Some((name, hints::hint(&tool.rest, &format!("${name}"))?)));
    match (&tool.kind, hinted) {
        (_, Some((name, written))) => drop(function.insert(name.to_owned(), written.clone())),
        (ToolKind::Function { parameters, strict }, None) => {
            if *strict == Some(true) {
                losses.dropped("strict");
            }
            if let Some(parameters) = parameters.as_ref().filter(|schema| says_something(schema)) {
                let (accepted, lost) = schema::accepted(parameters);
                function.insert("parametersJsonSchema".into(), accepted);
                if lost {
                    losses.changed("schema");
                }
            }
        }
        (ToolKind::Custom { format }, None) => {
            if format.as_ref().is_some_and(|format| format.get("type").is_none_or(|kind| kind != "text")) {
                losses.dropped("tools.format");
            }
            let field = names::CUSTOM_INPUT;
            let input =
                json!({"type": "object", "properties": {field: {"type": "string"}}, "required": [field]});
            function.insert("parametersJsonSchema".into(), input);
        }
        _ => {}
    }
    tool.rest.write(Dialect::Gemini, &mut function, losses);
    spelling::restore(&mut function, &tool.rest);
    Value::Object(function)
}

/// Whether a schema has arguments: an object without properties is refused, and the same as no schema.
fn says_something(schema: &Value) -> bool {
    let Value::Object(map) = schema else { return false };
    let empty = map.get("properties").and_then(Value::as_object).is_none_or(Map::is_empty);
    !empty
        || ["$ref", "anyOf", "allOf", "oneOf"].iter().any(|name| map.contains_key(*name))
        || map.get("additionalProperties").is_some_and(Value::is_object)
}

pub(super) fn decode_choice(fields: &mut Fields, turn: &mut Turn, own: &mut Rest) -> Result<(), DecodeError> {
    let Some(mut config) = fields.object("toolConfig")? else { return Ok(()) };
    if config.is_empty() {
        hints::leave(own, "$toolConfig", true);
    }
    turn.tool_choice = config.take("functionCallingConfig").map(choice);
    hints::fold(own, "toolConfig", config.into_map());
    Ok(())
}

/// What a `functionCallingConfig` asks for. One that others cannot say is kept as it is.
fn choice(config: Value) -> ToolChoice {
    let mode = config.get("mode").and_then(Value::as_str).unwrap_or_default();
    let allowed = config.get("allowedFunctionNames").and_then(Value::as_array);
    let fields = config.as_object().map_or(0, Map::len);
    match (mode, fields, allowed.map(Vec::as_slice)) {
        ("AUTO", 1, _) => ToolChoice::Auto,
        ("NONE", 1, _) => ToolChoice::None,
        ("ANY", 1, _) => ToolChoice::Required,
        ("ANY", 2, Some([Value::String(name)])) => {
            ToolChoice::Named { name: name.clone(), namespace: None, custom: false }
        }
        ("ANY", 2, Some(names)) if names.len() > 1 && names.iter().all(Value::is_string) => {
            let named = |name: &str| ToolName { name: name.to_owned(), ..ToolName::default() };
            let tools = names.iter().filter_map(Value::as_str).map(named).collect();
            ToolChoice::Allowed { required: true, tools }
        }
        _ => ToolChoice::Opaque { dialect: Dialect::Gemini, value: config },
    }
}

pub(super) fn encode_choice(turn: &Turn, native: bool, body: &mut Map<String, Value>, losses: &mut Losses) {
    let Some(choice) = &turn.tool_choice else { return };
    // Without functions there is nothing to choose from.
    if !native && !has_functions(body) {
        if !matches!(choice, ToolChoice::Auto | ToolChoice::None) {
            losses.dropped("tool_choice");
        }
        return;
    }
    let config = match choice {
        ToolChoice::Auto => json!({"mode": "AUTO"}),
        ToolChoice::None => json!({"mode": "NONE"}),
        ToolChoice::Required => json!({"mode": "ANY"}),
        ToolChoice::Allowed { required: true, tools } => {
            let name = |tool: &ToolName| {
                if native {
                    tool.name.clone()
                } else {
                    names::flat(tool.namespace.as_deref(), &tool.name).into()
                }
            };
            json!({"mode": "ANY", "allowedFunctionNames": tools.iter().map(name).collect::<Vec<_>>()})
        }
        // The list goes with no other mode; the other functions are not offered.
        ToolChoice::Allowed { required: false, .. } => json!({"mode": "AUTO"}),
        ToolChoice::Named { name, namespace, .. } => {
            let name = if native { name.into() } else { names::flat(namespace.as_deref(), name) };
            json!({"mode": "ANY", "allowedFunctionNames": [name]})
        }
        ToolChoice::Opaque { dialect: Dialect::Gemini, value } => value.clone(),
        ToolChoice::WebSearch | ToolChoice::Opaque { .. } => return losses.dropped("tool_choice"),
    };
    body.insert("toolConfig".into(), json!({"functionCallingConfig": config}));
}

fn has_functions(body: &Map<String, Value>) -> bool {
    let entries = body.get("tools").and_then(Value::as_array);
    entries.is_some_and(|entries| entries.iter().any(|entry| entry.get("functionDeclarations").is_some()))
}
