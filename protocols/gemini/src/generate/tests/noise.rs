//! No input breaks a decoder.

use canon::{Dialect, Event};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::target;
use crate::generate::{
    Decoder, Encoder, decode, decode_answer, encode, encode_answer, without_foreign_thoughts,
};

const NAMES: [&str; 34] = [
    "contents",
    "parts",
    "role",
    "text",
    "thought",
    "thoughtSignature",
    "functionCall",
    "functionResponse",
    "name",
    "args",
    "id",
    "response",
    "output",
    "error",
    "inlineData",
    "mimeType",
    "data",
    "fileData",
    "fileUri",
    "tools",
    "functionDeclarations",
    "parameters",
    "toolConfig",
    "functionCallingConfig",
    "mode",
    "generationConfig",
    "thinkingConfig",
    "thinkingBudget",
    "candidates",
    "content",
    "finishReason",
    "usageMetadata",
    "groundingMetadata",
    "system_instruction",
];

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z/_=.]{0,12}".prop_map(Value::from),
        proptest::sample::select(vec!["user", "model", "STOP", "AUTO", "image/png"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(7, 60, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(NAMES.to_vec()), inner), 0..6).prop_map(
                |fields| {
                    Value::Object(
                        fields
                            .into_iter()
                            .map(|(name, value)| (name.to_owned(), value))
                            .collect::<Map<_, _>>(),
                    )
                }
            ),
        ]
    })
}

/// Anything where parts are expected.
fn request() -> impl Strategy<Value = Value> {
    (proptest::collection::vec(anything(), 0..5), anything(), anything()).prop_map(|(parts, tools, config)| {
        json!({"contents": [{"role": "model", "parts": parts}], "tools": [tools], "generationConfig": config})
    })
}

proptest! {
    #[test]
    fn bytes(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = (decode(&body), decode_answer(&body), without_foreign_thoughts(&body, |_| true));
        let _ = Decoder::default().push(&body, &mut Vec::new());
    }

    #[test]
    fn requests(body in prop_oneof![anything(), request()]) {
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        if let Ok(turn) = decode(&bytes) {
            for source in Dialect::ALL {
                let encoded = encode(&turn, &target(source, "gemini-3-pro"));
                prop_assert!(decode(&encoded.body).is_ok());
            }
            // What was read once is read the same again.
            let again = encode(&turn, &target(Dialect::Gemini, "gemini-3-pro"));
            let twice = decode(&again.body).map(|turn| encode(&turn, &target(Dialect::Gemini, "gemini-3-pro")).body);
            prop_assert_eq!(twice, Ok(again.body));
        }
    }

    #[test]
    fn answers(parts in proptest::collection::vec(anything(), 0..5), rest in anything()) {
        let body = json!({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP", "groundingMetadata": rest}]});
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        if let Ok(answer) = decode_answer(&bytes) {
            let encoded = encode_answer(answer, &canon::Asked::default());
            prop_assert_eq!(serde_json::from_slice::<Value>(&encoded.body).ok(), Some(body));
        }
        let event = [b"data: ", bytes.as_slice(), b"\n\n"].concat();
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        if decoder.push(&event, &mut events).is_ok() && decoder.finish(&mut events).is_ok() {
            super::identity::in_order(&events);
            let (mut encoder, mut out) = (Encoder::new(canon::Asked::default()), Vec::new());
            events.into_iter().for_each(|event: Event| encoder.push(event, &mut out));
            prop_assert!(!out.is_empty());
        }
    }
}
