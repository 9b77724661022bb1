//! The objects of a Responses answer: its items, and the response around them.

use serde_json::{Value, json};

use super::super::dice::Dice;
use super::super::reply::{Call, End, Reply, SOURCE, SOURCE_TITLE};
use super::super::seal;
use super::super::speech::{Answer, Usage};
use super::request::ResponsesRequest;
use super::{COMPACTION, REASONING};

/// The length of ids, without what they begin with.
const ID: usize = 48;

/// The id of the response.
pub(super) fn response_id(answer: &Answer<'_>) -> String {
    answer.dice.clone().id("resp_", ID)
}

/// All items of an answer, each complete.
pub(super) fn items(request: &ResponsesRequest, answer: &Answer<'_>) -> Vec<Value> {
    let mut dice = answer.dice.clone();
    // The first draw is the response's own id.
    dice.next();
    if request.compacts {
        return vec![compaction(request, &mut dice)];
    }
    let Some(reply) = answer.reply() else { return Vec::new() };
    let mut items = Vec::new();
    if !reply.thinking.is_empty() {
        items.push(reasoning(request, reply, &mut dice));
    }
    if let Some(query) = &reply.search {
        items.push(json!({
            "id": dice.id("ws_", ID),
            "type": "web_search_call",
            "status": "completed",
            "action": {"type": "search", "query": query, "sources": [{"type": "url", "url": SOURCE}]},
        }));
    }
    if !reply.text.is_empty() || reply.calls.is_empty() {
        items.push(message(reply, &mut dice));
    }
    items.extend(reply.calls.iter().map(|call| self::call(call, &mut dice)));
    items
}

fn compaction(request: &ResponsesRequest, dice: &mut Dice) -> Value {
    json!({
        "id": dice.id("cmp_", ID),
        "type": "compaction",
        "encrypted_content": seal::token(&request.key, COMPACTION, dice.next()),
    })
}

fn reasoning(request: &ResponsesRequest, reply: &Reply, dice: &mut Dice) -> Value {
    let summary = if request.sums_up {
        json!([{"type": "summary_text", "text": reply.thinking.concat()}])
    } else {
        json!([])
    };
    let mut item = json!({"id": dice.id("rs_", ID), "type": "reasoning", "summary": summary});
    if request.encrypts {
        item["encrypted_content"] = json!(seal::token(&request.key, REASONING, dice.next()));
    }
    item
}

fn message(reply: &Reply, dice: &mut Dice) -> Value {
    let words = reply.text.concat();
    let part = if reply.end == End::Refused {
        json!({"type": "refusal", "refusal": words})
    } else {
        let annotations = if reply.cited { json!([annotation(&words)]) } else { json!([]) };
        json!({"type": "output_text", "annotations": annotations, "logprobs": [], "text": words})
    };
    let status = if reply.end == End::Length { "incomplete" } else { "completed" };
    json!({
        "id": dice.id("msg_", ID),
        "type": "message",
        "status": status,
        "content": [part],
        "role": "assistant",
    })
}

fn annotation(words: &str) -> Value {
    json!({
        "type": "url_citation",
        "start_index": 0,
        "end_index": words.chars().count(),
        "title": SOURCE_TITLE,
        "url": SOURCE,
    })
}

fn call(call: &Call, dice: &mut Dice) -> Value {
    let (prefix, kind, field) = if call.custom {
        ("ctc_", "custom_tool_call", "input")
    } else {
        ("fc_", "function_call", "arguments")
    };
    let mut item = json!({
        "id": dice.id(prefix, ID),
        "type": kind,
        "status": "completed",
        "call_id": call.id,
        "name": call.name,
    });
    item[field] = json!(call.arguments.concat());
    if let Some(namespace) = &call.namespace {
        item["namespace"] = json!(namespace);
    }
    item
}

/// The response without output, at its beginning.
pub(super) fn begun(request: &ResponsesRequest, answer: &Answer<'_>) -> Value {
    let given = |name: &str, usual: Value| {
        request.body.get(name).filter(|value| !value.is_null()).cloned().unwrap_or(usual)
    };
    let format = request.body.get("text").and_then(|text| text.get("format")).cloned();
    let verbosity = request.body.get("text").and_then(|text| text.get("verbosity")).cloned();
    let reasoning = |name| request.body.get("reasoning").and_then(|config| config.get(name)).cloned();
    json!({
        "id": response_id(answer),
        "object": "response",
        "created_at": answer.now,
        "status": "in_progress",
        "background": given("background", json!(false)),
        "error": null,
        "incomplete_details": null,
        "instructions": given("instructions", Value::Null),
        "max_output_tokens": given("max_output_tokens", Value::Null),
        "max_tool_calls": given("max_tool_calls", Value::Null),
        "model": request.ask.model,
        "output": [],
        "parallel_tool_calls": given("parallel_tool_calls", json!(true)),
        "previous_response_id": given("previous_response_id", Value::Null),
        "prompt_cache_key": given("prompt_cache_key", Value::Null),
        "reasoning": {"effort": reasoning("effort"), "summary": reasoning("summary")},
        "safety_identifier": given("safety_identifier", Value::Null),
        "service_tier": "default",
        "store": request.store,
        "temperature": given("temperature", json!(1.0)),
        "text": {
            "format": format.unwrap_or_else(|| json!({"type": "text"})),
            "verbosity": verbosity.unwrap_or_else(|| json!("medium")),
        },
        "tool_choice": given("tool_choice", json!("auto")),
        "tools": given("tools", json!([])),
        "top_logprobs": given("top_logprobs", json!(0)),
        "top_p": given("top_p", json!(1.0)),
        "truncation": given("truncation", json!("disabled")),
        "usage": null,
        "user": given("user", Value::Null),
        "metadata": given("metadata", json!({})),
    })
}

/// The response at its end.
pub(super) fn ended(request: &ResponsesRequest, answer: &Answer<'_>) -> Value {
    let mut response = begun(request, answer);
    response["output"] = Value::Array(items(request, answer));
    if answer.reply().is_some_and(|reply| reply.end == End::Length) {
        response["status"] = json!("incomplete");
        response["incomplete_details"] = json!({"reason": "max_output_tokens"});
    } else {
        response["status"] = json!("completed");
        response["completed_at"] = json!(answer.now);
    }
    if let Some(counted) = answer.usage {
        response["usage"] = usage(counted);
    }
    response
}

/// A conversation that was compacted, and nothing else.
pub(super) fn compacted(request: &ResponsesRequest, answer: &Answer<'_>) -> Value {
    let mut object = json!({
        "id": response_id(answer),
        "object": "response.compaction",
        "created_at": answer.now,
        "output": items(request, answer),
    });
    if let Some(counted) = answer.usage {
        object["usage"] = usage(counted);
    }
    object
}

fn usage(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_written},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.thinking},
        "total_tokens": usage.input + usage.output,
    })
}
