//! Quotas and pace through a whole hub: what is sent is counted in the simulator's own log.

use std::time::Duration;

use http::StatusCode;
use trivium::{
    engine::{quota::Source, settings::Connection},
    simulator::{Behaviour, Fault, RetryAfter, Rule, Script},
};

use super::support::{Answer, TestHub};

/// An account at the simulator, with these further settings.
fn account(id: &str, key: &str, more: &str) -> String {
    format!(
        "  - {{id: {id}, type: openai-compatible, base_url: 'http://simulator.test/v1', api_key: {key}, models: [m, other]{more}}}\n"
    )
}

fn providers(accounts: &[String]) -> String {
    format!("providers:\n{}", accounts.concat())
}

const FIFTY: &str = ", limits: [{per: day, requests: 50}]";

async fn at_once(hub: &TestHub, requests: usize) -> Vec<Answer> {
    futures_util::future::join_all((0..requests).map(|_| hub.chat("m"))).await
}

fn connection(hub: &TestHub, id: &str) -> std::sync::Arc<Connection> {
    let snapshot = hub.engine.snapshot();
    let mut all = snapshot.settings.connections.iter();
    std::sync::Arc::clone(all.find(|one| *one.id == *id).unwrap())
}

/// An account that answers after two seconds, so that many requests are under way at a time.
fn slow() -> Script {
    let slow = Behaviour { headers_delay_ms: 2000, rate_headers: false, ..Behaviour::ok() };
    ["one", "two"].iter().fold(Script::default(), |script, key| script.key(*key, slow.clone()))
}

#[tokio::test(start_paused = true)]
async fn of_two_hundred_requests_at_once_fifty_pass_and_the_others_go_to_the_next_account() {
    let yaml = providers(&[account("a", "one", FIFTY), account("b", "two", "")]);
    let hub = TestHub::builder().yaml(&yaml).script(slow()).build().await;
    let answers = at_once(&hub, 200).await;
    assert!(answers.iter().all(Answer::is_whole));
    assert_eq!(hub.calls(["one", "two"]), [50, 150]);
    let served = |id: &str| answers.iter().filter(|answer| answer.route() == id).count();
    assert_eq!((served("a"), served("b")), (50, 150));
    assert_eq!(hub.engine.in_flight(&connection(&hub, "a")), 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_next_account_the_others_are_told_when_to_come_back() {
    let hub = TestHub::builder().yaml(&providers(&[account("a", "one", FIFTY)])).script(slow()).build().await;
    let answers = at_once(&hub, 200).await;
    let refused: Vec<_> = answers.iter().filter(|answer| !answer.status.is_success()).collect();
    assert_eq!((refused.len(), hub.calls(["one"])), (150, [50]));
    for answer in refused {
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded")
        );
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((86_000..=88_000).contains(&wait), "{wait}");
    }
    // The ledger's sum is what the simulator has seen.
    hub.engine.quota().save();
    assert_eq!(hub.windows().iter().map(|window| window.used).sum::<u64>(), 50);
    tokio::time::advance(Duration::from_secs(86_400 + 1440)).await;
    assert!(hub.chat("m").await.is_whole());
}

#[tokio::test(start_paused = true)]
async fn refused_and_broken_attempts_count_as_the_table_says() {
    let limits = ", limits: [{per: day, requests: 100}, {per: day, tokens: 1000000}]";
    for (fault, requests) in [(Fault::status(429), 0), (Fault::status(503), 1)] {
        let yaml = providers(&[account("a", "one", limits), account("b", "two", "")]);
        let failing = Behaviour { rate_headers: false, ..Behaviour::failing(fault) };
        let hub = TestHub::builder().yaml(&yaml).script(Script::default().key("one", failing)).build().await;
        assert!(hub.chat("m").await.is_whole());
        hub.engine.quota().save();
        let used: Vec<u64> = hub.windows().iter().map(|window| window.used).collect();
        assert_eq!(used, [requests, 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn reported_tokens_take_the_place_of_the_guess() {
    let limits = ", limits: [{per: day, tokens: 1000000}]";
    let hub = TestHub::builder().yaml(&providers(&[account("a", "one", limits)])).build().await;
    hub.chat("m").await;
    hub.stream("m").await;
    hub.engine.quota().save();
    let receipts = hub.receipts().await;
    let told: u64 = receipts.iter().map(|row| row.input_tokens.unwrap() + row.output_tokens.unwrap()).sum();
    assert_eq!(hub.windows().first().map(|window| window.used), Some(told));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_is_charged_with_the_guess_and_leaves_nothing_reserved() {
    let limits = ", limits: [{per: day, requests: 10}, {per: day, tokens: 100000}]";
    let hub =
        TestHub::builder().yaml(&providers(&[account("a", "one", limits)])).script(slow()).build().await;
    let account = connection(&hub, "a");
    let left = tokio::time::timeout(Duration::from_secs(1), hub.chat("m")).await;
    assert!(left.is_err());
    let windows = hub.engine.quota().windows(&account);
    let [requests, tokens] = windows.as_slice() else { panic!("{windows:?}") };
    assert_eq!((requests.used, requests.reserved, tokens.reserved), (0.1, 0.0, 0.0));
    assert!(tokens.used >= 0.01, "a thousand tokens at least: {}", tokens.used);
}

#[tokio::test(start_paused = true)]
async fn what_is_used_up_is_shown_with_its_end() {
    let hub = TestHub::builder()
        .yaml(&providers(&[account("a", "one", ", limits: [{per: day, requests: 1}]")]))
        .build()
        .await;
    hub.chat("m").await;
    let health = hub.get("/health").await.json();
    let shown = &health["details"]["connections"][0];
    assert_eq!((shown["standing"].as_str(), shown["until"].is_i64()), (Some("used_up"), true));
    assert_eq!(shown["reason"], "the window `requests per day` is used up");
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_where_the_last_run_stopped() {
    let yaml = providers(&[account("a", "one", FIFTY)]);
    let hub = TestHub::builder().yaml(&yaml).build().await;
    for _ in 0..30 {
        assert!(hub.chat("m").await.is_whole());
    }
    hub.engine.quota().save();
    let again = TestHub::builder().yaml(&yaml).windows(hub.windows()).build().await;
    let answers = at_once(&again, 40).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_whole()).count(), 20);
    assert_eq!(again.calls(["one"]), [20]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_names_the_model_leaves_the_accounts_other_models_alone() {
    let message = "Rate limit reached for model `m` in organization `org_1` on tokens per minute (TPM): Limit 6000, Used 5900, Requested 300. Please try again in 20s.";
    let body =
        serde_json::json!({"error": {"message": message, "type": "tokens", "code": "rate_limit_exceeded"}});
    let fault = Fault::Status { code: 429, retry_after: None, body: Some(body) };
    let busy = Behaviour { retry_after: RetryAfter::None, ..Behaviour::ok() }.rule(Rule::first(1, fault));
    let hub = TestHub::builder()
        .yaml(&providers(&[account("a", "one", "")]))
        .script(Script::default().key("one", busy))
        .build()
        .await;
    let answer = hub.chat("m").await;
    assert_eq!(
        (answer.status, answer.code().as_str(), answer.header("retry-after")),
        (StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", "20")
    );
    assert!(hub.cooldowns().is_empty(), "the account is not to blame");
    assert!(hub.chat("other").await.is_whole());
    assert_eq!(hub.chat("m").await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(hub.calls(["one"]), [2]);
    tokio::time::advance(Duration::from_secs(20)).await;
    assert!(hub.chat("m").await.is_whole());
}

#[tokio::test(start_paused = true)]
async fn what_headers_tell_is_known_and_keeps_nobody_out() {
    let busy = Behaviour { rate: Some(trivium::simulator::Rate::PerMinute(2)), ..Behaviour::ok() };
    let script = Script::default().key("one", busy);
    let hub = TestHub::builder().yaml(&providers(&[account("a", "one", "")])).script(script).build().await;
    let account = connection(&hub, "a");
    assert_eq!(hub.engine.quota().view().of(&account, "m").remaining, None);
    for left in [0.5, 0.0] {
        assert!(hub.chat("m").await.is_whole());
        assert_eq!(hub.engine.quota().view().of(&account, "m").remaining, Some(left));
    }
    assert_eq!(hub.engine.quota().view().of(&account, "other").remaining, None, "the bucket is the model's");
    let windows = hub.engine.quota().windows(&account);
    assert!(windows.iter().all(|window| window.source == Source::Header));
    assert_eq!(hub.engine.quota().view().blocked(&account, "m"), None, "a bucket refills");
}

#[tokio::test(start_paused = true)]
async fn an_account_at_its_pace_lets_the_next_one_serve_and_alone_it_says_so() {
    let pace = ", pace: {preset: single-file, queue: 1, max_wait_seconds: 1}";
    let yaml = providers(&[account("a", "one", pace), account("b", "two", "")]);
    let hub = TestHub::builder().yaml(&yaml).script(slow()).build().await;
    assert!(at_once(&hub, 4).await.iter().all(Answer::is_whole));
    assert_eq!(hub.calls(["one", "two"]), [1, 3]);

    let hub = TestHub::builder().yaml(&providers(&[account("a", "one", pace)])).script(slow()).build().await;
    let mut codes: Vec<String> = Vec::new();
    for answer in at_once(&hub, 3).await {
        codes.push(if answer.is_whole() { "served".to_owned() } else { answer.code() });
    }
    codes.sort_unstable();
    assert_eq!(codes, ["request_queue_full", "request_queue_timeout", "served"]);
}

#[tokio::test(start_paused = true)]
async fn requests_under_way_are_counted_and_one_whose_client_leaves_gives_its_place_back() {
    let pace = ", pace: {concurrent: 1, max_wait_seconds: 60}";
    let hub = TestHub::builder().yaml(&providers(&[account("a", "one", pace)])).script(slow()).build().await;
    let account = connection(&hub, "a");
    {
        let mut leaving = std::pin::pin!(hub.chat("m"));
        let left = tokio::time::timeout(Duration::from_secs(1), &mut leaving).await;
        assert!(left.is_err());
        assert_eq!(hub.engine.in_flight(&account), 1);
    }
    assert_eq!(hub.engine.in_flight(&account), 0);
    assert!(hub.chat("m").await.is_whole());
}
