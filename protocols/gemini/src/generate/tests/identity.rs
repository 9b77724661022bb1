//! What is read and written again in this dialect is the same.

use canon::{Answer, Asked, Dialect, Event, Fold, Losses};

use super::{events, fixtures, json, target};
use crate::generate::{
    Decoder, Encoder, data, decode, decode_answer, encode, encode_answer, read_event, read_unary, scan,
};

#[test]
fn requests_are_the_same_again() {
    for (name, body) in fixtures("requests") {
        let facts = scan(&body, "gemini-2.5-pro".into(), false);
        assert!(facts.is_ok(), "{name}: {facts:?}");
        let turn = decode(&body).unwrap_or_else(|error| panic!("{name}: {error}"));
        let encoded = encode(&turn, &target(Dialect::Gemini, "gemini-2.5-pro"));
        let (mut read, written) = (json(&body), json(&encoded.body));
        if let Some(object) = read.as_object_mut() {
            object.retain(|_, value| !value.is_null());
        }
        let mut written_without_nulls = written.clone();
        written_without_nulls.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_eq!(written_without_nulls, read, "{name}");
        assert_eq!(encoded.losses, Losses::default(), "{name}");
    }
}

#[test]
fn answers_are_the_same_again() {
    for (name, body) in fixtures("answers") {
        assert!(read_unary(&body).is_ok(), "{name}");
        let answer = decode_answer(&body).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let encoded = encode_answer(answer, &Asked::default());
        assert_eq!(json(&encoded.body), json(&body), "{name}");
        assert_eq!(encoded.losses, Losses::default(), "{name}");
    }
}

fn read(stream: &[u8]) -> (Vec<Event>, Answer) {
    let (mut decoder, mut out) = (Decoder::default(), Vec::new());
    for event in events(stream) {
        decoder.push(&event, &mut out).unwrap();
    }
    decoder.finish(&mut out).unwrap();
    let mut fold = Fold::default();
    out.iter().cloned().for_each(|event| fold.push(event));
    (out, fold.finish())
}

#[test]
fn streams_give_the_same_answer_again() {
    for (name, stream) in fixtures("streams") {
        let (passed, answer) = read(&stream);
        in_order(&passed);
        let mut encoder = Encoder::new(Asked::default());
        let mut again = Vec::new();
        passed.into_iter().for_each(|event| encoder.push(event, &mut again));
        for event in events(&again) {
            assert!(matches!(read_event(&event), canon::Piece::Chunk { .. }), "{name}");
            json(&data(&event).unwrap());
        }
        let (_, again) = read(&again);
        assert_eq!(again, answer, "{name}");
        // A whole answer in the same words streams to the same.
        let mut encoder = Encoder::new(Asked::default());
        let mut once = Vec::new();
        answer.clone().into_events().into_iter().for_each(|event| encoder.push(event, &mut once));
        assert_eq!(read(&once).1, answer, "{name}");
    }
}

/// Checks the order that events promise.
pub(super) fn in_order(events: &[Event]) {
    let (mut next, mut open, mut stops) = (0, Vec::new(), 0);
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Start { .. } => assert_eq!(at, 0),
            Event::Open { index, .. } => {
                assert_eq!(*index, next);
                next += 1;
                open.push(*index);
            }
            Event::Delta { index, .. } => assert!(open.contains(index)),
            Event::Close { index } => {
                assert!(open.contains(index));
                open.retain(|other| other != index);
            }
            Event::Usage(_) => {}
            Event::Stop { .. } => {
                assert!(open.is_empty());
                stops += 1;
            }
            Event::End => assert_eq!(at, events.len() - 1),
        }
    }
    assert_eq!(stops, 1);
}

#[test]
fn errors_are_known() {
    for (name, body) in fixtures("errors") {
        let message = "busy or worse";
        if let Some(data) = data(&body) {
            assert!(matches!(read_event(&body), canon::Piece::Error(_)), "{name}");
            assert!(crate::fault::is_error_body(&data), "{name}");
        } else {
            assert!(crate::fault::is_error_body(&body), "{name}");
            assert!(crate::fault::message_of(&body).len() > message.len(), "{name}");
            assert!(matches!(decode_answer(&body), Err(canon::AnswerError::Reported(_))), "{name}");
            assert!(matches!(read_unary(&body), Err(canon::UnaryError::Reported(_))), "{name}");
        }
    }
}
