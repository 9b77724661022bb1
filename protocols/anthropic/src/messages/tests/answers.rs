//! Answers for clients of this dialect, from providers of others, and streams that are not as documented.

use canon::{
    Answer, AnswerError, Asked, Block, Citation, Delta, Event, Kind, Media, Opening, Rest, Signature, Source,
    Stop, Thinking, ToolName, Usage,
};
use serde_json::{Value, json};

use super::{call, decoded, events_of, fixtures, folded, streamed};
use crate::messages::{Decoder, decode_answer, encode_answer};

fn asked() -> Asked {
    let name = ToolName { name: "peek".into(), namespace: None, custom: false };
    Asked {
        id: "r1".into(),
        model: "mine".into(),
        tools: [("look".to_owned(), name)].into(),
        ..Asked::default()
    }
}

fn whole(answer: Answer) -> (Value, String) {
    let encoded = encode_answer(answer, &asked());
    (super::json(&encoded.body), encoded.losses.to_string())
}

fn mixed() -> Answer {
    let signature = |maker: &str| Some(Signature { data: "AbC".into(), maker: Some(maker.into()) });
    let thinking = Thinking { text: "hm".into(), signature: signature("google"), ..Thinking::default() };
    Answer {
        id: "resp_1".into(),
        blocks: vec![
            Block::new(Kind::Thinking(thinking)),
            Block::text(""),
            call("call:1", "{\"a\":1}", signature("google")),
            call("", "", None),
        ],
        usage: Some(Usage { input: 50, output: 9, cached_input: 30, reasoning: 4, ..Usage::default() }),
        ..Answer::default()
    }
}

#[test]
fn an_answer_of_another_dialect_is_a_message() {
    let (body, losses) = whole(mixed());
    assert_eq!((body["id"].clone(), body["model"].clone()), (json!("msg_r1"), json!("mine")));
    assert_eq!(body["stop_reason"], "tool_use");
    let usage = json!({"input_tokens": 20, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 30,
        "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}});
    assert_eq!(body["usage"], usage);
    let content = body["content"].as_array().unwrap();
    assert_eq!(content[0]["signature"], "trivium.google.AbC");
    assert_eq!(content[1], json!({"type": "redacted_thinking", "data": "trivium.google.call.AbC"}));
    assert_eq!((content[2]["name"].clone(), content[2]["input"].clone()), (json!("peek"), json!({"a": 1})));
    assert_eq!((content[3]["name"].clone(), content[3]["input"].clone()), (json!("peek"), json!({})));
    let ids: Vec<&str> = content.iter().filter_map(|block| block["id"].as_str()).collect();
    assert!(ids[0] != ids[1] && ids.iter().all(|id| !id.is_empty() && !id.contains(':')), "{ids:?}");
    assert_eq!(losses, "");
}

#[test]
fn a_stream_says_the_same_as_the_whole() {
    let (stream, losses) = streamed(mixed().into_events(), asked());
    let mut streamed = folded(decoded(stream.as_bytes()));
    let mut expected = decode_answer(&encode_answer(mixed(), &asked()).body).unwrap();
    expected.rest = Rest::default();
    // In a stream no arguments are no piece.
    for block in &mut expected.blocks {
        if let Kind::ToolCall(call) = &mut block.kind {
            call.arguments = call.arguments.replace("{}", "");
        }
    }
    streamed.rest = Rest::default();
    assert_eq!(streamed, expected);
    assert_eq!(losses, "");
}

#[test]
fn every_event_has_its_name_and_blocks_stand_in_a_row() {
    let open = |index, id: &str| Event::Open {
        index,
        block: Opening::ToolCall { id: id.into(), name: "look".into(), namespace: None, custom: false },
    };
    let more = |index, text: &str| Event::Delta { index, delta: Delta::Text(text.into()) };
    let events = vec![
        Event::Start { id: "msg_x".into(), model: "m".into(), created: None },
        open(0, "a"),
        open(1, "b"),
        more(1, "{\"b\""),
        more(0, "{\"a\""),
        more(1, ":1}"),
        more(0, ":1}"),
        Event::Usage(Usage { input: 3, output: 4, ..Usage::default() }),
        Event::Stop { stop: Stop::End, sequence: None },
        Event::End,
    ];
    let (stream, _) = streamed(events, asked());
    let mut names = Vec::new();
    for event in events_of(stream.as_bytes()) {
        let text = String::from_utf8(event).unwrap();
        let (first, second) = text.trim_end().split_once('\n').unwrap();
        let data: Value = serde_json::from_str(second.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(first.strip_prefix("event: ").unwrap(), data["type"]);
        let index = data["index"].as_u64().map_or(String::new(), |index| index.to_string());
        names.push(format!("{}{index}", data["type"].as_str().unwrap()));
    }
    let block = |at: u32| {
        [
            format!("content_block_start{at}"),
            format!("content_block_delta{at}"),
            format!("content_block_delta{at}"),
            format!("content_block_stop{at}"),
        ]
    };
    let mut expected = vec!["message_start".to_owned()];
    expected.extend(block(0).into_iter().chain(block(1)));
    expected.extend(["message_delta".to_owned(), "message_stop".to_owned()]);
    assert_eq!(names, expected);
    assert!(stream.contains(r#""stop_reason":"tool_use""#) && stream.contains(r#""input_tokens":3"#));
}

#[test]
fn what_a_client_cannot_get_is_declared() {
    let media = || Media { mime: None, source: Source::Base64("AA".into()), name: None, detail: None };
    let cited = |url: Option<&str>| {
        let url = url.map(str::to_owned);
        let citation = Citation { url, title: None, quote: None, span: None, rest: Rest::default() };
        Block::new(Kind::Text { text: "a".into(), citations: vec![citation] })
    };
    let answer = Answer {
        blocks: vec![
            Block::new(Kind::Image(media())),
            Block::new(Kind::Audio(media())),
            cited(Some("https://example.org")),
            cited(None),
            Block::new(Kind::Refusal("no".into())),
            call("a", "oops", None),
        ],
        logprobs: vec![json!({})],
        ..Answer::default()
    };
    let (body, losses) = whole(answer.clone());
    assert_eq!(losses, "logprobs, image, audio, ~citations, citations, ~refusal, ~arguments");
    assert_eq!(body["content"][0]["citations"][0]["encrypted_index"], "trivium.none.");
    assert_eq!(body["content"][3]["input"], json!({"_raw": "oops"}));
    let (_, streamed_losses) = streamed(answer.into_events(), asked());
    assert_eq!(streamed_losses, "image, audio, ~citations, logprobs, citations, ~refusal");
}

#[test]
fn reasons_agree_with_what_was_said() {
    let of = |stop: Stop, blocks: Vec<Block>| {
        whole(Answer { stop, blocks, ..Answer::default() }).0["stop_reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(of(Stop::ToolUse, vec![Block::text("a")]), "end_turn");
    assert_eq!(of(Stop::End, vec![call("a", "{}", None)]), "tool_use");
    assert_eq!(of(Stop::End, vec![Block::new(Kind::Refusal("no".into()))]), "refusal");
    assert_eq!(of(Stop::MaxTokens, vec![call("a", "{}", None)]), "max_tokens");
    assert_eq!(of(Stop::Other("queued".into()), vec![]), "end_turn");
}

#[test]
fn a_call_without_pieces_has_the_input_of_its_beginning() {
    let (_, stream) = fixtures("streams").into_iter().find(|(name, _)| name == "other_provider.sse").unwrap();
    let answer = folded(decoded(&stream));
    assert!(
        matches!(&answer.blocks[0].kind, Kind::ToolCall(call) if call.arguments == "{\"town\":\"Riga\"}")
    );
    assert_eq!(answer.usage, Some(Usage { input: 100, output: 11, ..Usage::default() }));
}

#[test]
fn a_cut_stream_is_no_answer_and_an_error_is_told() {
    for (name, stream) in fixtures("streams") {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        let events = events_of(&stream);
        let finished =
            events.iter().position(|event| String::from_utf8_lossy(event).contains("stop_reason\": \""));
        for event in events.iter().take(finished.unwrap()) {
            decoder.push(event, &mut out).unwrap();
        }
        assert_eq!(decoder.finish(&mut out), Err(AnswerError::Empty), "{name}");
        assert!(!out.contains(&Event::End), "{name}");
        decoder.push(&events[finished.unwrap()], &mut out).unwrap();
        assert_eq!(decoder.finish(&mut out), Ok(()), "{name}");
        assert_eq!(out.last(), Some(&Event::End), "{name}");
    }
    let (_, stream) = fixtures("errors").into_iter().find(|(name, _)| name == "mid_stream.sse").unwrap();
    let (mut decoder, mut out) = (Decoder::default(), Vec::new());
    let last = events_of(&stream).iter().map(|event| decoder.push(event, &mut out)).next_back().unwrap();
    assert_eq!(last, Err(AnswerError::Reported("Overloaded".into())));
}

#[test]
fn what_is_no_answer_is_said() {
    for (name, body) in fixtures("errors").into_iter().filter(|(name, _)| name.ends_with(".json")) {
        assert!(matches!(decode_answer(&body), Err(AnswerError::Reported(_))), "{name}");
    }
    assert_eq!(decode_answer(b" "), Err(AnswerError::Empty));
    assert_eq!(decode_answer(b"<html>"), Err(AnswerError::Garbage));
    assert_eq!(decode_answer(b"[]"), Err(AnswerError::Garbage));
    assert_eq!(decode_answer(br#"{"type":"message","content":[]}"#), Err(AnswerError::Empty));
}
