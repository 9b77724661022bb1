//! Responses as callers come back to them: theirs alone, for a while, in whole conversations.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::{sync::Mutex, time::Duration};

use operations::Scopes;
use serde_json::json;

use super::*;
use crate::{auth::test_clock::TestClock, engine::caller::CallerKind, store::MemoryStore};

struct Scene {
    responses: Responses,
    clock: Arc<TestClock>,
    policy: Arc<Mutex<Keeping>>,
}

impl Scene {
    fn new() -> Self {
        let clock = Arc::new(TestClock::default());
        let policy = Arc::new(Mutex::new(Keeping { keep: true, ..Keeping::default() }));
        let asked = Arc::clone(&policy);
        let asked = Box::new(move || *asked.lock().unwrap());
        let responses = Responses::new(Arc::new(MemoryStore::default()), clock.clone(), asked);
        Self { responses, clock, policy }
    }

    fn set(&self, change: impl FnOnce(&mut Keeping)) {
        change(&mut self.policy.lock().unwrap());
    }

    async fn keep(&self, kept: Kept) {
        self.responses.keep(&caller("a"), kept).await.unwrap();
    }

    async fn here(&self, caller: &Caller, id: &str) -> Option<Kept> {
        match self.responses.find(caller, id).await.unwrap()? {
            Found::Here(kept) => Some(kept),
            Found::At(_) => None,
        }
    }

    async fn at(&self, caller: &Caller, id: &str) -> Option<(Arc<str>, u64)> {
        match self.responses.find(caller, id).await.unwrap()? {
            Found::Here(_) => None,
            Found::At(keeper) => Some((keeper.connection, keeper.fingerprint)),
        }
    }

    async fn chain(&self, id: &str) -> Result<Option<Vec<Value>>, OpError> {
        self.responses.chain(&caller("a"), id).await
    }
}

fn caller(id: &str) -> Caller {
    let scopes: Scopes = [Scope::ExecuteCompletions].into_iter().collect();
    Caller { id: id.into(), name: id.into(), kind: CallerKind::Key, scopes, address: None, policy: None }
}

fn message(role: &str, text: &str) -> Value {
    json!({ "type": "message", "role": role, "content": text })
}

/// A turn of a conversation in which the answer repeats the question.
fn turn(id: &str, previous: Option<&str>, text: &str) -> Kept {
    Kept {
        id: id.to_owned(),
        previous: previous.map(str::to_owned),
        input: vec![message("user", text)],
        response: json!({
            "id": id,
            "object": "response",
            "output": [message("assistant", text)],
            "usage": { "output_tokens": 7 },
        }),
    }
}

fn code<T>(result: Result<T, OpError>) -> &'static str {
    result.err().map_or("ok", |error| error.code())
}

#[tokio::test]
async fn a_kept_response_comes_back_as_it_was() {
    let scene = Scene::new();
    let odd = [
        json!({ "output": [], "id": "r" }),
        json!({ "id": "r", "output": null }),
        json!({ "id": "r", "output": "text" }),
        json!({ "id": "r" }),
        json!(null),
        json!([1]),
    ];
    let responses = odd.into_iter().chain([turn("r", None, "hello").response]);
    for response in responses {
        let kept = Kept { response, ..turn("r", Some("p"), "hello") };
        scene.keep(kept.clone()).await;
        let found = scene.here(&caller("a"), "r").await.unwrap();
        assert!(found == kept, "{}", found.response);
        assert_eq!(found.response.to_string(), kept.response.to_string(), "in the same order");
    }
}

#[tokio::test]
async fn nobody_else_sees_or_deletes_it() {
    let scene = Scene::new();
    scene.keep(turn("r", None, "x")).await;
    scene.responses.locate(&caller("a"), "l", &"groq-1".into(), 5);
    let other = caller("b");
    for id in ["r", "l"] {
        assert!(scene.responses.find(&other, id).await.unwrap().is_none());
        assert!(!scene.responses.delete(&other, id).await.unwrap());
        assert!(scene.responses.chain(&other, id).await.unwrap().is_none());
    }
    assert!(scene.responses.delete(&caller("a"), "r").await.unwrap());
    assert!(scene.responses.delete(&caller("a"), "l").await.unwrap());
    assert!(!scene.responses.delete(&caller("a"), "r").await.unwrap());
    assert!(scene.here(&caller("a"), "r").await.is_none());
}

#[tokio::test]
async fn a_caller_that_may_not_ask_models_may_nothing_here() {
    let scene = Scene::new();
    let stranger = Caller { scopes: Scopes::default(), ..caller("a") };
    assert_eq!(code(scene.responses.keep(&stranger, turn("r", None, "x")).await), "forbidden");
    assert_eq!(code(scene.responses.find(&stranger, "r").await), "forbidden");
    assert_eq!(code(scene.responses.chain(&stranger, "r").await), "forbidden");
    assert_eq!(code(scene.responses.delete(&stranger, "r").await), "forbidden");
}

#[tokio::test]
async fn it_ends_with_its_time_and_a_location_with_its_own() {
    let scene = Scene::new();
    scene.set(|keeping| keeping.ttl = Duration::from_secs(60));
    scene.keep(turn("r", None, "x")).await;
    scene.responses.locate(&caller("a"), "l", &"groq-1".into(), 5);
    scene.clock.advance(59_999);
    scene.responses.sweep().await.unwrap();
    assert!(scene.here(&caller("a"), "r").await.is_some());
    scene.clock.advance(1);
    assert!(scene.here(&caller("a"), "r").await.is_none());
    scene.responses.sweep().await.unwrap();
    assert_eq!(scene.at(&caller("a"), "l").await, Some(("groq-1".into(), 5)));
    scene.clock.advance(LOCATION_TTL_MS - 60_000);
    assert_eq!(scene.at(&caller("a"), "l").await, None);
}

#[tokio::test]
async fn the_operators_word_holds_at_once() {
    let scene = Scene::new();
    assert!(scene.responses.keeps());
    scene.keep(turn("r", None, "x")).await;
    scene.set(|keeping| keeping.keep = false);
    assert!(!scene.responses.keeps());
    // What was promised is kept, and what was kept can be had.
    scene.keep(turn("r2", Some("r"), "y")).await;
    assert_eq!(scene.chain("r2").await.unwrap().unwrap().len(), 4);
    scene.set(|keeping| keeping.max_item_bytes = 100);
    assert_eq!(code(scene.responses.keep(&caller("a"), turn("r3", None, "z")).await), "too_large");
    scene.set(|keeping| *keeping = Keeping { max_bytes: 400, ..Keeping::default() });
    assert_eq!(code(scene.responses.keep(&caller("a"), turn("r3", None, "z")).await), "too_large");
    scene.responses.sweep().await.unwrap();
    assert!(scene.here(&caller("a"), "r").await.is_none());
}

#[tokio::test]
async fn a_conversation_is_read_in_its_order() {
    let scene = Scene::new();
    scene.keep(turn("r1", None, "one")).await;
    scene.keep(turn("r2", Some("r1"), "two")).await;
    scene.keep(turn("r2b", Some("r1"), "two, again")).await;
    scene.keep(turn("r3", Some("r2"), "three")).await;
    let texts = |items: Vec<Value>| -> Vec<String> {
        items.iter().map(|item| format!("{}: {}", item["role"], item["content"]).replace('"', "")).collect()
    };
    assert_eq!(
        texts(scene.chain("r3").await.unwrap().unwrap()),
        ["user: one", "assistant: one", "user: two", "assistant: two", "user: three", "assistant: three"]
    );
    assert_eq!(
        texts(scene.chain("r2b").await.unwrap().unwrap()),
        ["user: one", "assistant: one", "user: two, again", "assistant: two, again"]
    );
    assert!(scene.chain("r4").await.unwrap().is_none());
}

#[tokio::test]
async fn a_conversation_with_a_hole_is_lost_and_says_so() {
    let scene = Scene::new();
    scene.keep(turn("r1", None, "one")).await;
    scene.keep(turn("r2", Some("r1"), "two")).await;
    scene.keep(turn("r3", Some("elsewhere"), "three")).await;
    assert!(scene.responses.delete(&caller("a"), "r1").await.unwrap());
    assert_eq!(code(scene.chain("r2").await), "lost");
    assert!(scene.here(&caller("a"), "r2").await.is_some(), "by itself it can be had");
    scene.responses.locate(&caller("a"), "elsewhere", &"groq-1".into(), 5);
    assert_eq!(code(scene.chain("r3").await), "lost");
    assert!(scene.chain("elsewhere").await.unwrap().is_none(), "the hub does not have it");
}

#[tokio::test]
async fn a_conversation_without_an_end_is_refused() {
    let scene = Scene::new();
    scene.keep(turn("r", Some("r"), "round")).await;
    assert_eq!(code(scene.chain("r").await), "too_large");
    let text = "x".repeat(MAX_CHAIN_BYTES / 8);
    scene.set(|keeping| keeping.max_item_bytes = 3 * text.len() as u64);
    for number in 0..5 {
        let previous = format!("{}", number - 1);
        let previous = (number > 0).then_some(previous.as_str());
        scene.keep(turn(&number.to_string(), previous, &text)).await;
    }
    assert_eq!(scene.chain("2").await.unwrap().unwrap().len(), 6);
    assert_eq!(code(scene.chain("4").await), "too_large");
}

#[tokio::test]
async fn what_this_program_does_not_understand_is_lost() {
    let scene = Scene::new();
    let response = StoredResponse {
        owner: "a".into(),
        id: "r".into(),
        created_at: 0,
        expires_at: i64::MAX,
        payload: b"{\"of\":\"the future\"".to_vec(),
    };
    scene.responses.inner.store.keep(response, u64::MAX).await.unwrap();
    assert_eq!(code(scene.responses.find(&caller("a"), "r").await), "lost");
    assert_eq!(code(scene.chain("r").await), "lost");
}

#[tokio::test]
async fn an_endless_id_is_not_remembered() {
    let scene = Scene::new();
    let id = "x".repeat(MAX_ID + 1);
    scene.responses.locate(&caller("a"), &id, &"groq-1".into(), 5);
    assert_eq!(scene.at(&caller("a"), &id).await, None);
}
