//! What is passed on, what is sent again, and who hears that nobody knows.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use super::*;

fn line(message: &Value) -> Bytes {
    line_of(message)
}

fn request(id: impl Into<Value>, method: &str) -> Bytes {
    line(&json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": {"uri": "trivium://x"}}))
}

fn note(method: &str, params: &Value) -> Bytes {
    line(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
}

fn answer(id: impl Into<Value>) -> Bytes {
    line(&json!({"jsonrpc": "2.0", "id": id.into(), "result": {}}))
}

fn read(lines: &[Bytes]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_slice(line).unwrap()).collect()
}

fn methods(lines: &[Bytes]) -> Vec<String> {
    read(lines).iter().map(|line| line["method"].as_str().unwrap().to_owned()).collect()
}

/// A conversation that has been opened as before 2026-07-28.
fn opened() -> Memory {
    let mut memory = Memory::default();
    assert_eq!(memory.sent(&request(0, "initialize")), Sent::Pass);
    assert!(memory.heard(&answer(0)));
    assert_eq!(memory.sent(&note("notifications/initialized", &json!({}))), Sent::Pass);
    assert!(memory.is_idle());
    memory
}

#[test]
fn another_hub_hears_how_the_conversation_was_opened_and_the_client_does_not_hear_it_again() {
    let mut memory = opened();
    memory.sent(&request("s", "resources/subscribe"));
    memory.heard(&answer("s"));
    let again = memory.again();
    assert_eq!(methods(&again), ["initialize", "notifications/initialized", "resources/subscribe"]);
    let sent = read(&again);
    assert_eq!(sent[0]["params"]["uri"], "trivium://x");
    for id in [&sent[0]["id"], &sent[2]["id"]] {
        assert!(!memory.heard(&answer(id.clone())), "{id}");
    }
    memory.sent(&request("u", "resources/unsubscribe"));
    memory.heard(&answer("u"));
    assert_eq!(methods(&memory.again()), ["initialize", "notifications/initialized"]);
}

#[test]
fn what_only_looks_is_sent_again_and_what_acts_is_not() {
    let mut memory = opened();
    for (id, method) in [(1, "tools/list"), (2, "tools/call"), (3, "resources/read"), (4, "unknown/method")] {
        assert_eq!(memory.sent(&request(id, method)), Sent::Pass);
    }
    memory.sent(&request("2", "tools/call"));
    memory.heard(&answer("2"));
    let lost = read(&memory.lost());
    let ids: Vec<_> = lost.iter().map(|answer| answer["id"].clone()).collect();
    assert_eq!(ids, [2, 4], "a text is no number");
    assert!(lost.iter().all(|answer| answer["error"]["data"]["reason"] == "hub_gone"));
    assert_eq!(methods(&memory.again())[2..], ["tools/list", "resources/read"]);
    assert!(!memory.is_idle());
    memory.heard(&answer(1));
    memory.heard(&answer(3));
    assert!(memory.is_idle());
    assert_eq!(memory.lost(), Vec::<Bytes>::new(), "nothing is told twice");
}

#[test]
fn an_opening_without_an_answer_is_sent_again_as_it_was_and_first() {
    let mut memory = Memory::default();
    memory.sent(&request(7, "ping"));
    memory.sent(&request(8, "initialize"));
    assert_eq!(memory.lost(), Vec::<Bytes>::new());
    let again = memory.again();
    assert_eq!(methods(&again), ["initialize", "ping"]);
    assert_eq!(read(&again)[0]["id"], 8);
    assert!(memory.heard(&answer(8)), "the client waits for it");
}

#[test]
fn without_an_opening_there_is_nothing_to_say_but_subscriptions() {
    let mut memory = Memory::default();
    memory.sent(&request(1, "server/discover"));
    memory.heard(&answer(1));
    memory.sent(&request(2, "subscriptions/listen"));
    assert!(memory.is_idle(), "a subscription has no end of its own");
    memory.lost();
    assert_eq!(methods(&memory.again()), ["subscriptions/listen"]);
    memory.sent(&note("notifications/cancelled", &json!({"requestId": 2})));
    assert_eq!(memory.again(), Vec::<Bytes>::new());
}

#[test]
fn what_cannot_be_read_is_answered_here() {
    let mut memory = Memory::default();
    for (text, code) in [("{\n", -32_700), ("hello\n", -32_700), ("7\n", -32_700)] {
        let Sent::Answer(answer) = memory.sent(&Bytes::from(text)) else { panic!("{text}") };
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &Value::Null));
    }
    assert_eq!(memory.sent(&Bytes::from("[{\"id\": 1}]\n")), Sent::Pass);
    let answer: Value = serde_json::from_slice(&too_long()).unwrap();
    assert_eq!(answer["error"]["code"], -32_600);
}

#[test]
fn an_answer_without_a_name_ends_the_waiting_for_one() {
    let mut memory = opened();
    memory.sent(&request(1, "tools/call"));
    assert!(!memory.is_idle());
    assert!(memory.heard(&line(&json!({"jsonrpc": "2.0", "error": {"code": -32_600, "message": "no"}}))));
    assert!(memory.is_idle());
}

#[test]
fn what_is_open_is_bounded() {
    let mut memory = opened();
    for id in 0..AT_ONCE {
        assert_eq!(memory.sent(&request(id, "tools/call")), Sent::Pass);
    }
    assert!(matches!(memory.sent(&request("more", "tools/call")), Sent::Answer(_)));
    assert_eq!(memory.abandoned().len(), AT_ONCE);
    assert_eq!(memory.sent(&request("more", "tools/call")), Sent::Pass);
}
