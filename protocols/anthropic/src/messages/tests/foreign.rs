//! Thoughts of other makers in a body that passes through.

use canon::{Dialect, Signature};
use serde_json::{Value, json};

use super::target;
use crate::messages::{decode, encode, without_foreign_thoughts};

fn own(signature: &Signature) -> bool {
    signature.is_of("anthropic", true) && !signature.data.is_empty()
}

fn mended(body: &Value) -> Option<Value> {
    without_foreign_thoughts(body.to_string().as_bytes(), own).map(|body| super::json(&body))
}

fn thought(signature: &str) -> Value {
    json!({"type": "thinking", "thinking": "hm", "signature": signature})
}

fn tool(id: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": "look", "input": {}})
}

fn result(id: &str) -> Value {
    json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "x"}]})
}

#[test]
fn own_thoughts_pass() {
    let body = json!({"model": "m", "messages": [
        {"role": "user", "content": "hi"}, {"role": "assistant", "content": [thought("EqQB"), tool("a")]}, result("a")
    ]});
    assert_eq!(mended(&body), None);
    assert_eq!(without_foreign_thoughts(b"no json", own), None);
    assert_eq!(without_foreign_thoughts(b"{}", own), None);
}

#[test]
fn foreign_thoughts_go_and_own_ones_lose_their_name() {
    let body = json!({"z": 1, "model": "m", "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [thought("trivium.google.AbC"), thought("trivium.anthropic.EqQB"),
            {"type": "redacted_thinking", "data": "trivium.openai.gAAA"}, thought(""), {"type": "text", "text": "yes"}]},
        {"role": "user", "content": "and?"}
    ], "a": 2});
    let expected = json!({"z": 1, "model": "m", "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [thought("EqQB"), {"type": "text", "text": "yes"}]},
        {"role": "user", "content": "and?"}
    ], "a": 2});
    let mended = mended(&body).unwrap();
    assert_eq!(mended, expected);
    let names: Vec<&String> = mended.as_object().unwrap().keys().collect();
    assert_eq!(names, ["z", "model", "messages", "a"]);
}

#[test]
fn an_empty_message_disappears_and_its_neighbours_join() {
    let body = json!({"messages": [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": [thought("trivium.google.x")]},
        {"role": "user", "content": [{"type": "text", "text": "two"}]},
        {"role": "assistant", "content": "three"}
    ]});
    let expected = json!({"messages": [
        {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
        {"role": "assistant", "content": "three"}
    ]});
    assert_eq!(mended(&body), Some(expected));
}

fn looped(thinking: &Value, first: &[Value]) -> Value {
    json!({"thinking": thinking, "messages": [
        {"role": "user", "content": "go"}, {"role": "assistant", "content": first}, result("a"),
        {"role": "assistant", "content": [thought("EqQB"), tool("b")]}, result("b"),
        {"role": "system", "content": "note"}
    ], "context_management": {"edits": [{"type": "clear_thinking_20251015"}]}})
}

#[test]
fn a_loop_that_lost_its_beginning_goes_on_without_thinking() {
    let enabled = json!({"type": "enabled", "budget_tokens": 2000});
    let mended = mended(&looped(&enabled, &[thought("trivium.google.x"), tool("a")])).unwrap();
    assert_eq!(mended["thinking"], json!({"type": "disabled"}));
    assert_eq!(mended["messages"][3]["content"], json!([tool("b")]));
    assert!(mended.get("context_management").is_none());
}

#[test]
fn a_loop_that_kept_its_beginning_goes_on_thinking() {
    let enabled = json!({"type": "enabled", "budget_tokens": 2000});
    let kept = mended(&looped(&enabled, &[thought("EqQB"), thought("trivium.google.x"), tool("a")]));
    assert_eq!(kept.unwrap()["thinking"], enabled);
    let adaptive = json!({"type": "adaptive"});
    let free = mended(&looped(&adaptive, &[thought("trivium.google.x"), tool("a")])).unwrap();
    assert_eq!(free["thinking"], adaptive);
    assert_eq!(free["messages"][3]["content"][0], thought("EqQB"));
}

#[test]
fn made_up_citations_go() {
    let cite =
        |index: &str| json!({"type": "web_search_result_location", "url": "u", "encrypted_index": index});
    let body = json!({"messages": [{"role": "assistant", "content": [
        {"type": "text", "text": "a", "citations": [cite("trivium.none."), cite("Eo8B")]},
        {"type": "text", "text": "b", "citations": [cite("trivium.none.")]}
    ]}]});
    let expected = json!({"messages": [{"role": "assistant", "content": [
        {"type": "text", "text": "a", "citations": [cite("Eo8B")]}, {"type": "text", "text": "b"}
    ]}]});
    assert_eq!(mended(&body), Some(expected));
}

#[test]
fn translation_within_the_dialect_keeps_the_same_rule() {
    let enabled = json!({"type": "enabled", "budget_tokens": 2000});
    let mut body = looped(&enabled, &[thought("trivium.google.x"), tool("a")]);
    body["model"] = json!("m");
    let turn = decode(body.to_string().as_bytes()).unwrap();
    let encoded = encode(&turn, &target("m", Dialect::Messages));
    let mut expected = mended(&body).unwrap();
    expected["messages"][1]["content"] = json!([tool("a")]);
    assert_eq!(super::json(&encoded.body), expected);
    assert_eq!(encoded.losses.to_string(), "thinking, ~reasoning");
}
