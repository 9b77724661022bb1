//! What must hold for every input.

use canon::{Asked, Dialect, Event, Quirks, Target};
use dialects::{Decoder, decode, decode_answer, encode, encode_answer};

use super::streams::{encoded, folded, split};

/// What every output may have, whatever the input: objects that Responses always wants, the grammar of custom tools.
const BASE: usize = 64 * 1024;

/// A stream says much about each delta, however small it is, and Responses says each text five times.
const STREAM_FACTOR: usize = 64;

pub(crate) fn is_bounded(what: &str, input: &[u8], output: usize, factor: usize) {
    assert!(output <= BASE + factor * input.len(), "{what}: {output} bytes out of {}", input.len());
}

/// Targets of every kind, chosen by a number.
fn target(source: Dialect, number: usize) -> Target<'static> {
    let bit = |at: usize| number >> at & 1 == 1;
    let quirks = Quirks {
        no_stream_options: bit(0),
        legacy_max_tokens: bit(1),
        developer_to_system: bit(2),
        system_to_user: bit(3),
        tool_id_nine: bit(4),
        strip_reasoning: bit(5),
        echo_reasoning: bit(6),
        no_web_search: bit(0),
    };
    let models = ["claude-opus-4-5", "gemini-2.5-pro", "claude-3-7-sonnet", "gemini-3.5-flash"];
    let max_output = bit(2).then_some(number as u64);
    Target { model: models[number % models.len()], source, maker: "a:b", quirks, max_output }
}

pub(crate) fn request(dialect: Dialect, body: &[u8], number: usize) {
    let Ok(turn) = decode(dialect, body) else { return };
    for to in Dialect::ALL {
        for number in [0, number] {
            let encoded = encode(to, &turn, &target(dialect, number));
            is_bounded("request", body, encoded.body.len(), 8);
            let value: serde_json::Value = serde_json::from_slice(&encoded.body).unwrap();
            assert!(value.is_object());
            decode(to, &encoded.body)
                .unwrap_or_else(|error| unreachable!("{dialect} to {to}: {error}\n{value}"));
        }
    }
}

fn asked() -> Asked {
    Asked { id: "req_1".into(), include_usage: true, ..Asked::default() }
}

pub(crate) fn answer(dialect: Dialect, body: &[u8]) {
    let Ok(answer) = decode_answer(dialect, body) else { return };
    for client in Dialect::ALL {
        let encoded = encode_answer(client, answer.clone(), &asked());
        is_bounded("answer", body, encoded.body.len(), 8);
        decode_answer(client, &encoded.body)
            .unwrap_or_else(|error| unreachable!("{dialect} to {client}: {error:?}"));
        let (stream, _) = super::streams::encoded(client, answer.clone().into_events(), asked());
        is_bounded("streamed answer", body, stream.len(), STREAM_FACTOR);
    }
}

pub(crate) fn stream(dialect: Dialect, stream: &[u8]) {
    let (mut decoder, mut events) = (Decoder::new(dialect), Vec::new());
    let mut failed = false;
    for event in split(stream) {
        failed |= decoder.push(&event, &mut events).is_err();
    }
    let whole = decoder.finish(&mut events).is_ok();
    in_order(&events, whole && !failed);
    for client in Dialect::ALL {
        let (bytes, _) = encoded(client, events.clone(), asked());
        is_bounded("stream", stream, bytes.len(), STREAM_FACTOR);
        let (mut decoder, mut again) = (Decoder::new(client), Vec::new());
        for event in split(&bytes) {
            decoder.push(&event, &mut again).unwrap_or_else(|error| {
                unreachable!("{dialect} to {client}: {error:?}\n{}", String::from_utf8_lossy(&event))
            });
        }
        if whole && !failed {
            assert!(decoder.finish(&mut again).is_ok(), "{dialect} to {client} ends without an end");
        }
        in_order(&again, whole && !failed);
    }
    let _ = folded(events);
}

/// Events keep the order that they promise.
fn in_order(events: &[Event], whole: bool) {
    let mut open = Vec::new();
    let (mut stops, mut ends) = (0, 0);
    for (at, event) in events.iter().enumerate() {
        assert_eq!(matches!(event, Event::Start { .. }), at == 0, "{events:?}");
        match event {
            Event::Open { index, .. } => {
                assert_eq!((*index as usize, stops), (open.len(), 0), "{events:?}");
                open.push(true);
            }
            Event::Delta { index, .. } => assert!(open[*index as usize], "{events:?}"),
            Event::Close { index } => {
                assert!(std::mem::replace(&mut open[*index as usize], false), "{events:?}");
            }
            Event::Stop { .. } => {
                stops += 1;
                assert!(open.iter().all(|open| !open), "{events:?}");
            }
            Event::End => ends += 1,
            Event::Start { .. } | Event::Usage(_) => {}
        }
    }
    assert!(stops <= 1 && ends <= stops, "{events:?}");
    if whole {
        assert_eq!((stops, ends), (1, 1), "{events:?}");
        assert!(matches!(events.last(), Some(Event::End)), "{events:?}");
    }
}

/// The readers of what passes through look at any bytes.
pub(crate) fn readers(body: &[u8]) {
    let _ = openai::chat::scan(body);
    let _ = openai::responses::scan(body);
    let _ = anthropic::messages::scan(body);
    let _ = gemini::generate::scan(body, "m".into(), true);
    let _ = openai::chat::read_unary(body);
    let _ = openai::responses::read_unary(body);
    let _ = anthropic::messages::read_unary(body);
    let _ = gemini::generate::read_unary(body);
    let _ = openai::fault::is_error_body(body);
    let _ = anthropic::fault::is_error_body(body);
    let _ = gemini::fault::is_error_body(body);
    for event in split(body) {
        let _ = openai::chat::read_event(&event);
        let _ = openai::responses::read_event(&event);
        let _ = anthropic::messages::read_event(&event);
        let _ = gemini::generate::read_event(&event);
    }
}
