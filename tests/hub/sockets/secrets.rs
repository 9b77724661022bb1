//! Secrets with an unmistakable text go in at every door, and come out at none: not in the log at its most
//! talkative, not in errors, not in what the commands print, not in the files of the store.

use std::{fs, path::Path};

use bytes::Bytes;
use http::Method;
use serde_json::json;
use trivium::simulator::{Behaviour, Fault, Rule};

use super::{
    client::{Answer, Client},
    provider::Provider,
    support::{Ground, Hub, SOON, configuration, eventually},
};

/// Part of every secret here. No other text holds it.
const CANARY: &str = "CaNaRy7f3e";

/// Accounts that fail in ways that quote their own key, as some providers do.
const QUOTING: [(&str, u16); 6] =
    [("q401", 401), ("q403", 403), ("q400", 400), ("q429", 429), ("q500", 500), ("q404", 404)];

fn key_of(account: &str) -> String {
    format!("sk-{CANARY}-{account}")
}

/// What was seen of a hub, and where.
#[derive(Default)]
pub(super) struct Seen(Vec<(String, Vec<u8>)>);

impl Seen {
    pub(super) fn add(&mut self, place: &str, bytes: impl Into<Vec<u8>>) {
        self.0.push((place.to_owned(), bytes.into()));
    }

    pub(super) fn answer(&mut self, place: &str, answer: &Answer) {
        self.add(&format!("head of {place}"), format!("{} {:?}", answer.status, answer.headers));
        self.add(&format!("body of {place}"), answer.body.to_vec());
    }

    /// Every file below the folder but those that are said to hold secrets.
    pub(super) fn files(&mut self, folder: &Path, but: &[&Path]) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                self.files(&path, but);
            } else if !but.contains(&path.as_path()) {
                self.add(&path.display().to_string(), fs::read(&path).unwrap());
            }
        }
    }

    /// Where a text was seen, and what stands around it.
    pub(super) fn holding(&self, text: &str) -> Vec<(&str, String)> {
        let found = self.0.iter().filter_map(|(place, bytes)| {
            let at = bytes.windows(text.len()).position(|window| window == text.as_bytes())?;
            let around = &bytes[at.saturating_sub(200)..bytes.len().min(at + 100)];
            Some((place.as_str(), String::from_utf8_lossy(around).into_owned()))
        });
        found.collect()
    }
}

fn quote(provider: &Provider, account: &str, code: u16) {
    let key = key_of(account);
    let message = format!("Incorrect API key provided: {key}. Authorization: Bearer {key}");
    let body = json!({"error": {"message": message, "type": key, "param": key, "code": key}, "key": key});
    let fault = Fault::Status { code, retry_after: None, body: Some(body) };
    let faults = vec![Rule { fault, skip: 0, times: None, probability: None }];
    provider.simulator.set_behaviour(Some(&key), Behaviour { faults, ..Behaviour::default() });
}

async fn ask_all_kinds(hub: &Hub, made: &str, seen: &mut Seen) {
    for (account, code) in QUOTING {
        quote(&hub.provider, account, code);
    }
    let accounts = QUOTING.iter().map(|(account, _)| *account).chain(["good", "closed"]);
    for model in accounts.map(|account| format!("{account}/m")).chain(["m".to_owned(), "auto".to_owned()]) {
        for (who, client) in [("operator", hub.client.clone()), ("client", hub.with_key(made))] {
            for stream in [true, false] {
                let answer = client.chat(&model).stream_if(stream).send().await;
                seen.answer(&format!("{model} for {who}, stream: {stream}"), &answer);
            }
        }
    }
    let operator = hub.client.clone();
    for path in ["/health", "/v1/models", "/v1/models/nobody", "/api/keys", "/nothing"] {
        seen.answer(path, &operator.get(path).await);
    }
    let wrong = Client::new(hub.address, &format!("tvm_{CANARY}-wrong"));
    seen.answer("a wrong key", &wrong.chat("m").send().await);
    seen.answer("a wrong body", &operator.post("/v1/chat/completions", "{").await);
    seen.answer("a wrong method", &operator.send(Method::PUT, "/v1/models", Bytes::new()).await);
    for (number, model) in ["", "good/m"].iter().enumerate() {
        let body = json!({"model": model, "messages": [{"role": "user", "content": "x"}], "stream": "wrong"});
        seen.answer(
            &format!("wrong field {number}"),
            &operator.post("/chat/completions", body.to_string()).await,
        );
    }
}

/// A configuration whose accounts all have the canary in their keys; one of them is at a closed port.
fn config(provider: &Provider) -> String {
    let accounts = QUOTING.iter().map(|(account, _)| *account).chain(["good"]);
    let accounts: Vec<_> = accounts.map(|id| (id.to_owned(), key_of(id))).collect();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    configuration(provider, "", &accounts)
        + &format!(
            "  - id: closed\n    type: openai-compatible\n    base_url: http://{closed}/v1\n    api_key: {}\n    models: [m]\n",
            key_of("closed"),
        )
}

async fn nothing_leaks(format: &str) {
    let chosen = format!("op-{CANARY}-environment");
    let mut hub = Hub::builder()
        .env("API_KEY", &chosen)
        .env("LOG_LEVEL", "trace")
        .env("TRIVIUM__LOG__FORMAT", format)
        .account("first", "sim-ok")
        .start()
        .await;
    let made = hub.new_key("client").await;
    let local = fs::read_to_string(hub.ground.runtime_file()).unwrap();
    assert!(
        !local.contains(CANARY) && !local.contains(&made),
        "the runtime file holds the local secret alone"
    );
    let local: serde_json::Value = serde_json::from_str(&local).unwrap();
    let local = local["secret"].as_str().unwrap().to_owned();
    hub.write_config(&config(&hub.provider));
    hub.uses(&["q401", "q403", "q400", "q429", "q500", "q404", "good", "closed"]).await;

    let mut seen = Seen::default();
    ask_all_kinds(&hub, &made, &mut seen).await;
    for args in
        [&["config", "show"][..], &["config", "show", "--origin"], &["config", "check"], &["keys", "list"]]
    {
        let output = hub.ground.cli(args).await;
        assert!(output.status.success(), "{args:?}");
        seen.add(&args.join(" "), [output.stdout, output.stderr].concat());
    }
    // Bad files with the key in the wrong places.
    let key = key_of("bad");
    for text in [
        format!(
            "providers:\n  - id: x\n    type: openai-compatible\n    base_url: {key}\n    api_key: {key}\n"
        ),
        format!(
            "providers:\n  - id: x\n    type: openai-compatible\n    apikey: {key}\n    api_key: [{key}]\n"
        ),
        format!("auth: {{api_key: [{key}]}}\nproviders: {key}\n"),
        format!("providers:\n  - id: x\n    api_key: \"{key}\n"),
    ] {
        let refusals = || hub.ground.said().matches("and is refused").count();
        let before = refusals();
        hub.write_config(&text);
        eventually("it is refused", SOON, || (refusals() > before).then_some(())).await;
        let output = hub.ground.cli(&["config", "check"]).await;
        assert_eq!(output.status.code(), Some(2), "{text}");
        seen.add(
            &format!("config check of {text:?}").replace(CANARY, "…"),
            [output.stdout, output.stderr].concat(),
        );
    }
    seen.files(&hub.ground.data_dir(), &[&hub.ground.runtime_file()]);
    assert!(hub.ground.data_dir().join("trivium.db").exists());
    assert!(hub.stop().await.success());
    seen.files(&hub.ground.data_dir(), &[]);
    let said = hub.ground.said();
    assert!(
        said.contains("is cooling down") && said.contains("TRACE"),
        "the log is not at its most talkative"
    );
    seen.add("log", said);
    for secret in [CANARY, &made, &local] {
        let holding = seen.holding(secret);
        assert!(holding.is_empty(), "{secret} is in {holding:#?}");
    }
    // Names that are no secret are seen in each kind of place, so a secret would be.
    for (name, kind) in [
        ("q401", "trivium.db"),
        ("q401", "log"),
        ("q401", "body of"),
        ("good", "head of"),
        ("q401", "config show --origin"),
    ] {
        assert!(seen.holding(name).iter().any(|(place, _)| place.contains(kind)), "{name} is in no {kind}");
    }
    // And the secrets were in use.
    let used = hub.provider.simulator.log();
    assert!(QUOTING.iter().all(|(id, _)| used.iter().any(|entry| entry.key.as_deref() == Some(&key_of(id)))));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_leaks_into_text() {
    nothing_leaks("text").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_leaks_into_json() {
    nothing_leaks("json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runtime_file_and_the_first_key_are_for_their_owner() {
    use std::os::unix::fs::PermissionsExt;

    let hub = Hub::builder().account("a", &format!("sim-ok.{CANARY}")).start().await;
    for file in [hub.ground.runtime_file(), hub.ground.data_dir().join("first-key.txt")] {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
        assert!(!fs::read_to_string(&file).unwrap().contains(CANARY));
    }
    let runtime = fs::read_to_string(hub.ground.runtime_file()).unwrap();
    assert!(!runtime.contains(&hub.key), "only the local secret");
    let said = eventually("the log names the file", SOON, || {
        Some(hub.ground.said()).filter(|said| said.contains("first-key.txt"))
    })
    .await;
    assert!(!said.contains(&hub.key), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_does_not_start_keeps_secrets_too() {
    let ground = Ground::new();
    let key = key_of("bad");
    fs::write(ground.config(), format!("providers:\n  - id: x\n    type: nobody\n    api_key: {key}\n"))
        .unwrap();
    let output = ground.cli(&["--port", "0", "--log-level", "trace"]).await;
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(said.contains("trivium.yaml:3") && !said.contains(CANARY), "{said}");
}
