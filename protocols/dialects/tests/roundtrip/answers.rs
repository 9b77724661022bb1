//! Answers and streams for clients of every dialect. A stream is the same answer, however it is cut and shuffled.

mod alike;
mod forget;

use bytes::Bytes;
use canon::{Answer, Dialect, Event, Fold, Losses, sse::Splitter};
use proptest::prelude::*;
use serde_json::Value;

use crate::allowed;
use crate::generate::{self, Cut};
use alike::normalised;
use forget::forget;

/// The bytes of a stream, and what was lost in it.
fn written(to: Dialect, events: Vec<Event>) -> (Vec<u8>, Losses) {
    let mut encoder = dialects::Encoder::new(to, generate::asked());
    let mut bytes = Vec::new();
    for event in events {
        encoder.push(event, &mut bytes);
    }
    (bytes, encoder.losses().clone())
}

/// The answer that a stream gives, when it comes in packets of these sizes.
fn read(to: Dialect, stream: &[u8], packets: &[usize]) -> Answer {
    let mut decoder = dialects::Decoder::new(to);
    let (mut splitter, mut events) = (Splitter::default(), Vec::new());
    let mut sizes = packets.iter().copied().cycle();
    let mut rest = stream;
    while !rest.is_empty() {
        let (packet, more) = rest.split_at(sizes.next().unwrap().min(rest.len()));
        splitter.push(Bytes::copy_from_slice(packet));
        rest = more;
        while let Some(event) = splitter.next_event() {
            decoder.push(&event, &mut events).unwrap();
        }
    }
    if let Some(event) = splitter.rest() {
        decoder.push(&event, &mut events).unwrap();
    }
    decoder.finish(&mut events).unwrap();
    in_order(&events);
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish()
}

/// The order of events that `canon::Event` promises.
fn in_order(events: &[Event]) {
    let count = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Start { .. })), 1, "one beginning");
    assert_eq!(count(|event| matches!(event, Event::Stop { .. })), 1, "one reason to stop");
    assert_eq!(count(|event| matches!(event, Event::End)), 1, "one end");
    assert!(matches!(events.first(), Some(Event::Start { .. })), "the beginning comes first");
    assert!(matches!(events.last(), Some(Event::End)), "the end comes last");
    let (mut next, mut open) = (0, Vec::new());
    for event in events {
        match event {
            Event::Open { index, .. } => {
                assert_eq!(*index, next, "blocks are counted in the order of their opening");
                next += 1;
                open.push(*index);
            }
            Event::Delta { index, .. } => assert!(open.contains(index), "a delta is of an open block"),
            Event::Close { index } => {
                assert!(open.contains(index), "what closes was open");
                open.retain(|other| other != index);
            }
            Event::Stop { .. } => assert!(open.is_empty(), "all blocks are closed before the reason to stop"),
            Event::Start { .. } | Event::Usage(_) | Event::End => {}
        }
    }
}

fn reaches(to: Dialect, answer: &Answer, cut: &Cut) {
    let unary = dialects::encode_answer(to, answer.clone(), &generate::asked());
    let (stream, lost) = written(to, generate::events_of(answer.clone(), cut));
    let shown =
        || format!("{to}\n{}\n{}", String::from_utf8_lossy(&unary.body), String::from_utf8_lossy(&stream));
    for loss in unary.losses.iter().chain(lost.iter()) {
        assert!(allowed::in_answers(to, loss), "`{loss}` may not get lost: {}", shown());
    }
    let said = |losses: &Losses| {
        let mut words: Vec<String> = losses.iter().map(ToString::to_string).collect();
        words.sort();
        words
    };
    assert_eq!(said(&unary.losses), said(&lost), "a stream loses what a whole answer loses: {}", shown());
    let whole = dialects::decode_answer(to, &unary.body).unwrap();
    let streamed = read(to, &stream, &cut.packets);
    let expected = normalised(forget(answer, to, &unary.losses), to);
    assert_eq!(expected, normalised(whole, to), "whole, losses: {}\n{}", unary.losses, shown());
    assert_eq!(expected, normalised(streamed, to), "streamed, losses: {lost}\n{}", shown());
}

/// Within a dialect a whole answer is written as it was read.
fn is_identity(to: Dialect, answer: Answer) {
    let first = dialects::encode_answer(to, answer, &generate::asked()).body;
    let read = dialects::decode_answer(to, &first).unwrap();
    let again = dialects::encode_answer(to, read.clone(), &generate::asked());
    let json = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap();
    assert_eq!(json(&first), json(&again.body), "{to}");
    assert!(again.losses.is_empty(), "lost within {to}: {}", again.losses);
    let back = dialects::decode_answer(to, &again.body).unwrap();
    assert_eq!(read, back, "{to}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chat(answer in generate::answer(), cut in Cut::any()) {
        reaches(Dialect::Chat, &answer, &cut);
        is_identity(Dialect::Chat, answer);
    }

    #[test]
    fn responses(answer in generate::answer(), cut in Cut::any()) {
        reaches(Dialect::Responses, &answer, &cut);
        is_identity(Dialect::Responses, answer);
    }

    #[test]
    fn messages(answer in generate::answer(), cut in Cut::any()) {
        reaches(Dialect::Messages, &answer, &cut);
        is_identity(Dialect::Messages, answer);
    }

    #[test]
    fn gemini(answer in generate::answer(), cut in Cut::any()) {
        reaches(Dialect::Gemini, &answer, &cut);
        is_identity(Dialect::Gemini, answer);
    }
}
