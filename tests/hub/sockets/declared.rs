//! One file for all that is made over the API: exported, planned, applied, and the same again; secrets only as variables.

use std::fs;

use http::Method;
use serde_json::Value;

use super::support::{Ground, Hub};

/// Part of every secret here.
const CANARY: &str = "CaNaRyExP0rT";

fn file(hub: &Hub, text: &str) -> String {
    let path = hub.ground.home().join("wanted.yaml");
    fs::write(&path, text.replace("ADDRESS", &hub.provider.address.to_string())).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Exit status and everything that was said.
async fn ran(ground: &Ground, args: &[&str]) -> (i32, String) {
    let output = ground.cli(args).await;
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

const WANTED: &str = "
providers:
  - id: extra
    type: openai-compatible
    base_url: http://ADDRESS/v1
    api_key: ${EXTRA_KEY}
    models: [x]
combos:
  # Before what it needs.
  - {id: outer, steps: [combo/inner]}
  - {id: inner, steps: [x, m]}
aliases:
  small: [x]
map:
  - {match: \"claude-*\", to: outer}
prices:
  - {model: x, price: {input: 1, output: 2}}
budgets:
  - {id: team, for: all, limit: 50, window: day}
timeouts:
  connect_seconds: 7
server:
  port: 1
";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_applied_once_and_then_nothing_differs() {
    let key = format!("sim-ok.{CANARY}");
    let hub = Hub::builder().account("a", "sim-ok").env("EXTRA_KEY", &key).start().await;
    let path = file(&hub, WANTED);
    let (status, said) = ran(&hub.ground, &["config", "plan", &path]).await;
    assert_eq!(status, 2, "{said}");
    for expected in
        ["+ connection `extra`", "+ combo `outer`", "+ setting `timeouts.connect_seconds`", "server.port"]
    {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains(CANARY), "{said}");
    let (status, said) = ran(&hub.ground, &["config", "apply", &path]).await;
    assert!(status == 1 && said.contains("--yes"), "{said}");
    assert_eq!(hub.chat("outer").send().await.status, 404, "nothing was changed");
    let (status, said) = ran(&hub.ground, &["config", "apply", &path, "--yes"]).await;
    assert!(status == 0 && said.contains("Applied: 8 changes"), "{said}");
    let answer = hub.chat("claude-9").send().await;
    answer.must_be_whole();
    assert_eq!(answer.header("x-gateway-route"), "extra");
    let (status, said) = ran(&hub.ground, &["config", "plan", &path]).await;
    assert_eq!((status, said.contains("Nothing differs")), (0, true), "{said}");

    // One changes, one goes, and one is made beside the file.
    hub.ground.cli_ok(&["combos", "put", "beside", "--definition", "{steps: [m]}"]).await;
    let path = file(&hub, &WANTED.replace("limit: 50", "limit: 60").replace("aliases:\n  small: [x]\n", ""));
    let (status, said) = ran(&hub.ground, &["config", "plan", &path]).await;
    assert!(status == 2 && said.contains("~ budget `team` (limit)") && said.contains("2 more"), "{said}");
    assert!(!said.contains("- combo"), "{said}");
    let (status, said) = ran(&hub.ground, &["config", "apply", &path, "--prune", "--yes"]).await;
    assert!(status == 0 && said.contains("- alias `small`") && said.contains("- combo `beside`"), "{said}");
    assert_eq!(hub.chat("beside").send().await.status, 404);
    let audit = hub.get("/api/audit?limit=500").await.json();
    let by = |operation: &str| {
        let entries = audit["entries"].as_array().unwrap().iter();
        entries.filter(|entry| entry["operation"] == operation && entry["outcome"] == "done").count()
    };
    assert_eq!((by("put_budget"), by("delete_combo"), by("delete_alias")), (2, 1, 1));
    assert!(!audit.to_string().contains(CANARY));
    let (_, said) = ran(&hub.ground, &["config", "plan", &path, "--secrets"]).await;
    assert!(said.contains("~ connection `extra` (its secrets)"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_changes_nothing() {
    let hub = Hub::builder().account("a", "sim-ok").env("EXTRA_KEY", "sim-ok.x").start().await;
    let refused = async |text: &str, expected: &str| {
        let path = file(&hub, text);
        let (status, said) = ran(&hub.ground, &["config", "apply", &path, "--yes"]).await;
        assert!(
            status == 1 && said.contains(expected) && said.contains("Nothing was changed"),
            "{text}: {said}"
        );
    };
    refused("combos: [{id: good, steps: [m]}, {id: bad, steps: [nowhere/m]}]", "`bad` of combos").await;
    refused("combos: [{id: bad, stepps: [m]}]", "stepps").await;
    refused("combos: [{steps: [m]}]", "no id").await;
    refused("comboss: []", "combos").await;
    refused("combos: [{id: a1, steps: [m]}, {id: a1, steps: [m]}]", "twice").await;
    refused("budgets: [{id: b, for: all, limit: \"${UNSET_LIMIT}\", window: day}]", "UNSET_LIMIT is not set")
        .await;
    refused("timeouts: {conect_seconds: 5}", "connect_seconds").await;
    // The file's own account, said otherwise.
    let other = "providers: [{id: a, type: openai-compatible, base_url: 'http://ADDRESS/v1', api_key: x, models: [other]}]";
    refused(other, "declared in").await;
    assert_eq!(hub.get("/api/combos").await.json()["items"], Value::Array(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_no_secret_and_makes_the_same_hub_elsewhere() {
    let key = format!("sim-ok.{CANARY}");
    let hub = Hub::builder().account("a", "sim-ok").env("EXTRA_KEY", &key).start().await;
    let path = file(&hub, WANTED);
    hub.ground.cli_ok(&["config", "apply", &path, "--yes"]).await;
    let money = "{steps: [m], description: 'costs $5, ${HOME}'}";
    hub.ground.cli_ok(&["combos", "put", "money", "--definition", money]).await;
    let output = hub.ground.cli(&["config", "export"]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    for secret in [CANARY, "sim-ok.a", hub.key.as_str()] {
        assert!(!text.contains(secret) && !said.contains(secret), "{secret}: {text}{said}");
    }
    assert!(text.contains("${EXTRA_API_KEY}") && said.contains("EXTRA_API_KEY"), "{text}{said}");
    let again = file(&hub, &text);
    let with_variables = async |ground: &Ground, args: &[&str]| {
        let mut command = ground.command(args);
        command.env("EXTRA_API_KEY", &key).env("A_API_KEY", "sim-ok.a");
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    };
    let planned = with_variables(&hub.ground, &["config", "plan", &again]).await;
    let said =
        String::from_utf8_lossy(&planned.stdout).into_owned() + &String::from_utf8_lossy(&planned.stderr);
    assert_eq!(planned.status.code(), Some(0), "{said}");
    let checked = with_variables(&hub.ground, &["config", "check", &again]).await;
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));

    let other = Hub::builder().start().await;
    let applied = with_variables(&other.ground, &["config", "apply", &again, "--yes"]).await;
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    let items = async |hub: &Hub, path: &str| {
        let list = hub.send(Method::GET, path, bytes::Bytes::new()).await.json();
        let items = list["items"].as_array().unwrap().clone();
        items.iter().map(|item| (item["id"].clone(), item["definition"].clone())).collect::<Vec<_>>()
    };
    for path in
        ["/api/connections", "/api/combos", "/api/aliases", "/api/name-rules", "/api/prices", "/api/budgets"]
    {
        assert_eq!(items(&other, path).await, items(&hub, path).await, "{path}");
    }
    other.chat("outer").send().await.must_be_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bundle_tells_by_its_tag_whether_something_changed() {
    let key = format!("sim-ok.{CANARY}");
    let mut hub = Hub::builder().account("a", "sim-ok").env("EXTRA_KEY", &key).start().await;
    let path = file(&hub, WANTED);
    hub.ground.cli_ok(&["config", "apply", &path, "--yes"]).await;
    let first = hub.get("/api/sync/bundle").await;
    let tag = first.header("etag").to_owned();
    let bundle = first.json();
    assert_eq!(tag, format!("{}", bundle["etag"]), "the same, in quotes");
    let sections = &bundle["sections"];
    for (section, id) in
        [("providers", "a"), ("providers", "extra"), ("combos", "inner"), ("map", "claude-*")]
    {
        assert!(sections[section][id].is_object(), "{section} {id}: {bundle}");
    }
    assert_eq!(sections["providers"]["extra"]["api_key"], "[redacted]");
    assert!(sections["settings"]["timeouts.connect_seconds"].is_object());
    assert!(sections["settings"]["server.port"].is_null(), "this machine's own");
    let text = bundle.to_string();
    assert!(!text.contains(CANARY) && !text.contains(&hub.key));

    let asked = async |hub: &Hub, tag: &str| {
        let request = http::Request::get(format!("http://{}/api/sync/bundle", hub.address))
            .header("authorization", format!("Bearer {}", hub.key))
            .header("if-none-match", tag);
        let pool =
            hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
        let request = request.body(http_body_util::Full::new(bytes::Bytes::new())).unwrap();
        pool.request(request).await.unwrap().status().as_u16()
    };
    assert_eq!(asked(&hub, &tag).await, 304);
    assert_eq!(hub.stop().await.code(), Some(0));
    let hub = hub.again().await;
    assert_eq!(asked(&hub, &tag).await, 304, "it does not depend on the process");
    hub.ground.cli_ok(&["combos", "put", "beside", "--definition", "{steps: [m]}"]).await;
    assert_eq!(asked(&hub, &tag).await, 200);
    hub.ground.cli_ok(&["combos", "delete", "beside"]).await;
    assert_eq!(asked(&hub, &tag).await, 304, "the same again");
}
