//! Headers and bodies as vendors send them, each with what it means.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test reports by panicking")]

use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;
use crate::engine::settings::calendar;

/// 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600_000;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap())
    };
    pairs.iter().map(pair).collect()
}

/// Name, share used in percent, milliseconds to the reset, whether it refills, and whether it is the model's.
type Row = (&'static str, u32, Option<i64>, bool, bool);

fn rows(pairs: &[(&str, &str)]) -> Vec<Row> {
    let found = told(&headers(pairs), NOW).unwrap_or_default();
    let row = |one: &Reading| {
        let ends = one.resets_at.map(|at| at - NOW);
        (one.name, (one.used * 100.0).round() as u32, ends, one.refills, one.of_model)
    };
    let mut rows: Vec<Row> = found.iter().map(row).collect();
    rows.sort_unstable();
    rows
}

#[test]
fn answers_without_such_headers_tell_nothing() {
    assert_eq!(told(&headers(&[("content-type", "application/json"), ("x-request-id", "r")]), NOW), None);
    assert_eq!(told(&headers(&[("x-ratelimit-remaining-requests", "many")]), NOW), None);
}

#[test]
fn openai() {
    let sent = [
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-remaining-requests", "9500"),
        ("x-ratelimit-reset-requests", "8.64s"),
        ("x-ratelimit-limit-tokens", "200000"),
        ("x-ratelimit-remaining-tokens", "0"),
        ("x-ratelimit-reset-tokens", "6m0s"),
    ];
    let expected = [("requests", 5, Some(8640), true, true), ("tokens", 100, Some(360_000), true, true)];
    assert_eq!(rows(&sent), expected);
}

#[test]
fn groq() {
    let sent = [
        ("x-ratelimit-limit-requests", "14400"),
        ("x-ratelimit-limit-tokens", "18000"),
        ("x-ratelimit-remaining-requests", "14370"),
        ("x-ratelimit-remaining-tokens", "17997"),
        ("x-ratelimit-reset-requests", "2m59.56s"),
        ("x-ratelimit-reset-tokens", "7.66ms"),
    ];
    let expected = [("requests", 0, Some(179_560), true, true), ("tokens", 0, Some(7), true, true)];
    assert_eq!(rows(&sent), expected);
}

#[test]
fn cerebras_and_mistral_name_the_span() {
    let sent = [
        ("x-ratelimit-limit-requests-day", "14400"),
        ("x-ratelimit-remaining-requests-day", "7200"),
        ("x-ratelimit-reset-requests-day", "33011.382867"),
        ("x-ratelimit-limit-tokens-minute", "60000"),
        ("x-ratelimit-remaining-tokens-minute", "60000"),
        ("x-ratelimit-reset-tokens-minute", "11.382867"),
        ("x-ratelimit-limit-req-minute", "60"),
        ("x-ratelimit-remaining-req-minute", "0"),
    ];
    let expected = [
        ("requests a day", 50, Some(33_011_382), false, true),
        ("requests a minute", 100, None, false, true),
        ("tokens a minute", 0, Some(11_382), false, true),
    ];
    assert_eq!(rows(&sent), expected);
}

#[test]
fn anthropic_keys_and_subscriptions() {
    let sent = [
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "49"),
        ("anthropic-ratelimit-requests-reset", "2026-01-01T00:00:02Z"),
        ("anthropic-ratelimit-input-tokens-limit", "30000"),
        ("anthropic-ratelimit-input-tokens-remaining", "0"),
        ("anthropic-ratelimit-input-tokens-reset", "2026-01-01T00:01:00Z"),
        ("anthropic-ratelimit-unified-status", "allowed"),
        ("anthropic-ratelimit-unified-5h-utilization", "0.42"),
        ("anthropic-ratelimit-unified-5h-reset", "1767236400"),
        ("anthropic-ratelimit-unified-7d-utilization", "0.3"),
        ("anthropic-ratelimit-unified-7d-reset", "1767398400"),
        ("anthropic-ratelimit-unified-7d-sonnet-utilization", "0.99"),
        ("anthropic-ratelimit-unified-overage-utilization", "1"),
    ];
    let expected = [
        ("5h", 42, Some(3 * 3_600_000), false, false),
        ("input tokens", 100, Some(60_000), true, true),
        ("requests", 2, Some(2000), true, true),
        ("week", 30, Some(48 * 3_600_000), false, false),
    ];
    assert_eq!(rows(&sent), expected);
}

#[test]
fn codex_windows_are_told_apart_by_their_length() {
    let plus = [
        ("x-codex-primary-used-percent", "100"),
        ("x-codex-primary-window-minutes", "300"),
        ("x-codex-primary-reset-after-seconds", "1200"),
        ("x-codex-secondary-used-percent", "16.5"),
        ("x-codex-secondary-window-minutes", "10080"),
        ("x-codex-secondary-reset-at", "1767312000"),
    ];
    let expected = [("5h", 100, Some(1_200_000), false, false), ("week", 17, Some(86_400_000), false, false)];
    assert_eq!(rows(&plus), expected);
    let weekly_first = [
        ("x-codex-primary-used-percent", "5"),
        ("x-codex-primary-window-minutes", "10080"),
        ("x-codex-primary-reset-after-seconds", "60"),
    ];
    assert_eq!(rows(&weekly_first), [("week", 5, Some(60_000), false, false)]);
}

#[test]
fn names_that_nobody_owns() {
    let millis =
        [("x-ratelimit-limit", "50"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1767225690000")];
    assert_eq!(rows(&millis), [("requests", 100, Some(90_000), false, false)]);
    let draft =
        [("ratelimit-limit", "100, 100;w=60"), ("ratelimit-remaining", "25"), ("ratelimit-reset", "30")];
    assert_eq!(rows(&draft), [("requests", 75, Some(30_000), false, false)]);
    let newer = [
        ("ratelimit", "\"default\";r=50;t=30"),
        ("ratelimit-policy", "\"burst\";q=9;w=1, \"default\";q=200;w=3600"),
    ];
    assert_eq!(rows(&newer), [("requests", 75, Some(30_000), false, false)]);
    assert_eq!(told(&headers(&newer), NOW).unwrap()[0].span, Some(Span::HOUR));
}

/// What the body of a 429 names: the window, whether it is the model's, and milliseconds to its end; and the wait.
fn said(
    dialect: Dialect,
    pairs: &[(&str, &str)],
    body: &str,
) -> (Vec<(&'static str, bool, i64)>, Option<u64>) {
    let (found, wait) =
        refused(dialect, StatusCode::TOO_MANY_REQUESTS, &headers(pairs), body.as_bytes(), NOW);
    let found = found.unwrap_or_default();
    let exhausted = found.iter().filter(|one| one.exhausted);
    let rows = exhausted.map(|one| (one.name, one.of_model, one.resets_at.unwrap() - NOW)).collect();
    (rows, wait.map(|wait| wait.as_millis() as u64))
}

fn openai_body(message: &str) -> String {
    serde_json::json!({"error": {"message": message, "type": "tokens", "code": "rate_limit_exceeded"}})
        .to_string()
}

#[test]
fn sentences_of_openai_and_groq() {
    for (message, expected, wait) in [
        (
            "Rate limit reached for model `llama-3.3-70b-versatile` in organization `org_01` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Used 3513, Requested 3166. Please try again in 6.780999999s. Visit https://example.org for more information.",
            vec![("tokens a minute", true, 6780)],
            Some(6780),
        ),
        (
            "Rate limit reached for model `m` in organization `org_01` on requests per day (RPD): Limit 1000, Used 1000, Requested 1. Please try again in 1m26.4s.",
            vec![("requests a day", true, 86_400)],
            Some(86_400),
        ),
        (
            "Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Used 29937, Requested 385. Please try again in 644ms. Visit https://example.org.",
            vec![("tokens a minute", true, 644)],
            Some(644),
        ),
        (
            // Larger than the window: waiting does not help, and the account is as good as before.
            "Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 31538.",
            vec![],
            None,
        ),
        ("You exceeded your current quota, please check your plan and billing details.", vec![], None),
        (
            "Rate limit reached on requests: Limit 5, Used 5, Requested 1. Please try again in 20s.",
            vec![],
            Some(20_000),
        ),
    ] {
        assert_eq!(said(Dialect::Chat, &[], &openai_body(message)), (expected, wait), "{message}");
    }
}

#[test]
fn a_sentence_without_an_end_takes_the_headers_word() {
    let message = "Rate limit reached for model `m` in organization `o` on tokens per day (TPD): Limit 100000, Used 97050, Requested 3619.";
    let expected = (vec![("tokens a day", true, 60_000)], None);
    assert_eq!(said(Dialect::Chat, &[("retry-after", "60")], &openai_body(message)), expected);
    assert_eq!(said(Dialect::Chat, &[], &openai_body(message)), (vec![], None));
}

#[test]
fn quotas_of_google() {
    let violation = |id: &str| serde_json::json!({"quotaMetric": "generativelanguage.googleapis.com/requests", "quotaId": id, "quotaValue": "20"});
    let body = |ids: &[&str]| {
        let violations: Vec<_> = ids.iter().map(|id| violation(id)).collect();
        serde_json::json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "45.5s"},
        ]}})
    };
    let day = body(&["GenerateRequestsPerDayPerProjectPerModel-FreeTier"]).to_string();
    let midnight = calendar::next_pacific_midnight(NOW) - NOW;
    assert_eq!(midnight, 8 * 3_600_000);
    assert_eq!(said(Dialect::Gemini, &[], &day).0, [("requests a day", true, midnight)]);
    let minute = body(&["GenerateContentInputTokensPerModelPerMinute-FreeTier"]);
    assert_eq!(said(Dialect::Gemini, &[], &minute.to_string()).0, [("tokens a minute", true, 45_500)]);
    let of_all = serde_json::json!([body(&["GenerateRequestsPerMinutePerProject"])]).to_string();
    assert_eq!(said(Dialect::Chat, &[], &of_all).0, [("requests a minute", false, 45_500)]);
}

#[test]
fn a_full_subscription_is_a_refusals_reason_and_a_bucket_is_not() {
    let sent = [
        ("x-codex-primary-used-percent", "100"),
        ("x-codex-primary-window-minutes", "300"),
        ("x-codex-primary-reset-after-seconds", "1200"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "6m0s"),
    ];
    assert_eq!(said(Dialect::Responses, &sent, "{}").0, [("5h", false, 1_200_000)]);
}

proptest! {
    #[test]
    fn no_value_breaks_it(value in "[ -~]{0,30}", body in "[ -~]{0,80}") {
        let sent = headers(&[
            ("x-ratelimit-limit", &value), ("x-ratelimit-remaining", &value), ("x-ratelimit-reset", &value),
            ("x-ratelimit-limit-tokens", &value), ("x-ratelimit-remaining-tokens", &value), ("ratelimit", &value),
            ("anthropic-ratelimit-unified-5h-utilization", &value), ("x-codex-primary-used-percent", &value),
            ("x-codex-primary-window-minutes", &value), ("x-codex-primary-reset-at", &value),
        ]);
        let (found, _) = refused(Dialect::Chat, StatusCode::TOO_MANY_REQUESTS, &sent, body.as_bytes(), NOW);
        for one in found.unwrap_or_default() {
            prop_assert!((0.0..=1.0).contains(&one.used));
            prop_assert!(one.resets_at.is_none_or(|at| at >= NOW));
        }
        let _ = refused(Dialect::Chat, StatusCode::TOO_MANY_REQUESTS, &sent, openai_body(&body).as_bytes(), NOW);
    }
}
