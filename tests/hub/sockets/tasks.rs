//! Tasks that stream over real sockets: what a kill leaves of them, and how many there may be at a time.

use std::{fs, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::{sync::Barrier, task::JoinSet, time::timeout};

use super::{
    client::Client,
    support::{Hub, SOON, eventually},
};

const PATH: &str = "/a2a?A2A-Version=1.0";

/// Tasks that stream when the hub is killed.
const KILLED: usize = 50;

/// Tasks that stream at a time, and those of them whose readers look away for most of it.
const MANY: usize = 1000;
const SLOW: usize = 100;

/// What those may take of the hub's memory, in kilobytes: each has two connections, and the build is one for tests.
const EACH_KB: u64 = 256;

fn envelope(method: &str, params: &Value) -> Bytes {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string().into()
}

fn message(id: &str, text: &str) -> Value {
    json!({"message": {"messageId": id, "role": "ROLE_USER", "parts": [{"text": text}]}})
}

/// An event of a stream: its number, and what it tells.
type Event = (u64, Value);

/// The events of a response, as they come.
struct Events {
    body: Incoming,
    read: String,
}

impl Events {
    async fn open(client: &Client, method: &str, params: &Value) -> Self {
        let response = client.open(Method::POST, PATH, envelope(method, params)).await.unwrap();
        assert_eq!(response.status(), 200);
        Self { body: response.into_body(), read: String::new() }
    }

    /// `None` when the stream has ended, or broke off.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let event = read(event);
                self.read = rest.to_owned();
                match event {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let frame = timeout(4 * SOON, self.body.frame()).await.expect("an event in time")?.ok()?;
            self.read.push_str(std::str::from_utf8(frame.data_ref()?).unwrap());
        }
    }

    async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

fn read(event: &str) -> Option<Event> {
    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
    let data: Value = serde_json::from_str(field("data: ")?).unwrap();
    Some((field("id: ").unwrap().parse().unwrap(), data["result"].clone()))
}

/// The events behind a number, to the end.
async fn replay(client: &Client, task: &str, after: u64) -> Vec<Event> {
    let body = serde_json::from_slice(&envelope("SubscribeToTask", &json!({"id": task}))).unwrap();
    let answer = client.post_with(PATH, &[("last-event-id", &after.to_string())], &body).await;
    answer.text().split("\n\n").filter_map(read).collect()
}

async fn task(client: &Client, id: &str) -> Value {
    let answer = client.post(PATH, envelope("GetTask", &json!({"id": id}))).await.json();
    answer["result"].clone()
}

fn must_follow(events: &[Event], after: u64) {
    let numbers: Vec<u64> = events.iter().map(|(number, _)| *number).collect();
    let expected: Vec<u64> = (after + 1..).take(numbers.len()).collect();
    assert_eq!(numbers, expected);
}

/// Reads until the hub is gone; says what came.
async fn until_the_end(client: Client, number: usize) -> Vec<Event> {
    let message = message(&format!("m-{number}"), "echo: one two three four five six seven eight nine ten");
    Events::open(&client, "SendStreamingMessage", &message).await.rest().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_costs_no_event_that_a_client_has_seen() {
    let mut hub = Hub::builder().account("slow", "sim-chunks-10+pace-300").start().await;
    let mut streams = JoinSet::new();
    for number in 0..KILLED {
        streams.spawn(until_the_end(hub.client.clone(), number));
    }
    eventually("all of them stream", 2 * SOON, || (hub.provider.calls("slow").len() == KILLED).then_some(()))
        .await;
    // One that is taken in the last moment, and has delivered nothing.
    let mut last = message("last", "echo: afterwards");
    last["configuration"] = json!({"returnImmediately": true});
    let last = hub.post(PATH, envelope("SendMessage", &last)).await.json();
    let last = last["result"]["task"]["id"].as_str().unwrap_or_else(|| panic!("{last}")).to_owned();
    tokio::time::sleep(Duration::from_millis(400)).await;
    hub.process.kill();
    let mut seen = Vec::new();
    while let Some(events) = streams.join_next().await {
        seen.push(events.unwrap());
    }
    let hub = hub.again().await;

    let mut cut = 0;
    for events in seen {
        must_follow(&events, 0);
        let id = events[0].1["task"]["id"].as_str().unwrap().to_owned();
        let seen = events.len() as u64;
        let (rest, same) = tokio::join!(replay(&hub.client, &id, seen), replay(&hub.client, &id, seen));
        assert_eq!(rest, same, "who comes back sees the same as another");
        must_follow(&rest, seen);
        let all = replay(&hub.client, &id, 0).await;
        assert_eq!(all[..events.len()], events, "what was seen is what happened");
        assert_eq!(all[events.len()..], rest);
        let status = task(&hub.client, &id).await["status"].clone();
        let delivered = all.iter().any(|(_, event)| event.get("artifactUpdate").is_some());
        match status["state"].as_str().unwrap() {
            "TASK_STATE_FAILED" => {
                cut += 1;
                assert!(delivered, "what delivered nothing is done again: {all:?}");
                let why = status["message"]["parts"][0]["text"].as_str().unwrap();
                assert!(why.contains("stopped"), "{why}");
            }
            state => assert_eq!(state, "TASK_STATE_COMPLETED", "{status}"),
        }
    }
    assert!(cut > 0, "the kill came too late to tell");
    let over = async || {
        let task = task(&hub.client, &last).await;
        (task["status"]["state"] == "TASK_STATE_COMPLETED" || task["status"]["state"] == "TASK_STATE_FAILED")
            .then_some(task)
    };
    let end = tokio::time::Instant::now() + 2 * SOON;
    while over().await.is_none() {
        assert!(tokio::time::Instant::now() < end, "{}", task(&hub.client, &last).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The most memory that a process has had in use, in kilobytes.
fn most_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_tasks_stream_in_bounded_memory_whoever_looks_away() {
    let hub = Hub::builder().account("slow", "sim-chunks-8+pace-1500").start().await;
    let before = most_memory(hub.process.id());
    let text = format!("echo: {}", "word ".repeat(1600));
    let all = Arc::new(Barrier::new(MANY));
    let mut streams = JoinSet::new();
    for number in 0..MANY {
        let (client, all) = (hub.client.clone(), Arc::clone(&all));
        let message = message(&format!("m-{number}"), &text);
        streams.spawn(async move {
            let mut events = Events::open(&client, "SendStreamingMessage", &message).await;
            let mut seen = vec![events.next().await.unwrap()];
            // Nobody goes on before everybody has begun.
            timeout(4 * SOON, all.wait()).await.expect("all of them stream at a time");
            if number < SLOW {
                tokio::time::sleep(SOON).await;
            }
            seen.extend(events.rest().await);
            must_follow(&seen, 0);
            let last = &seen.last().unwrap().1["statusUpdate"]["status"]["state"];
            assert_eq!(last, "TASK_STATE_COMPLETED");
            seen.len()
        });
    }
    let mut events = 0;
    while let Some(seen) = streams.join_next().await {
        events += seen.unwrap();
    }
    assert!(events > 5 * MANY, "{events}");
    let grown = most_memory(hub.process.id()) - before;
    assert!(grown < EACH_KB * MANY as u64, "{grown} kB for {MANY} tasks");
}
