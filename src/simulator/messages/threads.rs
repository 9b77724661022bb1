//! Conversations that the vendor holds for a while, so that a client sends only what is new.

use serde_json::{Map, Value, json};

use super::super::fields::{object, only, text, wrong};
use super::super::problem::Problem;
use super::super::speech::Context;

/// The name under which a request must ask for this.
const BETA: &str = "message-threads-2026-08-12";

/// The fields that are held with the messages, and may not be sent again.
const HELD: [&str; 2] = ["system", "tools"];

/// Takes `thread` out of a request and puts what was said before in front of its messages. The result is what will be
/// held, if anything will.
pub(super) fn expand(body: &mut Map<String, Value>, context: &Context<'_>) -> Result<Option<Value>, Problem> {
    if !context.betas.contains(BETA) {
        return Ok(None);
    }
    let Some(thread) = body.shift_remove("thread").filter(|thread| !thread.is_null()) else {
        return Ok(None);
    };
    let thread = object("thread", &thread)?;
    match text("thread", thread, "type")? {
        "create" => only("thread.create", thread, &["type"])?,
        "continue" => {
            only("thread.continue", thread, &["type", "previous_message_id"])?;
            resume(body, text("thread.continue", thread, "previous_message_id")?, context)?;
        }
        other => {
            let what = format!(
                "Input tag '{other}' found using 'type' does not match any of the expected tags: 'continue', 'create'"
            );
            return Err(wrong("thread", what));
        }
    }
    let mut held = json!({"messages": body.get("messages")});
    for name in HELD {
        if let Some(value) = body.get(name) {
            held[name] = value.clone();
        }
    }
    Ok(Some(held))
}

fn resume(body: &mut Map<String, Value>, id: &str, context: &Context<'_>) -> Result<(), Problem> {
    if let Some(name) = HELD.iter().find(|name| body.contains_key(**name)) {
        return Err(wrong(name, "may not be set when a thread is continued; the thread keeps it"));
    }
    let memory = context.memory();
    let Some(held) = memory.thread(context.key, id) else {
        let problem = Problem::new(404, format!("thread: no thread holds message {id}"), "", None, None);
        return Err(problem.detail(json!({"error_code": "thread_not_found"})));
    };
    for name in HELD {
        if let Some(value) = held.get(name) {
            body.insert(name.to_owned(), value.clone());
        }
    }
    let mut messages = held["messages"].as_array().cloned().unwrap_or_default();
    if let Some(Value::Array(new)) = body.get_mut("messages") {
        messages.append(new);
        body.insert("messages".to_owned(), Value::Array(messages));
    }
    Ok(())
}
