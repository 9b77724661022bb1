//! Plays the day against a fresh hub, on a clock of its own.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use futures_util::future::join_all;
use http::Request;
use serde_json::{Value, json};
use tokio::{runtime, time::Instant};
use trivium::engine::settings::Strategy;

use super::{
    report::{Report, Seen},
    traffic::{Talk, talks},
    world,
};
use crate::support::TestHub;

/// The day under one strategy.
pub(super) fn day(strategy: Strategy) -> Report {
    runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(play(strategy))
}

async fn play(strategy: Strategy) -> Report {
    let hub = TestHub::builder().yaml(&world::yaml(strategy)).script(world::script()).build().await;
    let hub = Arc::new(hub);
    let start = Instant::now();
    let weather = tokio::spawn(world::weather(hub.simulator.clone()));
    let clients = talks().into_iter().map(|talk| tokio::spawn(hold(Arc::clone(&hub), talk, start)));
    let mut seen = Seen::default();
    for one in join_all(clients).await {
        let one = one.unwrap();
        seen.requests += one.requests;
        seen.whole += one.whole;
        seen.later += one.later;
        seen.warm += one.warm;
    }
    weather.await.unwrap();
    let receipts = hub.last_receipts(u32::MAX).await;
    let ledger = world::counted().into_iter().map(|account| {
        let (counted, served) = (counted(&hub, &account), served(&hub, &account));
        (account, counted, served)
    });
    let ledger = ledger.collect();
    Report::new(strategy, seen, &receipts, hub.simulator.stats().requests, ledger)
}

/// What the ledger has counted at an account within the longest of its windows.
fn counted(hub: &TestHub, account: &str) -> u64 {
    hub.engine.quota().save();
    let windows = hub.windows();
    let counts = windows.iter().filter(|window| window.state.starts_with("counted"));
    let of = counts.filter(|window| *window.connection == *account);
    of.map(|window| window.used).max().unwrap_or(0)
}

/// What the simulator let in at an account.
fn served(hub: &TestHub, account: &str) -> u64 {
    let stats = hub.simulator.stats();
    let Some(answers) = stats.keys.get(account) else { return 0 };
    answers.iter().filter(|(status, _)| *status != "429").map(|(_, count)| count).sum()
}

/// One conversation, from its first question to its last answer. Who gets no answer asks the next question all the same.
async fn hold(hub: Arc<TestHub>, talk: Talk, start: Instant) -> Seen {
    tokio::time::sleep_until(start + Duration::from_millis(talk.begins)).await;
    let mut seen = Seen::default();
    let mut before: Option<String> = None;
    let system = format!("You are helper {}. {}", talk.number, "Be brief and kind. ".repeat(talk.words / 4));
    let mut messages = vec![json!({"role": "system", "content": system})];
    for turn in 0..talk.turns {
        if turn > 0 {
            tokio::time::sleep(Duration::from_millis(talk.pause)).await;
        }
        let question = format!("Question {turn}: {}", "what of this and that, and why? ".repeat(2));
        messages.push(json!({"role": "user", "content": question}));
        let answer = hub.send(request(&talk, &messages)).await;
        seen.requests += 1;
        seen.whole += usize::from(answer.is_whole());
        if let Some(before) = &before {
            seen.later += 1;
            seen.warm += usize::from(before == answer.route());
        }
        before = Some(answer.route().to_owned());
        messages.push(json!({"role": "assistant", "content": "An answer of some words. ".repeat(3)}));
    }
    seen
}

fn request(talk: &Talk, messages: &[Value]) -> Request<Body> {
    let body = json!({"model": world::COMBO, "stream": talk.stream, "messages": messages});
    let mut request = Request::post("/v1/chat/completions");
    if talk.is_named {
        request = request.header("x-session-id", format!("talk-{}", talk.number));
    }
    request.body(Body::from(body.to_string())).unwrap()
}
