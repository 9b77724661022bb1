//! `trivium demo` and `trivium mock`: what they print works as it is printed.

use std::{collections::BTreeSet, fs, time::Duration};

use super::{
    client::Client,
    support::{Ground, SOON, eventually},
};

/// The text after `before`, up to the first of white space and quotes.
fn after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split(|c: char| c.is_whitespace() || c == '\'').next()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shows_what_it_promises_and_leaves_nothing_behind() {
    let ground = Ground::new();
    let mut demo = ground.spawn(&["demo", "--port", "0"]);
    let said = eventually("the demo explains itself", SOON, || {
        let said = ground.said();
        said.contains("leaves nothing behind").then_some(said)
    })
    .await;
    let url = after(&said, "curl -Ni ").unwrap();
    let key = after(&said, "Authorization: Bearer ").unwrap();
    let address = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/v1/chat/completions"));
    let address = address.unwrap_or_else(|| panic!("{url}")).parse().unwrap();
    let (_, body) = said.split_once("-d '").unwrap();
    let (body, _) = body.split_once('\'').unwrap();
    assert!(said.contains(&format!("Base URL  http://{address}/v1\n")), "{said}");

    // As pasted, once for each answer that the three accounts have.
    let client = Client::new(address, key);
    let mut served = Vec::new();
    for _ in 0..9 {
        let answer = client.post("/v1/chat/completions", body.to_owned()).await;
        assert_eq!(answer.header("content-type"), "text/event-stream; charset=utf-8");
        answer.must_be_whole();
        served.push(answer.header("x-gateway-route").to_owned());
    }
    let expected = ["alice", "alice", "alice", "bob", "bob", "bob", "carol", "carol", "carol"];
    assert_eq!(served, expected);
    assert!(client.get("/v1/models").await.text().contains("demo-model"));
    let dry = client.post("/v1/chat/completions", body.to_owned()).await;
    assert_eq!(dry.status, 429, "{dry:?}");
    assert!(dry.header("retry-after").parse::<u64>().unwrap() <= 20, "{dry:?}");
    eventually("the log tells why", SOON, || {
        ground.said().contains("connection is cooling down").then_some(())
    })
    .await;

    let folder = format!("trivium-demo-{}", demo.id());
    let folders = || -> BTreeSet<String> {
        let entries = fs::read_dir(ground.home()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert!(folders().contains(&folder), "{:?}", folders());
    demo.terminate();
    assert_eq!(demo.end().await.code(), Some(0), "{}", ground.said());
    assert!(folders().into_iter().eq(["stderr", "stdout"]), "{:?}", folders());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mock_says_where_it_listens() {
    let ground = Ground::new();
    let mut mock = ground.spawn(&["mock", "--port", "0"]);
    let address = eventually("the mock says where it listens", SOON, || {
        let said = ground.said();
        after(said.split_once('\n')?.0, "listens on http://")?.strip_suffix("/v1")?.parse().ok()
    })
    .await;
    for stream in [true, false] {
        Client::new(address, "sim-ok").chat("anything").stream_if(stream).send().await.must_be_whole();
    }
    let limited = Client::new(address, "sim-429-retry-20").chat("anything").send().await;
    assert_eq!((limited.status.as_u16(), limited.header("retry-after")), (429, "20"));
    let within = Duration::from_secs(5);
    eventually("each request has its line", within, || {
        ground.said().contains("sim-429-retry-20").then_some(())
    })
    .await;
    mock.terminate();
    assert_eq!(mock.end().await.code(), Some(0));
}
