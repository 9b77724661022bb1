//! Results of functions: an object on this wire, text and media in canon.

use canon::{Block, DecodeError, Dialect, Fields, Kind, Losses, Media, Rest, Source, ToolResult, names};
use serde_json::{Map, Value, json};

use super::{Reader, media};
use crate::generate::hints;

/// How a response that was not plain text is to be written again.
const HINT: &str = "$response";

pub(super) fn decode(mut fields: Fields, reader: &mut Reader<'_>) -> Result<(Kind, Rest), DecodeError> {
    let within = |error: DecodeError| error.within("functionResponse");
    let mut response = fields.object("functionResponse")?.unwrap_or_default();
    let name = response.need_string("name").map_err(within)?;
    let (call, found) = reader.calls.answered(response.string("id").map_err(within)?, &name);
    let mut rest = fields.rest(Dialect::Gemini);
    if found {
        hints::leave(&mut rest, "$made", true);
    }
    let said = said(response.take("response"));
    if let Some(how) = said.how {
        hints::leave(&mut rest, HINT, how);
    }
    let mut content: Vec<Block> =
        (!said.text.is_empty()).then(|| Block::text(said.text)).into_iter().collect();
    if let Some(parts) = response.list("parts").map_err(within)? {
        if parts.is_empty() {
            hints::leave(&mut rest, "$noParts", true);
        }
        let silent = reader.parts(parts, &mut content).map_err(within)?;
        if !silent.is_empty() {
            hints::leave(&mut rest, "$silent", silent);
        }
    }
    hints::fold(&mut rest, "functionResponse", response.into_map());
    let result = ToolResult { call, name: Some(name), content, failed: said.failed, custom: false };
    Ok((Kind::ToolResult(result), rest))
}

struct Said {
    text: String,
    failed: bool,
    how: Option<&'static str>,
}

/// What a response says. `output` and `error` are the keys that Google documents for what came out; any other object
/// is output as a whole.
fn said(response: Option<Value>) -> Said {
    let whole = |value: &Value| Said { text: value.to_string(), failed: false, how: Some("whole") };
    let mut map = match response {
        None => return Said { text: String::new(), failed: false, how: Some("absent") },
        Some(Value::Object(map)) => map,
        Some(other) => return whole(&other),
    };
    let (true, Some((key, failed))) = (map.len() == 1, only_key(&map)) else {
        return whole(&Value::Object(map));
    };
    match map.get_mut(key).map(Value::take) {
        Some(Value::String(text)) => Said { text, failed, how: None },
        other => Said { text: other.unwrap_or_default().to_string(), failed, how: Some("json") },
    }
}

fn only_key(map: &Map<String, Value>) -> Option<(&'static str, bool)> {
    [("output", false), ("error", true)].into_iter().find(|(key, _)| map.contains_key(*key))
}

/// A result on this wire, and the media that have to stand beside it.
pub(super) struct Written {
    pub(super) part: Map<String, Value>,
    pub(super) hoisted: Vec<Value>,
}

/// What a result is written for.
pub(super) struct For<'a> {
    pub(super) native: bool,
    pub(super) model: &'a str,
    /// Whether media may stand in a result: from Gemini 3 on.
    pub(super) media: bool,
}

pub(super) fn encode(
    result: &ToolResult,
    name: &str,
    block: &Block,
    to: &For<'_>,
    losses: &mut Losses,
) -> Written {
    let mut texts: Vec<&str> = Vec::new();
    let (mut parts, mut hoisted) = (Vec::new(), Vec::new());
    for inner in &result.content {
        if let Kind::Text { text, .. } = &inner.kind {
            texts.push(text);
            inner.rest.lost(losses);
            continue;
        }
        if let Kind::File(Media { source: Source::Text(text), .. }) = &inner.kind {
            texts.push(text);
            continue;
        }
        let Some(part) = medium(inner, to, losses) else { continue };
        let small = matches!(inner.kind, Kind::Image(_) | Kind::File(_));
        if to.native || (to.media && small && media::in_response(&part)) {
            parts.push(Value::Object(part));
        } else {
            losses.changed("content.tool_result");
            hoisted.push(Value::Object(part));
        }
    }
    if let Some(Value::Object(silent)) = hints::hint(&block.rest, "$silent") {
        super::encode::put_back(silent, &mut parts);
    }
    let mut response = Map::new();
    if !(to.native && hints::hint(&block.rest, "$made").is_some()) {
        response.insert("id".into(), result.call.as_str().into());
    }
    response.insert("name".into(), name.into());
    let how = hints::hint(&block.rest, HINT).and_then(Value::as_str).filter(|_| to.native);
    let object = object(&texts.join("\n"), result.failed, how, to.native);
    response.extend(object.map(|object| ("response".to_owned(), object)));
    if !parts.is_empty() || hints::hint(&block.rest, "$noParts").is_some() {
        response.insert("parts".into(), parts.into());
    }
    let mut part = Map::new();
    part.insert("functionResponse".into(), response.into());
    Written { part, hoisted }
}

fn object(text: &str, failed: bool, how: Option<&str>, native: bool) -> Option<Value> {
    let parsed = || serde_json::from_str::<Value>(text).unwrap_or_else(|_| text.into());
    let key = if failed { "error" } else { "output" };
    Some(match how {
        Some("absent") => return None,
        Some("whole") => parsed(),
        Some("json") => json!({ key: parsed() }),
        _ if native || failed => json!({ key: text }),
        _ => match text.trim_start().starts_with('{').then(parsed) {
            Some(object @ Value::Object(_)) => object,
            _ => json!({ key: text }),
        },
    })
}

fn medium(block: &Block, to: &For<'_>, losses: &mut Losses) -> Option<Map<String, Value>> {
    let (media, what) = match &block.kind {
        Kind::Image(media) => (media, "image"),
        Kind::Audio(media) => (media, "audio"),
        Kind::Video(media) => (media, "video"),
        Kind::File(media) => (media, "file"),
        Kind::Opaque { dialect: Dialect::Gemini, value: Value::Object(value) } => return Some(value.clone()),
        Kind::Opaque { value, .. } => {
            let kind = names::kind_of(value);
            losses.dropped(&format!("content.{kind}"));
            return None;
        }
        _ => {
            losses.dropped("content.tool_result");
            return None;
        }
    };
    let mut part = media::encode(media, what, block, to.native, to.model, losses)?;
    hints::unfold(&block.rest, &mut part, losses);
    crate::generate::spelling::restore(&mut part, &block.rest);
    Some(part)
}
