//! Reasoning and the form of the text, read and written.

use canon::{DecodeError, Dialect, Effort, Fields, Format, Losses, Reasoning, Rest, Target, Turn, names};
use serde_json::{Map, Value};

use super::hint;
use crate::responses::OWN;

/// Reads how to reason.
pub(super) fn reasoning(mut fields: Fields) -> Reasoning {
    let effort = fields.peek_str("effort").and_then(Effort::parse);
    // A word in capitals is kept as it was written.
    if effort.is_some_and(|effort| fields.peek_str("effort") == Some(effort.as_str())) {
        fields.take("effort");
    }
    let summary = if fields.peek_str("summary").is_some() { fields.take("summary") } else { None };
    let mut rest = fields.rest(OWN);
    let shown = summary.is_some().then_some(true);
    if let Some(summary) = summary {
        rest.hint(OWN, hint::SUMMARY, summary);
    }
    Reasoning { enabled: None, effort, budget: None, shown, rest }
}

/// Writes how to reason.
pub(super) fn write_reasoning(turn: &Turn, target: &Target<'_>, losses: &mut Losses) -> Option<Value> {
    let reasoning = turn.reasoning.as_ref()?;
    let mut object = Map::new();
    let own = reasoning.rest.of(OWN).is_some_and(|own| own.contains_key("effort"));
    if let Some(effort) = effort(reasoning, losses).filter(|_| !own) {
        object.insert("effort".to_owned(), effort.as_str().into());
    }
    if let Some(summary) = reasoning.rest.hinted(OWN, hint::SUMMARY) {
        object.insert("summary".to_owned(), summary.clone());
    } else if is_shown(reasoning, target.source) {
        object.insert("summary".to_owned(), "auto".into());
    }
    reasoning.rest.write(OWN, &mut object, losses);
    (target.source == OWN || !object.is_empty()).then_some(Value::Object(object))
}

/// How hard to reason, where that was said in any way.
fn effort(reasoning: &Reasoning, losses: &mut Losses) -> Option<Effort> {
    if reasoning.effort.is_some() && reasoning.enabled != Some(false) {
        return reasoning.effort;
    }
    if reasoning.enabled.is_none() && reasoning.budget.is_none() {
        return None;
    }
    // There are efforts alone here: that it reasons at all, or not, cannot be said for all models. Many refuse the word
    // for no effort, and none refuses to be told nothing.
    let wanted = reasoning.budget.filter(|tokens| *tokens > 0 && reasoning.enabled != Some(false));
    losses.changed("reasoning");
    wanted.map(Effort::of_budget)
}

/// Whether thoughts are to be shown. Messages shows them unless it is told not to.
fn is_shown(reasoning: &Reasoning, source: Dialect) -> bool {
    reasoning.shown.unwrap_or(source == Dialect::Messages && reasoning.enabled == Some(true))
}

/// Whether the model is asked to reason.
pub(super) fn reasons(turn: &Turn) -> bool {
    turn.reasoning.as_ref().is_some_and(reasons_at_all)
}

fn reasons_at_all(reasoning: &Reasoning) -> bool {
    let no_effort = reasoning.effort == Some(Effort::None) || reasoning.budget == Some(0);
    let said = reasoning.enabled.is_some()
        || reasoning.effort.is_some()
        || reasoning.budget.is_some()
        || reasoning.shown == Some(true);
    said && reasoning.enabled != Some(false) && !no_effort
}

/// Reads the form of the text. What else `text` says goes back into the fields.
pub(super) fn format(fields: &mut Fields, hints: &mut Rest) -> Result<Option<Format>, DecodeError> {
    let Some(mut text) = fields.object("text")? else { return Ok(None) };
    let format = read_format(&mut text, hints).map_err(|error| error.within("text"))?;
    let left = text.into_map();
    if left.is_empty() {
        hints.hint(OWN, hint::TEXT, true);
    } else {
        fields.put("text", Value::Object(left));
    }
    Ok(format)
}

fn read_format(text: &mut Fields, hints: &mut Rest) -> Result<Option<Format>, DecodeError> {
    let Some(mut fields) = text.object("format")? else { return Ok(None) };
    let read = match fields.peek_str("type") {
        Some("text") => Format::Text,
        Some("json_object") => Format::Json,
        Some("json_schema") if fields.peek("schema").is_some_and(|schema| !schema.is_null()) => {
            let name = fields.string("name")?;
            let description = fields.string("description")?;
            let strict = fields.flag("strict")?;
            let schema = fields.take("schema").unwrap_or_default();
            Format::Schema { name, description, schema, strict }
        }
        _ => {
            text.put("format", Value::Object(fields.into_map()));
            return Ok(None);
        }
    };
    fields.take("type");
    for (name, value) in fields.into_map() {
        hints.hint(OWN, &format!("{}{name}", hint::FORMAT), value);
    }
    Ok(Some(read))
}

/// Writes `text`.
pub(super) fn write_text(turn: &Turn, native: bool) -> Option<Value> {
    let own = turn.rest.hinted(OWN, "text");
    let mut text = Map::new();
    if let Some(format) = &turn.format {
        let mut object = write_format(format, native);
        let more = turn.rest.of(OWN).into_iter().flatten();
        object.extend(
            more.filter_map(|(name, value)| {
                Some((name.strip_prefix(hint::FORMAT)?.to_owned(), value.clone()))
            }),
        );
        text.insert("format".to_owned(), Value::Object(object));
    }
    if let Some(Value::Object(own)) = own {
        text.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    (!text.is_empty() || turn.rest.hinted(OWN, hint::TEXT).is_some()).then_some(Value::Object(text))
}

fn write_format(format: &Format, native: bool) -> Map<String, Value> {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    match format {
        Format::Text => {
            put("type", "text".into());
        }
        Format::Json => {
            put("type", "json_object".into());
        }
        Format::Schema { name, description, schema, strict } => {
            put("type", "json_schema".into());
            let name = name.as_deref().unwrap_or("answer");
            put("name", if native { name.into() } else { names::flat(None, name).into_owned().into() });
            if let Some(description) = description {
                put("description", description.as_str().into());
            }
            put("schema", schema.clone());
            if let Some(strict) = strict {
                put("strict", (*strict).into());
            }
        }
    }
    object
}

/// Fields that mean the same in chat.
const SHARED: &[&str] =
    &["metadata", "service_tier", "prompt_cache_key", "prompt_cache_retention", "safety_identifier"];

/// Puts the rest of a request back, without what belongs to the form of the text; of a chat request's the fields that
/// mean the same.
pub(super) fn write_rest(turn: &Turn, body: &mut Map<String, Value>, losses: &mut Losses) {
    if let Some(chat) = turn.rest.of(Dialect::Chat) {
        let (shared, other) = chat.clone().into_iter().partition(|(name, _)| SHARED.contains(&name.as_str()));
        body.extend::<Map<String, Value>>(shared);
        return Rest::new(Dialect::Chat, respelled(other, body)).lost(losses);
    }
    let Some(own) = turn.rest.of(OWN) else { return turn.rest.lost(losses) };
    for (name, value) in own {
        if !name.starts_with('$') && !name.starts_with(hint::FORMAT) {
            body.entry(name.as_str()).or_insert_with(|| value.clone());
        }
    }
}

/// Says what chat says in other words; what is left has none here.
fn respelled(mut chat: Map<String, Value>, body: &mut Map<String, Value>) -> Map<String, Value> {
    if let Some(verbosity) = chat.shift_remove("verbosity").filter(|word| !word.is_null())
        && let Value::Object(text) = body.entry("text").or_insert_with(|| Value::Object(Map::new()))
    {
        text.insert("verbosity".to_owned(), verbosity);
    }
    if chat.get("logprobs").and_then(Value::as_bool) == Some(true) {
        chat.shift_remove("logprobs");
        body.extend(chat.shift_remove_entry("top_logprobs").filter(|(_, top)| top.is_u64()));
        if let Value::Array(wanted) = body.entry("include").or_insert_with(|| Value::Array(Vec::new())) {
            wanted.push("message.output_text.logprobs".into());
        }
    }
    chat
}
