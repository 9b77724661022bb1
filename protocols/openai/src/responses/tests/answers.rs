//! Unary answers: identity in the dialect, and what the canonical answer says of them.

use canon::{
    Answer, AnswerError, Asked, Block, Citation, Kind, Rest, Signature, Stop, Thinking, ToolCall, Usage,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{fixture, fixtures, json};
use crate::responses::{decode, decode_answer, encode_answer};

#[test]
fn every_answer_comes_back_as_it_was() {
    for (name, body) in fixtures("answers") {
        let answer = decode_answer(&body).unwrap_or_else(|error| unreachable!("{name}: {error:?}"));
        let encoded = encode_answer(answer, &Asked::default());
        assert_eq!(json(&encoded.body), json(&body), "{name}");
        assert!(encoded.losses.is_empty(), "{name}: {}", encoded.losses);
    }
}

#[test]
fn answers_say_why_they_ended() {
    let stop = |name: &str| decode_answer(&fixture("answers", name)).unwrap().stop;
    assert_eq!(stop("text.json"), Stop::End);
    assert_eq!(stop("tools.json"), Stop::ToolUse);
    assert_eq!(stop("refusal.json"), Stop::Refusal);
    assert_eq!(stop("incomplete.json"), Stop::MaxTokens);
    assert_eq!(stop("content_filter.json"), Stop::Refusal);
    assert_eq!(stop("background_queued.json"), Stop::Other("queued".into()));
}

#[test]
fn only_what_nobody_knows_is_lost_elsewhere() {
    let answer = decode_answer(&fixture("answers", "unknown_fields.json")).unwrap();
    let mut losses = canon::Losses::default();
    answer.rest.lost(&mut losses);
    assert_eq!(losses.to_string(), "future");
}

#[test]
fn failures_are_reported() {
    let failed = decode_answer(&fixture("errors", "failed_response.json"));
    assert_eq!(failed, Err(AnswerError::Reported("The model stopped working.".into())));
    assert_eq!(decode_answer(b" "), Err(AnswerError::Empty));
    assert_eq!(decode_answer(b"{}"), Err(AnswerError::Garbage));
    assert_eq!(decode_answer(b"<html>"), Err(AnswerError::Garbage));
}

fn asked() -> Asked {
    let turn = decode(&fixture("requests", "codex.json")).unwrap();
    Asked { id: "req-1".into(), now: 1_700_000_000, ..Asked::of(&turn) }
}

fn call(name: &str, arguments: &str) -> Block {
    Block::new(Kind::ToolCall(ToolCall {
        id: "toolu_1".into(),
        name: name.into(),
        namespace: None,
        arguments: arguments.into(),
        custom: false,
        signature: None,
    }))
}

/// A foreign answer as the client gets it.
fn written(answer: Answer) -> Value {
    json(&encode_answer(answer, &asked()).body)
}

#[test]
fn a_foreign_answer_is_a_whole_response() {
    let signature = Some(Signature { data: "sig".into(), maker: Some("anthropic".into()) });
    let thinking = Thinking { text: "hm".into(), signature, ..Thinking::default() };
    let mut cited = Block::text("The harbour reopened.");
    if let Kind::Text { citations, .. } = &mut cited.kind {
        let (url, title) = (Some("https://news.example".into()), None);
        citations.push(Citation { url, title, quote: None, span: None, rest: Rest::default() });
    }
    let response = written(Answer {
        id: "msg_01".into(),
        model: "claude".into(),
        blocks: vec![
            Block::new(Kind::Thinking(thinking)),
            cited,
            Block::text(" More."),
            call("shell__exec", "{\"cmd\":\"ls\"}"),
            call("shell__apply_patch", "{\"input\":\"*** Begin\"}"),
        ],
        stop: Stop::ToolUse,
        usage: Some(Usage { input: 3, output: 4, ..Usage::default() }),
        ..Answer::default()
    });
    assert!(response["id"].as_str().unwrap().starts_with("resp_"));
    assert_eq!(response["status"], "completed");
    assert_eq!(response["created_at"], 1_700_000_000);
    assert_eq!(response["usage"]["total_tokens"], 7);
    assert_eq!(response["reasoning"]["effort"], "medium", "of the request");
    let output = response["output"].as_array().unwrap();
    let kinds: Vec<&str> = output.iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["reasoning", "message", "function_call", "custom_tool_call"]);
    assert_eq!(output[0]["encrypted_content"], "trivium.anthropic.sig");
    assert_eq!(output[1]["content"].as_array().unwrap().len(), 2, "texts in a row are one message");
    assert_eq!(output[1]["content"][0]["annotations"][0]["type"], "url_citation");
    assert_eq!((&output[2]["name"], &output[2]["namespace"]), (&json!("exec"), &json!("shell")));
    assert_eq!((&output[3]["name"], &output[3]["input"]), (&json!("apply_patch"), &json!("*** Begin")));
}

#[test]
fn a_cut_answer_is_incomplete() {
    let blocks = vec![Block::text("So")];
    let cut = written(Answer { blocks: blocks.clone(), stop: Stop::MaxTokens, ..Answer::default() });
    assert_eq!(cut["incomplete_details"], json!({"reason": "max_output_tokens"}));
    assert_eq!(cut["output"][0]["status"], "incomplete");
    let filtered = written(Answer { blocks, stop: Stop::Refusal, ..Answer::default() });
    assert_eq!(filtered["incomplete_details"], json!({"reason": "content_filter"}));
    let refusal = vec![Block::new(Kind::Refusal("No.".into()))];
    let refused = written(Answer { blocks: refusal, stop: Stop::Refusal, ..Answer::default() });
    assert_eq!(refused["status"], "completed");
}

proptest! {
    #[test]
    fn any_bytes_can_be_decoded(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_answer(&bytes);
    }
}
