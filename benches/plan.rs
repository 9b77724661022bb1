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
    health::Health,
    need::Need,
    plan::{Directory, Group, Memory, Plan, Scene, decide, plan},
    ports::{Clock, CooldownRecord},
    quota::QuotaView,
    settings::{About, ModelFacts, Price, Scoring, Settings, Usd},
    telemetry::Telemetry,
};

const CONNECTIONS: [usize; 3] = [1, 10, 100];

/// What is known beside health.
type Known = (Telemetry, Need, Scoring, QuotaView);

/// A plan by what is known.
fn planned(group: &Group, health: &Health, memory: &Memory, known: &Known) -> Plan {
    let (telemetry, need, scoring, quota) = known;
    let (health, telemetry) = (&health.view(), &telemetry.view());
    plan(
        group,
        &Scene {
            health,
            quota,
            telemetry,
            need,
            affine: None,
            allowed: None,
            dear: None,
            tokens: None,
            scoring,
            seed: 1,
        },
        memory,
    )
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
                b.iter(|| planned(black_box(&candidates), &health, &memory, &known));
            });
        }
        for (name, model) in [("both/exhaust", MODEL), ("both/round-robin", "multirouter-auto")] {
            let health = health(&settings, false);
            group.bench_function(BenchmarkId::new(name, connections), |b| {
                b.iter(|| {
                    let candidates = directory.resolve(black_box(model), Dialect::Chat).unwrap();
                    planned(&candidates, &health, &memory, &known)
                });
            });
        }
    }
    group.finish();
}

/// `auto` among many candidates, of each of which latencies, failures and prices are known.
fn scoring(c: &mut Criterion) {
    let catalogue = common::catalogue();
    let memory = Memory::default();
    let mut group = c.benchmark_group("auto");
    for candidates in [100, 1_000] {
        let mut settings = common::settings(&catalogue, candidates);
        for (nth, connection) in settings.connections.iter_mut().enumerate() {
            let dollar = Usd::from_pico(1_000 * (1 + nth as u64 % 17));
            let facts = ModelFacts { price: Some(Price::of(dollar, dollar)), ..ModelFacts::default() };
            let about = About { facts: Arc::new(facts), ..About::default() };
            Arc::make_mut(connection).models.about.insert(MODEL.into(), about);
        }
        let directory = Directory::new(&settings, Arc::clone(&catalogue));
        let resolved = directory.resolve("auto", Dialect::Chat).unwrap();
        let telemetry = Telemetry::default();
        for (nth, target) in resolved.clone().into_targets().iter().enumerate() {
            for attempt in 0..20 {
                let watch = telemetry.begin(target, Wall.now());
                watch.answered(50 + (nth as u32 * 7 + attempt) % 900, Wall.now());
            }
        }
        let known =
            (telemetry, Need { prompt: 1_000, ..Need::default() }, Scoring::default(), QuotaView::none());
        let health = health(&settings, false);
        group.bench_function(BenchmarkId::new("plan", candidates), |b| {
            b.iter(|| planned(black_box(&resolved), &health, &memory, &known));
        });
        group.bench_function(BenchmarkId::new("resolve", candidates), |b| {
            b.iter(|| directory.resolve(black_box("auto"), Dialect::Chat).unwrap());
        });
        let made = planned(&resolved, &health, &memory, &known).made.unwrap();
        group.bench_function(BenchmarkId::new("decide", candidates), |b| {
            b.iter(|| decide(black_box(&made.inputs)));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500));
    targets = deciding, scoring
}
criterion_main!(benches);
