//! What OmniRoute says of accounts of Codex and of its tiers, replayed.
//!
//! An account of Codex has two switches, one for its window of five hours and one for that of its week. A window that is
//! switched on and used to 90 percent or more keeps the account out; one that is switched off does not. Requests go to the
//! next account that may be used, and when the time of the reset has passed, the account is back without anybody's help.
//! In Trivium these are the keys `windows: {5h, weekly, threshold}` of a connection.

use std::time::Duration;

use tokio::time::advance;
use trivium::simulator::{Script, Told};

use super::support::{
    TestHub,
    monthly::{self, DAY, HOUR, account, window},
};

/// Two accounts of Codex with these switches, the first one first.
fn yaml(five_hours: &str, weekly: &str) -> String {
    let windows = format!("windows: {{5h: {five_hours}, weekly: {weekly}, threshold: 0.9}}");
    let account = |id: &str| {
        format!(
            "  - {{id: {id}, tier: subscription, {windows}, type: openai-compatible, api_key: {id}, base_url: 'http://simulator.test/v1', models: [m]}}\n"
        )
    };
    format!("providers:\n{}{}", account("codex-1"), account("codex-2"))
}

/// The first account has used so many percent of its windows; the second one has not begun.
fn used(five_hours: u64, week: u64) -> Script {
    let first = account(Told::Codex, window(100, five_hours, HOUR), window(1000, week * 10, 2 * HOUR));
    let second = account(Told::Codex, window(100, 0, 5 * HOUR), window(1000, 0, 7 * DAY));
    monthly::script().key("codex-1", first).key("codex-2", second)
}

/// The account that serves.
async fn next(hub: &TestHub) -> String {
    let answer = hub.chat("m").await;
    assert!(answer.is_whole(), "{answer:?}");
    answer.route().to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_switches_of_five_hours_and_of_the_week() {
    let (on, off) = ("on", "off");
    // The switches, what is used in percent, the window that keeps the account out, and after how many hours it is back.
    // The request that is told of it uses one more percent of the five hours.
    let scenarios = [
        (on, on, 89, 10, Some(("5h", 1))),
        (on, on, 10, 90, Some(("week", 2))),
        (on, on, 95, 95, Some(("week", 2))),
        (on, on, 85, 85, None),
        (off, on, 95, 10, None),
        (off, on, 10, 90, Some(("week", 2))),
        (off, on, 95, 90, Some(("week", 2))),
        (on, off, 89, 10, Some(("5h", 1))),
        (on, off, 10, 95, None),
        (on, off, 89, 95, Some(("5h", 1))),
        (off, off, 95, 95, None),
    ];
    for scenario in scenarios {
        let (five_hours, weekly, five_used, week_used, expected) = scenario;
        let hub = TestHub::builder()
            .yaml(&yaml(five_hours, weekly))
            .script(used(five_used, week_used))
            .build()
            .await;
        assert_eq!(next(&hub).await, "codex-1", "its first answer tells: {scenario:?}");
        let Some((window, hours)) = expected else {
            for _ in 0..3 {
                assert_eq!(next(&hub).await, "codex-1", "{scenario:?}");
            }
            continue;
        };
        for _ in 0..3 {
            assert_eq!(next(&hub).await, "codex-2", "{scenario:?}");
        }
        assert_eq!(hub.calls(["codex-1", "codex-2"]), [1, 3], "{scenario:?}");
        let skipped = &hub.receipts().await[0].detail.skipped[0];
        assert_eq!(&*skipped.connection, "codex-1");
        assert_eq!(skipped.reason, format!("rate_limited: the window `{window}` is used up"), "{scenario:?}");
        advance(Duration::from_secs(hours * HOUR) - Duration::from_secs(2)).await;
        assert_eq!(next(&hub).await, "codex-2", "not before the reset: {scenario:?}");
        advance(Duration::from_secs(2)).await;
        assert_eq!(next(&hub).await, "codex-1", "the reset has passed: {scenario:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_that_is_switched_off_is_left_to_the_provider() {
    let hub = TestHub::builder().yaml(&yaml("off", "off")).script(used(98, 10)).build().await;
    assert_eq!([next(&hub).await, next(&hub).await], ["codex-1", "codex-1"]);
    // Nothing is left, and the provider says so; the client does not hear of it.
    let answer = hub.chat("m").await;
    assert!(answer.is_whole());
    assert_eq!((answer.route(), answer.header("x-gateway-attempts")), ("codex-2", "2"));
    // A cooldown of five minutes would be over by now; the window is not.
    advance(Duration::from_secs(HOUR - 60)).await;
    assert_eq!(next(&hub).await, "codex-2");
    assert_eq!(hub.calls(["codex-1", "codex-2"]), [3, 2]);
    advance(Duration::from_secs(60)).await;
    assert_eq!(next(&hub).await, "codex-1");
}

#[tokio::test(start_paused = true)]
async fn accounts_rotate_around_the_one_that_is_left_out() {
    let yaml = format!("routing: {{default_strategy: round-robin}}\n{}", yaml("on", "on"));
    let third = "  - {id: codex-3, type: openai-compatible, api_key: codex-3, base_url: 'http://simulator.test/v1', models: [m]}\n";
    let hub = TestHub::builder().yaml(&format!("{yaml}{third}")).script(used(89, 10)).build().await;
    let mut routes = Vec::new();
    for _ in 0..7 {
        routes.push(next(&hub).await);
    }
    assert_eq!(routes, ["codex-1", "codex-2", "codex-3", "codex-2", "codex-3", "codex-2", "codex-3"]);
    advance(Duration::from_secs(HOUR)).await;
    assert_eq!(next(&hub).await, "codex-1");
}

/// Four tiers in any order: a subscription until its quota is used up, keys and cheap accounts until their budgets are, and
/// then what costs nothing.
const TIERS: &str = "
budgets:
  - {id: keys, for: tier:key, limit: 2, window: day}
  - {id: cheap, for: tier:cheap, limit: 1, window: day}
providers:
  - {id: free, tier: free, type: openai-compatible, api_key: sim-ok.free, base_url: 'http://simulator.test/v1', models: [kimi-k2]}
  - {id: cheap, tier: cheap, type: openai-compatible, api_key: sim-ok.cheap, base_url: 'http://simulator.test/v1', models: [{id: glm-4.7, price: {input: 0, output: 0, request: 0.5}}]}
  - {id: key, tier: key, type: openai-compatible, api_key: sim-ok.key, base_url: 'http://simulator.test/v1', models: [{id: deepseek, price: {input: 0, output: 0, request: 1}}]}
  - {id: month, tier: subscription, type: openai-compatible, api_key: codex-1, base_url: 'http://simulator.test/v1', models: [opus]}
combos:
  - {id: never-stop, by_tier: true, steps: [kimi-k2, glm-4.7, deepseek, opus]}
";

#[tokio::test(start_paused = true)]
async fn four_tiers_one_after_the_other() {
    let hub = TestHub::builder().yaml(TIERS).script(used(95, 10)).build().await;
    let mut routes = Vec::new();
    for _ in 0..10 {
        let answer = hub.chat("never-stop").await;
        assert!(answer.is_whole(), "{answer:?}");
        routes.push(answer.route().to_owned());
    }
    let expected = ["month", "month", "month", "key", "key", "cheap", "cheap", "free", "free", "free"];
    assert_eq!(routes, expected, "98 of 100 percent are all that one takes of a subscription");
    advance(Duration::from_secs(HOUR)).await;
    assert_eq!(hub.chat("never-stop").await.route(), "month");
}
