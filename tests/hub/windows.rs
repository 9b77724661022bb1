//! The strategies that go by the windows of accounts, each through a running hub: the windows are counted by the hub or
//! told by the provider, and the calls are counted in the simulator's own log.

use std::time::Duration;

use tokio::time::advance;
use trivium::simulator::Told;

use super::support::{
    TestHub,
    monthly::{self, DAY, HOUR, account, window},
};

const KEYS: [&str; 3] = ["one", "two", "three"];

/// Three accounts that serve `m`, with these further settings, and a combo of them with this strategy.
fn yaml(strategy: &str, more: &str) -> String {
    let account = |(id, key): (&str, &str)| {
        format!(
            "  - {{id: {id}, type: openai-compatible, api_key: {key}, base_url: 'http://simulator.test/v1', models: [m]{more}}}\n"
        )
    };
    let accounts: String = ["a", "b", "c"].into_iter().zip(KEYS).map(account).collect();
    format!(
        "providers:\n{accounts}combos:\n  - {{id: one-of, strategy: {strategy}, steps: [a/m, b/m, c/m]}}\n"
    )
}

async fn pass(seconds: u64) {
    advance(Duration::from_secs(seconds)).await;
}

/// The accounts that serve the next requests.
async fn served(hub: &TestHub, requests: usize) -> String {
    let mut routes = String::new();
    for _ in 0..requests {
        let answer = hub.chat("one-of").await;
        assert!(answer.is_whole(), "{answer:?}");
        routes.push_str(answer.route());
    }
    routes
}

#[tokio::test(start_paused = true)]
async fn reset_aware_starts_every_window_and_then_uses_up_what_ends_first() {
    let limits = ", limits: [{per: 5h, requests: 10, reset: first-use}, {per: week, requests: 1000, reset: first-use}]";
    let hub = TestHub::builder().yaml(&yaml("reset-aware", limits)).build().await;
    // Whoever is untouched goes first; each account's week begins an hour after the one before.
    for untouched in ["a", "b", "c"] {
        assert_eq!(served(&hub, 1).await, untouched);
        pass(HOUR).await;
    }
    // Then the week that ends first, until its five hours are used up, and so on.
    assert_eq!(served(&hub, 9 + 9 + 2).await, "aaaaaaaaabbbbbbbbbcc");
    // a's five hours are over, but its week has begun: it is the one that ends first, and not an untouched one.
    pass(2 * HOUR + 60).await;
    assert_eq!(served(&hub, 11).await, "aaaaaaaaaac");
    assert_eq!(hub.calls(KEYS), [20, 10, 4]);
    // A week after its first request a is untouched again; then b's week ends before the one that a began just now.
    pass(7 * DAY - 5 * HOUR).await;
    assert_eq!(served(&hub, 3).await, "abb");
    assert!(hub.upstream().iter().all(|entry| entry.status == Some(200)), "nobody had to refuse");
}

#[tokio::test(start_paused = true)]
async fn reset_window_uses_what_is_lost_soonest() {
    let weeks = |ends| window(1000, 10, ends * DAY);
    let fives = |ends| window(100, 10, ends * HOUR);
    let script = monthly::script()
        .key(KEYS[0], account(Told::Unified, fives(4), weeks(2)))
        .key(KEYS[1], account(Told::Unified, fives(1), weeks(6)))
        .key(KEYS[2], account(Told::Unified, fives(2), weeks(5)));
    let hub = TestHub::builder().yaml(&yaml("reset-window", "")).script(script).build().await;
    assert_eq!(served(&hub, 2).await, "aa", "of the others nothing is known");
    for name in ["b/m", "c/m"] {
        assert!(hub.chat(name).await.is_whole());
    }
    for (first, hours) in [("b", 1), ("c", 1), ("a", 2)] {
        assert_eq!(served(&hub, 3).await, first.repeat(3));
        pass(hours * HOUR).await;
    }
    // All five hours are over: what ends first is a's week.
    assert_eq!(served(&hub, 2).await, "aa");
    assert_eq!(hub.calls(KEYS), [7, 4, 4]);
}

#[tokio::test(start_paused = true)]
async fn headroom_evens_out_what_is_left() {
    let plan = |used| account(Told::Unified, window(100, used, 5 * HOUR), window(1000, 0, 7 * DAY));
    let script = monthly::script().key(KEYS[0], plan(50)).key(KEYS[1], plan(10)).key(KEYS[2], plan(30));
    let hub = TestHub::builder().yaml(&yaml("headroom", "")).script(script).build().await;
    for name in ["a/m", "b/m", "c/m"] {
        assert!(hub.chat(name).await.is_whole());
    }
    // 51, 11 and 31 percent are used: b catches up with c, both with a, and then all take the same.
    assert_eq!(served(&hub, 20).await, "b".repeat(20));
    assert_eq!(served(&hub, 40).await, "bc".repeat(20));
    assert_eq!(served(&hub, 30).await, "abc".repeat(10));
    assert_eq!(hub.calls(KEYS), [11, 51, 31]);
}

#[tokio::test(start_paused = true)]
async fn headroom_goes_by_what_the_hub_counts_too() {
    let limits = |requests: u32| format!(", limits: [{{per: day, requests: {requests}}}]");
    let mut yaml = yaml("headroom", "LIMITS");
    for requests in [10, 40, 20] {
        yaml = yaml.replacen("LIMITS", &limits(requests), 1);
    }
    let hub = TestHub::builder().yaml(&yaml).build().await;
    let all = futures_util::future::join_all((0..70).map(|_| hub.chat("one-of"))).await;
    assert!(all.iter().all(super::support::Answer::is_whole));
    assert_eq!(hub.calls(KEYS), [10, 40, 20], "each was used up to its limit, and none beyond it");
    assert_eq!(hub.chat("one-of").await.code(), "rate_limit_exceeded");
}
