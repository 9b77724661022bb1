//! Random valid bodies come back the same.

use canon::{Asked, Block, Target};
use proptest::prelude::*;
use serde_json::{Value, json as object};

use super::{decode, decode_answer, decoded, encode, encode_answer, folded, json, target};

fn text() -> impl Strategy<Value = String> {
    "[ a-c<>\n]{0,6}"
}

fn part() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => text().prop_map(|text| object!({"type": "text", "text": text})),
        1 => text().prop_map(|text| object!({"type": "text", "text": text, "cache_control": {"type": "ephemeral"}})),
        1 => "[a-z]{1,4}".prop_map(|path| object!({"type": "image_url", "image_url": {"url": path, "detail": null}})),
        1 => "[A-Z]{4}".prop_map(|data| object!({"type": "image_url",
            "image_url": {"url": format!("data:image/webp;base64,{data}"), "detail": "low"}})),
        1 => "[A-Z]{4}".prop_map(|data| object!({"type": "input_audio", "input_audio": {"data": data, "format": "wave"}})),
        1 => "[A-Z]{4}".prop_map(|data| object!({"type": "file", "file": {"file_data": data, "filename": "a"}})),
        1 => "[a-z]{1,3}".prop_map(|kind| object!({"type": format!("x_{kind}"), "x": [null]})),
    ]
}

fn content() -> impl Strategy<Value = Value> {
    prop_oneof![text().prop_map(Value::from), prop::collection::vec(part(), 0..5).prop_map(Value::from),]
}

fn call() -> impl Strategy<Value = Value> {
    let extra = prop::option::of(Just(object!({"google": {"thought_signature": "s", "x": 1}})));
    ("[a-z]{1,3}", any::<bool>(), text(), extra).prop_map(|(id, custom, text, extra)| {
        let mut call = if custom {
            object!({"id": id, "type": "custom", "custom": {"name": "n", "input": text}})
        } else {
            object!({"id": id, "type": "function", "function": {"name": "n", "arguments": text}})
        };
        if let Some(extra) = extra {
            call["extra_content"] = extra;
        }
        call
    })
}

fn detail() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(
            |text| object!({"type": "reasoning.text", "text": text, "signature": null, "index": 0})
        ),
        text().prop_map(|text| object!({"type": "reasoning.text", "signature": text})),
        text().prop_map(
            |text| object!({"type": "reasoning.summary", "summary": text, "id": "i", "format": "f"})
        ),
        text().prop_map(|data| object!({"type": "reasoning.encrypted", "data": data})),
        Just(object!({"type": "reasoning.other", "x": 1})),
    ]
}

/// An assistant's message, without its role.
fn said() -> impl Strategy<Value = Value> {
    let optional = (
        prop::option::of(prop_oneof![Just(Value::Null), content()]),
        prop::option::of(prop::collection::vec(call(), 1..4)),
        prop::option::of(text()),
        prop::option::of(text()),
        prop::option::of(prop::collection::vec(detail(), 0..4)),
        prop::option::of(text()),
        prop::option::of(Just(object!([{"type": "url_citation", "url_citation": {"url": "u", "x": 1}}]))),
    );
    optional.prop_map(|(content, calls, plain, other, details, refusal, annotations)| {
        let fields = [
            ("content", content),
            ("tool_calls", calls.map(Value::from)),
            ("reasoning_content", plain.map(Value::from)),
            ("reasoning", other.map(Value::from)),
            ("reasoning_details", details.map(Value::from)),
            ("refusal", refusal.map(Value::from)),
            ("annotations", annotations),
        ];
        Value::Object(
            fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
        )
    })
}

fn message() -> impl Strategy<Value = Value> {
    let role = prop::sample::select(vec!["system", "developer", "user"]);
    prop_oneof![
        (role, content()).prop_map(|(role, content)| object!({"role": role, "content": content})),
        content().prop_map(|content| object!({"role": "tool", "tool_call_id": "a", "content": content})),
        said().prop_map(assistant),
    ]
}

fn assistant(mut message: Value) -> Value {
    message["role"] = "assistant".into();
    message
}

proptest! {
    #[test]
    fn requests_come_back_the_same(messages in prop::collection::vec(message(), 0..5)) {
        let body = object!({"model": "m", "messages": messages});
        let turn = decode(body.to_string().as_bytes()).unwrap();
        let encoded = encode(&turn, &Target { model: "m", ..target(canon::Dialect::Chat) });
        prop_assert_eq!(json(&encoded.body), body);
        prop_assert!(encoded.losses.is_empty(), "{}", encoded.losses);
    }

    #[test]
    fn answers_come_back_the_same(message in said(), reason in "stop|length|tool_calls|odd") {
        let choice = object!({"index": 0, "message": assistant(message), "finish_reason": reason});
        let body = object!({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]});
        let answer = decode_answer(body.to_string().as_bytes()).unwrap();
        prop_assert_eq!(json(&encode_answer(answer, &Asked::default()).body), body);
    }

    #[test]
    fn a_text_means_the_same_in_one_piece_and_streamed(text in "[ \n]{0,2}(<think>)?[ab<\n]{0,4}(</think>)?[ \n]{0,2}[ab]{0,3}") {
        let choice = |field: &str| object!({"index": 0, field: {"content": text}, "finish_reason": "stop"});
        let body = object!({"choices": [choice("message")]}).to_string();
        let stream = format!("data: {}\n\ndata: [DONE]\n\n", object!({"choices": [choice("delta")]}));
        let bare = |block: Block| Block::new(block.kind);
        let unary: Vec<Block> = decode_answer(body.as_bytes()).unwrap().blocks.into_iter().map(bare).collect();
        let streamed = folded(&decoded(stream.as_bytes()).unwrap()).blocks;
        prop_assert_eq!(unary, streamed);
    }
}
