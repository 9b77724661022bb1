//! The form of the answer's text, which Gemini has asked for in several fields over time.

use canon::{DecodeError, Fields, Format, Losses, Rest, Turn};
use serde_json::{Map, Value};

use crate::{generate::hints, schema};

const MIME: &str = "responseMimeType";

/// The fields that hold a form, the one that is written first. The third is the second by its name of older SDKs.
const NAMES: [&str; 4] = ["responseJsonSchema", "responseSchema", "_responseJsonSchema", "responseFormat"];

pub(super) fn decode(config: &mut Fields, turn: &mut Turn, own: &mut Rest) -> Result<(), DecodeError> {
    for name in NAMES {
        let Some(written) = config.take(name) else { continue };
        let Some(format) = read(name, &written) else {
            config.put(name, written);
            continue;
        };
        turn.format = Some(format);
        hints::leave(own, &format!("${name}"), written);
        hints::leave(own, "$mime", config.string(MIME)?);
        return Ok(());
    }
    turn.format = match config.peek_str(MIME) {
        Some("application/json") => Some(Format::Json),
        Some("text/plain") => Some(Format::Text),
        _ => return Ok(()),
    };
    config.take(MIME);
    Ok(())
}

/// What a field asks for; `None` if others cannot say it.
fn read(name: &str, written: &Value) -> Option<Format> {
    let of = |schema| Format::Schema { name: None, description: None, schema, strict: None };
    match name {
        "responseSchema" => Some(of(schema::json_schema(written.clone()))),
        "responseFormat" => {
            // The Gemini API has an object here, Vertex a list of them. Beside text there may be other media.
            let written =
                written.as_array().map_or(Some(written), |list| list.first().filter(|_| list.len() == 1));
            let object = written?.as_object().filter(|object| object.len() == 1)?;
            let text = object.get("text")?;
            match text.get("schema") {
                Some(schema) if !schema.is_null() => Some(of(schema::lower_types(schema.clone()))),
                _ => {
                    let mime = text.get("mimeType").or_else(|| text.get("mime_type"))?.as_str()?;
                    matches!(mime, "APPLICATION_JSON" | "application/json").then_some(Format::Json)
                }
            }
        }
        _ => Some(of(schema::lower_types(written.clone()))),
    }
}

pub(super) fn encode(turn: &Turn, native: bool, config: &mut Map<String, Value>, losses: &mut Losses) {
    let hinted =
        NAMES.into_iter().find_map(|name| Some((name, hints::hint(&turn.rest, &format!("${name}"))?)));
    if let Some((name, written)) = hinted.filter(|_| native) {
        let mime = hints::hint(&turn.rest, "$mime").filter(|mime| !mime.is_null());
        config.extend(mime.map(|mime| (MIME.to_owned(), mime.clone())));
        config.insert(name.to_owned(), written.clone());
        return;
    }
    match &turn.format {
        Some(Format::Text) if native => drop(config.insert(MIME.into(), "text/plain".into())),
        None | Some(Format::Text) => {}
        Some(Format::Json) => drop(config.insert(MIME.into(), "application/json".into())),
        Some(Format::Schema { schema, strict, .. }) => {
            if *strict == Some(false) {
                losses.dropped("strict");
            }
            let (accepted, lost) = schema::accepted(schema);
            if lost {
                losses.changed("schema");
            }
            config.insert(MIME.into(), "application/json".into());
            config.insert("responseJsonSchema".into(), accepted);
        }
    }
}
