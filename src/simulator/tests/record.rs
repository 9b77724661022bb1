//! The log, the counts and the hook.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::simulator::{Entry, Options, Outcome};

#[tokio::test(start_paused = true)]
async fn the_log_tells_what_came_and_what_went() {
    let simulator = simulator();
    tokio::time::advance(Duration::from_millis(40)).await;
    let sent =
        r#"{ "model":"m",  "odd": 1, "stream":true, "messages":[{"role":"user","content":"echo: a b"}]}"#;
    let odd = Request::post("/any/base/chat/completions?x=1")
        .header("Authorization", "Bearer sim-slow-60+crlf")
        .header("X-Odd", "one")
        .header("X-Odd", "two")
        .body(Body::from(sent))
        .unwrap();
    read(&simulator, odd).await;
    let entry = &get(&simulator, "", "/__log").await.json()[0];
    assert_eq!(
        *entry,
        json!({
            "seq": 1, "at_ms": 40, "done_ms": 100, "method": "POST", "path": "/any/base/chat/completions?x=1",
            "key": "sim-slow-60+crlf", "model": "m", "stream": true,
            "headers": {"authorization": "Bearer sim-slow-60+crlf", "x-odd": "one, two"},
            "body": sent, "status": 200, "outcome": "complete", "chunks": 2, "faults": ["slow_first_token", "crlf"],
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_is_seen() {
    let simulator = simulator();
    let mut body = simulator.handle(request("sim-pace-10", &ask(true))).await.into_body();
    for _ in 0..3 {
        body.frame().await.unwrap().unwrap();
    }
    assert_eq!(simulator.log()[0].outcome, Outcome::Running);
    assert_eq!(simulator.stats().in_flight, 1);
    drop(body);
    let entry = &simulator.log()[0];
    assert_eq!((entry.outcome, entry.chunks, entry.status), (Outcome::ClientLeft, 2, Some(200)));
    assert_eq!((simulator.stats().in_flight, simulator.stats().client_left), (0, 1));

    // Before the first byte of the body, too.
    drop(simulator.handle(request("sim-ok", &ask(true))).await);
    assert_eq!(simulator.stats().client_left, 2);
}

#[tokio::test(start_paused = true)]
async fn who_hangs_up_on_done_has_all() {
    for key in ["sim-ok", "sim-twodone", "sim-tiny"] {
        let simulator = simulator();
        let mut body = simulator.handle(request(key, &ask(true))).await.into_body();
        let mut seen = Vec::new();
        while !seen.ends_with(b"[DONE]\n\n") {
            seen.extend_from_slice(&body.frame().await.unwrap().unwrap().into_data().unwrap());
        }
        drop(body);
        assert_eq!(simulator.log()[0].outcome, Outcome::Complete, "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn counts_are_kept_per_key_and_status() {
    let simulator = simulator();
    for _ in 0..3 {
        chat(&simulator, "sim-limit-2", &ask(false)).await;
    }
    chat(&simulator, "sim-close", &ask(false)).await;
    let stats = get(&simulator, "", "/__stats").await.json();
    assert_eq!(stats["keys"], json!({"sim-limit-2": {"200": 2, "429": 1}, "sim-close": {"none": 1}}));
    assert_eq!((&stats["requests"], &stats["in_flight"]), (&json!(4), &json!(0)));
    let clear = Request::delete("/__log").body(Body::empty()).unwrap();
    assert_eq!(read(&simulator, clear).await.status, 200);
    assert_eq!(simulator.log(), []);
    assert_eq!(chat(&simulator, "sim-limit-2", &ask(false)).await.status, 429, "limits are not forgotten");
}

#[tokio::test(start_paused = true)]
async fn the_hook_and_the_file_get_each_ended_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    let heard: Arc<Mutex<Vec<Entry>>> = Arc::default();
    let hears = Arc::clone(&heard);
    let options = Options {
        log: Some(path.clone()),
        on_request: Some(Arc::new(move |entry| hears.lock().unwrap().push(entry.clone()))),
        ..Options::default()
    };
    let simulator = Simulator::from_options(options).unwrap();
    chat(&simulator, "sim-ok", &ask(true)).await;
    chat(&simulator, "sim-500", &ask(true)).await;
    let statuses: Vec<_> = heard.lock().unwrap().iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [Some(200), Some(500)]);
    let lines = std::fs::read_to_string(&path).unwrap();
    let outcomes: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["outcome"].take()).collect();
    assert_eq!(outcomes, ["complete", "complete"]);
    let nowhere = Options { log: Some(folder.path().to_owned()), ..Options::default() };
    assert!(Simulator::from_options(nowhere).is_err());
}
