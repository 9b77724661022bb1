//! Logins of a hub that is a process: over the command line, through `kill -9`, and without a word of them anywhere.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdout, Stdio},
};

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use trivium::simulator::{Behaviour, Fault, OAuthFault, Rule};

use super::{
    client::Client,
    support::{Ground, Hub, SOON, eventually},
};

/// The configuration of a hub with one account that people log in to.
fn configuration(hub: &Hub, more: &str) -> String {
    let at = hub.provider.address;
    format!(
        "providers:\n  - id: a\n    type: openai-compatible\n    base_url: http://{at}/v1\n    models: [m]\n    oauth:\n      \
         client_id: app-1\n      authorization_url: http://{at}/oauth/authorize\n      token_url: http://{at}/oauth/token\n      \
         device_url: http://{at}/oauth/device\n      jwks_url: http://{at}/oauth/jwks\n      scopes: [openid, email]\n{more}"
    )
}

async fn started(more: &str) -> Hub {
    let hub = Hub::builder().env("LOG_LEVEL", "trace").account("first", "sim-ok").start().await;
    hub.write_config(&configuration(&hub, more));
    hub.uses(&["a"]).await;
    hub
}

/// What a browser does: it goes where it is told, agrees, and says where it ends.
async fn browse(hub: &Hub, url: &str) -> String {
    let path = url.split_once(&hub.provider.address.to_string()).unwrap().1;
    let client = Client::new(hub.provider.address, "nobody");
    let answer = client.open(Method::GET, path, Bytes::new()).await.unwrap();
    assert_eq!(answer.status(), 302);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

async fn log_in(hub: &Hub) -> Value {
    let begun = hub.post("/api/oauth/logins", json!({"connection": "a"}).to_string()).await;
    assert_eq!(begun.status, 201, "{begun:?}");
    let begun = begun.json();
    let address = browse(hub, begun["url"].as_str().unwrap()).await;
    let path =
        address.strip_prefix(&format!("http://{}", hub.address)).unwrap_or_else(|| panic!("{address}"));
    let page = Client::new(hub.address, "nobody").get(path).await;
    assert_eq!(page.status, 200, "{page:?}");
    begun
}

/// The access token of the last request that reached the provider.
fn last_token(hub: &Hub) -> String {
    hub.provider.simulator.log().last().and_then(|entry| entry.key.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_renewal_and_use_costs_no_login() {
    let mut hub = started("").await;
    log_in(&hub).await;
    hub.chat("m").send().await.must_be_whole();
    for round in 1..=3_u64 {
        let old = last_token(&hub);
        hub.provider.simulator.oauth_revokes(&old);
        // The first use of the new token gets no answer.
        let hangs = Behaviour { headers_delay_ms: 60_000, ..Behaviour::default() };
        hub.provider.simulator.set_behaviour(None, hangs);
        let client = hub.client.clone();
        let asking = tokio::spawn(async move { client.chat("m").try_send().await });
        eventually("the new token is used", SOON, || (last_token(&hub) != old).then_some(())).await;
        hub.process.kill();
        assert!(asking.await.unwrap().is_err());
        hub.provider.simulator.set_behaviour(None, Behaviour::default());
        let new = last_token(&hub);
        hub = hub.again().await;
        hub.chat("m").send().await.must_be_whole();
        assert_eq!(last_token(&hub), new, "the token that was had before the kill is the one in use");
        let stats = hub.provider.simulator.oauth_stats();
        assert_eq!((stats.refreshes, stats.revoked, stats.codes), (round, 0, 1));
    }
    // And the refresh token that came with the last one is good.
    hub.provider.simulator.oauth_revokes(&last_token(&hub));
    hub.chat("m").send().await.must_be_whole();
    assert_eq!(hub.provider.simulator.oauth_stats().revoked, 0);
}

/// `trivium login` as it runs: what it printed first, and the way to the rest.
struct Login {
    child: Child,
    output: BufReader<ChildStdout>,
    printed: String,
}

impl Login {
    async fn start(hub: &Hub, args: &[&str]) -> Self {
        let mut command = hub.ground.command(&[&["login", "a"], args].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let work = move || {
            let mut child = command.spawn().unwrap();
            let mut output = BufReader::new(child.stdout.take().unwrap());
            let mut printed = String::new();
            output.read_line(&mut printed).unwrap();
            Self { child, output, printed: printed.trim().to_owned() }
        };
        tokio::task::spawn_blocking(work).await.unwrap()
    }

    fn paste(&mut self, text: &str) {
        writeln!(self.child.stdin.take().unwrap(), "{text}").unwrap();
    }

    /// What it prints at its end, which must be a good one.
    async fn end(mut self) -> String {
        let work = move || {
            let mut rest = String::new();
            self.output.read_to_string(&mut rest).unwrap();
            assert!(self.child.wait().unwrap().success(), "{rest}");
            rest
        };
        tokio::task::spawn_blocking(work).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_logs_in_and_out() {
    let hub = started("").await;
    let login = Login::start(&hub, &[]).await;
    let back = browse(&hub, &login.printed).await;
    let path = back.strip_prefix(&format!("http://{}", hub.address)).unwrap();
    assert_eq!(Client::new(hub.address, "nobody").get(path).await.status, 200);
    assert_eq!(login.end().await.trim(), "Logged in to a as so*****@e****.com.");
    hub.chat("m").send().await.must_be_whole();
    assert!(hub.ground.cli_ok(&["logout", "a"]).await.starts_with("Logged out of a."));
    assert!(hub.ground.cli_ok(&["logout", "a"]).await.contains("Nobody was logged in"));

    let login = Login::start(&hub, &["--device"]).await;
    let path = format!("/oauth/device/approve?user_code={}", login.printed);
    assert_eq!(Client::new(hub.provider.address, "nobody").get(&path).await.status, 200);
    assert!(login.end().await.starts_with("Logged in to a"));

    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let elsewhere = format!("      redirect_url: http://localhost:{port}/back\n");
    hub.write_config(&configuration(&hub, &elsewhere));
    let mut login = login_at(&hub, port, &["--paste"]).await;
    let back = browse(&hub, &login.printed).await;
    login.paste(&back);
    assert!(login.end().await.starts_with("Logged in to a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_comes_back_to_another_port_of_this_machine() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let hub = started(&format!("      redirect_url: http://localhost:{port}/back\n")).await;
    let login = login_at(&hub, port, &[]).await;
    let back = browse(&hub, &login.printed).await;
    let path = back.strip_prefix(&format!("http://localhost:{port}")).unwrap().to_owned();
    let there = Client::new(([127, 0, 0, 1], port).into(), "nobody");
    assert_eq!(there.get("/elsewhere").await.status, 404);
    assert_eq!(there.get(&path).await.status, 200);
    assert!(login.end().await.starts_with("Logged in to a"));
    let closed = || std::net::TcpListener::bind(("127.0.0.1", port)).ok().map(drop);
    eventually("nobody listens there any more", SOON, closed).await;
}

/// A login whose browser comes back to this port, as soon as the hub has the new configuration.
async fn login_at(hub: &Hub, port: u16, args: &[&str]) -> Login {
    loop {
        let login = Login::start(hub, args).await;
        if login.printed.contains(&format!("localhost%3A{port}")) {
            return login;
        }
        let mut login = login;
        login.child.kill().unwrap();
        login.child.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_hub_nobody_logs_in() {
    let ground = Ground::new();
    std::fs::write(ground.config(), "providers: []\n").unwrap();
    let output = ground.cli(&["login", "a"]).await;
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no hub runs on") && said.contains("Start it with `trivium`"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_told_nowhere() {
    let mut hub = started("").await;
    let begun = log_in(&hub).await;
    let mut seen = Vec::new();
    hub.chat("m").send().await.must_be_whole();
    // A provider that quotes the token that it refuses.
    let token = last_token(&hub);
    let body = json!({"error": {"message": format!("bad token {token}"), "type": token, "code": token}});
    let fault = Fault::Status { code: 400, retry_after: None, body: Some(body) };
    let quoting = Behaviour { faults: vec![Rule::first(2, fault)], ..Behaviour::default() };
    hub.provider.simulator.set_behaviour(None, quoting);
    seen.push(hub.chat("m").send().await.text());
    hub.provider.simulator.set_behaviour(None, Behaviour::default());
    hub.provider.simulator.oauth_revokes(&token);
    seen.push(hub.chat("m").send().await.text());
    hub.provider.simulator.oauth_fails(OAuthFault::Error("invalid_grant".to_owned()));
    hub.provider.simulator.oauth_revokes(&last_token(&hub));
    seen.push(hub.chat("m").send().await.text());
    for path in ["/health", "/api/oauth/credentials"] {
        seen.push(hub.get(path).await.text());
    }
    seen.push(hub.ground.cli_ok(&["config", "show", "--origin"]).await);
    assert!(hub.stop().await.success());
    seen.push(hub.ground.said());
    for entry in std::fs::read_dir(hub.ground.data_dir()).unwrap().map(Result::unwrap) {
        if entry.path().is_file() {
            seen.push(String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned());
        }
    }
    let state = begun["state"].as_str().unwrap();
    for text in seen {
        for secret in ["oat_", "ort_", "code_", state] {
            assert!(!text.contains(secret), "{secret}: {}", around(&text, secret));
        }
    }
}

fn around(text: &str, word: &str) -> String {
    let at = text.find(word).unwrap();
    text.chars().skip(text[..at].chars().count().saturating_sub(200)).take(400).collect()
}
