//! A simulated day: forty accounts at twelve providers, their limits and mishaps, and the same traffic for each strategy. What
//! came of it is the table in `docs/routing.md`, which `UPDATE_DOCS=1 cargo test --test hub day` writes. All of it runs on
//! paused clocks and from one seed: the table is the same on every machine.

mod chance;
mod report;
mod run;
mod table;
mod traffic;
mod world;

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

#[test]
fn the_day_is_as_the_table_says() {
    let reports = days(&Strategy::ALL);
    let of = |strategy: Strategy| reports.iter().find(|report| report.strategy == strategy).unwrap();
    std::fs::write("/tmp/day-table.md", table::of(&reports)).unwrap(); // TEMP
    for report in &reports {
        report.check();
    }
    let cheapest = of(Strategy::CostOptimized);
    assert!(reports.iter().all(|report| report.cost >= cheapest.cost), "{}", table::of(&reports));
    // Two looks are better than none.
    let (p2c, random) = (of(Strategy::P2c), of(Strategy::Random));
    assert!(p2c.first_content(95) < random.first_content(95), "{}", table::of(&reports));
    assert!(p2c.wasted < random.wasted && p2c.whole >= random.whole, "{}", table::of(&reports));
    // Conversations that nobody names stay together where the strategy looks at how they begin, and only there.
    let kept = of(Strategy::CacheOptimized);
    for other in [Strategy::Random, Strategy::RoundRobin, Strategy::P2c, Strategy::LeastUsed] {
        assert!(kept.warm > 2 * of(other).warm, "{}", table::of(&reports));
    }
    table::check(&reports);
}

#[test]
fn a_day_repeats() {
    let [one, other] = days(&[Strategy::Auto; 2]).try_into().unwrap();
    assert_eq!(one, other);
}
