//! Prices that are fetched, and who says what models cost.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::support::TestHub;

const YAML: &str = "
prices_sync: {url: 'https://prices.test/list.json?token=x', interval_hours: 1}
prices: [{model: ruled, price: {input: 9, output: 9}}]
providers:
  - id: a
    type: openai
    base_url: http://simulator.test/v1
    api_key: sim-ok.a
    models: [m, ruled, gpt-4o, {id: own, price: {input: 7, output: 7}}]
";

fn list(dollars: f64) -> Value {
    let row = json!({"litellm_provider": "openai", "input_cost_per_token": dollars / 1e6, "output_cost_per_token": dollars / 1e6});
    json!({"m": row, "ruled": row, "own": row, "gpt-4o": row})
}

/// What the models of the connection cost, and who says so.
async fn prices(hub: &TestHub) -> Vec<(String, Option<f64>, String)> {
    let table = hub.get("/api/pricing?connection=a").await.json();
    let told = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        (text("model"), row["input_per_million_usd"].as_f64().map(f64::round), text("said_by"))
    };
    table["prices"].as_array().unwrap_or_else(|| panic!("{table}")).iter().map(told).collect()
}

fn expected(rows: [(&str, Option<f64>, &str); 4]) -> Vec<(String, Option<f64>, String)> {
    rows.map(|(model, price, by)| (model.to_owned(), price, by.to_owned())).to_vec()
}

#[tokio::test(start_paused = true)]
async fn fetched_prices_lie_between_the_users_and_the_catalogues() {
    let hub = TestHub::builder().yaml(YAML).build().await;
    let builtin = |price: Option<f64>| ("gpt-4o", price, "built_in");
    let before = prices(&hub).await;
    let own = before[2].1;
    let unfetched = [
        ("m", None, "unknown"),
        ("ruled", Some(9.0), "configured"),
        builtin(own),
        ("own", Some(7.0), "configured"),
    ];
    assert_eq!(before, expected(unfetched));
    hub.lists.give(list(5.0).to_string());
    hub.keep_prices().await;
    sleep(Duration::from_secs(1)).await;
    let fetched = [
        ("m", Some(5.0), "fetched"),
        ("ruled", Some(9.0), "configured"),
        ("gpt-4o", Some(5.0), "fetched"),
        ("own", Some(7.0), "configured"),
    ];
    assert_eq!(prices(&hub).await, expected(fetched));
    let table = hub.get("/api/pricing?model=m").await.json();
    assert_eq!(table["prices"][0]["source"], "prices.test");
    assert_eq!(table["prices"][0]["as_of"], "2026-01-01");
    assert!(hub.chat("m").await.is_whole());
    let traces = hub.get("/api/traces").await.json();
    assert!(traces["traces"][0]["cost_usd"].as_f64().unwrap() > 0.0, "{traces}");
    // What is no list changes nothing, and is asked for again; so is one that is old.
    hub.lists.give("<html>".to_owned());
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(prices(&hub).await, expected(fetched));
    hub.lists.give(list(6.0).to_string());
    sleep(Duration::from_secs(90)).await;
    assert_eq!(prices(&hub).await[0].1, Some(6.0));
    // The next hub begins with it.
    let next = TestHub::builder().yaml(YAML).after(&hub).build().await;
    next.lists.give("<html>".to_owned());
    next.keep_prices().await;
    assert_eq!(prices(&next).await[0], ("m".to_owned(), Some(6.0), "fetched".to_owned()));
    let page = next.get("/api/pricing?modell=m").await;
    assert_eq!(page.code(), "invalid_parameter");
}

#[tokio::test(start_paused = true)]
async fn a_list_is_fetched_at_once_and_what_is_different_is_counted() {
    let hub = TestHub::builder().yaml(YAML).build().await;
    let sync = async |args: Value| hub.json(http::Method::POST, "/api/pricing/sync", args).await;
    let failed = sync(json!({})).await;
    assert_eq!(failed.status, 409, "{}", failed.text);
    assert!(failed.text.contains("prices.test") && !failed.text.contains("token=x"), "{}", failed.text);
    let mut first = list(5.0);
    first["picture"] = json!({"litellm_provider": "openai", "output_cost_per_image": 0.04});
    hub.lists.give(first.to_string());
    let counts =
        |told: &Value| ["new", "changed", "same", "gone", "skipped"].map(|name| told[name].as_u64().unwrap());
    let dry = sync(json!({"dry_run": true})).await.json();
    assert_eq!((counts(&dry), &dry["dry_run"]), ([4, 0, 0, 0, 1], &json!(true)), "{dry}");
    assert_eq!(prices(&hub).await[0].1, None, "nothing is in force");
    let done = sync(json!({})).await.json();
    assert_eq!((counts(&done), &done["source"]), ([4, 0, 0, 0, 1], &json!("prices.test")), "{done}");
    assert_eq!(prices(&hub).await[0].1, Some(5.0));
    let mut second = list(5.0);
    second.as_object_mut().unwrap().shift_remove("own");
    second["m"]["input_cost_per_token"] = json!(6e-6);
    hub.lists.give(second.to_string());
    assert_eq!(counts(&sync(json!({})).await.json()), [0, 1, 2, 1, 0]);
    hub.lists.give("<html>".to_owned());
    assert_eq!(sync(json!({})).await.status, 409);
    assert_eq!(prices(&hub).await[0].1, Some(6.0), "what holds goes on holding");
    let none = TestHub::builder().account("a", "sim-ok").build().await;
    let unnamed = none.json(http::Method::POST, "/api/pricing/sync", json!({})).await;
    assert_eq!(unnamed.status, 409);
    assert!(unnamed.text.contains("prices_sync.url"), "{}", unnamed.text);
}
