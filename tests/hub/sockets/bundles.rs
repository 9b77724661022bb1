//! A second hub that follows the first: it asks with a key that can do nothing else, gets secrets that only it can read, and
//! applies them. And the key to what a hub keeps, changed while processes are killed.

use std::{fs, time::Duration};

use serde_json::{Value, json};

use super::{
    client::Client,
    support::{Ground, Hub},
};

/// Part of every secret here.
const CANARY: &str = "CaNaRyBuNdLe4";

async fn put(hub: &Hub, id: &str) {
    let definition = json!({
        "type": "openai-compatible", "base_url": format!("http://{}/v1", hub.provider.address),
        "api_key": format!("sim-ok.{CANARY}{id}"), "models": [format!("model-{id}")],
    });
    hub.ground.cli_ok(&["connections", "put", id, "--definition", &definition.to_string()]).await;
}

async fn key(hub: &Hub, name: &str, scopes: &[&str]) -> String {
    let body = json!({"name": name, "scopes": scopes}).to_string();
    hub.post("/api/keys", body).await.json()["secret"].as_str().unwrap().to_owned()
}

fn path(ground: &Ground, name: &str) -> String {
    ground.home().join(name).to_str().unwrap().to_owned()
}

async fn refused(ground: &Ground, args: &[&str]) -> String {
    let output = ground.cli(args).await;
    assert!(!output.status.success(), "{args:?}");
    assert!(output.stdout.is_empty(), "nothing of it is printed");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_hub_takes_over_what_the_first_has_with_its_secrets() {
    let first = Hub::builder().account("file", "sim-ok").start().await;
    put(&first, "made").await;
    let price = "{steps: [model-made], description: 'costs $5, ${HOME}'}";
    first.ground.cli_ok(&["combos", "put", "team", "--definition", price]).await;
    let second = Hub::builder().start().await;
    let identity = path(&second.ground, "b.key");
    let recipient = second.ground.cli_ok(&["config", "bundle-key", &identity]).await;
    assert!(recipient.starts_with("age1"), "{recipient}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&identity).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = refused(&second.ground, &["config", "bundle-key", &identity]).await;
    assert!(again.contains("exists"), "{again}");

    let follower = key(&first, "follower", &["read:bundle", "export:secrets"]).await;
    let follower = Client::new(first.address, &follower);
    for other in ["/api/connections", "/api/keys", "/v1/models", "/api/audit"] {
        assert_eq!(follower.get(other).await.status, 403, "{other}");
    }
    let reader = Client::new(first.address, &key(&first, "reader", &["read:bundle"]).await);
    let asked = format!("/api/sync/bundle?recipient={recipient}");
    assert_eq!(reader.get("/api/sync/bundle").await.status, 200);
    let denied = reader.get(&asked).await;
    assert!(denied.status == 403 && denied.text().contains("export:secrets"), "{denied:?}");

    let answer = follower.get(&asked).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.text().contains(CANARY) && !answer.text().contains("sim-ok"));
    let bundle = path(&second.ground, "bundle.json");
    fs::write(&bundle, &answer.body).unwrap();
    let opened = second.ground.cli_ok(&["config", "open", &bundle, "--identity", &identity]).await;
    assert!(opened.contains(CANARY) && opened.contains("costs $$5, $${HOME}"), "{opened}");
    let apply = ["config", "apply", &bundle, "--identity", &identity, "--yes"];
    let said = second.ground.cli_ok(&apply).await;
    assert!(said.contains("+ connection `file`") && !said.contains(CANARY), "{said}");
    for model in ["m", "model-made", "team"] {
        let served = second.chat(model).send().await;
        served.must_be_whole();
    }
    let shown = second.get("/api/combos/team").await.json();
    assert_eq!(shown["definition"]["description"], "costs $5, ${HOME}");
    assert!(second.ground.cli_ok(&apply).await.contains("Nothing differs"));

    let wrong = path(&second.ground, "c.key");
    second.ground.cli_ok(&["config", "bundle-key", &wrong]).await;
    let other = refused(&second.ground, &["config", "open", &bundle, "--identity", &wrong]).await;
    assert!(other.contains("another recipient"), "{other}");
    let bare = path(&second.ground, "bare.json");
    fs::write(&bare, reader.get("/api/sync/bundle").await.body).unwrap();
    let none = refused(&second.ground, &["config", "open", &bare, "--identity", &identity]).await;
    assert!(none.contains("name a recipient"), "{none}");
    for hub in [&first, &second] {
        assert!(!hub.ground.said().contains(CANARY), "{}", hub.ground.said());
    }
    assert!(first.ground.said().contains(&recipient), "that secrets were given away is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_changed_while_processes_are_killed_opens_everything() {
    let mut hub = Hub::builder().account("a", "sim-ok").start().await;
    for number in 0..30 {
        put(&hub, &format!("c{number}")).await;
    }
    let running = hub.ground.cli(&["secrets", "rotate"]).await;
    assert!(String::from_utf8(running.stderr).unwrap().contains("in use by the hub"));
    assert_eq!(hub.stop().await.code(), Some(0));
    let file = hub.ground.data_dir().join("secret.key");
    let first = fs::read(&file).unwrap();
    for round in 0..12 {
        let mut process = hub.ground.spawn(&["secrets", "rotate"]);
        tokio::time::sleep(Duration::from_millis(round * 8)).await;
        // One that has ended by then is none to kill.
        if process.ended().is_none() {
            process.kill();
        }
        let said = hub.ground.cli_ok(&["secrets", "verify"]).await;
        assert!(said.contains("All 30 encrypted rows"), "{round}: {said}");
    }
    let said = hub.ground.cli_ok(&["secrets", "rotate"]).await;
    assert!(said.contains("30 rows were encrypted anew"), "{said}");
    let last = fs::read(&file).unwrap();
    assert!(last.len() == 32 && last != first);
    let hub = hub.again().await;
    let answer = hub.chat("model-c29").send().await;
    answer.must_be_whole();
    assert_eq!(hub.get("/api/connections/c0").await.json()["set_aside"], Value::Null);
}
