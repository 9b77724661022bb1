//! Pictures, files and sound, written. What the dialect cannot take is declared.

use canon::{Dialect, Losses, Media, Rest, Source};
use serde_json::{Map, Value, json};

use super::{data_url, hint, write_part::object};
use crate::responses::OWN;

/// The id of an uploaded file, if it is one of OpenAI's, whose two dialects share them.
fn uploaded(source: &Source) -> Option<&str> {
    match source {
        Source::Uploaded { dialect: Dialect::Responses | Dialect::Chat, id } => Some(id),
        _ => None,
    }
}

fn add_detail(media: &Media, part: &mut Map<String, Value>) {
    if let Some(detail) = &media.detail {
        part.insert("detail".to_owned(), detail.as_str().into());
    }
}

pub(super) fn image(media: &Media, native: bool, losses: &mut Losses) -> Option<Map<String, Value>> {
    let mut part = match (&media.source, uploaded(&media.source)) {
        (_, Some(id)) => object("input_image", "file_id", id),
        (Source::Url(url), _) => object("input_image", "image_url", url),
        (Source::Base64(data), _) => {
            object("input_image", "image_url", &data_url::written(media.mime.as_deref(), "image/png", data))
        }
        _ => {
            losses.dropped("image");
            return None;
        }
    };
    add_detail(media, &mut part);
    if !native {
        // The documentation lets it be left out, and the SDKs' types require it.
        part.entry("detail").or_insert_with(|| "auto".into());
    }
    Some(part)
}

pub(super) fn file(
    media: &Media,
    rest: &Rest,
    native: bool,
    losses: &mut Losses,
) -> Option<Map<String, Value>> {
    let bare = rest.hinted(OWN, hint::BARE).is_some();
    let mut part = match (&media.source, uploaded(&media.source)) {
        (_, Some(id)) => object("input_file", "file_id", id),
        (Source::Url(url), _) => object("input_file", "file_url", url),
        (Source::Base64(data), _) if bare => object("input_file", "file_data", data),
        (Source::Base64(data), _) => {
            let url = data_url::written(media.mime.as_deref(), "application/octet-stream", data);
            object("input_file", "file_data", &url)
        }
        (Source::Text(text), _) => {
            losses.changed("file");
            let titled = media.name.as_ref().map(|name| format!("{name}\n\n{text}"));
            return Some(object("input_text", "text", titled.as_deref().unwrap_or(text)));
        }
        (Source::Uploaded { .. }, _) => {
            losses.dropped("file");
            return None;
        }
    };
    // Beside an id or an address a name is refused; beside data it is required.
    let inline = matches!(media.source, Source::Base64(_));
    match &media.name {
        Some(name) if native || inline => {
            part.insert("filename".to_owned(), name.as_str().into());
        }
        Some(_) => losses.dropped("filename"),
        None if inline && !native => {
            part.insert("filename".to_owned(), data_url::name_for(media.mime.as_deref()).into());
        }
        None => {}
    }
    add_detail(media, &mut part);
    Some(part)
}

/// Sound: documented for chat alone, so that only a client of this dialect is taken at its word.
pub(super) fn audio(
    media: &Media,
    rest: &Rest,
    native: bool,
    losses: &mut Losses,
) -> Option<Map<String, Value>> {
    let Source::Base64(data) = &media.source else {
        losses.dropped("audio");
        return None;
    };
    if !native {
        losses.dropped("audio");
        return None;
    }
    let hinted = rest.hinted(OWN, hint::FORMAT).and_then(Value::as_str);
    let format = hinted.unwrap_or_else(|| match media.mime.as_deref() {
        Some("audio/wav" | "audio/x-wav" | "audio/wave") | None => "wav",
        Some("audio/mpeg" | "audio/mp3") => "mp3",
        Some(other) => other.strip_prefix("audio/").unwrap_or(other),
    });
    let mut part = Map::new();
    part.insert("type".to_owned(), "input_audio".into());
    part.insert("input_audio".to_owned(), json!({ "data": data, "format": format }));
    Some(part)
}
