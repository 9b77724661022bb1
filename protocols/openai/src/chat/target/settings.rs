//! How the answer should be: limits, sampling, reasoning, format, and whether it streams.

use canon::{Effort, Format, Turn, names};
use serde_json::{Map, Number, Value};

use super::Writer;
use crate::chat::kept::{CHAT, object, restore, some};

/// The most stop texts that the vendor takes.
const STOPS: usize = 4;

/// The longest id of an end user that the vendor takes.
const USER: usize = 64;

pub(super) fn write(writer: &mut Writer<'_>, turn: &Turn, body: &mut Map<String, Value>) {
    stream(writer, turn, body);
    max_tokens(writer, turn, body);
    sampling(writer, turn, body);
    stop(writer, turn, body);
    reasoning(writer, turn, body);
    if let Some(format) = &turn.format {
        body.insert("response_format".to_owned(), response_format(writer, format));
    }
    if let Some(user) = &turn.user {
        let hinted = turn.rest.hinted(CHAT, "$safety_identifier").is_some();
        let fits = writer.native || user.len() <= USER;
        if !fits {
            writer.losses.changed("user");
        }
        let user = if fits { user.as_str().into() } else { names::fitted(user, USER).as_ref().into() };
        body.insert(if hinted { "safety_identifier" } else { "user" }.to_owned(), user);
    }
}

fn stream(writer: &Writer<'_>, turn: &Turn, body: &mut Map<String, Value>) {
    if turn.stream {
        body.insert("stream".to_owned(), true.into());
        if !writer.target.quirks.no_stream_options {
            // The hub meters every answer, whether or not the client asked.
            let options = object([("include_usage", true.into())]);
            body.insert("stream_options".to_owned(), options.into());
        }
    } else {
        if turn.rest.hinted(CHAT, "$stream").is_some() {
            body.insert("stream".to_owned(), false.into());
        }
        if let Some(include) = turn.rest.hinted(CHAT, "$stream_options") {
            let include = Some(include.clone()).filter(|include| !include.is_null());
            body.insert("stream_options".to_owned(), some([("include_usage", include)]).into());
        }
    }
}

fn max_tokens(writer: &mut Writer<'_>, turn: &Turn, body: &mut Map<String, Value>) {
    let Some(wanted) = turn.max_tokens else { return };
    let limit = writer.target.max_output.map_or(wanted, |most| wanted.min(most));
    if limit < wanted {
        writer.losses.changed("max_tokens");
    }
    let legacy = writer.target.quirks.legacy_max_tokens || turn.rest.hinted(CHAT, "$max_tokens").is_some();
    let name = if legacy { "max_tokens" } else { "max_completion_tokens" };
    body.insert(name.to_owned(), limit.into());
}

fn sampling(writer: &mut Writer<'_>, turn: &Turn, body: &mut Map<String, Value>) {
    let sampling = &turn.sampling;
    let top_k = sampling.top_k.as_ref();
    if !writer.native && top_k.is_some() {
        writer.losses.dropped("top_k");
    }
    for (name, number) in [
        ("temperature", sampling.temperature.as_ref()),
        ("top_p", sampling.top_p.as_ref()),
        ("top_k", top_k.filter(|_| writer.native)),
        ("frequency_penalty", sampling.frequency_penalty.as_ref()),
        ("presence_penalty", sampling.presence_penalty.as_ref()),
        ("seed", sampling.seed.as_ref()),
    ] {
        if let Some(number) = number {
            body.insert(name.to_owned(), Value::Number(Number::clone(number)));
        }
    }
}

fn stop(writer: &mut Writer<'_>, turn: &Turn, body: &mut Map<String, Value>) {
    let hinted = turn.rest.hinted(CHAT, "$stop").is_some();
    let stop = match turn.stop.as_slice() {
        [] if !hinted => return,
        [only] if hinted => only.as_str().into(),
        texts if writer.native || texts.len() <= STOPS => texts.into(),
        texts => {
            writer.losses.changed("stop");
            texts.iter().take(STOPS).map(String::as_str).collect()
        }
    };
    body.insert("stop".to_owned(), stop);
}

fn reasoning(writer: &mut Writer<'_>, turn: &Turn, body: &mut Map<String, Value>) {
    let Some(reasoning) = &turn.reasoning else { return };
    if reasoning.rest.hinted(CHAT, "$object").is_some() && writer.native {
        let mut inner = some([
            ("enabled", reasoning.enabled.map(Value::Bool)),
            ("effort", reasoning.effort.map(|effort| effort.as_str().into())),
            ("max_tokens", reasoning.budget.map(Value::from)),
            ("exclude", reasoning.shown.map(|shown| (!shown).into())),
        ]);
        restore(&reasoning.rest, &mut inner, &mut writer.losses);
        body.insert("reasoning".to_owned(), inner.into());
        return;
    }
    let effort = match (reasoning.effort, reasoning.budget, reasoning.enabled) {
        (_, _, Some(false)) => Some(Effort::None),
        (Some(effort), _, _) => Some(effort),
        (None, Some(budget), _) => {
            writer.losses.changed("reasoning");
            Some(Effort::of_budget(budget))
        }
        (None, None, enabled) => {
            if enabled == Some(true) {
                // That it reasons at all cannot be said without saying how hard.
                writer.losses.changed("reasoning");
            }
            None
        }
    };
    // Only the vendor of Messages has more than `xhigh`.
    let effort = match effort {
        Some(Effort::Max) if !writer.native => {
            writer.losses.changed("reasoning");
            Some(Effort::XHigh)
        }
        other => other,
    };
    // Many models refuse the word for no effort, and none refuses to be told nothing.
    let effort = effort.filter(|effort| {
        let said = writer.native || *effort != Effort::None;
        if !said {
            writer.losses.changed("reasoning");
        }
        said
    });
    if let Some(effort) = effort {
        body.insert("reasoning_effort".to_owned(), effort.as_str().into());
    }
    if reasoning.shown.is_some() {
        // Whether thoughts are shown is the provider's choice here.
        writer.losses.changed("reasoning");
    }
    restore(&reasoning.rest, body, &mut writer.losses);
}

fn response_format(writer: &Writer<'_>, format: &Format) -> Value {
    let kind = match format {
        Format::Text => "text",
        Format::Json => "json_object",
        Format::Schema { .. } => "json_schema",
    };
    let mut outer = object([("type", kind.into())]);
    if let Format::Schema { name, description, schema, strict } = format {
        let name =
            name.as_deref().map(|name| if writer.native { name.into() } else { names::flat(None, name) });
        let name = name.map(|name| Value::from(name.as_ref()));
        let inner = some([
            ("name", name.or_else(|| (!writer.native).then(|| "answer".into()))),
            ("description", description.as_deref().map(Value::from)),
            ("schema", Some(schema.clone()).filter(|schema| !schema.is_null())),
            ("strict", strict.map(Value::Bool)),
        ]);
        outer.insert("json_schema".to_owned(), inner.into());
    }
    outer.into()
}
