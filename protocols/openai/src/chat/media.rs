//! Content parts that are not text: pictures, sound, moving pictures and files.

use canon::{Block, DecodeError, Dialect, Fields, Kind, Losses, Media, Source};
use serde_json::{Map, Value};

use super::kept::{CHAT, Hints, leave, object, some};

/// The block of an `image_url` or `video_url` part, whose other fields stay.
pub(super) fn read_url(part: &mut Fields, kind: &str, hints: &mut Hints) -> Result<Kind, DecodeError> {
    let (url, detail) = match part.take(kind) {
        Some(Value::String(url)) => {
            hints.push(("$bare", Value::Bool(true)));
            (url, None)
        }
        Some(value) => {
            let mut inner = Fields::of(value).map_err(|error| error.within(kind))?;
            let url = inner.need_string("url").map_err(|error| error.within(kind))?;
            let detail = inner.string("detail").map_err(|error| error.within(kind))?;
            leave(part, kind, inner);
            (url, detail)
        }
        None => return Err(DecodeError::new(kind, "is missing")),
    };
    let (mime, source) = of_url(url);
    let media = Media { mime, source, name: None, detail };
    Ok(if kind == "video_url" { Kind::Video(media) } else { Kind::Image(media) })
}

/// Bytes in a data URL, or an address. A data URL in an unusual form stays one.
fn of_url(url: String) -> (Option<String>, Source) {
    let mime = url.strip_prefix("data:").and_then(|data| data.split_once(";base64,")).map(|(mime, _)| mime);
    match mime {
        Some(mime) if !mime.is_empty() && !mime.contains([';', ',']) => {
            let mime = mime.to_owned();
            let data = url.get("data:;base64,".len() + mime.len()..).unwrap_or_default().to_owned();
            (Some(mime), Source::Base64(data))
        }
        _ => (None, Source::Url(url)),
    }
}

/// The block of an `input_audio` part.
pub(super) fn read_audio(part: &mut Fields, hints: &mut Hints) -> Result<Kind, DecodeError> {
    let within = |error: DecodeError| error.within("input_audio");
    let mut inner =
        part.object("input_audio")?.ok_or_else(|| DecodeError::new("input_audio", "is missing"))?;
    let data = inner.need_string("data").map_err(within)?;
    let format = inner.string("format").map_err(within)?;
    leave(part, "input_audio", inner);
    let mime = format.map(|format| {
        let mime = if format == "mp3" { "audio/mpeg".to_owned() } else { format!("audio/{format}") };
        if format_of(&mime) != format {
            hints.push(("$format", Value::String(format)));
        }
        mime
    });
    Ok(Kind::Audio(Media { mime, source: Source::Base64(data), name: None, detail: None }))
}

fn format_of(mime: &str) -> &str {
    match mime {
        "audio/wave" | "audio/x-wav" | "audio/vnd.wave" => "wav",
        "audio/mpeg" | "audio/mp3" => "mp3",
        other => other.strip_prefix("audio/").unwrap_or(other),
    }
}

/// The block of a `file` part.
pub(super) fn read_file(part: &mut Fields) -> Result<Kind, DecodeError> {
    let within = |error: DecodeError| error.within("file");
    let mut inner = part.object("file")?.ok_or_else(|| DecodeError::new("file", "is missing"))?;
    let name = inner.string("filename").map_err(within)?;
    let data = inner.string("file_data").map_err(within)?;
    let (mime, source) = match data {
        Some(data) if data.starts_with("data:") || data.contains("://") => of_url(data),
        Some(data) => (None, Source::Base64(data)),
        None => {
            let id = inner.need_string("file_id").map_err(within)?;
            (None, Source::Uploaded { dialect: CHAT, id })
        }
    };
    leave(part, "file", inner);
    Ok(Kind::File(Media { mime, source, name, detail: None }))
}

/// The part for a medium, without the block's rest; `None`, and a declared loss, where there is no such part.
/// `native` says that the request came in this dialect, so that the target is trusted to know what it holds.
pub(super) fn write(block: &Block, native: bool, losses: &mut Losses) -> Option<Map<String, Value>> {
    let (part, name) = match &block.kind {
        Kind::Image(media) => (image(block, media), "image"),
        Kind::Video(media) if native => (url_part("video_url", block, media, "video/mp4"), "video"),
        Kind::Video(_) => (None, "video"),
        Kind::Audio(media) => (audio(block, media), "audio"),
        Kind::File(media) => (file(media, native, losses), "file"),
        _ => return None,
    };
    if part.is_none() {
        losses.dropped(name);
    }
    part
}

fn image(block: &Block, media: &Media) -> Option<Map<String, Value>> {
    url_part("image_url", block, media, "image/png")
}

fn url_part(kind: &str, block: &Block, media: &Media, mime: &str) -> Option<Map<String, Value>> {
    let url = Value::String(url(media, mime)?);
    if block.rest.hinted(CHAT, "$bare").is_some() {
        return Some(object([("type", kind.into()), (kind, url)]));
    }
    let detail = media.detail.clone().map(Value::String);
    Some(object([("type", kind.into()), (kind, some([("url", Some(url)), ("detail", detail)]).into())]))
}

fn url(media: &Media, mime: &str) -> Option<String> {
    match &media.source {
        Source::Url(url) => Some(url.clone()),
        Source::Base64(data) => {
            let mime = media.mime.as_deref().unwrap_or(mime);
            Some(["data:", mime, ";base64,", data].concat())
        }
        Source::Uploaded { .. } | Source::Text(_) => None,
    }
}

fn audio(block: &Block, media: &Media) -> Option<Map<String, Value>> {
    let Source::Base64(data) = &media.source else { return None };
    let hint = block.rest.hinted(CHAT, "$format").and_then(Value::as_str);
    let format = hint.or(media.mime.as_deref().map(format_of)).map(Value::from);
    let inner = some([("data", Some(data.as_str().into())), ("format", format)]);
    Some(object([("type", "input_audio".into()), ("input_audio", inner.into())]))
}

fn file(media: &Media, native: bool, losses: &mut Losses) -> Option<Map<String, Value>> {
    if media.detail.is_some() {
        losses.dropped("detail");
    }
    let name = media.name.as_deref().map(Value::from);
    let inner = match &media.source {
        // The two dialects of one vendor share their files.
        Source::Uploaded { dialect: CHAT | Dialect::Responses, id } => {
            some([("file_id", Some(id.as_str().into())), ("filename", name)])
        }
        Source::Uploaded { .. } => return None,
        Source::Text(text) => {
            losses.changed("file");
            let titled = media.name.as_ref().map(|name| [name, "\n\n", text].concat());
            let text = titled.as_deref().unwrap_or(text);
            return Some(object([("type", "text".into()), ("text", text.into())]));
        }
        Source::Base64(data) if native && media.mime.is_none() => {
            some([("filename", name), ("file_data", Some(data.as_str().into()))])
        }
        Source::Url(_) if !native => return None,
        Source::Base64(_) | Source::Url(_) => {
            // A file's name is required beside its data.
            let pdf = media.mime.as_deref().is_none_or(|mime| mime == "application/pdf");
            let made = if pdf { "document.pdf" } else { "document" };
            let name = name.or_else(|| (!native).then(|| made.into()));
            some([("filename", name), ("file_data", url(media, "application/pdf").map(Value::String))])
        }
    };
    Some(object([("type", "file".into()), ("file", inner.into())]))
}
