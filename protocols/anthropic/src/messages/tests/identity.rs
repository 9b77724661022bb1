//! What was read is written back.

use canon::{Asked, Dialect};
use proptest::prelude::*;

use super::{decoded, fixtures, folded, json, streamed, target};
use crate::messages::{decode, decode_answer, encode, encode_answer, read_event, read_unary};

#[test]
fn requests() {
    for (name, body) in fixtures("requests") {
        let turn = decode(&body).unwrap();
        let encoded = encode(&turn, &target(&turn.model, Dialect::Messages));
        pretty(&name, &json(&encoded.body), &json(&body));
        assert!(encoded.losses.is_empty(), "{name}: {}", encoded.losses);
    }
}

/// What no fixture may hold, since the vendor refuses it today: spellings and things to come.
#[test]
fn oddities() {
    let body = serde_json::json!({
        "model": "m", "max_tokens": 1, "system": "", "temperature": null, "stop_sequences": null, "tools": null,
        "tool_choice": {"type": "auto", "why": "x"}, "thinking": {"type": "psychic", "depth": 3}, "stream": null,
        "output_config": {"effort": "HIGH", "format": {"type": "poem"}}, "metadata": {"mood": "calm"},
        "future": {"a": [1, 2.5, null]},
        "messages": [
            {"role": "user", "mood": "calm", "content": [
                {"type": "text", "text": "Hi", "novel": 1}, {"type": "hologram", "data": [1]},
                {"type": "image", "source": {"type": "cube"}}, {"type": "text", "text": ""}
            ]},
            {"role": "assistant", "content": ""},
            {"role": "assistant", "content": []},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "no signature"}, {"type": "thinking", "thinking": "", "signature": ""},
                {"type": "tool_use", "id": "a|b", "name": "a b", "input": [1]}
            ]}
        ]
    });
    let turn = decode(body.to_string().as_bytes()).unwrap();
    let encoded = encode(&turn, &target("m", Dialect::Messages));
    pretty("oddities", &json(&encoded.body), &body);
    assert!(encoded.losses.is_empty(), "{}", encoded.losses);
}

#[test]
fn answers() {
    for (name, body) in fixtures("answers") {
        let encoded = encode_answer(decode_answer(&body).unwrap(), &Asked::default());
        pretty(&name, &json(&encoded.body), &json(&body));
        assert!(encoded.losses.is_empty(), "{name}: {}", encoded.losses);
        assert!(read_unary(&body).is_ok(), "{name}");
    }
}

#[test]
fn streams() {
    for (name, stream) in fixtures("streams") {
        let first = folded(decoded(&stream));
        let (written, losses) = streamed(decoded(&stream), Asked::default());
        let mut second = folded(decoded(written.as_bytes()));
        second.id.clone_from(&first.id);
        assert_eq!(second, first, "{name}");
        assert_eq!(losses, "", "{name}");
        for event in super::events_of(&stream) {
            assert!(!matches!(read_event(&event), canon::Piece::Garbage | canon::Piece::Error(_)), "{name}");
        }
    }
}

fn pretty(name: &str, found: &serde_json::Value, expected: &serde_json::Value) {
    assert!(found == expected, "{name}:\n{found:#}\ninstead of\n{expected:#}");
}

proptest! {
    /// The pieces in which an answer comes do not change it.
    #[test]
    fn pieces_do_not_matter(size in 1_usize..9) {
        for (name, body) in fixtures("answers") {
            let whole = decode_answer(&body).unwrap();
            let expected = folded(whole.clone().into_events());
            let pieces = whole.into_events().into_iter().flat_map(|event| cut(event, size));
            let (written, _) = streamed(pieces, Asked::default());
            prop_assert_eq!(folded(decoded(written.as_bytes())), without_rests(expected), "{}", name);
        }
    }
}

/// A stream carries no rests of blocks.
fn without_rests(mut answer: canon::Answer) -> canon::Answer {
    answer.rest = canon::Rest::default();
    answer
}

fn cut(event: canon::Event, size: usize) -> Vec<canon::Event> {
    use canon::{Delta, Event};
    match event {
        Event::Delta { index, delta: Delta::Text(text) } => {
            let letters: Vec<char> = text.chars().collect();
            let piece = |part: &[char]| Event::Delta { index, delta: Delta::Text(part.iter().collect()) };
            letters.chunks(size).map(piece).collect()
        }
        other => vec![other],
    }
}
