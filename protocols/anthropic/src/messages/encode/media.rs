//! Pictures and documents.

use canon::{Dialect, Media, Role, Source};
use serde_json::{Map, Value};

use super::{Writer, object};

const PDF: &str = "application/pdf";

/// The types of pictures that the API takes.
const PICTURES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

impl Writer<'_> {
    pub(super) fn image(&mut self, media: &Media, role: Role) -> Option<Map<String, Value>> {
        let takes = |source: &Value| {
            let mime = source.get("media_type").and_then(Value::as_str);
            self.native || mime.is_none_or(|mime| PICTURES.contains(&mime))
        };
        let Some(source) = source(media, image_type).filter(takes).filter(|_| self.may_show(role)) else {
            return self.dropped("image");
        };
        if media.detail.is_some() {
            self.losses.dropped("detail");
        }
        Some(object([("type", "image".into()), ("source", source)]))
    }

    pub(super) fn document(&mut self, media: &Media, role: Role) -> Option<Map<String, Value>> {
        if !self.native && media.mime.as_deref().is_some_and(|mime| mime.starts_with("image/")) {
            return self.image(media, role);
        }
        let takes = |media: &Media| match (&media.source, media.mime.as_deref()) {
            (Source::Base64(_), Some(mime)) => self.native || mime == PDF,
            _ => true,
        };
        let may_show = takes(media) && self.may_show(role);
        let Some(source) = source(media, |_| PDF).filter(|_| may_show) else { return self.dropped("file") };
        if media.detail.is_some() {
            self.losses.dropped("detail");
        }
        let mut written = object([("type", "document".into()), ("source", source)]);
        written.extend(media.name.as_deref().map(|name| ("title".to_owned(), name.into())));
        Some(written)
    }

    /// The API takes pictures and documents from the user alone.
    fn may_show(&self, role: Role) -> bool {
        self.native || role == Role::User
    }
}

/// The source of a medium; `default` names the type of bytes that nobody named.
fn source(media: &Media, default: fn(&str) -> &'static str) -> Option<Value> {
    let bytes = |mime: &str, data: &str| {
        object([("type", "base64".into()), ("media_type", mime.into()), ("data", data.into())])
    };
    let source = match &media.source {
        Source::Base64(data) => bytes(media.mime.as_deref().unwrap_or_else(|| default(data)), data),
        Source::Url(url) => match data_url(url) {
            Some((mime, data)) => bytes(mime, data),
            None if url.starts_with("data:") => return None,
            None => object([("type", "url".into()), ("url", url.as_str().into())]),
        },
        Source::Uploaded { dialect: Dialect::Messages, id } => {
            object([("type", "file".into()), ("file_id", id.as_str().into())])
        }
        Source::Uploaded { .. } => return None,
        Source::Text(text) => {
            let mime = media.mime.as_deref().unwrap_or("text/plain");
            object([("type", "text".into()), ("media_type", mime.into()), ("data", text.as_str().into())])
        }
    };
    Some(Value::Object(source))
}

/// Type and data of a base64 data URL.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let mime = head.strip_suffix(";base64")?.split(';').next()?;
    (!mime.is_empty()).then_some((mime, data))
}

/// The type of a picture, told by the first bytes: the API compares them with what is said.
fn image_type(base64: &str) -> &'static str {
    match base64.as_bytes() {
        [b'/', b'9', b'j', ..] => "image/jpeg",
        [b'R', b'0', b'l', b'G', ..] => "image/gif",
        [b'U', b'k', b'l', b'G', ..] => "image/webp",
        _ => "image/png",
    }
}
