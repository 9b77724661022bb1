//! The table in `docs/routing.md`: how it is written, and that it is what the day says.

use std::fmt::Write as _;

use super::report::Report;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/routing.md");
const BEGIN: &str = "<!-- the day: written by UPDATE_DOCS=1 cargo test --test hub day -->\n";
const END: &str = "<!-- end of the day -->\n";

const HEAD: &str = "\
| Strategy | Whole answers | Cut short | Refused | First content, p50 | p95 | Cost | Wasted calls | Warm turns |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
";

/// The table of these days.
pub(super) fn of(reports: &[Report]) -> String {
    let mut text = HEAD.to_owned();
    for report in reports {
        let share = |part: usize, whole: usize| part as f64 * 100.0 / whole as f64;
        let seconds = |percent| f64::from(report.first_content(percent)) / 1000.0;
        let refused = report.requests - report.whole - report.cut;
        writeln!(
            text,
            "| `{}` | {:.2} % | {:.2} % | {:.2} % | {:.2} s | {:.2} s | ${:.2} | {:.0} | {:.0} % |",
            report.strategy.as_str(),
            share(report.whole, report.requests),
            share(report.cut, report.requests),
            share(refused, report.requests),
            seconds(50),
            seconds(95),
            report.cost as f64 / 1e9 / report.requests as f64,
            report.wasted as f64 * 1000.0 / report.requests as f64,
            share(report.warm, report.later),
        )
        .unwrap();
    }
    text
}

/// Compares the table with the one in the manual, or writes it there.
pub(super) fn check(reports: &[Report]) {
    let manual = std::fs::read_to_string(PATH).unwrap();
    let (head, rest) = manual.split_once(BEGIN).unwrap();
    let (written, tail) = rest.split_once(END).unwrap();
    let table = of(reports);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PATH, format!("{head}{BEGIN}{table}{END}{tail}")).unwrap();
        return;
    }
    assert_eq!(written, table, "UPDATE_DOCS=1 cargo test --test hub day writes the table anew");
}
