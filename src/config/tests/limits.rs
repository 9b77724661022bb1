//! `limits`, `windows` and `pace` of a provider: what they mean, and what is said of mistakes.

use std::time::Duration;

use super::*;
use crate::engine::settings::{Heed, Limit, Pace, Reset, Span, Unit};

fn with(lines: &str) -> String {
    entry(&format!("type: groq\napi_key: gsk_1\n{lines}"))
}

#[test]
fn limits_are_read_in_their_units() {
    let lines = "limits:\n  - {per: minute, requests: 30}\n  - {per: 5h, tokens: 1000, reset: first-use}\n  \
                 - {per: month, usd: 2.50, reset: \"07:30\"}\n  - {per: day, credits: 10.5, each: 0.25, model: m}";
    let loaded = accepted(&with(lines));
    let limit = |span, unit, amount, reset| Limit { span, unit, amount, model: None, reset, each: 1000 };
    let expected = [
        limit(Span::MINUTE, Unit::Requests, 30, Reset::Rolling),
        limit(Span::FIVE_HOURS, Unit::Tokens, 1000, Reset::FirstUse),
        limit(Span::Month, Unit::Money, 2_500_000_000_000, Reset::At(450)),
        Limit {
            model: Some("m".into()),
            each: 250,
            ..limit(Span::DAY, Unit::Credits, 10_500, Reset::Rolling)
        },
    ];
    assert_eq!(connection(&loaded, "one").allowance.quota.limits, expected);
}

#[test]
fn windows_and_pace_are_read_and_a_preset_can_be_changed() {
    let lines = "windows: {5h: off, threshold: 0.9}\npace: {preset: steady, concurrent: 3}";
    let loaded = accepted(&with(lines));
    let allowance = &connection(&loaded, "one").allowance;
    let heed = Heed { five_hours: false, threshold: Some(0.9), ..Heed::default() };
    assert_eq!(allowance.quota.heed, heed);
    assert_eq!(allowance.pace, Some(Pace { concurrent: Some(3), ..Pace::steady() }));
    let own =
        accepted(&with("pace: {requests_per_minute: 20, gap_seconds: 0.5, max_wait_seconds: 0, queue: 0}"));
    let pace = Pace {
        per_minute: Some(20),
        gap: Duration::from_millis(500),
        max_wait: Duration::ZERO,
        queue: 0,
        ..Pace::default()
    };
    assert_eq!(connection(&own, "one").allowance.pace, Some(pace));
    assert_eq!(connection(&accepted(&with("")), "one").allowance, Arc::default());
}

#[test]
fn mistakes_are_told_with_a_remedy() {
    for (lines, place, words) in [
        ("limits: 5", "limits", "expected a list of limits"),
        ("limits: [{requests: 5}]", "limits[0].per", "`per` is missing"),
        ("limits: [{per: fortnight, requests: 5}]", "limits[0].per", "found `fortnight`"),
        ("limits: [{per: day}]", "limits[0]", "exactly one amount"),
        ("limits: [{per: day, requests: 5, tokens: 9}]", "limits[0]", "exactly one amount"),
        ("limits: [{per: day, requests: 0}]", "limits[0].requests", "found the number `0`"),
        ("limits: [{per: day, usd: -1}]", "limits[0].usd", "US dollars"),
        ("limits: [{per: day, requests: 5, each: 2}]", "limits[0].each", "none are limited"),
        ("limits: [{per: day, requests: 5, reset: \"25:00\"}]", "limits[0].reset", "a time of day in UTC"),
        ("limits: [{per: 5h, requests: 5, reset: \"07:00\"}]", "limits[0].reset", "per 5h"),
        ("limits: [{per: day, request: 5}]", "limits[0].request", "unknown key"),
        ("windows: on", "windows", "a mapping of settings"),
        ("windows: {5h: maybe}", "windows.5h", "`on` or `off`"),
        ("windows: {threshold: 90}", "windows.threshold", "a share"),
        ("pace: {preset: fast}", "pace.preset", "`steady`"),
        ("pace: {concurrent: 0}", "pace.concurrent", "a whole number from 1"),
    ] {
        let problems = refused(&with(lines));
        let path = format!("providers[0].{place}");
        let told = problems.iter().find(|one| one.path == path).map(in_words).unwrap_or_default();
        assert!(told.contains(words), "{lines}: {told} {problems:#?}");
        assert!(problems.iter().all(|one| !one.remedy.is_empty()));
    }
    let idle = accepted(&with("pace: {queue: 5}"));
    assert!(idle.warnings.iter().any(|one| one.message.contains("limits nothing")));
}
