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
