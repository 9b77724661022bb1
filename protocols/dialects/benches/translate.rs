//! What translation costs: whole conversations from each dialect to each other, and the pieces of a stream. The sizes
//! show that the cost grows with the length and no faster.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

#[path = "translate/conversation.rs"]
mod conversation;

use std::{hint::black_box, time::Duration};

use canon::{Asked, Delta, Dialect, Event, Opening, Quirks, Stop, Target};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dialects::{Decoder, Encoder, decode, encode};

fn target(source: Dialect, to: Dialect) -> Target<'static> {
    let model = if to == Dialect::Gemini { "gemini-3.5-flash" } else { "claude-sonnet-5" };
    Target { model, source, maker: "a:b", quirks: Quirks::default(), max_output: None }
}

/// The conversation of about so many bytes, as a client of `source` sends it.
fn body(source: Dialect, bytes: usize) -> Vec<u8> {
    let chat = conversation::chat(bytes);
    if source == Dialect::Chat {
        return chat;
    }
    let turn = decode(Dialect::Chat, &chat).unwrap();
    encode(source, &turn, &target(Dialect::Chat, source)).body
}

/// Pairs of different dialects.
fn pairs() -> impl Iterator<Item = (Dialect, Dialect)> {
    let all = |source| Dialect::ALL.into_iter().map(move |to| (source, to));
    Dialect::ALL.into_iter().flat_map(all).filter(|(source, to)| source != to)
}

fn requests(criterion: &mut Criterion) {
    for (name, bytes) in [("10kB", 10_000), ("100kB", 100_000), ("1MB", 1_000_000)] {
        let mut group = criterion.benchmark_group(format!("request/{name}"));
        for (source, to) in pairs() {
            let body = body(source, bytes);
            group.throughput(Throughput::Bytes(body.len() as u64));
            group.bench_function(format!("{source}_{to}"), |bencher| {
                bencher.iter(|| {
                    let turn = decode(source, black_box(&body)).unwrap();
                    encode(to, &turn, &target(source, to))
                });
            });
        }
        group.finish();
    }
}

/// The events of an answer whose one block comes in so many pieces.
fn events(chunks: usize, arguments: bool) -> Vec<Event> {
    let (id, name) = ("call_1".to_owned(), "write_file".to_owned());
    let call = Opening::ToolCall { id, name, namespace: None, custom: false };
    let block = if arguments { call } else { Opening::Text };
    let mut events = vec![
        Event::Start { id: "a1".into(), model: "m".into(), created: Some(1) },
        Event::Open { index: 0, block },
    ];
    let piece = |at: usize| match (arguments, at) {
        (false, _) => "and so on ".to_owned(),
        (true, 0) => "{\"content\":\"".to_owned(),
        (true, at) if at + 1 == chunks => "\"}".to_owned(),
        (true, _) => "let it = be; ".to_owned(),
    };
    events.extend((0..chunks).map(|at| Event::Delta { index: 0, delta: Delta::Text(piece(at)) }));
    let stop = if arguments { Stop::ToolUse } else { Stop::End };
    events.extend([Event::Close { index: 0 }, Event::Stop { stop, sequence: None }, Event::End]);
    events
}

/// The wire events of a stream of `source`.
fn stream(source: Dialect, chunks: usize, arguments: bool) -> Vec<bytes::Bytes> {
    let (mut encoder, mut wire) = (Encoder::new(source, Asked::default()), Vec::new());
    events(chunks, arguments).into_iter().for_each(|event| encoder.push(event, &mut wire));
    let mut splitter = canon::sse::Splitter::default();
    splitter.push(wire.into());
    std::iter::from_fn(|| splitter.next_event()).collect()
}

fn translated(source: Dialect, to: Dialect, wire: &[bytes::Bytes]) -> usize {
    let (mut decoder, mut encoder) = (Decoder::new(source), Encoder::new(to, Asked::default()));
    let (mut events, mut out, mut sent) = (Vec::new(), Vec::new(), 0);
    for event in wire {
        decoder.push(event, &mut events).unwrap();
        events.drain(..).for_each(|event| encoder.push(event, &mut out));
        // What is sent is gone, as in the hub.
        sent += out.len();
        out.clear();
    }
    sent
}

/// Whole streams; divided by the number of pieces, what a piece costs.
fn streams(criterion: &mut Criterion) {
    for (kind, arguments) in [("text", false), ("arguments", true)] {
        for chunks in [100, 1_000, 10_000] {
            let mut group = criterion.benchmark_group(format!("stream/{kind}"));
            group.throughput(Throughput::Elements(chunks as u64));
            for (source, to) in pairs() {
                let wire = stream(source, chunks, arguments);
                let id = BenchmarkId::new(format!("{source}_{to}"), chunks);
                group.bench_function(id, |bencher| {
                    bencher.iter(|| translated(source, to, black_box(&wire)));
                });
            }
            group.finish();
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .sample_size(10);
    targets = requests, streams
}
criterion_main!(benches);
