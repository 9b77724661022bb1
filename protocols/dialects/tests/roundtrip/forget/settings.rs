//! Settings and tools without what the target cannot be told of them.

use canon::{Dialect, Format, Losses, Tool, ToolChoice, ToolKind, Turn, names};
use serde_json::{Number, Value, json};

use crate::alike::{Way, changed, lost};

/// The most stop texts that a target takes.
fn stops(to: Dialect) -> usize {
    match to {
        Dialect::Chat => 4,
        Dialect::Gemini => 5,
        Dialect::Responses | Dialect::Messages => usize::MAX,
    }
}

pub(super) fn forget(turn: &mut Turn, way: Way, losses: &Losses) {
    limits(turn, way, losses);
    if way.from == way.to {
        return;
    }
    if lost(losses, "stop") {
        turn.stop.retain(|text| way.to == Dialect::Messages && !text.trim().is_empty());
    }
    if changed(losses, "stop") {
        turn.stop.truncate(stops(way.to));
    }
    sampling(turn, losses);
    if lost(losses, "response_format") && turn.format == Some(Format::Json) {
        turn.format = None;
    }
    let narrow = matches!(way.to, Dialect::Messages | Dialect::Gemini);
    if let Some(Format::Schema { name, description, schema, strict }) = &mut turn.format {
        if narrow && lost(losses, "strict") {
            *strict = strict.filter(|strict| *strict);
        }
        if narrow && changed(losses, "response_format") {
            *description = None;
        }
        if way.to == Dialect::Gemini && !changed(losses, "schema") {
            *schema = gemini::schema::accepted(schema).0;
        }
        *name = name.take().map(|name| names::flat(None, &name).into_owned());
    }
    if lost(losses, "user") {
        turn.user = None;
    } else if changed(losses, "user") {
        turn.user = turn.user.take().map(|user| names::fitted(&user, 64).into_owned());
    }
    let mut kept = Vec::with_capacity(turn.tools.len());
    for tool in std::mem::take(&mut turn.tools) {
        kept.extend(self::tool(tool, way, losses));
    }
    turn.tools = kept;
    choice(turn, way, losses);
}

fn limits(turn: &mut Turn, way: Way, losses: &Losses) {
    if !changed(losses, "max_tokens") {
        return;
    }
    let least = if way.to == Dialect::Responses && way.from != way.to { 16 } else { 0 };
    let most = way.max_output.unwrap_or(u64::MAX);
    turn.max_tokens = turn.max_tokens.map(|wanted| wanted.max(least).min(most));
}

fn sampling(turn: &mut Turn, losses: &Losses) {
    let sampling = &mut turn.sampling;
    if changed(losses, "temperature") {
        sampling.temperature = Number::from_f64(1.0);
    }
    if changed(losses, "seed") {
        let seed = sampling.seed.as_ref().and_then(Number::as_i64).unwrap_or_default();
        sampling.seed = Some(Number::from(seed & i64::from(i32::MAX)));
    }
    for (name, number) in [
        ("temperature", &mut sampling.temperature),
        ("top_p", &mut sampling.top_p),
        ("top_k", &mut sampling.top_k),
        ("frequency_penalty", &mut sampling.frequency_penalty),
        ("presence_penalty", &mut sampling.presence_penalty),
        ("seed", &mut sampling.seed),
    ] {
        if lost(losses, name) {
            *number = None;
        }
    }
}

fn tool(mut tool: Tool, way: Way, losses: &Losses) -> Option<Tool> {
    if lost(losses, "cache_control") && way.to != Dialect::Messages {
        tool.cache = None;
    }
    let namespace = tool.namespace.take_if(|_| way.to != Dialect::Responses);
    if !tool.name.is_empty() {
        tool.name = names::flat(namespace.as_deref(), &tool.name).into_owned();
    }
    match &mut tool.kind {
        ToolKind::Server { value, .. } => {
            let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
            return (!lost(losses, &format!("tools.{kind}"))).then_some(tool);
        }
        ToolKind::WebSearch => return (!lost(losses, "tools.web_search")).then_some(tool),
        ToolKind::Custom { format } if way.to != Dialect::Responses => {
            let free = format.as_ref().is_none_or(|format| format.get("type") == Some(&json!("text")));
            if free || lost(losses, "tools.format") {
                let parameters = Some(json!({"properties": {names::CUSTOM_INPUT: {"type": "string"}}}));
                tool.kind = ToolKind::Function { parameters, strict: None };
            }
        }
        ToolKind::Function { parameters, .. } if way.to == Dialect::Gemini => {
            *parameters = parameters.take().map(|schema| gemini::schema::accepted(&schema).0);
        }
        ToolKind::Function { .. } | ToolKind::Custom { .. } => {}
    }
    Some(tool)
}

fn choice(turn: &mut Turn, way: Way, losses: &Losses) {
    if lost(losses, "parallel_tool_calls") {
        turn.parallel_tool_calls = None;
    }
    if lost(losses, "tool_choice") {
        turn.tool_choice = None;
    }
    if let Some(ToolChoice::Named { name, namespace, custom }) = &mut turn.tool_choice {
        let namespace = namespace.take_if(|_| way.to != Dialect::Responses);
        *name = names::flat(namespace.as_deref(), name).into_owned();
        *custom &= way.to == Dialect::Responses;
    }
}
