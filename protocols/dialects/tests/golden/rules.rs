//! Rules of vendors that golden files alone would not explain: what is refused is never sent, and what a target can
//! say is not lost.

use canon::{Dialect, Quirks, Target};
use serde_json::{Value, json};

use super::model;

fn told(from: Dialect, body: &Value, to: Dialect) -> (Value, String) {
    let turn = dialects::decode(from, body.to_string().as_bytes()).unwrap();
    let quirks = Quirks::default();
    let target = Target { model: model(to), source: from, maker: "test:maker", quirks, max_output: None };
    let encoded = dialects::encode(to, &turn, &target);
    (super::json(&encoded.body), encoded.losses.to_string())
}

#[test]
fn names_of_tools_are_unique_for_messages() {
    let body = json!({"model": "m", "input": "Go.", "tools": [{"type": "web_search"}, {"type": "web_search_preview"}]});
    let (told_one, lost) = told(Dialect::Responses, &body, Dialect::Messages);
    assert_eq!((told_one["tools"].as_array().unwrap().len(), lost.as_str()), (1, ""));
    let own = json!({"type": "function", "name": "web_search", "parameters": {"type": "object"}});
    let body = json!({"model": "m", "input": "Go.", "tools": [{"type": "web_search"}, own]});
    let (told_own, lost) = told(Dialect::Responses, &body, Dialect::Messages);
    assert_eq!(told_own["tools"][0]["input_schema"]["type"], "object");
    assert_eq!((told_own["tools"].as_array().unwrap().len(), lost.as_str()), (1, "tools.web_search"));
}

#[test]
fn pictures_that_messages_refuse_are_left_out() {
    let picture = json!({"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,PHN2Zy8+"}});
    let content = json!([{"type": "text", "text": "What is it?"}, picture]);
    let body = json!({"model": "m", "messages": [{"role": "user", "content": content}]});
    let (told, lost) = told(Dialect::Chat, &body, Dialect::Messages);
    assert_eq!((told["messages"][0]["content"].clone(), lost.as_str()), (json!("What is it?"), "image"));
}

#[test]
fn allowed_tools_are_the_only_ones_on_offer() {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
    let some = json!({"mode": "required", "tools": [tool("a"), tool("b")]});
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "Go."}],
        "tools": [tool("a"), tool("b"), tool("c")],
        "tool_choice": {"type": "allowed_tools", "allowed_tools": some}});
    let (messages, lost) = told(Dialect::Chat, &body, Dialect::Messages);
    assert_eq!((messages["tools"].as_array().unwrap().len(), lost.as_str()), (2, ""));
    assert_eq!(messages["tool_choice"], json!({"type": "any"}));
    let (gemini, _) = told(Dialect::Chat, &body, Dialect::Gemini);
    let config = json!({"mode": "ANY", "allowedFunctionNames": ["a", "b"]});
    assert_eq!(gemini["toolConfig"]["functionCallingConfig"], config);
    let (responses, _) = told(Dialect::Chat, &body, Dialect::Responses);
    let named = |name: &str| json!({"type": "function", "name": name});
    let list = json!({"type": "allowed_tools", "mode": "required", "tools": [named("a"), named("b")]});
    assert_eq!(responses["tool_choice"], list);
    let (chat, _) = told(Dialect::Responses, &responses, Dialect::Chat);
    assert_eq!((chat["tools"].as_array().unwrap().len(), &chat["tool_choice"]), (2, &json!("required")));
}

#[test]
fn texts_that_only_messages_wraps_are_told() {
    let reference = json!({"type": "tool_reference", "tool_name": "list_issues"});
    let body = json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": "Find."},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "find", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [reference]}]}]});
    let (told, lost) = told(Dialect::Messages, &body, Dialect::Chat);
    assert_eq!(told["messages"][2]["content"], "Tool found: list_issues");
    assert_eq!(lost, "content.tool_reference");
}

#[test]
fn no_effort_is_left_unsaid_for_chat() {
    let body = json!({"model": "m", "max_tokens": 9, "thinking": {"type": "disabled"},
        "messages": [{"role": "user", "content": "Hi"}]});
    let (told, lost) = told(Dialect::Messages, &body, Dialect::Chat);
    assert!(told.get("reasoning_effort").is_none());
    assert_eq!(lost, "~reasoning");
}

/// A stream's bytes in `to`, for an answer that came as this stream in `from`.
fn streamed(from: Dialect, events: &[Value], to: Dialect) -> (String, String) {
    let mut decoder = dialects::Decoder::new(from);
    let mut encoder = dialects::Encoder::new(to, canon::Asked::default());
    let (mut read, mut out) = (Vec::new(), Vec::new());
    for event in events {
        let name = event["type"].as_str().map(|name| format!("event: {name}\n")).unwrap_or_default();
        decoder.push(format!("{name}data: {event}\n\n").as_bytes(), &mut read).unwrap();
    }
    decoder.finish(&mut read).unwrap();
    for mut event in read {
        event.sign("test:maker");
        encoder.push(event, &mut out);
    }
    (String::from_utf8(out).unwrap(), encoder.losses().to_string())
}

#[test]
fn an_answer_for_messages_ends_with_what_was_said() {
    let parts = json!([
        {"text": "hm", "thought": true}, {"text": "hello", "thoughtSignature": "c2lnbmVk"}]);
    let chunk =
        json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]});
    let (stream, lost) = streamed(Dialect::Gemini, std::slice::from_ref(&chunk), Dialect::Messages);
    let starts: Vec<&str> = stream.matches("\"type\":\"thinking\"").collect();
    assert_eq!((starts.len(), lost.as_str()), (1, "thinking.signature"), "{stream}");
    let whole = dialects::decode_answer(Dialect::Gemini, chunk.to_string().as_bytes()).unwrap();
    let told = dialects::encode_answer(Dialect::Messages, whole, &canon::Asked::default());
    let told = super::json(&told.body);
    assert_eq!(told["content"].as_array().unwrap().last().unwrap()["text"], "hello");
}

#[test]
fn the_signature_of_a_call_that_is_gone_goes_too() {
    let orphan = json!({"type": "redacted_thinking", "data": "trivium.test_3amaker.call.c2lnbmVk"});
    let body = json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": "Go."}, {"role": "assistant", "content": [orphan]},
        {"role": "user", "content": "Go on."}]});
    for to in Dialect::ALL.into_iter().filter(|to| *to != Dialect::Messages) {
        let (told, _) = told(Dialect::Messages, &body, to);
        assert!(!told.to_string().contains("c2lnbmVk"), "{told}");
        let empty = |content: &Value| content["parts"].as_array().is_some_and(Vec::is_empty);
        assert!(!told["contents"].as_array().is_some_and(|all| all.iter().any(empty)), "{told}");
    }
}

/// Gemini CLI takes thoughts out of its history, and leaves other parts as they came.
#[test]
fn thoughts_come_back_though_a_gemini_client_forgets_them() {
    let block = |number: u64, block: Value, deltas: Vec<Value>| {
        let mut events =
            vec![json!({"type": "content_block_start", "index": number, "content_block": block})];
        let delta = |delta| json!({"type": "content_block_delta", "index": number, "delta": delta});
        events.extend(deltas.into_iter().map(delta));
        events.push(json!({"type": "content_block_stop", "index": number}));
        events
    };
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": [],
        "usage": {"input_tokens": 1, "output_tokens": 1}});
    let mut events = vec![json!({"type": "message_start", "message": message})];
    events.extend(block(
        0,
        json!({"type": "thinking", "thinking": "", "signature": ""}),
        vec![
            json!({"type": "thinking_delta", "thinking": "It needs "}),
            json!({"type": "thinking_delta", "thinking": "the tool."}),
            json!({"type": "signature_delta", "signature": "EqRs=="}),
        ],
    ));
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}});
    events.extend(block(1, call, vec![json!({"type": "input_json_delta", "partial_json": "{}"})]));
    events.push(
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}}),
    );
    events.push(json!({"type": "message_stop"}));
    let (stream, _) = streamed(Dialect::Messages, &events, Dialect::Gemini);

    let parts = stream.lines().filter_map(|line| line.strip_prefix("data: ")).flat_map(|data| {
        let chunk: Value = serde_json::from_str(data).unwrap();
        chunk["candidates"][0]["content"]["parts"].as_array().cloned().unwrap_or_default()
    });
    let all: Vec<Value> = parts.filter(|part| *part != json!({"text": ""})).collect();
    let kept: Vec<Value> = all.iter().filter(|part| part["thought"] != true).cloned().collect();
    assert!(kept.len() < all.len());
    for history in [all, kept] {
        let answer =
            json!({"functionResponse": {"id": "toolu_1", "name": "f", "response": {"output": "ok"}}});
        let body = json!({"contents": [{"role": "user", "parts": [{"text": "Go."}]},
            {"role": "model", "parts": history}, {"role": "user", "parts": [answer]}],
            "generationConfig": {"thinkingConfig": {"includeThoughts": true}}});
        let (told, lost) = told(Dialect::Gemini, &body, Dialect::Messages);
        let thought = json!({"type": "thinking", "thinking": "It needs the tool.", "signature": "EqRs=="});
        assert_eq!(told["messages"][1]["content"][0], thought, "{lost}: {told}");
    }
}
