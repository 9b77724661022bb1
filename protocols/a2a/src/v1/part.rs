//! Parts of 1.0: exactly one of `text`, `raw`, `url` and `data`, and beside it what the file is called and made of.

use serde_json::Value;

use crate::model::{Content, Part};
use crate::shape::{Fields, Invalid, Object, Problem};

const CONTENTS: &[&str] = &["text", "raw", "url", "data"];

pub(super) fn read(mut fields: Fields) -> Result<Part, Invalid> {
    // `data` may be any value, `null` too; of the others `null` means that they are not there.
    let mut present =
        CONTENTS.iter().filter(|name| fields.has(name) || **name == "data" && fields.names(name));
    let (Some(name), None) = (present.next(), present.next()) else {
        return Err(fields.wrong(Problem::ExactlyOne(CONTENTS)));
    };
    let content = match *name {
        "text" => Content::Text(fields.text_if_any("text")?.unwrap_or_default()),
        "raw" => Content::Raw(fields.base64("raw")?),
        "url" => Content::Url(fields.required("url")?),
        _ => Content::Data(fields.value("data").unwrap_or_default()),
    };
    Ok(Part {
        content,
        filename: fields.optional("filename")?,
        media_type: fields.optional("mediaType")?,
        metadata: fields.metadata("metadata")?,
    })
}

pub(super) fn write(part: &Part) -> Value {
    let object = match &part.content {
        Content::Text(text) => Object::new().set("text", text.as_str()),
        Content::Raw(raw) => Object::new().set("raw", raw.as_str()),
        Content::Url(url) => Object::new().set("url", url.as_str()),
        Content::Data(data) => Object::new().set("data", data.clone()),
    };
    object
        .text("filename", part.filename.as_ref())
        .text("mediaType", part.media_type.as_ref())
        .metadata(&part.metadata)
        .done()
}
