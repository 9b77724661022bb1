//! Pictures, files and sound, read. What is malformed is handed back.

use canon::{Block, Fields, Kind, Media, Rest, Source};
use serde_json::Value;

use super::{data_url, hint, part::joined};
use crate::responses::OWN;

fn uploaded(id: String) -> Source {
    Source::Uploaded { dialect: OWN, id }
}

/// Takes a text that is known to be one.
fn take(fields: &mut Fields, name: &str) -> Option<String> {
    fields.peek_str(name)?;
    fields.string(name).ok().flatten()
}

pub(super) fn image(mut fields: Fields) -> Result<Block, Fields> {
    let (mime, source) = if let Some(url) = take(&mut fields, "image_url") {
        data_url::read(url)
    } else if let Some(id) = take(&mut fields, "file_id") {
        (None, uploaded(id))
    } else {
        return Err(fields);
    };
    fields.take("type");
    let detail = take(&mut fields, "detail");
    let mut block = Block::new(Kind::Image(Media { mime, source, name: None, detail }));
    block.rest = fields.rest(OWN);
    Ok(block)
}

pub(super) fn file(mut fields: Fields) -> Result<Block, Fields> {
    let mut hints = Rest::default();
    let (mime, source) = if let Some(data) = take(&mut fields, "file_data") {
        match data_url::read(data) {
            (mime, Source::Url(data)) => {
                hints.hint(OWN, hint::BARE, true);
                let guess = data_url::guessed(fields.peek_str("filename"), &data);
                (mime.or(guess.map(str::to_owned)), Source::Base64(data))
            }
            read => read,
        }
    } else if let Some(url) = take(&mut fields, "file_url") {
        (None, Source::Url(url))
    } else if let Some(id) = take(&mut fields, "file_id") {
        (None, uploaded(id))
    } else {
        return Err(fields);
    };
    fields.take("type");
    let name = take(&mut fields, "filename");
    let detail = take(&mut fields, "detail");
    let mut block = Block::new(Kind::File(Media { mime, source, name, detail }));
    block.rest = joined(fields.rest(OWN), hints);
    Ok(block)
}

pub(super) fn audio(mut fields: Fields) -> Result<Block, Fields> {
    let inner = fields.peek("input_audio").and_then(Value::as_object);
    let text = |name: &str| inner.and_then(|inner| inner.get(name)).and_then(Value::as_str);
    let (Some(data), Some(format), Some(2)) = (text("data"), text("format"), inner.map(|it| it.len())) else {
        return Err(fields);
    };
    let mime = match format {
        "mp3" => "audio/mpeg".to_owned(),
        other => format!("audio/{other}"),
    };
    let mut hints = Rest::default();
    hints.hint(OWN, hint::FORMAT, format);
    let source = Source::Base64(data.to_owned());
    fields.take("input_audio");
    fields.take("type");
    let media = Media { mime: Some(mime), source, name: None, detail: None };
    let mut block = Block::new(Kind::Audio(media));
    block.rest = joined(fields.rest(OWN), hints);
    Ok(block)
}
