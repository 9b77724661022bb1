//! What the hub sends and fetches by its operator's wish, over real sockets: webhooks are signed, tried again, and stay out of inner
//! networks unless they may go there; lists of prices come from where the operator said, and are not led elsewhere inside.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::support::{Hub, SOON, eventually};

const SECRET: &str = "a secret of the test, and long";

/// One request, as it came.
#[derive(Debug, Clone)]
struct Seen {
    head: String,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// A server that gives each connection the next of its answers, the last one for ever.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    async fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, seen) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<Seen>>>::default());
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut answers: VecDeque<String> = answers.into();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = Vec::new();
                while !bytes.ends_with(b"\r\n\r\n") {
                    bytes.push(stream.read_u8().await.unwrap());
                }
                let mut one = Seen { head: String::from_utf8(bytes).unwrap(), body: String::new() };
                let length = one.header("content-length").map_or(0, |length| length.parse().unwrap());
                let mut body = vec![0; length];
                stream.read_exact(&mut body).await.unwrap();
                one.body = String::from_utf8(body).unwrap();
                log.lock().unwrap().push(one);
                let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
                stream.write_all(answer.unwrap().as_bytes()).await.unwrap();
            }
        });
        Self { address, seen }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn status(line: &str) -> String {
    format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

/// HMAC-SHA256, written down once more: what is checked is not what the hub computes with.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

fn is_signed(seen: &Seen) -> bool {
    let (id, at) = (seen.header("webhook-id").unwrap(), seen.header("webhook-timestamp").unwrap());
    let tag = hmac(SECRET.as_bytes(), format!("{id}.{at}.{}", seen.body).as_bytes());
    seen.header("webhook-signature") == Some(&*format!("v1,{}", STANDARD.encode(tag)))
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_signed_tried_again_and_kept_out_of_inner_networks() {
    let answers = vec![status("204 No Content"), status("500 Oh"), status("200 OK")];
    let (server, trap) = (Server::start(answers).await, Server::start(vec![status("200 OK")]).await);
    let hooks = format!(
        "webhooks:\n  - {{id: inner, url: 'http://{}/hook?key=canary', secret: {SECRET:?}, allow_private: on}}\n  \
         - {{id: outer, url: 'http://{}/hook'}}\n  \
         - {{id: name, url: 'http://localhost:{}/hook'}}\n  \
         - {{id: cloud, url: 'http://169.254.169.254/', allow_private: on}}",
        server.address,
        trap.address,
        trap.address.port(),
    );
    let hub = Hub::builder().account("bad", "sim-401").section(&hooks).start().await;
    let test = async |id: &str| hub.post(&format!("/api/webhooks/{id}/test"), "{}").await.json();
    let told = test("inner").await;
    assert_eq!((&told["taken"], &told["status"]), (&json!(true), &json!(204)), "{told}");
    let first = server.seen().remove(0);
    assert!(first.head.starts_with("POST /hook?key=canary HTTP/1.1\r\n") && is_signed(&first), "{first:?}");
    for id in ["outer", "name", "cloud"] {
        let refused = test(id).await;
        assert_eq!((&refused["taken"], &refused["status"]), (&json!(false), &Value::Null), "{id}: {refused}");
        assert!(refused["error"].is_string(), "{id}: {refused}");
    }
    // An event: the account is refused, the first try of telling of it fails, and it is told again.
    hub.chat("m").send().await;
    let seen =
        eventually("the event is told again", SOON, || Some(server.seen()).filter(|seen| seen.len() >= 3))
            .await;
    let (failed, again) = (&seen[1], &seen[2]);
    assert!(is_signed(failed) && is_signed(again), "{seen:?}");
    assert_eq!((failed.header("webhook-id"), &failed.body), (again.header("webhook-id"), &again.body));
    let body: Value = serde_json::from_str(&again.body).unwrap();
    assert_eq!(body["data"]["connection"], "bad", "{body}");
    assert!(trap.seen().is_empty(), "nobody knocked where nobody may: {:?}", trap.seen());
    assert!(!hub.ground.said().contains("canary"), "{}", hub.ground.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_prices_come_from_where_the_operator_said() {
    let list = json!({"m": {"litellm_provider": "openai", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}});
    let list = list.to_string();
    let whole =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{list}", list.len());
    let trap = Server::start(vec![whole.clone()]).await;
    let led =
        format!("HTTP/1.1 302 Found\r\nlocation: http://{}/list\r\ncontent-length: 0\r\n\r\n", trap.address);
    // The hub itself fetches when it starts; whoever comes first gets the list.
    let server = Server::start(vec![whole.clone(), whole, led]).await;
    let section = format!("prices_sync: {{url: 'http://{}/list?token=canary'}}", server.address);
    let hub = Hub::builder().account("a", "sim-ok").section(&section).start().await;
    eventually("the list is fetched at the start", SOON, || (!server.seen().is_empty()).then_some(())).await;
    let sync = async || hub.post("/api/pricing/sync", "{}").await;
    let done = sync().await.json();
    assert_eq!((&done["models"], &done["source"]), (&json!(1), &json!("127.0.0.1")), "{done}");
    let refused = sync().await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(!refused.text().contains("canary"), "{}", refused.text());
    assert!(trap.seen().is_empty(), "a redirect leads nowhere inside");
}
