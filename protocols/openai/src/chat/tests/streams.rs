//! What streams of providers become, whatever they do, and what clients get.

use canon::{
    Answer, AnswerError, Asked, Block, Delta, Event, Kind, Opening, Signature, Stop, Thinking, ToolName,
    Usage,
};
use proptest::prelude::*;
use serde_json::{Value, json as object};

use super::{Decoder, check_order, decode, decoded, encoded, fixtures, folded, json};

fn stream(chunks: &[Value]) -> String {
    let mut stream: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    stream.push_str("data: [DONE]\n\n");
    stream
}

fn delta(delta: &Value) -> Value {
    object!({"id": "chatcmpl-1", "model": "m", "choices": [{"index": 0, "delta": delta}]})
}

fn answer(deltas: &[Value]) -> Answer {
    let chunks: Vec<Value> = deltas.iter().map(delta).collect();
    let events = decoded(stream(&chunks).as_bytes()).unwrap();
    check_order(&events);
    folded(&events)
}

/// The name, id and arguments of each call.
fn calls(answer: &Answer) -> Vec<(String, String, String)> {
    let call = |block: &Block| match &block.kind {
        Kind::ToolCall(call) => Some((call.name.clone(), call.id.clone(), call.arguments.clone())),
        _ => None,
    };
    answer.blocks.iter().filter_map(call).collect()
}

fn piece(index: Option<u64>, id: Option<&str>, name: Option<&str>, arguments: &str) -> Value {
    object!({"tool_calls": [{"index": index, "id": id, "function": {"name": name, "arguments": arguments}}]})
}

#[test]
fn calls_are_told_apart_without_usable_indexes() {
    let zero = answer(&[
        piece(Some(0), Some("a"), Some("f"), ""),
        piece(Some(0), None, None, "{\"x\":"),
        piece(Some(0), Some("a"), Some("f"), "1}"),
        piece(Some(0), Some("b"), Some("g"), "{}"),
    ]);
    let two = [("f".into(), "a".into(), "{\"x\":1}".into()), ("g".into(), "b".into(), "{}".into())];
    assert_eq!(calls(&zero), two);
    assert_eq!(zero.stop, Stop::ToolUse);
    let none = answer(&[
        piece(None, Some("a"), Some("f"), "{\"x\":"),
        piece(None, None, None, "1}"),
        piece(None, Some("b"), Some("g"), "{}"),
    ]);
    assert_eq!(calls(&none), two);
    let nameless = answer(&[piece(Some(0), None, Some("f"), "{}"), piece(Some(0), None, Some("g"), "{}")]);
    let ids: Vec<String> = calls(&nameless).into_iter().map(|(_, id, _)| id).collect();
    assert!(ids.len() == 2 && ids[0] != ids[1] && ids.iter().all(|id| id.starts_with("call_")));
    let late = answer(&[piece(Some(0), Some("a"), None, "{\"x\""), piece(Some(0), None, Some("f"), ":1}")]);
    assert_eq!(calls(&late), two[..1]);
    let new_ids =
        answer(&[piece(Some(0), Some("a"), Some("f"), "{\"x\":"), piece(Some(0), Some("z"), None, "1}")]);
    assert_eq!(calls(&new_ids), two[..1]);
}

#[test]
fn empty_pieces_open_nothing() {
    let answer = answer(&[
        object!({"role": "assistant", "content": ""}),
        object!({"content": null, "reasoning_content": "", "tool_calls": []}),
        object!({}),
    ]);
    assert!(answer.blocks.is_empty());
    assert_eq!(answer.stop, Stop::End);
}

#[test]
fn usage_may_come_with_the_reason_or_after_it_and_reasons_may_repeat() {
    let usage = object!({"prompt_tokens": 3, "completion_tokens": 2});
    let end = object!({"choices": [{"delta": {}, "finish_reason": "length"}]});
    let extra = object!({"choices": [], "usage": usage});
    let mut both = end.clone();
    both["usage"] = usage;
    for chunks in [vec![both.clone()], vec![end, extra.clone()], vec![both.clone(), both, extra]] {
        let chunks = [vec![delta(&object!({"content": "a"}))], chunks].concat();
        let events = decoded(stream(&chunks).as_bytes()).unwrap();
        check_order(&events);
        let answer = folded(&events);
        assert_eq!((answer.stop, answer.usage.unwrap().output), (Stop::MaxTokens, 2));
    }
}

#[test]
fn usage_inside_the_choice_counts() {
    let found = fixtures("streams").into_iter().find(|(name, _)| name.ends_with("usage_in_choice.sse"));
    let answer = folded(&decoded(&found.unwrap().1).unwrap());
    assert_eq!(answer.usage.map(|usage| usage.cached_input), Some(8));
}

#[test]
fn a_cut_stream_is_no_answer_and_an_error_is_one() {
    let chunk = format!("data: {}\n\n", delta(&object!({"content": "a"})));
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    decoder.push(chunk.as_bytes(), &mut events).unwrap();
    assert_eq!(decoder.finish(&mut events), Err(AnswerError::Empty));
    let (_, cut) = fixtures("errors").into_iter().find(|(name, _)| name.ends_with(".sse")).unwrap();
    assert_eq!(decoded(&cut), Err(AnswerError::Reported("The server had an error.".into())));
    assert_eq!(decoder.push(b"data: {\n\n", &mut events), Err(AnswerError::Garbage));
    assert_eq!(decoder.push(b": ping\n\n", &mut events), Ok(()));
}

#[test]
fn multi_line_data_is_one_event() {
    let event = b"data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"a\"}}]}\n\ndata: [DONE]\n\n";
    assert_eq!(folded(&decoded(event).unwrap()).blocks, [Block::text("a")]);
}

fn open(index: u32, block: Opening) -> Event {
    Event::Open { index, block }
}

fn more(index: u32, text: &str) -> Event {
    Event::Delta { index, delta: Delta::Text(text.to_owned()) }
}

fn chunks(stream: &str) -> Vec<Value> {
    let data = stream.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]").map(|data| json(data.as_bytes())).collect()
}

#[test]
fn a_client_gets_a_role_first_and_usage_only_if_it_asked() {
    let events = || {
        vec![
            Event::Start { id: "msg_1".into(), model: String::new(), created: None },
            open(0, Opening::Text),
            more(0, "Hi"),
            Event::Close { index: 0 },
            Event::Stop { stop: Stop::End, sequence: None },
            Event::Usage(Usage { input: 2, output: 1, ..Usage::default() }),
            Event::End,
        ]
    };
    let asked =
        Asked { id: "req".into(), now: 5, model: "mine".into(), include_usage: true, ..Asked::default() };
    let out = chunks(&encoded(events(), asked.clone()));
    assert_eq!(out[0]["choices"][0]["delta"], object!({"role": "assistant", "content": ""}));
    assert_eq!(out[1]["choices"][0]["delta"]["content"], "Hi");
    assert_eq!(out[2]["choices"][0]["finish_reason"], "stop");
    assert_eq!((&out[3]["choices"], &out[3]["usage"]["total_tokens"]), (&object!([]), &3.into()));
    for chunk in &out {
        assert_eq!(chunk["id"], "chatcmpl-req");
        assert_eq!((&chunk["created"], &chunk["model"]), (&5.into(), &"mine".into()));
    }
    let out = encoded(events(), Asked { include_usage: false, ..asked });
    assert!(!out.contains("usage") && out.ends_with("data: [DONE]\n\n"));
}

#[test]
fn wrapped_text_is_unwrapped_and_indexes_count_calls() {
    let tool = |id: &str, name: &str| Opening::ToolCall {
        id: id.into(),
        name: name.into(),
        namespace: None,
        custom: false,
    };
    let mut asked = Asked::default();
    asked.tools.insert("patch".into(), ToolName { name: "patch".into(), namespace: None, custom: true });
    let out = chunks(&encoded(
        vec![
            open(0, Opening::Text),
            more(0, "a"),
            Event::Close { index: 0 },
            open(1, tool("c1", "f")),
            open(2, tool("c2", "patch")),
            more(2, "{\"input\":"),
            more(1, "{}"),
            more(2, "\"x\"}"),
            Event::Close { index: 1 },
            Event::Close { index: 2 },
            Event::End,
        ],
        asked,
    ));
    let call = |at: usize| out[at]["choices"][0]["delta"]["tool_calls"][0].clone();
    assert_eq!((&call(2)["index"], &call(3)["index"]), (&0.into(), &1.into()));
    assert_eq!((&call(3)["type"], &call(3)["custom"]["name"]), (&"custom".into(), &"patch".into()));
    assert_eq!(call(5), object!({"index": 1, "custom": {"input": "x"}}));
    assert_eq!(out[6]["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn signed_thoughts_survive_the_way_through_a_client() {
    let signature = Signature { data: "sig".into(), maker: Some("other".into()) };
    let redacted = Thinking { signature: Some(signature.clone()), redacted: true, ..Thinking::default() };
    let whole = Opening::Whole(Box::new(Block::new(Kind::Thinking(redacted))));
    let out = chunks(&encoded(
        vec![
            open(0, Opening::Thinking { id: None }),
            more(0, "h"),
            more(0, "m"),
            Event::Delta { index: 0, delta: Delta::Signature(signature.clone()) },
            Event::Close { index: 0 },
            open(1, whole),
            Event::Close { index: 1 },
            Event::End,
        ],
        Asked::default(),
    ));
    // What a client makes of it that joins the plain thoughts and collects the details.
    let field = |chunk: &Value, name: &str| chunk["choices"][0]["delta"].get(name).cloned();
    let details: Vec<Value> = out
        .iter()
        .filter_map(|chunk| field(chunk, "reasoning_details"))
        .flat_map(|list| list.as_array().cloned().unwrap())
        .collect();
    let message = object!({"role": "assistant", "content": "a", "reasoning_content": "hm", "reasoning_details": details});
    let turn = decode(object!({"model": "m", "messages": [message]}).to_string().as_bytes()).unwrap();
    let thoughts: Vec<&Thinking> = turn.messages[0]
        .blocks
        .iter()
        .filter_map(|block| match &block.kind {
            Kind::Thinking(thinking) => Some(thinking),
            _ => None,
        })
        .collect();
    assert_eq!(thoughts.len(), 2);
    assert_eq!((thoughts[0].text.as_str(), thoughts[0].redacted), ("hm", false));
    assert!(thoughts.iter().all(|it| it.signature.as_ref() == Some(&signature)));
    assert!(thoughts[1].redacted);
}

proptest! {
    #[test]
    fn pieces_of_text_do_not_matter(cut in 1_usize..12) {
        let text = "<think>\nLeft, or right?</think>\n\nLeft. <think>";
        let pieces: Vec<Value> = text.as_bytes().chunks(cut)
            .map(|piece| object!({"content": String::from_utf8_lossy(piece)}))
            .collect();
        prop_assert_eq!(answer(&pieces).blocks, answer(&[object!({"content": text})]).blocks);
    }
}
