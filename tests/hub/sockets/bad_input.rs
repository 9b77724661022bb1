//! Whatever a client sends, it gets a 4xx in OpenAI's shape with a code from the table, and the hub goes on.

use bytes::Bytes;
use http::Method;
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use serde_json::json;

use super::{
    client::{Answer, Client},
    raw::{self, error_code},
    support::Hub,
};

const CHAT: &str = "/v1/chat/completions";
const MEGABYTE: usize = 1024 * 1024;

/// Fails unless this is a refusal with this status and code.
fn refused(answer: &Answer, status: u16, code: &str) {
    let body = answer.text();
    assert_eq!((answer.status.as_u16(), error_code(&body).as_str()), (status, code), "{body}");
    assert!(answer.request_id().starts_with("req_"), "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
}

async fn hub() -> Hub {
    Hub::builder().account("a", "sim-ok").start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_request() {
    let hub = hub().await;
    let message = json!([{"role": "user", "content": "x"}]);
    let latin1 =
        b"{\"model\": \"m\", \"messages\": [{\"role\": \"user\", \"content\": \"caf\xe9\"}]}".to_vec();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "invalid_json"),
        (b"{".to_vec(), "invalid_json"),
        (b"not json".to_vec(), "invalid_json"),
        (b"{\"model\": \"m\",}".to_vec(), "invalid_json"),
        (b"{\"model\": \"m\"} {}".to_vec(), "invalid_json"),
        (vec![b'['; 100_000], "invalid_json"),
        (latin1, "invalid_utf8"),
        (b"\xff\xfe\x00".to_vec(), "invalid_utf8"),
        (json!({"messages": message}).to_string().into(), "missing_required_parameter"),
        (json!({"model": "m"}).to_string().into(), "missing_required_parameter"),
        (json!({}).to_string().into(), "missing_required_parameter"),
        (json!({"model": 7, "messages": message}).to_string().into(), "invalid_parameter"),
        (json!({"model": null, "messages": message}).to_string().into(), ""),
        (json!({"model": "m", "messages": "x"}).to_string().into(), "invalid_parameter"),
        (json!({"model": "m", "messages": message, "stream": "yes"}).to_string().into(), "invalid_parameter"),
        (json!({"model": "nobody-has-it", "messages": message}).to_string().into(), "model_not_found"),
    ];
    for (body, code) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let answer = hub.post(CHAT, body).await;
        let found = error_code(&answer.text());
        assert!((400..500).contains(&answer.status.as_u16()), "{shown}: {answer:?}");
        assert!(code.is_empty() || found == code, "{shown}: {found}, not {code}");
        assert!(answer.request_id().starts_with("req_"), "{shown}");
    }
    for body in ["null", "7", "[]", "\"text\"", "true"] {
        let answer = hub.post(CHAT, body).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        error_code(&answer.text());
    }
    let answer = hub.post(CHAT, json!({"messages": message}).to_string()).await;
    assert_eq!(answer.json()["error"]["param"], "model");
    let answer = hub.post(CHAT, json!({"model": "m"}).to_string()).await;
    assert_eq!(answer.json()["error"]["param"], "messages");
    assert!(hub.provider.simulator.log().is_empty(), "none of it is the provider's business");
}

/// A body in chunks of a megabyte.
fn chunks(body: &[u8]) -> Vec<u8> {
    let mut chunked = Vec::new();
    for piece in body.chunks(MEGABYTE) {
        chunked.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        chunked.extend_from_slice(piece);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_large() {
    let hub = hub().await;
    let head = head(&hub, "POST", CHAT);
    // The announcement alone is enough.
    let announced = format!("{head}content-length: {}\r\n\r\n", 11 * MEGABYTE);
    let answer = raw::send(hub.address, announced.as_bytes()).await;
    assert_eq!(answer.must_be_refused(), (413, "body_too_large".to_owned()));
    // In chunks nobody knows before the limit is passed: here with one byte, and the end is not waited for.
    let full = vec![b' '; 10 * MEGABYTE];
    let start = format!("{head}transfer-encoding: chunked\r\n\r\n").into_bytes();
    let answer = raw::send(hub.address, &[start, chunks(&full), b"1\r\n ".to_vec()].concat()).await;
    assert_eq!(answer.must_be_refused(), (413, "body_too_large".to_owned()));
    // Up to the limit, a body counts for what it says.
    refused(&hub.post(CHAT, full).await, 400, "invalid_json");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_all_of_a_body_that_is_too_large_is_told_why() {
    let hub = hub().await;
    let large = vec![b' '; 11 * MEGABYTE];
    let chunked = format!("{}transfer-encoding: chunked\r\n\r\n", head(&hub, "POST", CHAT)).into_bytes();
    let chunked = [chunked, chunks(&large), b"0\r\n\r\n".to_vec()].concat();
    for _ in 0..10 {
        refused(&hub.post(CHAT, large.clone()).await, 413, "body_too_large");
        let answer = raw::send(hub.address, &chunked).await;
        assert_eq!(answer.must_be_refused(), (413, "body_too_large".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_and_methods_that_do_not_exist() {
    let hub = hub().await;
    for path in
        ["/", "/v1", "/v1/", "/v1/nothing", "/v2/chat/completions", "/v1/chat/completions/more", "/%ff"]
    {
        refused(&hub.get(path).await, 404, "unknown_route");
        refused(&hub.post(path, "{}").await, 404, "unknown_route");
    }
    for (method, path, allowed) in [
        (Method::GET, CHAT, "POST"),
        (Method::PUT, CHAT, "POST"),
        (Method::DELETE, CHAT, "POST"),
        (Method::POST, "/v1/models", "GET"),
        (Method::PATCH, "/health", "GET"),
        (Method::from_bytes(b"BREW").unwrap(), CHAT, "POST"),
    ] {
        let answer = hub.send(method.clone(), path, Bytes::new()).await;
        refused(&answer, 405, "method_not_allowed");
        assert!(answer.header("allow").contains(allowed), "{method} {path}: {answer:?}");
    }
    refused(&hub.get("/v1/models/nobody/has/it").await, 404, "model_not_found");
}

/// The request line and the usual headers, up to those that say how long the body is.
fn head(hub: &Hub, method: &str, path: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nconnection: close\r\n",
        hub.address, hub.key
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_contradict_themselves() {
    let hub = hub().await;
    let head = head(&hub, "POST", CHAT);
    let line = format!("POST {CHAT} HTTP/1.1\r\nconnection: close\r\n");
    let host = hub.address;
    let long = "x".repeat(MEGABYTE);
    let cases = [
        ("lengths that differ", format!("{head}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}")),
        ("one length twice, in one line", format!("{head}content-length: 2, 3\r\n\r\n{{}}")),
        (
            "a length and chunks",
            format!("{head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        (
            "chunks and a length",
            format!("{head}transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n"),
        ),
        ("a length that is none", format!("{head}content-length: two\r\n\r\n{{}}")),
        ("a negative length", format!("{head}content-length: -2\r\n\r\n{{}}")),
        ("a length beyond all numbers", format!("{head}content-length: 99999999999999999999\r\n\r\n{{}}")),
        ("a chunk that is none", format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n")),
        ("an unknown encoding", format!("{head}transfer-encoding: magic\r\n\r\n{{}}")),
        ("a huge header", format!("{head}x-large: {long}\r\ncontent-length: 2\r\n\r\n{{}}")),
        ("many headers", format!("{head}{}\r\n", "x-a: b\r\n".repeat(1000))),
        ("a huge path", format!("GET /{long} HTTP/1.1\r\nhost: {host}\r\n\r\n")),
        ("a header without a colon", format!("{line}host: {host}\r\nnonsense\r\n\r\n")),
        ("two hosts", format!("{line}host: {host}\r\nhost: {host}\r\n\r\n")),
        ("a bad request line", "NONSENSE\r\n\r\n".to_owned()),
        ("another bad request line", "GET / and more HTTP/1.1\r\n\r\n".to_owned()),
        ("another protocol", "SSH-2.0-OpenSSH_9.6\r\n\r\n".to_owned()),
        ("an HTTP that is not there yet", format!("GET / HTTP/9.9\r\nhost: {host}\r\n\r\n")),
    ];
    for (what, bytes) in cases {
        let answer = raw::send(hub.address, bytes.as_bytes()).await;
        assert_eq!(answer.statuses().len(), 1, "{what}: {answer:?}");
        let (status, code) = answer.must_be_refused();
        assert!([400, 413, 414, 431].contains(&status), "{what}: {status} {code}");
    }
    // Whoever leaves in the middle of a body needs no answer, and gets none that is wrong.
    let half = format!("{head}content-length: 20\r\n\r\n{{}}");
    let answer = raw::send_and_leave(hub.address, half.as_bytes()).await;
    assert!(answer.0.is_empty() || answer.must_be_refused().0 == 400, "{answer:?}");
    hub.chat("m").send().await.must_be_whole();
    assert_eq!(hub.provider.simulator.log().len(), 1, "nothing of the rest reached the provider");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_that_is_said_twice_in_agreement_smuggles_nothing() {
    let hub = hub().await;
    let head = head(&hub, "POST", CHAT);
    let twice = format!("{head}content-length: 2\r\ncontent-length: 2\r\n\r\n{{}}");
    let answer = raw::send(hub.address, twice.as_bytes()).await;
    assert_eq!(answer.statuses().len(), 1, "{answer:?}");
    assert_eq!(answer.must_be_refused().0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_the_hub_does_not_answer_for() {
    let hub =
        Hub::builder().account("a", "sim-ok").section("server: {allowed_hosts: [hub.example]}").start().await;
    let ask = |line: &str, host: &str| {
        let bytes = format!("{line}\r\n{host}authorization: Bearer {}\r\nconnection: close\r\n\r\n", hub.key);
        async move { raw::send(hub.address, bytes.as_bytes()).await }
    };
    for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example"] {
        let answer = ask("GET /v1/models HTTP/1.1", &format!("host: {host}\r\n")).await;
        assert_eq!(answer.must_be_refused(), (403, "host_not_allowed".to_owned()), "{host}");
    }
    let answer = ask("GET http://evil.example/v1/models HTTP/1.1", "").await;
    assert_eq!(answer.must_be_refused(), (403, "host_not_allowed".to_owned()));
    for host in ["localhost", "127.0.0.1:1", "[::1]", "hub.example", "HUB.example:8080"] {
        let answer = ask("GET /v1/models HTTP/1.1", &format!("host: {host}\r\n")).await;
        assert_eq!(answer.status(), 200, "{host}: {answer:?}");
    }
    // HTTP/1.1 demands the header; whoever leaves it out is at least no browser.
    let answer = ask("GET /v1/models HTTP/1.1", "").await;
    assert!(answer.status() == 200 || answer.must_be_refused().0 == 400, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_none() {
    let hub = Hub::builder().account("a", "sim-ok").start().await;
    let bare = format!("GET /v1/models HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", hub.address);
    let nobody = raw::send(hub.address, bare.as_bytes()).await;
    assert_eq!(nobody.must_be_refused(), (401, "missing_api_key".to_owned()));
    assert_eq!(nobody.header("www-authenticate"), Some("Bearer"));
    let gone = hub.new_key("gone").await;
    hub.with_key(&gone).chat("m").send().await.must_be_whole();
    hub.ground.cli_ok(&["keys", "revoke", "gone"]).await;
    refused(&hub.with_key(&gone).chat("m").send().await, 401, "invalid_api_key");
    refused(&hub.with_key("tvm_wrong").chat("m").send().await, 401, "invalid_api_key");
    // A key for clients may not do what operators may.
    let worker = hub.new_key("worker").await;
    refused(&hub.with_key(&worker).get("/api/keys").await, 403, "insufficient_scope");
    assert!(hub.with_key(&worker).get("/health").await.json().get("details").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_throttled_and_made_keys_are_not() {
    let chosen = "an-operators-own-password";
    let hub = Hub::builder().account("a", "sim-ok").env("API_KEY", chosen).start().await;
    let made = hub.new_key("made").await;
    for _ in 0..10 {
        refused(&hub.with_key("wrong").chat("m").send().await, 401, "invalid_api_key");
    }
    let throttled = hub.with_key("wrong").chat("m").send().await;
    refused(&throttled, 429, "too_many_failed_logins");
    assert!((1..=60).contains(&throttled.header("retry-after").parse::<u64>().unwrap()), "{throttled:?}");
    // The right guess too: otherwise guessing would go on.
    refused(&hub.chat("m").send().await, 429, "too_many_failed_logins");
    // No key is no guess, and a key that the hub made cannot be guessed.
    refused(&Client::new(hub.address, "").chat("m").send().await, 401, "missing_api_key");
    hub.with_key(&made).chat("m").send().await.must_be_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_told_so_however_often_it_comes() {
    let hub = Hub::builder().account("a", "sim-ok").env("API_KEY", "an-operators-own-password").start().await;
    let gone = hub.new_key("gone").await;
    hub.ground.cli_ok(&["keys", "revoke", "gone"]).await;
    for _ in 0..15 {
        refused(&hub.with_key(&gone).chat("m").send().await, 401, "invalid_api_key");
    }
    hub.chat("m").send().await.must_be_whole();
}

/// Lets proptest choose on a thread of its own, and asks the hub for each case.
async fn for_any<T, S, Check>(cases: u32, strategy: S, check: Check)
where
    T: std::fmt::Debug + Send,
    S: Strategy<Value = T> + Send + 'static,
    Check: Fn(T) + Send + 'static,
{
    let run = move || {
        let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
        let checked = |value| {
            check(value);
            Ok(())
        };
        if let Err(error) = TestRunner::new(config).run(&strategy, checked) {
            panic!("{error}");
        }
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_on_the_wire() {
    let hub = hub().await;
    let (address, start) = (hub.address, head(&hub, "POST", CHAT).into_bytes());
    let noise = || vec(any::<u8>(), 0..600);
    let words = prop::sample::select(vec![
        "content-length: 5\r\n",
        "transfer-encoding: chunked\r\n",
        "\r\n",
        "\r\n\r\n",
        "0\r\n\r\n",
        "5\r\n",
        ":",
        "{}",
        "expect: 100-continue\r\n",
        "connection: upgrade\r\nupgrade: websocket\r\n",
        " HTTP/1.1\r\n",
        "GET /",
    ]);
    let words = vec(words, 0..12).prop_map(|words| words.concat().into_bytes());
    let bytes = prop_oneof![
        noise(),
        words.clone(),
        (words.clone(), noise()).prop_map(|(a, b)| [a, b].concat()),
        (words, noise()).prop_map(move |(a, b)| [start.clone(), a, b].concat()),
    ];
    let runtime = tokio::runtime::Handle::current();
    for_any(300, bytes, move |bytes| {
        let answer = runtime.block_on(raw::send_and_leave(address, &bytes));
        assert!(answer.statuses().iter().all(|status| *status < 500), "{answer:?}");
    })
    .await;
    hub.chat("m").send().await.must_be_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bodies() {
    let hub = hub().await;
    let json = prop_oneof!["[\\[\\]{}\":,0-9a-z \\\\]{0,80}", "\\{\"model\":\"m\",\"messages\":.{0,60}\\}"];
    let bodies = prop_oneof![vec(any::<u8>(), 0..600), json.prop_map(String::into_bytes)];
    let (client, runtime) = (hub.client.clone(), tokio::runtime::Handle::current());
    for_any(300, bodies, move |body| {
        let answer = runtime.block_on(client.post(CHAT, body));
        assert!(answer.status.as_u16() < 500, "{answer:?}");
        if answer.status != 200 {
            assert!(answer.json()["error"].is_object());
        }
    })
    .await;
    hub.chat("m").send().await.must_be_whole();
}
