//! Operations as commands: the same with a hub that runs and without one, and what is typed is what REST would do.

use operations::{Definition, documents::NOUNS};
use serde_json::Value;

use super::support::{Ground, Hub};

/// Serves what the examples name.
const SERVED: &str = "
providers:
  - {id: base, type: openai-compatible, api_key: sim-ok.base, base_url: 'http://127.0.0.1:9/v1', models: [llama-3.3-70b-versatile]}
";

/// The example of an operation as somebody would type it.
fn typed(definition: &Definition) -> Vec<String> {
    let (noun, verb) = definition.command;
    let mut words = vec![noun.replace('_', "-"), verb.to_owned()];
    let example: Value = serde_json::from_str(definition.example).unwrap();
    for (name, value) in example.as_object().unwrap() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if definition.route.parameters().any(|parameter| parameter == name) {
            words.insert(2, text);
        } else {
            words.extend([format!("--{}", name.replace('_', "-")), text]);
        }
    }
    words.push("--json".to_owned());
    words
}

async fn run(ground: &Ground, definition: &Definition) -> Value {
    let words = typed(definition);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = ground.cli_ok(&words).await;
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{words:?}: {error}: {said}"))
}

/// Makes and shows one of every noun. Answers what was shown.
async fn every_noun(ground: &Ground) -> Vec<Value> {
    let mut shown = Vec::new();
    for noun in NOUNS {
        let [_, get, put, ..] = noun.operations;
        let made = run(ground, &put).await;
        assert_eq!(run(ground, &get).await["version"], made["version"], "{}", put.name);
        shown.push(made);
    }
    shown
}

/// The entries of the audit log as the command tells them, newest first.
async fn log(ground: &Ground) -> Vec<Value> {
    let said = ground.cli_ok(&["audit", "list", "--limit", "100", "--json"]).await;
    let page: Value = serde_json::from_str(&said).unwrap();
    page["entries"].as_array().unwrap().clone()
}

fn noted(entries: &[Value]) -> Vec<(&str, &str, &str, &str)> {
    entries
        .iter()
        .map(|entry| {
            let word = |name: &str| entry[name].as_str().unwrap_or_default();
            (word("operation"), word("outcome"), word("caller"), word("surface"))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_noun_can_be_typed_with_a_hub_and_without() {
    let alone = Ground::new();
    std::fs::write(alone.config(), SERVED).unwrap();
    let without = every_noun(&alone).await;
    let wanted: Vec<_> =
        NOUNS.iter().rev().map(|noun| (noun.operations[2].name, "done", "local", "cli")).collect();
    assert_eq!(noted(&log(&alone).await), wanted);

    let hub = Hub::builder().account("a", "sim-ok").start().await;
    hub.write_config(SERVED);
    hub.uses(&["base"]).await;
    let with = every_noun(&hub.ground).await;
    assert_eq!(noted(&log(&hub.ground).await), wanted);
    for ((noun, with), without) in NOUNS.iter().zip(&with).zip(&without) {
        let [list, get, ..] = noun.operations;
        for field in ["id", "owner", "version", "definition"] {
            assert_eq!(with[field], without[field], "{}", get.name);
        }
        let by_rest = hub.get(list.route.path).await.json();
        let one = by_rest["items"].as_array().unwrap().iter().find(|item| item["id"] == with["id"]).unwrap();
        assert_eq!(one["definition"], with["definition"], "{}", list.name);
        let typed = run(&hub.ground, &list).await;
        assert_eq!(typed["items"][0], by_rest["items"][0], "{}", list.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_versions_and_undoing_can_be_typed() {
    let hub = Hub::builder().account("a", "sim-ok").start().await;
    let ground = &hub.ground;
    ground.cli_ok(&["combos", "put", "coding", "--definition", "{steps: [m]}"]).await;
    ground
        .cli_ok(&["combos", "update", "coding", "--changes", "{strategy: round-robin}", "--version", "1"])
        .await;
    let stale = ground
        .cli(&["combos", "update", "coding", "--changes", "{strategy: random}", "--version", "1"])
        .await;
    assert!(!stale.status.success());
    let said = String::from_utf8(stale.stderr).unwrap();
    assert!(said.contains("has version 2 by now"), "{said}");
    let shown = || async { ground.cli_ok(&["combos", "get", "coding"]).await };
    assert!(shown().await.contains("round-robin"));
    ground.cli_ok(&["audit", "undo", "2"]).await;
    assert!(!shown().await.contains("round-robin"));
    ground.cli_ok(&["combos", "delete", "coding"]).await;
    assert!(!ground.cli(&["combos", "get", "coding"]).await.status.success());
    let wrong = ground.cli(&["combos", "put", "coding", "--definition", "{stepz: [m]}"]).await;
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(!wrong.status.success() && said.contains("stepz"), "{said}");
    let outcomes: Vec<_> = log(ground).await.iter().map(|entry| entry["outcome"].to_string()).collect();
    assert_eq!(outcomes, ["\"failed\"", "\"done\"", "\"done\"", "\"failed\"", "\"done\"", "\"done\""]);
}
