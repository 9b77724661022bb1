//! The pieces in which an answer comes do not change it: neither the packets of the network, nor what stands between
//! the events, nor where a provider happens to cut a text; and what a client reads in its own dialect is what the
//! provider said in its own.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod cut;
mod essence;
#[path = "../support/fixtures.rs"]
mod fixtures;
#[path = "../support/streams.rs"]
mod streams;

use bytes::Bytes;
use canon::{Answer, Asked, Dialect, sse::Splitter};
use dialects::Decoder;
use essence::{Essence, translated};
use fixtures::fixtures;
use proptest::prelude::*;

/// The answer in a stream that comes in these packets.
fn read(dialect: Dialect, packets: impl IntoIterator<Item = Bytes>) -> Answer {
    let (mut splitter, mut decoder, mut events) = (Splitter::default(), Decoder::new(dialect), Vec::new());
    for packet in packets {
        splitter.push(packet);
        while let Some(event) = splitter.next_event() {
            decoder.push(&event, &mut events).unwrap();
        }
    }
    if let Some(rest) = splitter.rest() {
        decoder.push(&rest, &mut events).unwrap();
    }
    decoder.finish(&mut events).unwrap();
    streams::folded(events)
}

fn whole(dialect: Dialect, stream: &[u8]) -> Answer {
    read(dialect, [Bytes::copy_from_slice(stream)])
}

fn asked() -> Asked {
    Asked { id: "req_1".into(), now: 1, include_usage: true, ..Asked::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn packets_do_not_matter(sizes in prop::collection::vec(1_usize..90, 1..40)) {
        for fixture in fixtures("streams") {
            let expected = whole(fixture.dialect, &fixture.body);
            let (mut rest, mut packets) = (Bytes::from(fixture.body), Vec::new());
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                packets.push(rest.split_to((*size).min(rest.len())));
            }
            prop_assert_eq!(read(fixture.dialect, packets), expected, "{}", fixture.name);
        }
    }

    #[test]
    fn what_stands_between_events_does_not_matter(noise in prop::collection::vec(0_usize..6, 1..30)) {
        for fixture in fixtures("streams") {
            let expected = whole(fixture.dialect, &fixture.body);
            let noisy = cut::noisy(fixture.dialect, &fixture.body, &noise);
            prop_assert_eq!(whole(fixture.dialect, &noisy), expected, "{}", fixture.name);
        }
    }

    #[test]
    fn where_a_provider_cuts_its_deltas_does_not_matter(at in prop::collection::vec(0_usize..20, 1..30)) {
        for fixture in fixtures("streams") {
            let expected = whole(fixture.dialect, &fixture.body);
            let finer = cut::deltas(fixture.dialect, &fixture.body, &at);
            prop_assert_eq!(whole(fixture.dialect, &finer), expected, "{}", fixture.name);
        }
    }

    #[test]
    fn where_deltas_are_cut_does_not_matter_to_any_client(at in prop::collection::vec(0_usize..9, 1..30)) {
        for fixture in fixtures("streams") {
            let events = streams::decoded(fixture.dialect, &fixture.body).unwrap();
            for client in Dialect::ALL {
                let read = |events| whole(client, &streams::encoded(client, events, asked()).0);
                let finer = cut::events(events.clone(), &at);
                prop_assert_eq!(read(finer), read(events.clone()), "{} for {}", fixture.name, client);
            }
        }
    }
}

#[test]
fn what_a_client_reads_is_what_the_provider_said() {
    for fixture in fixtures("streams") {
        let events = streams::decoded(fixture.dialect, &fixture.body).unwrap();
        let said = streams::folded(events.clone());
        for client in Dialect::ALL {
            let (bytes, losses) = streams::encoded(client, events.clone(), asked());
            let expected = translated(Essence::of(&said), client, &losses);
            let heard = Essence::of(&whole(client, &bytes)).told_beside_refusal(&expected);
            assert_eq!(heard, expected, "{} for {client}, without {losses}", fixture.name);
        }
    }
}

/// A unary answer is the fold of a stream: what is told at once and what is told in pieces say the same.
#[test]
fn a_unary_answer_and_a_stream_say_the_same() {
    for fixture in fixtures("answers") {
        let answer = dialects::decode_answer(fixture.dialect, &fixture.body).unwrap();
        for client in Dialect::ALL.into_iter().filter(|client| *client != fixture.dialect) {
            let unary = dialects::encode_answer(client, answer.clone(), &asked());
            let told = dialects::decode_answer(client, &unary.body).unwrap();
            let (stream, _) = streams::encoded(client, answer.clone().into_events(), asked());
            let streamed = whole(client, &stream);
            assert_eq!(Essence::of(&streamed), Essence::of(&told), "{} for {client}", fixture.name);
        }
    }
}
