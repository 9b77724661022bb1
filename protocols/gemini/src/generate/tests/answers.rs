//! Answers, by rule.

use canon::{
    Answer, AnswerError, Asked, Block, Citation, Delta, Event, Fold, Kind, Opening, Rest, Signature, Stop,
    Thinking, ToolName, Usage,
};
use serde_json::{Value, json};

use super::{events, json};
use crate::generate::{Decoder, Encoder, data, decode, decode_answer, encode_answer};

fn decoded(chunks: &[Value]) -> Result<Vec<Event>, AnswerError> {
    let (mut decoder, mut out) = (Decoder::default(), Vec::new());
    for chunk in chunks {
        decoder.push(format!("data: {chunk}\n\n").as_bytes(), &mut out)?;
    }
    decoder.finish(&mut out)?;
    Ok(out)
}

fn folded(chunks: &[Value]) -> Answer {
    let mut fold = Fold::default();
    decoded(chunks).unwrap().into_iter().for_each(|event| fold.push(event));
    fold.finish()
}

fn chunk(parts: &Value) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": parts}}], "responseId": "r1", "modelVersion": "m"})
}

fn stopped(parts: &Value, reason: &str) -> Value {
    let mut chunk = chunk(parts);
    chunk["candidates"][0]["finishReason"] = reason.into();
    chunk
}

#[test]
fn a_stream_without_a_reason_to_end_was_cut() {
    assert_eq!(decoded(&[chunk(&json!([{"text": "half"}]))]), Err(AnswerError::Empty));
    assert_eq!(decoded(&[]), Err(AnswerError::Empty));
    assert_eq!(decoded(&[json!({"error": {"message": "busy"}})]), Err(AnswerError::Reported("busy".into())));
    assert_eq!(Decoder::default().push(b"data: {\n\n", &mut Vec::new()), Err(AnswerError::Garbage));
}

#[test]
fn calls_end_in_tool_use_and_have_ids_of_their_own() {
    let calls = json!([{"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "c2ln"}, {"functionCall": {"name": "f"}}]);
    let answer = folded(&[chunk(&calls), stopped(&json!([]), "STOP")]);
    assert_eq!(answer.stop, Stop::ToolUse);
    let calls_of = |answer: &Answer| -> Vec<(String, String, bool)> {
        let call = |block: &Block| match &block.kind {
            Kind::ToolCall(call) => (call.id.clone(), call.arguments.clone(), call.signature.is_some()),
            other => panic!("{other:?}"),
        };
        answer.blocks.iter().map(call).collect()
    };
    let expected = |index| canon::names::made("r1", index);
    assert_eq!(calls_of(&answer), [(expected(0), "{}".into(), true), (expected(1), "{}".into(), false)]);
    // A whole answer gives the same ids as its stream.
    let body = stopped(&calls, "STOP").to_string();
    assert_eq!(calls_of(&decode_answer(body.as_bytes()).unwrap()), calls_of(&answer));
}

#[test]
fn text_goes_on_and_a_signature_stands_for_itself() {
    let answer = folded(&[
        chunk(&json!([{"text": "h", "thought": true}])),
        chunk(&json!([{"text": "m", "thought": true}])),
        chunk(&json!([{"text": "", "thoughtSignature": "b25l"}])),
        chunk(&json!([{"text": "a"}])),
        chunk(&json!([{"text": "b"}, {"text": ""}])),
        stopped(&json!([{"text": "", "thoughtSignature": "dHdv"}]), "MAX_TOKENS"),
    ]);
    let thinking = |text: &str, data: &str| {
        let signature = Some(Signature { data: data.into(), maker: None });
        Block::new(Kind::Thinking(Thinking { text: text.into(), signature, ..Thinking::default() }))
    };
    assert_eq!(answer.blocks, [thinking("hm", "b25l"), Block::text("ab"), thinking("", "dHdv")]);
    assert_eq!(answer.stop, Stop::MaxTokens);
}

#[test]
fn a_blocked_prompt_is_a_refusal() {
    let answer = folded(&[json!({"promptFeedback": {"blockReason": "SAFETY"}})]);
    assert_eq!((answer.stop, answer.blocks), (Stop::Refusal, Vec::new()));
    let body = br#"{"promptFeedback":{"blockReason":"SAFETY"}}"#;
    assert_eq!(decode_answer(body).unwrap().stop, Stop::Refusal);
    assert_eq!(decode_answer(b"{}").unwrap_err(), AnswerError::Empty);
}

#[test]
fn every_word_is_no_reason_to_end() {
    let early = stopped(&json!([{"text": "a"}]), "");
    assert_eq!(decoded(&[early]), Err(AnswerError::Empty));
    // A reason on every piece: the answer goes on all the same.
    let answer =
        folded(&[stopped(&json!([{"text": "a"}]), "STOP"), stopped(&json!([{"text": "b"}]), "STOP")]);
    assert_eq!(answer.blocks, [Block::text("ab")]);
}

fn encoded(events: Vec<Event>, asked: Asked) -> (Vec<Value>, String) {
    let (mut encoder, mut out) = (Encoder::new(asked), Vec::new());
    events.into_iter().for_each(|event| encoder.push(event, &mut out));
    let chunks = self::events(&out).iter().map(|event| json(&data(event).unwrap())).collect();
    (chunks, encoder.losses().to_string())
}

#[test]
fn calls_that_stream_side_by_side_go_out_whole_and_in_order() {
    let open = |index, id: &str| {
        let block = Opening::ToolCall { id: id.into(), name: "ns__f".into(), namespace: None, custom: false };
        Event::Open { index, block }
    };
    let text = |index, text: &str| Event::Delta { index, delta: Delta::Text(text.into()) };
    let signature = Signature { data: "c2ln".into(), maker: Some("openai".into()) };
    let mut asked = Asked { id: "req-1".into(), model: "alias".into(), ..Asked::default() };
    asked.tools.insert("ns__f".into(), ToolName { name: "f".into(), ..ToolName::default() });
    let (chunks, losses) = encoded(
        vec![
            Event::Start { id: String::new(), model: String::new(), created: None },
            open(0, "a"),
            open(1, "b"),
            text(0, "{\"x\":"),
            text(1, "{}"),
            text(0, "1}"),
            Event::Close { index: 1 },
            Event::Delta { index: 0, delta: Delta::Signature(signature.clone()) },
            Event::Close { index: 0 },
            Event::Stop { stop: Stop::ToolUse, sequence: None },
            Event::Usage(Usage { input: 3, output: 2, ..Usage::default() }),
            Event::End,
        ],
        asked,
    );
    let call = |id: &str, args: Value| json!({"functionCall": {"id": id, "name": "f", "args": args}});
    let parts = |at: usize| chunks[at]["candidates"][0]["content"]["parts"][0].clone();
    let mut first = parts(0);
    let wire = first.as_object_mut().unwrap().shift_remove("thoughtSignature").unwrap();
    // A call that nobody signed goes out under the value that is not validated.
    let mut second = call("b", json!({}));
    second["thoughtSignature"] = crate::generate::SKIP.into();
    assert_eq!((first, parts(1)), (call("a", json!({"x": 1})), second));
    // The client sends it back, and it is still its maker's.
    let request = json!({"contents": [{"role": "model", "parts": [
        {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": wire}]}]});
    let turn = decode(request.to_string().as_bytes()).unwrap();
    let Kind::ToolCall(back) = &turn.messages[0].blocks[0].kind else { panic!() };
    assert_eq!(back.signature, Some(signature));
    let last = json!({"candidates": [{"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
        "modelVersion": "alias", "responseId": "req-1"});
    assert_eq!((chunks.len(), &chunks[2], losses.as_str()), (3, &last, ""));
}

fn foreign() -> Answer {
    let citation = Citation {
        url: Some("https://a.example".into()),
        title: Some("A".into()),
        quote: None,
        span: None,
        rest: Rest::default(),
    };
    let signature = Some(Signature { data: "c2ln".into(), maker: Some("anthropic".into()) });
    Answer {
        id: "msg_1".into(),
        model: "claude".into(),
        blocks: vec![
            Block::new(Kind::Thinking(Thinking { text: "hm".into(), signature, ..Thinking::default() })),
            Block::new(Kind::Text { text: "yes".into(), citations: vec![citation] }),
        ],
        stop: Stop::Sequence,
        stop_sequence: Some("END".into()),
        usage: Some(Usage { input: 10, output: 5, reasoning: 2, ..Usage::default() }),
        ..Answer::default()
    }
}

#[test]
fn an_answer_of_another_dialect_is_complete() {
    let encoded = encode_answer(foreign(), &Asked::default());
    let body = json(&encoded.body);
    let parts = &body["candidates"][0]["content"]["parts"];
    assert_eq!((&parts[0], &parts[2]), (&json!({"text": "hm", "thought": true}), &json!({"text": "yes"})));
    let wire = parts[1]["thoughtSignature"].as_str().unwrap();
    assert!(wire.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)), "{wire}");
    assert_eq!(
        body["candidates"][0]["groundingMetadata"]["groundingChunks"][0]["web"]["uri"],
        "https://a.example"
    );
    assert_eq!(body["candidates"][0]["finishReason"], "STOP");
    assert_eq!(body["usageMetadata"]["thoughtsTokenCount"], 2);
    assert_eq!(body["responseId"], "msg_1");
    assert_eq!(encoded.losses.to_string(), "stop_sequence");
}

/// What a client sends back of chunks: each as a content of its own, as SDKs keep them.
fn sent_back(chunks: &[Value]) -> Vec<Block> {
    let contents: Vec<Value> = chunks.iter().map(|chunk| chunk["candidates"][0]["content"].clone()).collect();
    let body = json!({"contents": contents}).to_string();
    decode(body.as_bytes()).unwrap().messages.into_iter().flat_map(|message| message.blocks).collect()
}

#[test]
fn thoughts_of_another_maker_come_back_from_the_client() {
    let signature = |data: &str| Some(Signature { data: data.into(), maker: Some("anthropic".into()) });
    let delta = |delta| Event::Delta { index: 0, delta };
    let hidden = Thinking { signature: signature("b3BhcXVl"), redacted: true, ..Thinking::default() };
    let (chunks, _) = encoded(
        vec![
            Event::Open { index: 0, block: Opening::Thinking { id: None } },
            delta(Delta::Text("h".into())),
            delta(Delta::Text("m".into())),
            delta(Delta::Signature(signature("c2ln").unwrap())),
            Event::Close { index: 0 },
            Event::Open {
                index: 1,
                block: Opening::Whole(Box::new(Block::new(Kind::Thinking(hidden.clone())))),
            },
            Event::Close { index: 1 },
            Event::Open { index: 2, block: Opening::Text },
            Event::Delta { index: 2, delta: Delta::Text("yes".into()) },
            Event::Close { index: 2 },
            Event::Stop { stop: Stop::End, sequence: None },
            Event::End,
        ],
        Asked::default(),
    );
    let kinds: Vec<Kind> = sent_back(&chunks).into_iter().map(|block| block.kind).collect();
    let shown = Thinking { text: "hm".into(), signature: signature("c2ln"), ..Thinking::default() };
    let text = Block::text("yes").kind;
    assert_eq!(kinds, [Kind::Thinking(shown), Kind::Thinking(hidden), text]);
}

#[test]
fn what_was_found_comes_behind_calls_too() {
    let call = json!([{"functionCall": {"name": "f", "args": {}}}]);
    let mut last = stopped(&json!([{"text": ""}]), "STOP");
    last["candidates"][0]["groundingMetadata"] =
        json!({"groundingChunks": [{"web": {"uri": "https://a.example/", "title": "A"}}]});
    let answer = folded(&[chunk(&json!([{"text": "so"}])), chunk(&call), last]);
    let Some(Kind::Text { text, citations }) = answer.blocks.last().map(|block| &block.kind) else {
        panic!("{answer:?}");
    };
    assert_eq!((text.as_str(), citations.len()), ("", 1));
}

#[test]
fn free_text_is_wrapped_in_a_stream_as_in_a_whole_answer() {
    let call = canon::ToolCall {
        id: "c".into(),
        name: "patch".into(),
        namespace: None,
        arguments: "{\"free\": 1}".into(),
        custom: true,
        signature: None,
    };
    let answer = Answer { blocks: vec![Block::new(Kind::ToolCall(call))], ..Answer::default() };
    let (mut encoder, mut out) = (Encoder::new(Asked::default()), Vec::new());
    answer.into_events().into_iter().for_each(|event| encoder.push(event, &mut out));
    assert!(String::from_utf8(out).unwrap().contains(r#""args":{"input":"{\"free\": 1}"}"#));
    assert!(encoder.losses().is_empty());
}

#[test]
fn reasons_and_sources_that_are_lost_are_declared() {
    let citation = Citation { url: None, title: None, quote: None, span: None, rest: Rest::default() };
    let text = Block::new(Kind::Text { text: "so".into(), citations: vec![citation] });
    let answer = Answer { blocks: vec![text], stop: Stop::Pause, ..Answer::default() };
    assert_eq!(encode_answer(answer, &Asked::default()).losses.to_string(), "citations, ~finish_reason");
}
