//! One item of the input: what kinds there are, and what each must have.

use serde_json::{Map, Value};

use super::super::chat::request::{missing, wrong_type};
use super::super::chat::tools::check_name;
use super::super::problem::Problem;
use super::checks::{id, object, only, short, text, unsupported, word};

/// Items that are let through as they are, each with the beginning of its ids.
const OTHERS: [(&str, &str); 25] = [
    ("web_search_call", "ws"),
    ("file_search_call", "fs"),
    ("computer_call", "cu"),
    ("computer_call_output", "cuo"),
    ("image_generation_call", "ig"),
    ("code_interpreter_call", "ci"),
    ("local_shell_call", "lsh"),
    ("local_shell_call_output", "lsho"),
    ("shell_call", "sh"),
    ("shell_call_output", "sho"),
    ("apply_patch_call", "apc"),
    ("apply_patch_call_output", "apco"),
    ("mcp_list_tools", "mcpl"),
    ("mcp_approval_request", "mcpr"),
    ("mcp_approval_response", "mcpa"),
    ("mcp_call", "mcp"),
    ("tool_search_call", "tsc"),
    ("tool_search_output", "tso"),
    ("additional_tools", "at"),
    ("compaction", "cmp"),
    ("compaction_summary", "cmp"),
    ("compaction_trigger", "cmpt"),
    ("item_reference", ""),
    ("program", "prog"),
    ("program_output", "prog"),
];

const ROLES: [&str; 4] = ["assistant", "system", "developer", "user"];

const STATUS: [&str; 3] = ["in_progress", "completed", "incomplete"];

/// The type of an item; a message need not say that it is one.
pub(super) fn kind<'a>(place: &str, item: &'a Map<String, Value>) -> Result<&'a str, Problem> {
    match item.get("type") {
        Some(Value::String(kind)) => Ok(kind),
        None if item.contains_key("role") => Ok("message"),
        None => Err(missing(&format!("{place}.type"))),
        Some(other) => Err(wrong_type(&format!("{place}.type"), "a string", other)),
    }
}

/// Checks one item; the text in it.
pub(super) fn check(place: &str, kind: &str, item: &Map<String, Value>) -> Result<String, Problem> {
    match kind {
        "message" => message(place, item),
        "function_call" => {
            only(
                place,
                item,
                &["type", "id", "call_id", "name", "namespace", "arguments", "status", "caller"],
            )?;
            call(place, item, "fc", "arguments")
        }
        "custom_tool_call" => {
            only(place, item, &["type", "id", "call_id", "name", "namespace", "input", "status", "caller"])?;
            call(place, item, "ctc", "input")
        }
        "function_call_output" | "custom_tool_call_output" => {
            only(place, item, &["type", "id", "call_id", "output", "status", "name", "namespace", "caller"])?;
            short(&format!("{place}.call_id"), text(place, item, "call_id")?)?;
            output(place, item)
        }
        "reasoning" => reasoning(place, item).map(|()| String::new()),
        other => {
            let Some((_, prefix)) = OTHERS.iter().find(|(known, _)| *known == other) else {
                return Err(unsupported(
                    place,
                    other,
                    &[
                        "message",
                        "function_call",
                        "function_call_output",
                        "reasoning",
                        "custom_tool_call",
                        "custom_tool_call_output",
                        "item_reference",
                    ],
                ));
            };
            // What these are called varies; only an id that is plainly another item's is refused.
            if matches!(other, "web_search_call" | "compaction") {
                id(place, item, prefix)?;
            }
            Ok(String::new())
        }
    }
}

fn message(place: &str, item: &Map<String, Value>) -> Result<String, Problem> {
    only(place, item, &["type", "id", "role", "content", "status", "phase", "name"])?;
    id(place, item, "msg")?;
    let role = text(place, item, "role")?;
    if !ROLES.contains(&role) {
        return Err(unsupported(place, role, &ROLES));
    }
    word(&format!("{place}.status"), item.get("status"), &STATUS)?;
    let content = item.get("content").ok_or_else(|| missing(&format!("{place}.content")))?;
    parts(&format!("{place}.content"), content, role == "assistant")
}

/// The text of a content, after a check of its parts.
fn parts(place: &str, content: &Value, model: bool) -> Result<String, Problem> {
    let list = match content {
        Value::String(text) => return Ok(text.clone()),
        Value::Array(list) => list,
        other => return Err(wrong_type(place, "one of an array of objects or string", other)),
    };
    let mut joined = String::new();
    for (at, part) in list.iter().enumerate() {
        let place = format!("{place}[{at}]");
        let part = object(&place, part)?;
        let kind = text(&place, part, "type")?;
        let known: &[&str] = match (kind, model) {
            ("input_text", false) => &["type", "text", "prompt_cache_breakpoint"],
            ("output_text", true) => &["type", "text", "annotations", "logprobs"],
            ("refusal", true) => &["type", "refusal"],
            ("input_image", false) => &["type", "image_url", "detail", "file_id", "prompt_cache_breakpoint"],
            ("input_file", false) => {
                &["type", "file_id", "file_data", "file_url", "filename", "detail", "prompt_cache_breakpoint"]
            }
            ("input_audio", false) => &["type", "input_audio"],
            (other, true) => return Err(unsupported(&place, other, &["output_text", "refusal"])),
            (other, false) => {
                return Err(unsupported(&place, other, &["input_text", "input_image", "input_file"]));
            }
        };
        only(&place, part, known)?;
        match kind {
            "input_text" | "output_text" => joined.push_str(text(&place, part, "text")?),
            "refusal" => joined.push_str(text(&place, part, "refusal")?),
            "input_image" => image(&place, part)?,
            "input_file"
                if ["file_id", "file_data", "file_url"].iter().all(|name| !part.contains_key(*name)) =>
            {
                return Err(missing(&format!("{place}.file_id")));
            }
            _ => {}
        }
    }
    Ok(joined)
}

fn image(place: &str, part: &Map<String, Value>) -> Result<(), Problem> {
    word(&format!("{place}.detail"), part.get("detail"), &["low", "high", "auto", "original"])?;
    match part.get("image_url") {
        Some(Value::String(url)) if url.starts_with("http") || url.starts_with("data:image/") => Ok(()),
        Some(Value::String(url)) => {
            let message = format!(
                "Invalid '{place}.image_url'. Expected a valid URL, but got a value with an invalid format: '{}'.",
                url.chars().take(40).collect::<String>()
            );
            Err(Problem::bad(message, Some(&format!("{place}.image_url")), Some("invalid_value")))
        }
        Some(Value::Null) | None if part.get("file_id").is_some_and(Value::is_string) => Ok(()),
        Some(Value::Null) | None => Err(missing(&format!("{place}.image_url"))),
        Some(other) => Err(wrong_type(&format!("{place}.image_url"), "a string", other)),
    }
}

fn call(place: &str, item: &Map<String, Value>, prefix: &str, arguments: &str) -> Result<String, Problem> {
    id(place, item, prefix)?;
    let call_id = text(place, item, "call_id")?;
    if call_id.is_empty() {
        let message = format!("Invalid '{place}.call_id': empty string.");
        return Err(Problem::bad(message, Some(&format!("{place}.call_id")), Some("empty_string")));
    }
    short(&format!("{place}.call_id"), call_id)?;
    check_name(&format!("{place}.name"), text(place, item, "name")?)?;
    word(&format!("{place}.status"), item.get("status"), &STATUS)?;
    text(place, item, arguments)?;
    Ok(String::new())
}

fn output(place: &str, item: &Map<String, Value>) -> Result<String, Problem> {
    let Some(output) = item.get("output") else { return Err(missing(&format!("{place}.output"))) };
    parts(&format!("{place}.output"), output, false)
}

fn reasoning(place: &str, item: &Map<String, Value>) -> Result<(), Problem> {
    only(place, item, &["type", "id", "summary", "content", "encrypted_content", "status"])?;
    id(place, item, "rs")?;
    let Some(summary) = item.get("summary") else { return Err(missing(&format!("{place}.summary"))) };
    let Value::Array(summary) = summary else {
        return Err(wrong_type(&format!("{place}.summary"), "an array of objects", summary));
    };
    for (at, part) in summary.iter().enumerate() {
        let place = format!("{place}.summary[{at}]");
        let part = object(&place, part)?;
        only(&place, part, &["type", "text"])?;
        text(&place, part, "text")?;
    }
    Ok(())
}
