//! What holds for a key holds on sockets too, from the next request on; and what only sockets can tell: addresses, and the
//! command line.

use serde_json::{Value, json};

use super::{
    super::{client::Client, support::Hub},
    client::{Socket, bearer},
};

/// Asks on either kind of socket; answers the code of the refusal, if it is one.
async fn asked(socket: &mut Socket, path: &str, id: &str) -> Option<String> {
    if path == "/v1/ws" {
        socket.ask(id, json!({})).await;
        let (end, _) = socket.end_of(id).await;
        return end["error"]["code"].as_str().map(str::to_owned);
    }
    let input = json!([{"role": "user", "content": "hello"}]);
    socket.send(&json!({"type": "response.create", "model": "m", "store": false, "input": input})).await;
    loop {
        let event: Value = socket.next().await;
        match event["type"].as_str() {
            Some("response.completed") => return None,
            Some("error") => return event["error"]["code"].as_str().map(str::to_owned),
            Some(_) => {}
            None => panic!("{event}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_policy_on_both_sockets() {
    let hub = Hub::builder().account("a", "sim-ok").start().await;
    for path in ["/v1/ws", "/v1/responses"] {
        let name = path.trim_start_matches('/').replace('/', "-");
        let key = hub.ground.cli_ok(&["keys", "create", &name, "--allow-model", "m"]).await;
        let mut socket = Socket::open(hub.address, path, &[bearer(&key).as_ref()]).await.unwrap();
        assert_eq!(asked(&mut socket, path, "0").await, None);
        for (nth, (set, clear, code)) in [
            (["--deny-model", "*"], "deny-models", "model_not_allowed"),
            (["--deny-connection", "a"], "deny-connections", "model_not_allowed"),
            (["--allow-provider", "groq"], "allow-providers", "model_not_allowed"),
            (["--requests-per-month", "1"], "requests-per-month", "rate_limit_exceeded"),
            (["--usd-per-day", "1"], "usd-per-day", "price_unknown"),
            (["--allow-address", "192.0.2.0/24"], "allow-addresses", "address_not_allowed"),
        ]
        .into_iter()
        .enumerate()
        {
            hub.ground.cli_ok(&["keys", "set", &name, set[0], set[1]]).await;
            let mut refused = asked(&mut socket, path, &format!("{nth}-closed")).await;
            if code == "rate_limit_exceeded" && refused.is_none() {
                // A limit counts from when it is set.
                refused = asked(&mut socket, path, &format!("{nth}-closed-2")).await;
            }
            assert_eq!(refused.as_deref(), Some(code), "{path} {set:?}");
            hub.ground.cli_ok(&["keys", "set", &name, "--clear", clear]).await;
            assert_eq!(asked(&mut socket, path, &format!("{nth}-open")).await, None, "{path} {set:?}");
        }
        hub.ground.cli_ok(&["keys", "set", &name, "--disable", "--reason", "lost"]).await;
        assert_eq!(asked(&mut socket, path, "banned").await.as_deref(), Some("key_disabled"));
        let again = Socket::open(hub.address, path, &[bearer(&key).as_ref()]).await.err();
        assert_eq!(again.as_deref(), Some("403 key_disabled"));
        let shown = hub.ground.cli_ok(&["keys", "show", &name]).await;
        assert!(shown.contains("disabled: lost") && shown.contains("allow_models: [\"m\"]"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_those_of_clients_and_lists_change_while_the_hub_runs() {
    let hub =
        Hub::builder().account("a", "sim-ok").section("server: {trusted_proxies: [127.0.0.1]}").start().await;
    let near = hub.ground.cli_ok(&["keys", "create", "near", "--allow-address", "127.0.0.0/8"]).await;
    assert!(Client::new(hub.address, &near).chat("m").send().await.status.is_success());
    let with = async |path: &str, forwarded: &str| {
        let text = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {near}\r\nx-forwarded-for: {forwarded}\r\nconnection: close\r\n\r\n"
        );
        super::super::raw::send(hub.address, text.as_bytes()).await
    };
    let far = with("/v1/models", "198.51.100.7").await;
    assert_eq!(far.must_be_refused(), (403, "address_not_allowed".to_owned()), "the key is for nearby");
    let blocked = "server: {trusted_proxies: [127.0.0.1], block_ips: [198.51.100.0/24]}\n";
    let text =
        super::super::support::configuration(&hub.provider, blocked, &[("b".into(), "sim-ok.b".into())]);
    hub.write_config(&text);
    hub.uses(&["b"]).await;
    let out = with("/livez", "198.51.100.7").await;
    assert_eq!(out.must_be_refused(), (403, "address_not_allowed".to_owned()), "not even a probe");
    assert_eq!(with("/livez", "198.51.101.7").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_set_with_and_without_a_running_hub() {
    let mut hub = Hub::builder().account("a", "sim-ok").start().await;
    let log_in = async |hub: &Hub, password: &str| {
        let body = json!({"password": password}).to_string();
        hub.post("/api/session", body).await.status.as_u16()
    };
    let made = hub.ground.cli_ok(&["admin", "password"]).await;
    assert_eq!(log_in(&hub, &made).await, 200);
    assert!(hub.stop().await.success());
    let next = hub.ground.cli_ok(&["admin", "password"]).await;
    assert_ne!(made, next);
    let hub = hub.again().await;
    assert_eq!(log_in(&hub, &made).await, 401);
    assert_eq!(log_in(&hub, &next).await, 200);
    let said = hub.ground.said();
    assert!(!said.contains(&made) && !said.contains(&next), "a password is in no log");
}
