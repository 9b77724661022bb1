//! `trivium doctor`: it finds what is wrong, whether or not a hub runs, and never shows a secret.

use std::fs;

use serde_json::Value;

use super::support::{Ground, Hub};

/// Part of every secret here.
const CANARY: &str = "CaNaRyD0cT0r";

/// The findings of a check, each with its state.
async fn findings(ground: &Ground, check: &str) -> Vec<(String, String)> {
    let output = ground.cli(&["doctor", "--json"]).await;
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    let all = all.as_array().unwrap().iter();
    let failed = all.clone().any(|one| one["state"] == "fail");
    assert_eq!(output.status.code(), Some(i32::from(failed)), "{all:?}");
    all.filter(|one| one["check"] == check).map(|one| (text(one, "state"), text(one, "found"))).collect()
}

async fn state(ground: &Ground, check: &str) -> String {
    let found = findings(ground, check).await;
    found.last().unwrap_or_else(|| panic!("nothing about {check}")).0.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_well_is_found_well_and_its_troubles_are_found() {
    let mut hub = Hub::builder().account("a", "sim-ok").start().await;
    hub.ground.cli_ok(&["combos", "put", "team", "--definition", "{steps: [m]}"]).await;
    let ground = hub.ground.clone();
    for check in ["configuration", "made over the API", "credentials", "store", "key file", "hub", "clock"] {
        assert_eq!(state(&ground, check).await, "ok", "{check}");
    }
    let found = findings(&ground, "data folder").await;
    assert!(found.iter().any(|(state, text)| state == "warn" && text.contains("first-key.txt")), "{found:?}");
    assert_eq!(state(&ground, "backups").await, "warn");
    ground.cli_ok(&["backups", "create"]).await;
    assert_eq!(state(&ground, "backups").await, "ok");

    // The file takes the name that was given over the API.
    let text = fs::read_to_string(ground.config()).unwrap();
    fs::write(ground.config(), format!("combos: [{{id: team, steps: [m]}}]\n{text}")).unwrap();
    assert_eq!(state(&ground, "made over the API").await, "warn");
    fs::write(ground.config(), "providers: 5\n").unwrap();
    assert_eq!(state(&ground, "configuration").await, "fail");
    assert_eq!(state(&ground, "hub").await, "ok", "what does not depend on the file is looked at");
    fs::write(ground.config(), text).unwrap();

    assert_eq!(hub.stop().await.code(), Some(0));
    let key = ground.data_dir().join("secret.key");
    let right = fs::read(&key).unwrap();
    fs::write(&key, [7; 32]).unwrap();
    let found = findings(&ground, "made over the API").await;
    assert!(found.iter().any(|(state, text)| state == "fail" && text.contains("decrypted")), "{found:?}");
    fs::remove_file(&key).unwrap();
    assert_eq!(state(&ground, "key file").await, "fail");
    fs::write(&key, right).unwrap();
    let database = ground.data_dir().join("trivium.db");
    let whole = fs::read(&database).unwrap();
    fs::write(&database, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(state(&ground, "store").await, "fail");
    fs::write(&database, b"not a database, and long enough to be looked at").unwrap();
    assert_eq!(state(&ground, "store").await, "fail");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_found() {
    let ground = Ground::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    fs::write(ground.config(), format!("server:\n  port: {port}\n")).unwrap();
    assert_eq!(state(&ground, "port").await, "fail");
    drop(taken);
    assert_eq!(state(&ground, "port").await, "ok");
    assert!(!ground.data_dir().exists(), "nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_holds_no_secret() {
    let hub = Hub::builder()
        .env("API_KEY", &format!("op-{CANARY}"))
        .account("a", &format!("sk-{CANARY}"))
        .section(&format!(
            "aliases:\n  # token {CANARY}\n  small: [m]\nprices: [{{model: m, price: {{input: 1, output: 1}}}}]"
        ))
        .start()
        .await;
    let definition = format!(
        "{{type: openai-compatible, base_url: 'http://u:{CANARY}@{}/v1?key={CANARY}', api_key: sk-{CANARY}, models: [x]}}",
        hub.provider.address
    );
    // Accepted or refused, it is shown to nobody.
    drop(hub.ground.cli(&["connections", "put", "made", "--definition", &definition]).await);
    let definition = format!(
        "{{type: openai-compatible, base_url: 'http://{}/v1', api_key: sk-{CANARY}, models: [x]}}",
        hub.provider.address
    );
    hub.ground.cli_ok(&["connections", "put", "made2", "--definition", &definition]).await;
    hub.chat("x").send().await.must_be_whole();
    for args in [&["doctor", "--report"][..], &["doctor", "--json"], &["doctor", "--online"]] {
        let output = hub.ground.cli(args).await;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(said.len() > 500, "{said}");
        assert!(!said.contains(CANARY), "{args:?}: {said}");
        assert!(!said.contains(&hub.key), "{args:?}");
    }
    let report = hub.ground.cli(&["doctor", "--report"]).await.stdout;
    let report = String::from_utf8(report).unwrap();
    for expected in ["# Trivium", "# Findings", "documents", "store.data_dir", "auth.api_key"] {
        assert!(report.contains(expected), "{expected}: {report}");
    }
}
