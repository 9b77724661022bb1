//! Somebody with the database in hand changes the audit log behind the hub's back, and is found out.

use sqlx::{Executor, SqlitePool};

use super::support::Hub;

/// A hub that was stopped after a few changes, its log whole.
async fn stopped() -> Hub {
    let mut hub = Hub::builder().account("a", "sim-ok").start().await;
    for name in ["one", "two", "three", "four"] {
        hub.ground.cli_ok(&["aliases", "put", name, "--definition", r#"{"targets": ["m"]}"#]).await;
    }
    let verdict = hub.get("/api/audit/verify").await.json();
    assert_eq!((&verdict["whole"], &verdict["entries"]), (&true.into(), &4.into()), "{verdict}");
    assert!(hub.stop().await.success());
    hub
}

/// What the command says of the log after `change` was made to the database.
async fn after(change: &str) -> serde_json::Value {
    let hub = stopped().await;
    let file = hub.ground.data_dir().join("trivium.db");
    let database = SqlitePool::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    database.execute(sqlx::AssertSqlSafe(change.to_owned())).await.unwrap();
    database.close().await;
    let said = hub.ground.cli_ok(&["audit", "verify", "--json"]).await;
    let alone: serde_json::Value = serde_json::from_str(&said).unwrap();
    let hub = hub.again().await;
    // New entries behind it do not heal it.
    hub.ground.cli_ok(&["aliases", "put", "five", "--definition", r#"{"targets": ["m"]}"#]).await;
    let running = hub.get("/api/audit/verify").await.json();
    assert_eq!(running["broken_at"], alone["broken_at"], "{change}");
    assert_eq!(running["whole"], alone["whole"], "{change}");
    alone
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_entry_is_found() {
    let verdict = after("UPDATE audit SET caller = 'somebody else' WHERE id = 2").await;
    assert_eq!((&verdict["whole"], &verdict["broken_at"]), (&false.into(), &2.into()), "{verdict}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_with_a_hash_of_its_own_is_found_by_the_next() {
    let verdict = after("UPDATE audit SET hash = (SELECT hash FROM audit WHERE id = 1) WHERE id = 2").await;
    assert_eq!((&verdict["whole"], &verdict["broken_at"]), (&false.into(), &2.into()), "{verdict}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_was_taken_out_is_found() {
    let verdict = after("DELETE FROM audit WHERE id = 3").await;
    assert_eq!((&verdict["whole"], &verdict["broken_at"]), (&false.into(), &4.into()), "{verdict}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_entries_are_missed_too() {
    let hub = stopped().await;
    let file = hub.ground.data_dir().join("trivium.db");
    let database = SqlitePool::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    database.execute("DELETE FROM audit WHERE id >= 3").await.unwrap();
    database.close().await;
    let said = hub.ground.cli_ok(&["audit", "verify", "--json"]).await;
    let verdict: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&verdict["whole"], &verdict["broken_at"]), (&false.into(), &3.into()), "{verdict}");
}
