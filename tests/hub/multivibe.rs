//! What MultiVibe says of its routing, replayed. It has accounts by the month with a window of five hours and one of a week
//! and chooses among them in this order:
//!
//! 1. accounts that are untouched in both windows;
//! 2. then the one whose week begins anew soonest;
//! 3. then by priority;
//! 4. who answers 429, or that its quota is used up, is blocked, and the next one is asked.
//!
//! An alias is a list of models; requests for it go down the list, over models and providers, as quotas are hit. In Trivium
//! the order is the strategy `reset-aware`, and an alias is a combo.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tokio::time::advance;
use trivium::simulator::{Allotment, Behaviour, Fault, RetryAfter, Rule, Told};

use super::support::{
    TestHub,
    monthly::{self, DAY, HOUR, account, window},
};

/// One account by the token, and three by the month that may be used to the last request. The file has them out of order.
const ACCOUNTS: &str = "
routing: {default_strategy: reset-aware}
providers:
  - {id: paid, priority: 4, type: openai-compatible, api_key: paid, base_url: 'http://simulator.test/v1', models: [gpt-5.3-codex]}
  - {id: third, priority: 3, tier: subscription, windows: {threshold: 1}, type: openai-compatible, api_key: third, base_url: 'http://simulator.test/v1', models: [gpt-5.3-codex]}
  - {id: first, priority: 1, tier: subscription, windows: {threshold: 1}, type: openai-compatible, api_key: first, base_url: 'http://simulator.test/v1', models: [gpt-5.3-codex]}
  - {id: second, priority: 2, tier: subscription, windows: {threshold: 1}, type: openai-compatible, api_key: second, base_url: 'http://simulator.test/v1', models: [gpt-5.3-codex]}
";

const MODEL: &str = "gpt-5.3-codex";
const KEYS: [&str; 4] = ["first", "second", "third", "paid"];

/// The accounts that serve the next requests, with how many in a row each.
async fn served(hub: &TestHub, model: &str, requests: usize) -> Vec<(String, usize)> {
    let mut rows: Vec<(String, usize)> = Vec::new();
    for _ in 0..requests {
        let answer = hub.chat(model).await;
        assert!(answer.is_whole(), "{answer:?}");
        match rows.last_mut().filter(|(route, _)| route == answer.route()) {
            Some((_, count)) => *count += 1,
            None => rows.push((answer.route().to_owned(), 1)),
        }
    }
    rows
}

fn rows(rows: &[(&str, usize)]) -> Vec<(String, usize)> {
    rows.iter().map(|(route, count)| ((*route).to_owned(), *count)).collect()
}

#[tokio::test(start_paused = true)]
async fn untouched_accounts_first_then_the_nearest_weekly_reset_then_the_priority() {
    let fresh = Allotment { requests: 10, used: 0, ends_in_seconds: None };
    let script = monthly::script()
        .key("first", account(Told::Codex, window(10, 5, 4 * HOUR), window(1000, 100, 3 * DAY)))
        .key("second", account(Told::Codex, fresh, Allotment { requests: 1000, ..fresh }))
        .key("third", account(Told::Codex, window(10, 5, 2 * HOUR), window(1000, 100, DAY)));
    let hub = TestHub::builder().yaml(ACCOUNTS).script(script).build().await;
    // Nobody has been asked yet, so that all three may be untouched: each is asked once, by priority. Of the two that
    // turn out to be in use the week of `third` ends first, then that of `first`, then that which `second` has begun. An
    // account that goes by no window is the last.
    let expected = [("first", 1), ("second", 1), ("third", 5), ("first", 4), ("second", 9), ("paid", 3)];
    assert_eq!(served(&hub, MODEL, 23).await, rows(&expected));
    // Nobody was driven into a refusal: who is used up is not asked.
    assert!(hub.upstream().iter().all(|entry| entry.status == Some(200)));
    // The five hours of `third` are over, and it comes back by itself.
    advance(Duration::from_secs(2 * HOUR)).await;
    assert_eq!(served(&hub, MODEL, 1).await, rows(&[("third", 1)]));
    // A day later its week is over as well: both windows are untouched now.
    advance(Duration::from_secs(DAY)).await;
    assert_eq!(served(&hub, MODEL, 2).await, rows(&[("third", 1), ("first", 1)]));
}

#[tokio::test(start_paused = true)]
async fn who_refuses_is_blocked_and_the_next_one_is_asked() {
    let quota = json!({"error": {"message": "You exceeded your current quota.", "type": "insufficient_quota",
        "param": null, "code": "insufficient_quota"}});
    let out_of_quota = Fault::Status { code: 429, retry_after: None, body: Some(quota) };
    for fault in [Fault::status(429), out_of_quota, Fault::status(402)] {
        let failing = Behaviour { retry_after: RetryAfter::None, ..Behaviour::ok() }
            .rule(Rule { times: Some(1), ..Rule::after(2, fault.clone()) });
        let script = monthly::script().key("first", failing);
        let hub = TestHub::builder().yaml(ACCOUNTS).script(script).build().await;
        // Without a word on their windows all stay untouched, and the priority decides.
        let first = served(&hub, MODEL, 6).await;
        assert_eq!(first, rows(&[("first", 2), ("second", 4)]), "{fault:?}");
        assert_eq!(hub.calls(KEYS), [3, 4, 0, 0], "asked once more, refused, and left alone: {fault:?}");
        advance(Duration::from_secs(300)).await;
        assert_eq!(served(&hub, MODEL, 1).await, rows(&[("first", 1)]), "{fault:?}");
    }
}

/// The alias of its documentation, over two providers, beside one that is switched off.
const ALIASES: &str = "
providers:
  - {id: codex-1, type: openai-compatible, api_key: one, base_url: 'http://simulator.test/v1', models: [gpt-5.1-codex-mini]}
  - {id: codex-2, type: openai-compatible, api_key: two, base_url: 'http://simulator.test/v1', models: [gpt-5.1-codex-mini]}
  - {id: mistral-1, type: mistral, api_key: three, base_url: 'http://simulator.test/v1', models: [devstral-small-latest]}
combos:
  - {id: small, description: Small coding model pool, steps: [gpt-5.1-codex-mini, devstral-small-latest]}
  - {id: retired, enabled: false, steps: [gpt-5.1-codex-mini]}
";

#[tokio::test(start_paused = true)]
async fn an_alias_goes_down_its_models_as_quotas_are_hit() {
    let dry = |after| Behaviour { retry_after: RetryAfter::None, ..Behaviour::limited(after, 300) };
    let script = monthly::script().key("one", dry(3)).key("two", dry(2));
    let hub = TestHub::builder().yaml(ALIASES).script(script).build().await;
    let expected = [("codex-1", 3), ("codex-2", 2), ("mistral-1", 4)];
    assert_eq!(served(&hub, "small", 9).await, rows(&expected));
    let models: Vec<_> = hub.upstream().into_iter().filter_map(|entry| entry.model).collect();
    assert_eq!(models[..7], ["gpt-5.1-codex-mini"; 7]);
    assert_eq!(models[7..], ["devstral-small-latest"; 4]);
    advance(Duration::from_secs(300)).await;
    assert_eq!(served(&hub, "small", 1).await, rows(&[("codex-1", 1)]), "back at the head of the list");

    let listed = hub.get("/v1/models").await.json();
    let ids: Vec<_> = listed["data"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert!(ids.contains(&json!("small")) && !ids.contains(&json!("retired")), "{ids:?}");
    let refused = hub.chat("retired").await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::NOT_FOUND, "model_not_found"));
}
