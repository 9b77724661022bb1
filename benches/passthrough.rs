//! What a request costs when client and provider speak the same dialect: the pieces of the hot path one by one, and
//! the whole engine in process, with a provider that answers at once and no network, HTTP server or store.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

mod common;

use std::{hint::black_box, sync::Arc, time::Duration};

use bytes::Bytes;
use canon::{Dialect, sse::Splitter};
use common::{MODEL, Nowhere, Wall};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_core::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use openai::chat::{Changes, apply, read_event, scan};
use operations::Scopes;
use serde_json::json;
use trivium::{
    engine::{
        Engine,
        caller::{Caller, CallerKind},
        health::Health,
        pipeline::{Inbound, Piece},
        ports::{self, ReceiptSink},
        receipt::Receipt,
        reuse::Freshness,
        shaping::Shaped,
    },
    outbound::{
        Body, Transport, TransportError,
        guard::{AllowList, GuardedFetch},
    },
    providers::Providers,
};

/// Content chunks of the streamed answer.
const CHUNKS: usize = 100;

/// A chat request of about `size` bytes.
fn request(size: usize, stream: bool) -> Bytes {
    let text = "What is it? ".repeat(size / 12);
    let body = json!({
        "model": MODEL,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}],
        "stream": stream,
        "temperature": 0.7,
    });
    body.to_string().into()
}

/// A completion of about one kilobyte.
fn completion() -> Bytes {
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_760_000_000, "model": MODEL,
        "choices": [{
            "index": 0, "logprobs": null, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "lorem ipsum ".repeat(50), "refusal": null},
        }],
        "usage": {"prompt_tokens": 19, "completion_tokens": 150, "total_tokens": 169},
    });
    body.to_string().into()
}

fn event(choices: &serde_json::Value) -> String {
    let chunk = json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_760_000_000, "model": MODEL,
        "choices": choices, "usage": null,
    });
    format!("data: {chunk}\n\n")
}

fn content_event() -> String {
    event(&json!([{"index": 0, "delta": {"content": "lorem "}, "finish_reason": null}]))
}

/// A whole streamed answer, one event per packet.
fn streamed() -> Vec<Bytes> {
    let role =
        event(&json!([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null}]));
    let stop = event(&json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]));
    let content = std::iter::repeat_with(content_event).take(CHUNKS);
    let all = std::iter::once(role).chain(content).chain([stop, "data: [DONE]\n\n".to_owned()]);
    all.map(Bytes::from).collect()
}

fn reading_requests(c: &mut Criterion) {
    let mut group = c.benchmark_group("request");
    for (name, size) in [("1KB", 1024), ("100KB", 100 * 1024)] {
        let body = request(size, true);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(BenchmarkId::new("scan", name), |b| b.iter(|| scan(black_box(&body)).unwrap()));
        let facts = scan(&body).unwrap();
        for (edit, model, include_usage) in
            [("edit-nothing", MODEL, false), ("edit-usage", MODEL, true), ("edit-both", "another", true)]
        {
            group.bench_function(BenchmarkId::new(edit, name), |b| {
                b.iter(|| apply(black_box(&body), &facts, Changes { model, include_usage }));
            });
        }
    }
    group.finish();
}

fn reading_streams(c: &mut Criterion) {
    let mut group = c.benchmark_group("stream");
    let event = content_event();
    group.throughput(Throughput::Bytes(event.len() as u64));
    group.bench_function("read-event", |b| b.iter(|| read_event(black_box(event.as_bytes()))));
    let whole = Bytes::from(streamed().concat());
    // As segments of a network bring it, without regard for where events end.
    let segments: Vec<Bytes> =
        (0..whole.len()).step_by(1448).map(|at| whole.slice(at..whole.len().min(at + 1448))).collect();
    group.throughput(Throughput::Bytes(whole.len() as u64));
    for (name, packets) in [("split/event-per-packet", streamed()), ("split/segments", segments)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut splitter = Splitter::default();
                let mut events = 0;
                for packet in &packets {
                    splitter.push(packet.clone());
                    while let Some(event) = splitter.next_event() {
                        black_box(event);
                        events += 1;
                    }
                }
                events
            });
        });
    }
    group.finish();
}

/// A provider that has its answer ready.
struct Canned {
    completion: Bytes,
    chunks: Vec<Bytes>,
}

impl Transport for Canned {
    fn call(
        &self,
        request: Request<Bytes>,
        _: Duration,
    ) -> BoxFuture<'static, Result<Response<Body>, TransportError>> {
        let is_stream =
            request.headers().get(http::header::ACCEPT).is_some_and(|accept| accept == "text/event-stream");
        let (kind, body) = if is_stream {
            let frames = stream::iter(self.chunks.clone()).map(|bytes| Ok(http_body::Frame::data(bytes)));
            ("text/event-stream", StreamBody::new(frames).boxed_unsync())
        } else {
            let body = Full::new(self.completion.clone()).map_err(|never| match never {});
            ("application/json", body.boxed_unsync())
        };
        let answer = Response::builder().header(http::header::CONTENT_TYPE, kind).body(body).unwrap();
        async move { Ok(answer) }.boxed()
    }
}

/// Takes receipts and keeps none.
struct Unkept;

impl ReceiptSink for Unkept {
    fn record(&self, receipt: Receipt) {
        black_box(receipt);
    }
}

fn engine() -> Engine {
    let catalogue = common::catalogue();
    let settings = common::settings(&catalogue, 3);
    let transport = Arc::new(Canned { completion: completion(), chunks: streamed() });
    let health = Arc::new(Health::new(Arc::new(Wall), Arc::new(Nowhere), Vec::new(), &[]));
    let upstream = Arc::new(Providers::new(
        transport,
        Arc::new(Wall),
        Arc::new(GuardedFetch::new(AllowList::default())),
    ));
    Engine::new(settings, catalogue, health, upstream, Arc::new(Unkept), Arc::new(Wall), 1)
}

/// Has `body` answered; gives the bytes of the answer.
async fn answer(engine: &Engine, caller: &Caller, body: &Bytes) -> usize {
    let facts = Arc::new(scan(body).unwrap());
    let inbound = Inbound {
        trace: None,
        session: None,
        wishes: None,
        id: "req_0193f0a0c0de7000b000000000000000".to_owned(),
        client_request_id: None,
        caller: caller.clone(),
        request: ports::Request {
            dialect: Dialect::Chat,
            task: ports::Task::Generate,
            body: body.clone(),
            facts,
            headers: http::HeaderMap::new(),
            searches: false,
            keeps: false,
            shaping: None,
        },
        pin: None,
        tag: None,
        keep_alive: Duration::from_secs(15),
        freshness: Freshness::default(),
        shaped: Shaped::default(),
        ticket: None,
    };
    let mut pieces = engine.generate(inbound).await.map_err(|refusal| refusal.message).unwrap().pieces;
    let mut bytes = 0;
    while let Some(piece) = pieces.next().await {
        match piece {
            Piece::Bytes(piece) => bytes += piece.len(),
            Piece::KeepAlive => {}
            Piece::Broke(refusal) => unreachable!("the answer broke: {}", refusal.message),
        }
    }
    bytes
}

fn whole_engine(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let engine = engine();
    let caller = Caller {
        id: "key_1".into(),
        name: "bench".into(),
        kind: CallerKind::Key,
        scopes: Scopes::all(),
        address: None,
        policy: None,
    };
    let mut group = c.benchmark_group("engine");
    for (name, stream, least) in [("completion-1KB", false, 700), ("stream-100-chunks", true, 10_000)] {
        let body = request(1024, stream);
        assert!(runtime.block_on(answer(&engine, &caller, &body)) > least, "the answer is whole");
        group.bench_function(name, |b| b.to_async(&runtime).iter(|| answer(&engine, &caller, &body)));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    targets = reading_requests, reading_streams, whole_engine
}
criterion_main!(benches);
