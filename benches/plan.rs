//! What the decision costs where a request goes: finding the targets that a name means, and ordering them, for 1, 10
//! and 100 connections, with everybody fit and with every second one cooling down.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

mod common;

use std::{hint::black_box, sync::Arc, time::Duration};

use canon::Dialect;
use common::{MODEL, Nowhere, Wall};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use trivium::engine::{
    fault::FaultKind,
    health::{Health, View},
    need::Need,
    plan::{Directory, Memory, Scene, plan},
    ports::{Clock, CooldownRecord},
    quota::QuotaView,
    settings::{Scoring, Settings},
    telemetry::Telemetry,
};

const CONNECTIONS: [usize; 3] = [1, 10, 100];

/// What is known when nothing special is.
fn scene<'a>(
    health: &'a View<'a>,
    memory: &'a Memory,
    known: &'a (Telemetry, Need, Scoring, QuotaView),
) -> Scene<'a> {
    let (telemetry, need, scoring, quota) = known;
    Scene { health, quota, memory, telemetry, need, affine: None, scoring, seed: 1 }
}

/// Health that knows nothing, or that has every second connection cooling for an hour.
fn health(settings: &Settings, cooling: bool) -> Health {
    let until = Wall.now() + 3_600_000;
    let kept = settings.connections.iter().skip(1).step_by(2).filter(|_| cooling);
    let kept = kept.map(|connection| {
        let (id, kind) = (Arc::clone(&connection.id), FaultKind::RateLimited);
        CooldownRecord::cooldown(id, None, connection.fingerprint, until, kind, "answered with status 429")
    });
    Health::new(Arc::new(Wall), Arc::new(Nowhere), kept.collect(), &settings.connections)
}

fn deciding(c: &mut Criterion) {
    let catalogue = common::catalogue();
    let memory = Memory::default();
    let known = (Telemetry::default(), Need::default(), Scoring::default(), QuotaView::none());
    let mut group = c.benchmark_group("plan");
    for connections in CONNECTIONS {
        let settings = common::settings(&catalogue, connections);
        let directory = Directory::new(&settings, Arc::clone(&catalogue));
        group.bench_function(BenchmarkId::new("resolve", connections), |b| {
            b.iter(|| directory.resolve(black_box(MODEL), Dialect::Chat).unwrap());
        });
        for (name, cooling) in [("order/all-fit", false), ("order/half-cooling", true)] {
            let health = health(&settings, cooling);
            let candidates = directory.resolve(MODEL, Dialect::Chat).unwrap();
            group.bench_function(BenchmarkId::new(name, connections), |b| {
                b.iter(|| plan(black_box(&candidates), &scene(&health.view(), &memory, &known)));
            });
        }
        for (name, model) in [("both/exhaust", MODEL), ("both/round-robin", "multirouter-auto")] {
            let health = health(&settings, false);
            group.bench_function(BenchmarkId::new(name, connections), |b| {
                b.iter(|| {
                    let candidates = directory.resolve(black_box(model), Dialect::Chat).unwrap();
                    plan(&candidates, &scene(&health.view(), &memory, &known))
                });
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500));
    targets = deciding
}
criterion_main!(benches);
