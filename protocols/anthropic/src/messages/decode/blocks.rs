//! Content blocks, which requests and answers share. What only this dialect has is kept whole.

use canon::{
    Block, Citation, DecodeError, Dialect, Fields, Kind, Media, Signature, Source, Thinking, ToolCall,
    ToolResult,
};
use serde_json::{Map, Value};

use crate::messages::{carrier, quoted};

/// Who wrote the blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::messages) enum Speaker {
    /// A client, whose signatures may name their makers.
    Client,
    /// A provider, whose signatures are its own.
    Provider,
}

impl Speaker {
    /// The signature behind a text; none where there is no text.
    pub(in crate::messages) fn signature(self, data: String) -> Option<Signature> {
        match self {
            _ if data.is_empty() => None,
            Self::Client => Some(Signature::read(&data)),
            Self::Provider => Some(Signature { data, maker: None }),
        }
    }
}

/// Reads a list of blocks.
pub(in crate::messages) fn blocks(list: Vec<Value>, speaker: Speaker) -> Result<Vec<Block>, DecodeError> {
    let mut blocks = Vec::with_capacity(list.len());
    for (at, value) in list.into_iter().enumerate() {
        let mut block = block(value, speaker).map_err(|error| error.within(&format!("[{at}]")))?;
        if let Kind::ToolCall(call) = &mut block.kind
            && speaker == Speaker::Client
        {
            call.signature = carried(&mut blocks);
        }
        blocks.push(block);
    }
    // The signature of a call that is gone: some clients forget calls of tools that are no longer on offer.
    blocks.retain(|block| !matches!(&block.kind, Kind::Thinking(thinking) if carrier::is_one(thinking)));
    Ok(blocks)
}

/// The signature that the last block carries for a call behind it; the block is used up.
fn carried(blocks: &mut Vec<Block>) -> Option<Signature> {
    let last = blocks
        .pop_if(|block| matches!(&block.kind, Kind::Thinking(thinking) if carrier::is_one(thinking)))?;
    match last.kind {
        Kind::Thinking(thinking) => carrier::unpacked(thinking),
        _ => None,
    }
}

fn block(value: Value, speaker: Speaker) -> Result<Block, DecodeError> {
    let Value::Object(map) = value else { return Err(DecodeError::new("", "must be an object")) };
    match map.get("type").and_then(Value::as_str) {
        Some("text") => text(map),
        Some("image" | "document") if map.get("source").is_some_and(is_known_source) => media(map),
        Some("tool_use") => tool_use(map),
        Some("tool_result") => tool_result(map, speaker),
        Some("thinking") => thinking(map, speaker),
        Some("redacted_thinking") => redacted(map, speaker),
        Some(_) => Ok(match quoted::text(&map) {
            Some(text) => quoted::block(text, map),
            None => opaque(map),
        }),
        None => Err(DecodeError::new("type", "is missing")),
    }
}

fn opaque(map: Map<String, Value>) -> Block {
    Block::new(Kind::Opaque { dialect: Dialect::Messages, value: Value::Object(map) })
}

/// The fields of a block without its type.
fn opened(map: Map<String, Value>) -> (Fields, Option<Value>) {
    let mut fields = Fields::new(map);
    fields.take("type");
    let cache = fields.take("cache_control");
    (fields, cache)
}

fn closed(kind: Kind, cache: Option<Value>, fields: Fields) -> Block {
    Block { kind, cache, rest: fields.rest(Dialect::Messages) }
}

fn text(map: Map<String, Value>) -> Result<Block, DecodeError> {
    let (mut fields, cache) = opened(map);
    let text = fields.need_string("text")?;
    let list = fields.list("citations")?;
    if list.as_ref().is_some_and(Vec::is_empty) {
        fields.put("$citations", "list".into());
    }
    let citations = list.unwrap_or_default().into_iter().map(citation).collect::<Result<_, _>>();
    let citations = citations.map_err(|error| error.within("citations"))?;
    Ok(closed(Kind::Text { text, citations }, cache, fields))
}

/// Reads a citation. The whole object stays beside what dialects share: its kinds are many.
pub(in crate::messages) fn citation(value: Value) -> Result<Citation, DecodeError> {
    let fields = Fields::of(value)?;
    let shared = |name: &str| fields.peek_str(name).map(str::to_owned);
    Ok(Citation {
        url: shared("url"),
        title: shared("title").or_else(|| shared("document_title")),
        quote: shared("cited_text"),
        span: None,
        rest: fields.rest(Dialect::Messages),
    })
}

/// Whether a source is one of those that other dialects have too, without anything that they do not have.
fn is_known_source(source: &Value) -> bool {
    let Some(map) = source.as_object() else { return false };
    let is_text = |name: &str| map.get(name).is_some_and(Value::is_string);
    match map.get("type").and_then(Value::as_str) {
        Some("base64" | "text") => map.len() == 3 && is_text("media_type") && is_text("data"),
        Some("url") => map.len() == 2 && is_text("url"),
        Some("file") => map.len() == 2 && is_text("file_id"),
        _ => false,
    }
}

fn media(map: Map<String, Value>) -> Result<Block, DecodeError> {
    let is_image = map.get("type").and_then(Value::as_str) == Some("image");
    let (mut fields, cache) = opened(map);
    let mut source = fields.object("source")?.unwrap_or_default();
    let mime = source.string("media_type")?;
    let kind = source.string("type")?;
    let found = match kind.as_deref() {
        Some("base64") => Source::Base64(source.need_string("data")?),
        Some("text") => Source::Text(source.need_string("data")?),
        Some("url") => Source::Url(source.need_string("url")?),
        _ => Source::Uploaded { dialect: Dialect::Messages, id: source.need_string("file_id")? },
    };
    let name = if is_image { None } else { fields.string("title")? };
    let media = Media { mime, source: found, name, detail: None };
    Ok(closed(if is_image { Kind::Image(media) } else { Kind::File(media) }, cache, fields))
}

fn tool_use(map: Map<String, Value>) -> Result<Block, DecodeError> {
    let (mut fields, cache) = opened(map);
    let id = fields.need_string("id")?;
    let name = fields.need_string("name")?;
    let arguments = fields.take("input").map_or_else(|| "{}".to_owned(), |input| input.to_string());
    let call = ToolCall { id, name, namespace: None, arguments, custom: false, signature: None };
    Ok(closed(Kind::ToolCall(call), cache, fields))
}

fn tool_result(map: Map<String, Value>, speaker: Speaker) -> Result<Block, DecodeError> {
    let (mut fields, cache) = opened(map);
    let call = fields.need_string("tool_use_id")?;
    let content = match fields.take("content") {
        None => Vec::new(),
        Some(Value::String(text)) => {
            fields.put("$content", "string".into());
            if text.is_empty() { Vec::new() } else { vec![Block::text(text)] }
        }
        Some(Value::Array(list)) => {
            if list.is_empty() {
                fields.put("$content", "list".into());
            }
            blocks(list, speaker).map_err(|error| error.within("content"))?
        }
        Some(_) => return Err(DecodeError::new("content", "must be a string or an array")),
    };
    let failed = fields.flag("is_error")?;
    if failed == Some(false) {
        fields.put("$is_error", false.into());
    }
    let failed = failed.unwrap_or(false);
    let result = ToolResult { call, name: None, content, failed, custom: false };
    Ok(closed(Kind::ToolResult(result), cache, fields))
}

fn thinking(map: Map<String, Value>, speaker: Speaker) -> Result<Block, DecodeError> {
    let (mut fields, cache) = opened(map);
    let text = fields.string("thinking")?.unwrap_or_default();
    let signature = fields.string("signature")?;
    if signature.is_none() {
        fields.put("$unsigned", true.into());
    }
    let signature = signature.and_then(|data| speaker.signature(data));
    let thinking = Thinking { text, signature, redacted: false, id: None };
    Ok(closed(Kind::Thinking(thinking), cache, fields))
}

fn redacted(map: Map<String, Value>, speaker: Speaker) -> Result<Block, DecodeError> {
    let (mut fields, cache) = opened(map);
    let signature = speaker.signature(fields.need_string("data")?);
    let thinking = Thinking { text: String::new(), signature, redacted: true, id: None };
    Ok(closed(Kind::Thinking(thinking), cache, fields))
}
