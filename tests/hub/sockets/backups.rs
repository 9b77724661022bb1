//! A hub that loses its data: what was backed up under load comes back whole, and answers as before.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{
    client::Client,
    support::{Hub, SOON, eventually},
};

/// Part of every secret here.
const CANARY: &str = "CaNaRyBaCkUp9";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

async fn simulated(hub: &Hub) -> Value {
    let mut answer = hub.post("/api/routing/simulate", json!({"model": "team"}).to_string()).await.json();
    // The dice of each question.
    answer.as_object_mut().unwrap().shift_remove("seed");
    answer
}

async fn combos(hub: &Hub) -> Value {
    hub.get("/api/combos").await.json()["items"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_hub_is_restored_from_a_backup_that_was_made_under_load() {
    let mut hub =
        Hub::builder().account("dry", "sim-429-retry-600-after-5").account("good", "sim-ok").start().await;
    let key = hub.new_key("worker").await;
    let definition = format!(
        "{{type: openai-compatible, base_url: 'http://{}/v1', api_key: sim-ok.{CANARY}, models: [extra]}}",
        hub.provider.address
    );
    hub.ground.cli_ok(&["connections", "put", "made", "--definition", &definition]).await;
    hub.ground.cli_ok(&["combos", "put", "team", "--definition", "{steps: [m, extra]}"]).await;

    let client = Client::new(hub.address, &key);
    let load: Vec<_> = (0..8)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut served = 0;
                while let Ok(answer) = client.chat("m").stream_if(number % 2 == 0).try_send().await {
                    answer.must_be_whole();
                    served += 1;
                }
                served
            })
        })
        .collect();
    eventually("there is load", SOON, || (hub.provider.calls("good").len() > 50).then_some(())).await;
    let made: Value =
        serde_json::from_str(&hub.ground.cli_ok(&["backups", "create", "--json"]).await).unwrap();
    let name = made["name"].as_str().unwrap().to_owned();
    assert!(made["rows"]["receipts"].as_u64().unwrap() >= 50, "{made}");
    let verdict: Value =
        serde_json::from_str(&hub.ground.cli_ok(&["backups", "verify", &name, "--json"]).await).unwrap();
    assert_eq!(verdict["whole"], true, "{verdict}");
    let (before, combos_before) = (simulated(&hub).await, combos(&hub).await);
    assert!(before.to_string().contains("dry"), "{before}");
    hub.process.kill();
    for client in load {
        assert!(client.await.unwrap() > 0);
    }

    let refused = hub.ground.cli(&["backups", "restore", "20000101T000000Z"]).await;
    assert_eq!(refused.status.code(), Some(1));
    let elsewhere = hub.ground.home().join("elsewhere").join(&name);
    copy(&hub.ground.data_dir().join("backups").join(&name), &elsewhere);
    fs::remove_dir_all(hub.ground.data_dir()).unwrap();
    let said = hub.ground.cli_ok(&["backups", "restore", elsewhere.to_str().unwrap()]).await;
    assert!(said.contains("There was nothing before"), "{said}");

    // No first key is made: the operator's is among those that came back.
    fs::write(hub.ground.data_dir().join("first-key.txt"), format!("{}\n", hub.key)).unwrap();
    hub.provider.simulator.clear_log();
    let hub = hub.again().await;
    assert_eq!(simulated(&hub).await, before);
    assert_eq!(combos(&hub).await, combos_before);
    assert_eq!(hub.health().await["details"]["connections"][0]["standing"], "cooling");
    let worker = hub.with_key(&key);
    let answer = worker.chat("team").send().await;
    answer.must_be_whole();
    assert_eq!((answer.header("x-gateway-route"), answer.header("x-gateway-attempts")), ("good", "1"));
    let extra = hub.chat("extra").send().await;
    extra.must_be_whole();
    assert_eq!(extra.header("x-gateway-route"), "made", "its credential was readable");
    assert!(hub.provider.calls("dry").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_hub_is_not_overwritten_and_the_way_back_is_said() {
    let mut hub = Hub::builder().account("a", "sim-ok").start().await;
    let name = hub.ground.cli_ok(&["backups", "create", "--json"]).await;
    let name = serde_json::from_str::<Value>(&name).unwrap()["name"].as_str().unwrap().to_owned();
    let refused = hub.ground.cli(&["backups", "restore", &name]).await;
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("in use by the hub at"), "{said}");
    assert_eq!(hub.stop().await.code(), Some(0));
    let said = hub.ground.cli_ok(&["backups", "restore", &name]).await;
    assert!(said.contains("To go back") && said.contains("replaced"), "{said}");
    hub.again().await.chat("m").send().await.must_be_whole();
}
