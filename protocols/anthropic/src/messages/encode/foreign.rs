//! The settings of a request that came in another dialect, after the rules of this one.

use canon::{Format, Sampling, Turn};
use serde_json::{Map, Number, Value, json};

use super::{Writer, object, schema, thinking, tools};
use crate::messages::generation::Generation;

/// The smallest `top_p` that thinking allows.
const LEAST_TOP_P: f64 = 0.95;

pub(super) fn settings(
    writer: &mut Writer<'_>,
    turn: &Turn,
    messages: &mut Vec<Value>,
    has_tools: bool,
    into: &mut Map<String, Value>,
) {
    let forced = has_tools && tools::is_forced(turn.tool_choice.as_ref());
    let plan = thinking::plan(writer, turn, messages, forced);
    let mut put = |name: &str, value: Option<Value>| into.extend(value.map(|value| (name.to_owned(), value)));
    put("max_tokens", Some(plan.max_tokens.into()));
    // Without tools the choice among them is refused, and says nothing.
    put("tool_choice", if has_tools { writer.tool_choice(turn) } else { None });
    put("thinking", plan.thinking);
    put("output_config", output_config(writer, turn, plan.effort));
    put("stop_sequences", stop(writer, turn));
    put("metadata", thinking::metadata(turn));
    sampling(writer, &turn.sampling, plan.thinks, into);
}

fn output_config(writer: &mut Writer<'_>, turn: &Turn, effort: Option<&str>) -> Option<Value> {
    let mut config = Map::new();
    config.extend(effort.map(|effort| ("effort".to_owned(), effort.into())));
    match &turn.format {
        Some(Format::Schema { schema, description, .. }) => {
            if description.is_some() {
                writer.losses.changed("response_format");
            }
            let (schema, changed) = schema::closed(schema);
            if changed {
                writer.losses.changed("schema");
            }
            let format = object([("type", "json_schema".into()), ("schema", schema)]);
            config.insert("format".to_owned(), Value::Object(format));
        }
        Some(Format::Json) => writer.losses.dropped("response_format"),
        Some(Format::Text) | None => {}
    }
    (!config.is_empty()).then_some(Value::Object(config))
}

/// The stop texts, without those of white space alone, which the API refuses.
fn stop(writer: &mut Writer<'_>, turn: &Turn) -> Option<Value> {
    let kept: Vec<&str> =
        turn.stop.iter().map(String::as_str).filter(|text| !text.trim().is_empty()).collect();
    if kept.len() < turn.stop.len() {
        writer.losses.dropped("stop");
    }
    (!kept.is_empty()).then(|| json!(kept))
}

fn sampling(writer: &mut Writer<'_>, sampling: &Sampling, thinks: bool, into: &mut Map<String, Value>) {
    let unknown = [
        ("frequency_penalty", &sampling.frequency_penalty),
        ("presence_penalty", &sampling.presence_penalty),
        ("seed", &sampling.seed),
    ];
    for (name, _) in unknown.iter().filter(|(_, value)| value.is_some()) {
        writer.losses.dropped(name);
    }
    let generation = Generation::of(writer.target.model);
    let float = |number: &Number| number.as_f64().unwrap_or(1.0);
    if let Some(temperature) = &sampling.temperature {
        if thinks || !generation.samples() {
            // 1 is what such a model uses anyway.
            if float(temperature) != 1.0 {
                writer.losses.dropped("temperature");
            }
        } else if float(temperature) > 1.0 {
            writer.losses.changed("temperature");
            into.insert("temperature".to_owned(), 1.into());
        } else {
            into.insert("temperature".to_owned(), Value::Number(temperature.clone()));
        }
    }
    if let Some(top_p) = &sampling.top_p {
        let both = into.contains_key("temperature") && !generation.samples_by_both();
        if both || !generation.samples() || (thinks && float(top_p) < LEAST_TOP_P) {
            if float(top_p) != 1.0 {
                writer.losses.dropped("top_p");
            }
        } else {
            into.insert("top_p".to_owned(), Value::Number(top_p.clone()));
        }
    }
    if let Some(top_k) = &sampling.top_k {
        if thinks || !generation.samples() {
            writer.losses.dropped("top_k");
        } else {
            into.insert("top_k".to_owned(), Value::Number(top_k.clone()));
        }
    }
}
