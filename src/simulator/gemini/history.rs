//! The conversation: turns of user and model, and that every call of a function has its response right behind it.

use serde_json::Value;

use super::super::ask::{Ask, Speaker};
use super::super::problem::Problem;
use super::schema::wrong;
use super::{is_recent, signature};

/// All that one side said in a row. Neighbours of the same role count as one turn.
pub(super) struct Turn<'a> {
    /// Whether the model speaks.
    pub(super) model: bool,
    /// What is said.
    pub(super) parts: Vec<&'a Value>,
}

impl Turn<'_> {
    /// Whether the user says something here that is no response of a function.
    pub(super) fn is_spoken_by_user(&self) -> bool {
        !self.model && self.parts.iter().any(|part| part.get("functionResponse").is_none())
    }
}

/// Reads `systemInstruction` and `contents` into what is asked.
pub(super) fn read(body: &Value, ask: &mut Ask, maker: &str) -> Result<(), Problem> {
    if let Some(parts) = body["systemInstruction"]["parts"].as_array() {
        ask.say(Speaker::System, parts.iter().filter_map(|part| part["text"].as_str()).collect::<String>());
    }
    let contents = body["contents"].as_array().map_or(&[][..], Vec::as_slice);
    if contents.is_empty() {
        return Err(wrong("contents", "contents is not specified"));
    }
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for (at, content) in contents.iter().enumerate() {
        let place = format!("contents[{at}]");
        let model = match content["role"].as_str() {
            None | Some("" | "user" | "function") => false,
            Some("model") => true,
            Some(_) => return Err(Problem::invalid("Please use a valid role: user, model.")),
        };
        let parts = content["parts"].as_array().map_or(&[][..], Vec::as_slice);
        if parts.is_empty() {
            return Err(wrong(&format!("{place}.parts"), "contents.parts must not be empty."));
        }
        for (at, part) in parts.iter().enumerate() {
            check(&format!("{place}.parts[{at}]"), part, model)?;
            signature::check(maker, part)?;
        }
        match turns.last_mut().filter(|last| last.model == model) {
            Some(last) => last.parts.extend(parts),
            None => turns.push(Turn { model, parts: parts.iter().collect() }),
        }
    }
    pairs(&turns)?;
    if is_recent(&ask.model) {
        signature::required(&turns)?;
    }
    let silent = |part: &&Value| {
        part["text"].as_str().is_some_and(str::is_empty) && part.get("thoughtSignature").is_none()
    };
    if turns.iter().all(|turn| turn.parts.iter().all(silent)) {
        return Err(wrong("contents", "contents is not specified"));
    }
    for turn in &turns {
        say(ask, turn);
    }
    Ok(())
}

/// The kinds of data of which a part has exactly one.
const DATA: [&str; 9] = [
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
];

fn check(place: &str, part: &Value, model: bool) -> Result<(), Problem> {
    let held = DATA.iter().filter(|name| part.get(**name).is_some()).count();
    if held > 1 {
        return Err(super::proto::bad(
            place,
            format!("Invalid value at '{place}' (oneof), oneof field 'data' is already set."),
        ));
    }
    if held == 0 && part.get("thoughtSignature").is_none() {
        let what = "required oneof field 'data' must have one initialized field";
        return Err(wrong(&format!("{place}.data"), what));
    }
    for (name, belongs_to_model) in [("functionCall", true), ("functionResponse", false)] {
        let Some(function) = part.get(name) else { continue };
        let field = if belongs_to_model { "function_call" } else { "function_response" };
        if function["name"].as_str().is_none_or(str::is_empty) {
            return Err(wrong(&format!("{place}.{field}.name"), "Name cannot be empty."));
        }
        if model != belongs_to_model {
            return Err(Problem::invalid(if belongs_to_model {
                "Please ensure that function call turn comes immediately after a user turn or after a function \
                 response turn."
            } else {
                "Please ensure that function response turn comes immediately after a function call turn."
            }));
        }
    }
    let inline = part.get("inlineData").map(|blob| {
        blob["mimeType"].as_str().is_none_or(str::is_empty) || blob["data"].as_str().is_none_or(str::is_empty)
    });
    if inline == Some(true) {
        return Err(wrong(&format!("{place}.inline_data"), "mime_type and data must be set."));
    }
    if part.get("fileData").is_some_and(|file| file["fileUri"].as_str().is_none_or(str::is_empty)) {
        return Err(wrong(&format!("{place}.file_data.file_uri"), "file_uri must be set."));
    }
    Ok(())
}

/// Refuses calls without responses and responses without calls.
fn pairs(turns: &[Turn<'_>]) -> Result<(), Problem> {
    let named = |turn: Option<&Turn<'_>>, kind: &str| -> Vec<(String, Option<String>)> {
        let parts = turn.into_iter().flat_map(|turn| turn.parts.iter());
        let functions = parts.filter_map(|part| part.get(kind));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        functions
            .map(|function| (text(&function["name"]).unwrap_or_default(), text(&function["id"])))
            .collect()
    };
    for (at, turn) in turns.iter().enumerate() {
        if !turn.model {
            let before = at.checked_sub(1).and_then(|before| turns.get(before));
            let responds = !named(Some(turn), "functionResponse").is_empty();
            if responds && named(before, "functionCall").is_empty() {
                return Err(Problem::invalid(
                    "Please ensure that function response turn comes immediately after a function call turn.",
                ));
            }
            continue;
        }
        let mut calls = named(Some(turn), "functionCall");
        if calls.is_empty() {
            continue;
        }
        if at == 0 {
            return Err(Problem::invalid(
                "Please ensure that function call turn comes immediately after a user turn or after a function \
                 response turn.",
            ));
        }
        let mut responses = named(turns.get(at + 1), "functionResponse");
        if calls.len() != responses.len() {
            return Err(Problem::invalid(
                "Please ensure that the number of function response parts is equal to the number of function call \
                 parts of the function call turn.",
            ));
        }
        // Ids count where both sides have them all; otherwise names alone do.
        if !calls.iter().chain(&responses).all(|(_, id)| id.is_some()) {
            calls.iter_mut().chain(&mut responses).for_each(|(_, id)| *id = None);
        }
        calls.sort();
        responses.sort();
        if calls != responses {
            return Err(Problem::invalid(
                "Please ensure that the function response parts match the function call parts of the function call \
                 turn in name and id.",
            ));
        }
    }
    Ok(())
}

/// Adds a turn to what was said: each response of a function by itself, all text in one piece.
fn say(ask: &mut Ask, turn: &Turn<'_>) {
    let mut words = String::new();
    let mut responses = 0;
    for part in &turn.parts {
        if let Some(function) = part.get("functionResponse") {
            ask.say(Speaker::Tool, result(&function["response"]));
            responses += 1;
        } else if part["thought"] != true {
            words.push_str(part["text"].as_str().unwrap_or(""));
        }
    }
    if responses < turn.parts.len() {
        ask.say(if turn.model { Speaker::Model } else { Speaker::User }, words);
    }
}

/// The text of a response: what stands under its only usual name, or all of it.
fn result(response: &Value) -> String {
    let fields = response.as_object();
    let only = fields.filter(|map| map.len() == 1).and_then(|map| map.values().next());
    match only {
        Some(Value::String(text)) => text.clone(),
        _ => response.to_string(),
    }
}
