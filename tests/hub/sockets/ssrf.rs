//! URLs that come from requests lead nowhere inside: a table of the ways in which an inner address is written, put to the
//! running hub as pictures that it has to fetch. What a name resolves to, redirects and rebinding need a resolver and a server
//! of their own: they are in the tests of `outbound::guard`.

use serde_json::json;
use tokio::net::TcpListener;

use super::support::Hub;

/// Hosts that stand for this machine, a private network, or a cloud's metadata.
const INNER: &[&str] = &[
    // Private, shared, local and reserved ranges.
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.1.1",
    "0.0.0.0",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    // Metadata of clouds.
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "[fd00:ec2::254]",
    // IPv6, and IPv4 within it.
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:7f00:1::]",
    // Numbers in other clothes.
    "2130706433",
    "0x7f000001",
    "017700000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "127.1",
    "127.0.1",
    "127.0.0.1.",
    "0",
    // Names.
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    // What hides a host.
    "user@127.0.0.1",
    "example.com@127.0.0.1",
    "127.0.0.1%2f@example.com",
    "127.0.0.1#@example.com",
    "127.0.0.1\\@example.com",
    "①②⑦.0.0.1",
    "127。0。0。1",
];

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_fetched_from_nowhere_inside() {
    let hub = Hub::builder().account("first", "sim-ok").start().await;
    // A server inside that must not hear of it.
    let trap = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = trap.local_addr().unwrap().port();
    let text = format!(
        "providers:\n  - id: g\n    type: gemini-compatible\n    base_url: http://{}/v1beta\n    api_key: sim-ok.g\n    models: [m]\n",
        hub.provider.address
    );
    hub.write_config(&text);
    hub.uses(&["g"]).await;
    let mut urls: Vec<String> = Vec::new();
    for host in INNER {
        urls.extend([format!("http://{host}/x.png"), format!("https://{host}/x.png")]);
        urls.push(format!("http://{host}:{port}/x.png"));
    }
    let more = [
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://127.0.0.1/x",
        "//127.0.0.1/x.png",
        "/etc/passwd",
    ];
    urls.extend(more.map(str::to_owned));
    for url in &urls {
        let picture = json!({"type": "image_url", "image_url": {"url": url}});
        let body = json!({"model": "m", "messages": [{"role": "user", "content": [picture]}]});
        let answer = hub.post("/v1/chat/completions", body.to_string()).await;
        assert_eq!(answer.status, 400, "{url}: {}", answer.text());
        assert!(!answer.text().contains("root:"), "{url}");
    }
    assert!(hub.provider.calls("g").is_empty(), "nothing of it went on to the provider");
    let knocked = tokio::time::timeout(std::time::Duration::from_millis(100), trap.accept()).await;
    assert!(knocked.is_err(), "somebody knocked at the inner server");
}
