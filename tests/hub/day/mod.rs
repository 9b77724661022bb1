//! A simulated day: forty accounts at twelve providers, their limits and mishaps, and the same traffic for each strategy. What
//! came of it is the table in `docs/routing.md`, which `UPDATE_DOCS=1 cargo test --test hub day` writes. All of it runs on
//! paused clocks and from one seed: the table is the same on every machine.

mod chance;
mod report;
mod run;
mod table;
mod traffic;
mod world;

use std::sync::LazyLock;

use trivium::engine::settings::Strategy;

use report::Report;

/// Plays the day once for each strategy, several of them at a time.
fn days(strategies: &[Strategy]) -> Vec<Report> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let reports = std::sync::Mutex::new(Vec::new());
    let threads =
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(strategies.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(&strategy) = strategies.get(at) else { return };
                    let report = run::day(strategy);
                    reports.lock().unwrap().push((at, report));
                }
            });
        }
    });
    let mut reports = reports.into_inner().unwrap();
    reports.sort_by_key(|(at, _)| *at);
    reports.into_iter().map(|(_, report)| report).collect()
}

/// A day under each strategy.
static DAYS: LazyLock<Vec<Report>> = LazyLock::new(|| days(&Strategy::ALL));

fn of(strategy: Strategy) -> &'static Report {
    DAYS.iter().find(|report| report.strategy == strategy).unwrap()
}

#[test]
fn the_day_is_as_the_table_says() {
    table::check(&DAYS);
}

#[test]
fn a_day_repeats() {
    assert_eq!(days(&[Strategy::Auto]), [of(Strategy::Auto).clone()]);
}

#[test]
fn every_strategy_gets_through_the_day() {
    for report in &*DAYS {
        report.check();
    }
}

#[test]
fn the_cheapest_is_the_cheapest() {
    let cheapest = of(Strategy::CostOptimized);
    assert!(DAYS.iter().all(|report| report.cost >= cheapest.cost), "{}", table::of(&DAYS));
}

#[test]
fn two_looks_are_better_than_none() {
    let (p2c, random) = (of(Strategy::P2c), of(Strategy::Random));
    assert!(p2c.mean_first_content() < random.mean_first_content(), "{}", table::of(&DAYS));
    assert!(p2c.wasted < random.wasted, "{}", table::of(&DAYS));
}

#[test]
fn conversations_without_a_name_stay_together_where_the_strategy_looks_at_how_they_begin() {
    let kept = of(Strategy::CacheOptimized).warm;
    let others = DAYS.iter().filter(|report| report.strategy != Strategy::CacheOptimized);
    assert!(others.into_iter().all(|report| report.warm < kept), "{}", table::of(&DAYS));
    for blind in [Strategy::Random, Strategy::RoundRobin, Strategy::P2c, Strategy::LeastUsed] {
        assert!(kept > 2 * of(blind).warm, "{}", table::of(&DAYS));
    }
}
