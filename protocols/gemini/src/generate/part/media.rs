//! Media of parts: bytes in place, and files at an address.

use canon::{Block, DecodeError, Dialect, Fields, Kind, Losses, Media, Rest, Source};
use serde_json::{Map, Value};

use crate::generate::{base64, hints};

/// The block of a part that is neither text nor a call: a medium, or something that only this dialect has.
pub(super) fn decode(mut fields: Fields) -> Result<(Kind, Rest), DecodeError> {
    let readable = |fields: &Fields, name: &str, needed: &str| {
        fields.peek(name).and_then(|object| object.get(needed)).is_some_and(Value::is_string)
    };
    let (name, source) = if readable(&fields, "inlineData", "data") {
        ("inlineData", "data")
    } else if readable(&fields, "fileData", "fileUri") {
        ("fileData", "fileUri")
    } else {
        let value = Value::Object(fields.into_map());
        return Ok((Kind::Opaque { dialect: Dialect::Gemini, value }, Rest::default()));
    };
    let mut object = fields.object(name)?.unwrap_or_default();
    let within = |error: DecodeError| error.within(name);
    let text = object.need_string(source).map_err(within)?;
    let mime = object.string("mimeType").map_err(within)?;
    let display = object.string("displayName").map_err(within)?;
    let mut rest = fields.rest(Dialect::Gemini);
    hints::fold(&mut rest, name, object.into_map());
    let source = if name == "inlineData" {
        let (data, how) = base64::standard(text);
        if let Some(how) = how {
            hints::leave(&mut rest, "$base64", how);
        }
        Source::Base64(data)
    } else if uploaded(&text) {
        Source::Uploaded { dialect: Dialect::Gemini, id: text }
    } else {
        Source::Url(text)
    };
    let media = Media { mime, source, name: display, detail: None };
    Ok((kind_of(media), rest))
}

/// The kind of a medium by its type; films are the one thing that is given without a type.
fn kind_of(media: Media) -> Kind {
    let mime = media.mime.as_deref().unwrap_or_default();
    let film = matches!(&media.source, Source::Url(url) if is_film(url));
    match mime.split('/').next() {
        Some("image") => Kind::Image(media),
        Some("audio") => Kind::Audio(media),
        Some("video") => Kind::Video(media),
        Some("") if film => Kind::Video(media),
        _ => Kind::File(media),
    }
}

/// Whether a URI means something to Google only.
fn uploaded(uri: &str) -> bool {
    let hosted = |uri: &str| {
        let path = uri.strip_prefix("https://generativelanguage.googleapis.com/").unwrap_or(uri);
        path.starts_with("files/")
            || path.split_once('/').is_some_and(|(version, path)| {
                version.starts_with('v') && path != uri && path.starts_with("files/")
            })
    };
    uri.starts_with("gs://") || hosted(uri)
}

/// Whether an address is one of YouTube's, which Gemini takes as films.
fn is_film(url: &str) -> bool {
    ["https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/", "https://m.youtube.com/"]
        .iter()
        .any(|host| url.starts_with(host))
}

/// The part of a medium; `None` if it cannot be said, which is declared as the loss of `what`.
pub(super) fn encode(
    media: &Media,
    what: &str,
    block: &Block,
    native: bool,
    model: &str,
    losses: &mut Losses,
) -> Option<Map<String, Value>> {
    if media.detail.is_some() {
        losses.dropped("detail");
    }
    let mut part = Map::new();
    let mut object = Map::new();
    let name = match &media.source {
        Source::Base64(data) => {
            let how = hints::hint(&block.rest, "$base64").and_then(Value::as_str).unwrap_or_default();
            let mime = media.mime.as_deref().or((!native).then_some("application/octet-stream"));
            object.extend(mime.map(|mime| ("mimeType".to_owned(), mime.into())));
            object.insert("data".into(), base64::spelled(data, how).into());
            "inlineData"
        }
        Source::Text(text) => {
            losses.changed("file");
            let text = match &media.name {
                Some(name) => format!("{name}:\n{text}"),
                None => text.clone(),
            };
            part.insert("text".into(), text.into());
            return Some(part);
        }
        Source::Url(uri) | Source::Uploaded { dialect: Dialect::Gemini, id: uri } => {
            let mime = media.mime.as_deref().or_else(|| if native { None } else { guessed(uri) });
            let known =
                native || uploaded(uri) || is_film(uri) || (fetches(model) && mime.is_some() && is_web(uri));
            if !known {
                losses.dropped(what);
                return None;
            }
            object.extend(mime.map(|mime| ("mimeType".to_owned(), mime.into())));
            object.insert("fileUri".into(), uri.as_str().into());
            "fileData"
        }
        Source::Uploaded { .. } => {
            losses.dropped(what);
            return None;
        }
    };
    if let Some(display) = &media.name {
        // Only Vertex knows the field; the Gemini API refuses a body that has it.
        if native {
            object.insert("displayName".into(), display.as_str().into());
        } else {
            losses.dropped("filename");
        }
    }
    part.insert(name.into(), object.into());
    Some(part)
}

fn is_web(uri: &str) -> bool {
    uri.starts_with("https://") || uri.starts_with("http://")
}

/// Whether a model fetches addresses of the web itself: documented for all but the 2.0 family and what came before.
fn fetches(model: &str) -> bool {
    !["gemini-2.0", "gemini-1"].iter().any(|old| model.contains(old))
}

/// The type that an address without one shows by its ending.
fn guessed(uri: &str) -> Option<&'static str> {
    let path = uri.split(['?', '#']).next().unwrap_or(uri);
    let ending = path.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match ending.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "pdf" => "application/pdf",
        "mp4" => "video/mp4",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        _ => return None,
    })
}

/// Whether the part of a medium is one that may stand in a function's response.
pub(super) fn in_response(part: &Map<String, Value>) -> bool {
    ["inlineData", "fileData"].iter().any(|name| part.contains_key(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        assert!(uploaded("gs://bucket/a.pdf") && uploaded("files/abc"));
        assert!(uploaded("https://generativelanguage.googleapis.com/v1beta/files/abc"));
        assert!(!uploaded("https://example.com/v1/files/abc") && !uploaded("https://youtu.be/x"));
        assert_eq!(guessed("https://example.com/a.b/c.PNG?x=1"), Some("image/png"));
        assert_eq!(guessed("https://example.com/a"), None);
        assert!(fetches("gemini-3-pro") && !fetches("models/gemini-2.0-flash"));
    }
}
