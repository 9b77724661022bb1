//! The blocks that a message is made of: which there are, what they have, and the text in them.

use serde_json::{Map, Value};

use super::super::fields::{below, list, object, only, required, set, text, wrong};
use super::super::problem::Problem;
use super::super::speech::Context;
use super::thinking;

/// Blocks that only a user can send.
const USERS: [&str; 8] = [
    "tool_result",
    "image",
    "document",
    "search_result",
    "container_upload",
    "tool_reference",
    "tool_addition",
    "tool_removal",
];

/// Blocks that only the model can have sent, besides those that are looked at more closely.
const MODELS: [&str; 13] = [
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "mcp_tool_use",
    "mcp_tool_result",
    "mcp_tool_listing",
    "advisor_tool_result",
    "compaction",
    "fallback",
];

const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// The type of a block.
pub(super) fn kind<'a>(place: &str, block: &'a Map<String, Value>) -> Result<&'a str, Problem> {
    text(place, block, "type")
}

/// Checks one block of a message; the text in it.
pub(super) fn check(
    place: &str,
    block: &Value,
    model: bool,
    context: &Context<'_>,
) -> Result<String, Problem> {
    let block = object(place, block)?;
    let kind = kind(place, block)?;
    let inner = below(place, kind);
    let users = USERS.contains(&kind);
    let models = MODELS.contains(&kind) || matches!(kind, "tool_use" | "thinking" | "redacted_thinking");
    if users && model {
        return Err(wrong(place, format!("`{kind}` blocks can only be in `user` messages")));
    }
    if models && !model {
        return Err(wrong(place, format!("`{kind}` blocks can only be in `assistant` messages")));
    }
    mark(&inner, block)?;
    match kind {
        "text" => words(&inner, block),
        "thinking" | "redacted_thinking" => {
            thinking::check(place, block, kind, context).map(|()| String::new())
        }
        "tool_use" => tool_use(&inner, block),
        "tool_result" => tool_result(&inner, block, context),
        "image" => image(&inner, block),
        "document" => document(&inner, block),
        _ if users || models => Ok(String::new()),
        other => {
            let what = format!(
                "Input tag '{other}' found using 'type' does not match any of the expected tags: 'document', \
                 'image', 'redacted_thinking', 'search_result', 'server_tool_use', 'text', 'thinking', 'tool_result', \
                 'tool_use', 'web_search_tool_result'"
            );
            Err(wrong(place, what))
        }
    }
}

/// Checks a cache mark.
pub(super) fn mark(place: &str, block: &Map<String, Value>) -> Result<(), Problem> {
    let Some(mark) = set(block, "cache_control") else { return Ok(()) };
    let place = below(place, "cache_control");
    let mark = object(&place, mark)?;
    only(&place, mark, &["type", "ttl", "scope"])?;
    if text(&place, mark, "type")? != "ephemeral" {
        return Err(wrong(&below(&place, "type"), "Input should be 'ephemeral'"));
    }
    match mark.get("ttl").and_then(Value::as_str) {
        None | Some("5m" | "1h") => Ok(()),
        Some(_) => Err(wrong(&below(&place, "ephemeral.ttl"), "Input should be '5m' or '1h'")),
    }
}

/// A text block.
pub(super) fn words(place: &str, block: &Map<String, Value>) -> Result<String, Problem> {
    only(place, block, &["type", "text", "cache_control", "citations"])?;
    let words = text(place, block, "text")?;
    if words.is_empty() {
        return Err(wrong("messages", "text content blocks must be non-empty"));
    }
    if words.trim().is_empty() {
        return Err(wrong("messages", "text content blocks must contain non-whitespace text"));
    }
    Ok(words.to_owned())
}

fn tool_use(place: &str, block: &Map<String, Value>) -> Result<String, Problem> {
    only(place, block, &["type", "id", "name", "input", "cache_control", "caller", "toolset_name"])?;
    check_id(&below(place, "id"), text(place, block, "id")?)?;
    check_name(&below(place, "name"), text(place, block, "name")?, 200)?;
    object(&below(place, "input"), required(place, block, "input")?)?;
    Ok(String::new())
}

fn tool_result(place: &str, block: &Map<String, Value>, context: &Context<'_>) -> Result<String, Problem> {
    only(place, block, &["type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"])?;
    check_id(&below(place, "tool_use_id"), text(place, block, "tool_use_id")?)?;
    let failed = super::super::fields::flag(place, block, "is_error")?;
    let content = match set(block, "content") {
        None => return Ok(String::new()),
        Some(Value::String(words)) => return Ok(words.clone()),
        Some(content) => list(&below(place, "content"), content)?,
    };
    let mut joined = String::new();
    for (at, inner) in content.iter().enumerate() {
        let place = below(place, format!("content.{at}"));
        let kind = kind(&place, object(&place, inner)?)?;
        if !matches!(kind, "text" | "image" | "document" | "search_result" | "tool_reference") {
            return Err(wrong(&place, format!("`{kind}` blocks cannot be in `tool_result` blocks")));
        }
        if failed && kind != "text" {
            return Err(wrong(&place, "all content must be type `text` if `is_error` is true"));
        }
        joined.push_str(&check(&place, inner, false, context)?);
    }
    Ok(joined)
}

fn image(place: &str, block: &Map<String, Value>) -> Result<String, Problem> {
    only(place, block, &["type", "source", "cache_control"])?;
    let place = below(place, "source");
    let source = object(&place, required("", block, "source")?)?;
    match text(&place, source, "type")? {
        "base64" => {
            let media = text(&place, source, "media_type")?;
            if !IMAGES.contains(&media) {
                let what = "Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'";
                return Err(wrong(&below(&place, "base64.media_type"), what));
            }
            check_base64(&below(&place, "base64.data"), text(&place, source, "data")?)?;
        }
        "url" => check_url(&below(&place, "url.url"), text(&place, source, "url")?)?,
        "file" => drop(text(&place, source, "file_id")?),
        other => return Err(unknown_source(&place, other)),
    }
    Ok(String::new())
}

fn document(place: &str, block: &Map<String, Value>) -> Result<String, Problem> {
    only(place, block, &["type", "source", "title", "context", "citations", "cache_control"])?;
    let place = below(place, "source");
    let source = object(&place, required("", block, "source")?)?;
    match text(&place, source, "type")? {
        "base64" => {
            if text(&place, source, "media_type")? != "application/pdf" {
                return Err(wrong(&below(&place, "base64.media_type"), "Input should be 'application/pdf'"));
            }
            check_base64(&below(&place, "base64.data"), text(&place, source, "data")?)?;
        }
        "text" => {
            if text(&place, source, "media_type")? != "text/plain" {
                return Err(wrong(&below(&place, "text.media_type"), "Input should be 'text/plain'"));
            }
            return text(&place, source, "data").map(str::to_owned);
        }
        "url" => check_url(&below(&place, "url.url"), text(&place, source, "url")?)?,
        "file" => drop(text(&place, source, "file_id")?),
        "content" => drop(required(&place, source, "content")?),
        other => return Err(unknown_source(&place, other)),
    }
    Ok(String::new())
}

fn unknown_source(place: &str, kind: &str) -> Problem {
    wrong(
        place,
        format!(
            "Input tag '{kind}' found using 'type' does not match any of the expected tags: 'base64', 'file', 'url'"
        ),
    )
}

fn check_base64(place: &str, data: &str) -> Result<(), Problem> {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
    if data.is_empty() || !data.bytes().all(letters) {
        return Err(wrong(place, "Invalid base64 data"));
    }
    Ok(())
}

fn check_url(place: &str, url: &str) -> Result<(), Problem> {
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(());
    }
    Err(wrong(place, "Only HTTPS URLs are supported."))
}

fn check_id(place: &str, id: &str) -> Result<(), Problem> {
    if is_word(id) {
        return Ok(());
    }
    Err(wrong(place, "String should match pattern '^[a-zA-Z0-9_-]+$'"))
}

/// Refuses a name that no tool may have.
pub(super) fn check_name(place: &str, name: &str, longest: usize) -> Result<(), Problem> {
    if is_word(name) && name.len() <= longest {
        return Ok(());
    }
    Err(wrong(place, format!("String should match pattern '^[a-zA-Z0-9_-]{{1,{longest}}}$'")))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}
