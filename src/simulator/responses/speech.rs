//! Answers to Responses requests, in the order of the wire.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::player::Kind;
use super::super::problem::Problem;
use super::super::reply::{End, Reply};
use super::super::speech::{Answer, Mark, Speech, named_event};
use super::super::store::{Memory, Stored};
use super::output::{begun, compacted, ended, items};
use super::request::ResponsesRequest;

/// Numbers the events and notes where content is.
struct Writer {
    marks: Vec<Mark>,
    number: usize,
    spoken: bool,
}

impl Writer {
    fn put(&mut self, kind: Kind, name: &str, mut data: Value) {
        if kind == Kind::Content && std::mem::replace(&mut self.spoken, true) {
            self.marks.push(Mark::Pause);
        }
        data["type"] = json!(name);
        data["sequence_number"] = json!(self.number);
        self.number += 1;
        self.marks.push(Mark::Send(kind, named_event(name, &data.to_string())));
    }

    /// An item from its first event to its last.
    fn item(&mut self, index: usize, item: &Value, reply: &Reply, call: usize) {
        let id = &item["id"];
        let kind = item["type"].as_str().unwrap_or("");
        let at = || json!({"item_id": id, "output_index": index});
        let calls = matches!(kind, "function_call" | "custom_tool_call");
        let added = json!({"output_index": index, "item": at_first(item)});
        self.put(if calls { Kind::Content } else { Kind::Other }, "response.output_item.added", added);
        match kind {
            "reasoning" => self.reasoning(&at(), item, reply),
            "message" => self.message(&at(), item, reply),
            "web_search_call" => {
                for step in ["in_progress", "searching", "completed"] {
                    self.put(Kind::Other, &format!("response.web_search_call.{step}"), at());
                }
            }
            "function_call" | "custom_tool_call" => {
                let (name, field) = match kind {
                    "function_call" => ("response.function_call_arguments", "arguments"),
                    _ => ("response.custom_tool_call_input", "input"),
                };
                for piece in reply.calls.get(call).map_or(&[][..], |call| &call.arguments) {
                    self.put(Kind::Content, &format!("{name}.delta"), with(at(), "delta", json!(piece)));
                }
                self.put(Kind::Other, &format!("{name}.done"), with(at(), field, item[field].clone()));
            }
            _ => {}
        }
        let done = json!({"output_index": index, "item": item});
        self.put(Kind::Other, "response.output_item.done", done);
    }

    fn reasoning(&mut self, at: &Value, item: &Value, reply: &Reply) {
        let Some(part) = item["summary"].get(0) else { return };
        let at = with(at.clone(), "summary_index", json!(0));
        let empty = json!({"type": "summary_text", "text": ""});
        self.put(Kind::Other, "response.reasoning_summary_part.added", with(at.clone(), "part", empty));
        for piece in &reply.thinking {
            let delta = with(at.clone(), "delta", json!(piece));
            self.put(Kind::Content, "response.reasoning_summary_text.delta", delta);
        }
        let text = with(at.clone(), "text", part["text"].clone());
        self.put(Kind::Other, "response.reasoning_summary_text.done", text);
        self.put(Kind::Other, "response.reasoning_summary_part.done", with(at, "part", part.clone()));
    }

    fn message(&mut self, at: &Value, item: &Value, reply: &Reply) {
        let part = &item["content"][0];
        let refused = reply.end == End::Refused;
        let at = with(at.clone(), "content_index", json!(0));
        let empty = if refused {
            json!({"type": "refusal", "refusal": ""})
        } else {
            json!({"type": "output_text", "annotations": [], "logprobs": [], "text": ""})
        };
        self.put(Kind::Other, "response.content_part.added", with(at.clone(), "part", empty));
        let (name, field) =
            if refused { ("response.refusal", "refusal") } else { ("response.output_text", "text") };
        for piece in &reply.text {
            let mut delta = with(at.clone(), "delta", json!(piece));
            if !refused {
                delta["logprobs"] = json!([]);
            }
            self.put(Kind::Content, &format!("{name}.delta"), delta);
        }
        for (index, annotation) in part["annotations"].as_array().into_iter().flatten().enumerate() {
            let event = with(at.clone(), "annotation_index", json!(index));
            let event = with(event, "annotation", annotation.clone());
            self.put(Kind::Other, "response.output_text.annotation.added", event);
        }
        let mut done = with(at.clone(), field, part[field].clone());
        if !refused {
            done["logprobs"] = json!([]);
        }
        self.put(Kind::Other, &format!("{name}.done"), done);
        self.put(Kind::Other, "response.content_part.done", with(at, "part", part.clone()));
    }
}

/// An item before anything of it was said.
fn at_first(item: &Value) -> Value {
    let mut first = item.clone();
    for (name, empty) in
        [("arguments", json!("")), ("input", json!("")), ("content", json!([])), ("summary", json!([]))]
    {
        if first.get(name).is_some() {
            first[name] = empty;
        }
    }
    if first.get("status").is_some() {
        first["status"] = json!("in_progress");
    }
    first
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

impl Speech for ResponsesRequest {
    fn ask(&self) -> &Ask {
        &self.ask
    }

    fn whole(&self, answer: &Answer<'_>) -> String {
        if self.alone {
            return compacted(self, answer).to_string();
        }
        if self.body.get("background") == Some(&Value::Bool(true)) {
            return with(begun(self, answer), "status", json!("queued")).to_string();
        }
        ended(self, answer).to_string()
    }

    fn stream(&self, answer: &Answer<'_>) -> Vec<Mark> {
        let Some(reply) = answer.reply() else { return Vec::new() };
        let mut writer = Writer { marks: Vec::new(), number: 0, spoken: false };
        let begun = begun(self, answer);
        writer.put(Kind::Role, "response.created", json!({"response": begun}));
        writer.put(Kind::Other, "response.in_progress", json!({"response": begun}));
        let items = items(self, answer);
        let first_call = items.len().saturating_sub(reply.calls.len());
        for (index, item) in items.iter().enumerate() {
            writer.item(index, item, reply, index.saturating_sub(first_call));
        }
        let ended = ended(self, answer);
        let name = if ended["status"] == "incomplete" { "response.incomplete" } else { "response.completed" };
        writer.put(Kind::Done, name, json!({"response": ended}));
        writer.marks
    }

    fn failure(&self, answer: &Answer<'_>, problem: &Problem, begun: bool) -> String {
        let code = problem.code();
        if !begun {
            let data = json!({
                "type": "error",
                "code": code,
                "message": problem.message,
                "param": null,
                "sequence_number": 0,
            });
            return named_event("error", &data.to_string());
        }
        let mut response = self::begun(self, answer);
        response["status"] = json!("failed");
        response["error"] = json!({"code": code, "message": problem.message});
        // Higher than any number before, as nobody knows here how many there were.
        let sent = self.stream(answer).iter().filter(|mark| **mark != Mark::Pause).count();
        let data = json!({"type": "response.failed", "sequence_number": sent, "response": response});
        named_event("response.failed", &data.to_string())
    }

    fn keep(&self, answer: &Answer<'_>, memory: &Mutex<Memory>) {
        if !self.store {
            return;
        }
        let body = ended(self, answer);
        let Some(id) = body["id"].as_str().map(str::to_owned) else { return };
        let previous = self.body.get("previous_response_id").and_then(Value::as_str).map(str::to_owned);
        let stored = Stored { key: self.key.clone(), body, input: self.input.clone(), previous };
        memory.lock().unwrap_or_else(PoisonError::into_inner).store(id, stored);
    }
}
