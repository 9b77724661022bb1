//! The tools of a request, and which of them is wanted.

use canon::{DecodeError, Dialect, Fields, Tool, ToolChoice, ToolKind};
use serde_json::Value;

/// How the versions of the web search tool begin.
const WEB_SEARCH: &str = "web_search_";

pub(super) fn tools(fields: &mut Fields) -> Result<Vec<Tool>, DecodeError> {
    let Some(list) = fields.list("tools")? else { return Ok(Vec::new()) };
    if list.is_empty() {
        fields.put("$tools", "list".into());
    }
    let read = |(at, value)| tool(value).map_err(|error| error.within(&format!("tools[{at}]")));
    list.into_iter().enumerate().map(read).collect()
}

fn tool(value: Value) -> Result<Tool, DecodeError> {
    let kind = value.get("type").filter(|kind| !kind.is_null());
    match kind.map(|kind| kind.as_str().unwrap_or_default()) {
        None | Some("custom") => function(value),
        Some(version) if version.starts_with(WEB_SEARCH) => web_search(value),
        Some(_) => Ok(Tool {
            name: String::new(),
            namespace: None,
            description: None,
            kind: ToolKind::Server { dialect: Dialect::Messages, value },
            cache: None,
            rest: canon::Rest::default(),
        }),
    }
}

fn function(value: Value) -> Result<Tool, DecodeError> {
    let mut fields = Fields::of(value)?;
    if fields.take("type").is_some() {
        fields.put("$type", "custom".into());
    }
    let kind = ToolKind::Function { parameters: fields.take("input_schema"), strict: fields.flag("strict")? };
    finished(fields, kind)
}

fn web_search(value: Value) -> Result<Tool, DecodeError> {
    let mut fields = Fields::of(value)?;
    if let Some(version) = fields.take("type") {
        fields.put("$type", version);
    }
    finished(fields, ToolKind::WebSearch)
}

fn finished(mut fields: Fields, kind: ToolKind) -> Result<Tool, DecodeError> {
    Ok(Tool {
        name: fields.need_string("name")?,
        namespace: None,
        description: fields.string("description")?,
        kind,
        cache: fields.take("cache_control"),
        rest: fields.rest(Dialect::Messages),
    })
}

/// Which tool is wanted, and whether several may be called at once.
pub(super) fn choice(fields: &mut Fields) -> Result<(Option<ToolChoice>, Option<bool>), DecodeError> {
    let Some(value) = fields.take("tool_choice") else { return Ok((None, None)) };
    let whole = value.clone();
    let mut choice = Fields::of(value).map_err(|error| error.within("tool_choice"))?;
    let within = |error: DecodeError| error.within("tool_choice");
    let kind = choice.string("type").map_err(within)?;
    let disabled = choice.flag("disable_parallel_tool_use").map_err(within)?;
    let found = match kind.as_deref() {
        Some("auto") => Some(ToolChoice::Auto),
        Some("any") => Some(ToolChoice::Required),
        Some("none") => Some(ToolChoice::None),
        Some("tool") => {
            let name = choice.need_string("name").map_err(within)?;
            Some(ToolChoice::Named { name, namespace: None, custom: false })
        }
        _ => None,
    };
    match found {
        Some(found) if choice.is_empty() => Ok((Some(found), disabled.map(|disabled| !disabled))),
        _ => Ok((Some(ToolChoice::Opaque { dialect: Dialect::Messages, value: whole }), None)),
    }
}
