//! Parts of 0.3: of the kind `text`, `file` or `data`. A file is an object with `bytes` or `uri`.

use serde_json::Value;

use crate::model::{Content, Part};
use crate::shape::{Fields, Invalid, Object, Problem};

#[derive(Clone, Copy)]
enum Kind {
    Text,
    File,
    Data,
}

const KINDS: &[(&str, Kind)] = &[("text", Kind::Text), ("file", Kind::File), ("data", Kind::Data)];
const NAMES: &[&str] = &["text", "file", "data"];
const FILES: &[&str] = &["bytes", "uri"];

pub(super) fn read(mut fields: Fields) -> Result<Part, Invalid> {
    let mut part = match kind(&mut fields)? {
        Kind::Text => {
            let missing = fields.bad("text", Problem::Missing);
            Part::of(Content::Text(fields.text_if_any("text")?.ok_or(missing)?))
        }
        Kind::File => read_file(fields.required_object("file")?)?,
        Kind::Data => {
            let missing = fields.bad("data", Problem::Missing);
            Part::data(Value::Object(fields.metadata("data")?.ok_or(missing)?))
        }
    };
    part.metadata = fields.metadata("metadata")?;
    Ok(part)
}

/// The kind that a part names or, where it names none, that its one content shows.
fn kind(fields: &mut Fields) -> Result<Kind, Invalid> {
    // `type` is what it was called before 0.3.
    for name in ["kind", "type"] {
        if let Some(kind) = fields.word(name, KINDS)? {
            return Ok(kind);
        }
    }
    let mut present = KINDS.iter().filter(|(name, _)| fields.has(name));
    match (present.next(), present.next()) {
        (Some((_, kind)), None) => Ok(*kind),
        _ => Err(fields.bad("kind", Problem::OneOf(NAMES.to_vec()))),
    }
}

fn read_file(mut fields: Fields) -> Result<Part, Invalid> {
    let content = match (fields.has("bytes"), fields.has("uri")) {
        (true, false) => Content::Raw(fields.base64("bytes")?),
        (false, true) => Content::Url(fields.required("uri")?),
        _ => return Err(fields.wrong(Problem::ExactlyOne(FILES))),
    };
    Ok(Part {
        content,
        filename: fields.optional("name")?,
        media_type: fields.optional("mimeType")?,
        metadata: None,
    })
}

pub(super) fn write(part: &Part) -> Value {
    let file = |name, content: &String| {
        let file = Object::new()
            .set(name, content.as_str())
            .text("name", part.filename.as_ref())
            .text("mimeType", part.media_type.as_ref());
        Object::new().set("kind", "file").set("file", file.done())
    };
    let object = match &part.content {
        Content::Text(text) => Object::new().set("kind", "text").set("text", text.as_str()),
        Content::Raw(raw) => file("bytes", raw),
        Content::Url(url) => file("uri", url),
        Content::Data(Value::Object(data)) => Object::new().set("kind", "data").set("data", data.clone()),
        Content::Data(data) => {
            let data = Object::new().set("value", data.clone());
            Object::new().set("kind", "data").set("data", data.done())
        }
    };
    object.metadata(&part.metadata).done()
}
