//! What unary answers of this dialect and of others become here.

use canon::{
    Answer, AnswerError, Asked, Block, Citation, Kind, Rest, Signature, Stop, Thinking, ToolCall, ToolName,
    Usage,
};
use serde_json::{Value, json as object};

use super::{decode_answer, encode_answer, json};

fn read(message: &Value, reason: &str) -> Answer {
    let body = object!({"id": "x", "choices": [{"index": 0, "message": message, "finish_reason": reason}]});
    decode_answer(body.to_string().as_bytes()).unwrap()
}

fn asked() -> Asked {
    Asked { id: "req_7".into(), now: 1_700, model: "mine".into(), ..Asked::default() }
}

#[test]
fn an_answer_of_another_dialect_gets_what_belongs_here() {
    let thinking = Thinking {
        text: "hm".into(),
        signature: Some(Signature { data: "sig".into(), maker: Some("anthropic".into()) }),
        ..Thinking::default()
    };
    let cite = |url: Option<&str>| Citation {
        url: url.map(str::to_owned),
        title: None,
        quote: None,
        span: None,
        rest: Rest::default(),
    };
    let cited =
        Kind::Text { text: "Grün.".into(), citations: vec![cite(Some("https://example.com")), cite(None)] };
    let answer = Answer {
        id: "msg_01".into(),
        blocks: vec![Block::new(Kind::Thinking(thinking)), Block::text("Öl: "), Block::new(cited)],
        stop: Stop::Sequence,
        stop_sequence: Some("X".into()),
        usage: Some(Usage { input: 9, output: 4, cached_input: 3, reasoning: 1, ..Usage::default() }),
        ..Answer::default()
    };
    let encoded = encode_answer(answer, &asked());
    let body = json(&encoded.body);
    assert_eq!((&body["id"], &body["created"]), (&"chatcmpl-req_7".into(), &1_700.into()));
    assert_eq!((&body["model"], &body["object"]), (&"mine".into(), &"chat.completion".into()));
    let message = &body["choices"][0]["message"];
    assert_eq!(message["content"], "Öl: Grün.");
    assert_eq!(message["reasoning_content"], "hm");
    assert_eq!(message["reasoning_details"][0]["signature"], "trivium.anthropic.sig");
    assert_eq!(message["annotations"][0]["url_citation"]["start_index"], 4);
    assert_eq!(message["annotations"][0]["url_citation"]["end_index"], 9);
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert_eq!(body["usage"]["total_tokens"], 13);
    assert_eq!(body["usage"]["prompt_tokens_details"]["cached_tokens"], 3);
    assert_eq!(encoded.losses.to_string(), "citations, stop_sequence");
}

#[test]
fn a_wrapped_custom_tool_is_called_with_its_text() {
    let call = ToolCall {
        id: String::new(),
        name: "patch".into(),
        namespace: None,
        arguments: r#"{"input":"a\nb"}"#.into(),
        custom: false,
        signature: None,
    };
    let answer = Answer { blocks: vec![Block::new(Kind::ToolCall(call))], ..Answer::default() };
    let mut asked = asked();
    asked.tools.insert("patch".into(), ToolName { name: "patch".into(), namespace: None, custom: true });
    let body = json(&encode_answer(answer, &asked).body);
    let call = &body["choices"][0]["message"]["tool_calls"][0];
    assert_eq!((&call["type"], &call["custom"]["input"]), (&"custom".into(), &"a\nb".into()));
    assert!(call["id"].as_str().unwrap().starts_with("call_"));
    assert_eq!(body["choices"][0]["message"]["content"], Value::Null);
    assert_eq!(body["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn thoughts_at_the_beginning_of_the_text_are_thoughts() {
    let answer = read(&object!({"role": "assistant", "content": "<think>t</think>\n\nYes <think>"}), "stop");
    let Kind::Thinking(thinking) = &answer.blocks[0].kind else { unreachable!() };
    assert_eq!((thinking.text.as_str(), answer.blocks[1].as_text()), ("t", Some("Yes <think>")));
}

#[test]
fn calls_make_the_reason_whatever_it_says() {
    let calls = object!([{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    assert_eq!(read(&object!({"role": "assistant", "tool_calls": calls}), "stop").stop, Stop::ToolUse);
    assert_eq!(read(&object!({"role": "assistant", "tool_calls": calls}), "length").stop, Stop::MaxTokens);
}

#[test]
fn what_is_no_answer_is_said() {
    assert_eq!(decode_answer(b" ").unwrap_err(), AnswerError::Empty);
    assert_eq!(decode_answer(b"{\"choices\":[]}").unwrap_err(), AnswerError::Empty);
    assert_eq!(decode_answer(b"<html>").unwrap_err(), AnswerError::Garbage);
    assert_eq!(decode_answer(b"{\"choices\":[7]}").unwrap_err(), AnswerError::Garbage);
    let body = b"{\"error\":{\"message\":\"busy\"}}";
    assert_eq!(decode_answer(body).unwrap_err(), AnswerError::Reported("busy".into()));
    assert!(decode_answer(b"{\"error\":null,\"choices\":[{\"message\":{}}]}").is_ok());
}
