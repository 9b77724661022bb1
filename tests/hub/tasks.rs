//! Durable tasks beneath the wire: who follows one sees what all see, a stop loses nothing, and webhooks are told of
//! everything, by whom it is from. The work is played by a script that stands in the message.

use std::{sync::Arc, time::Duration};

use a2a::{
    Version,
    model::{Artifact, Content, Message, Part, PushConfig, Role, SendMessage, StreamEvent, TaskState},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_core::future::BoxFuture;
use futures_util::{StreamExt, future::join_all};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};
use trivium::{
    engine::caller::Caller,
    ops::{
        registry::Asked,
        tasks::{Numbered, TaskExecutor, Tasks, Work},
    },
};

use super::{agents::key, support::TestHub};

/// Plays what the message says, a word for each thing that happens.
struct Player;

impl TaskExecutor for Player {
    fn run(&self, work: Work) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let said = work.request.message.parts.iter().filter_map(text).collect::<String>();
            for word in said.split_whitespace() {
                // What cannot be told any more is the script's end.
                if play(&work, word).await.is_none() {
                    return;
                }
            }
        })
    }
}

fn text(part: &Part) -> Option<&str> {
    match &part.content {
        Content::Text(text) => Some(text),
        _ => None,
    }
}

async fn play(work: &Work, word: &str) -> Option<u64> {
    let status = async |state| work.sink.status(state, None, None).await.ok();
    match word {
        "work" => status(TaskState::Working).await,
        "done" => status(TaskState::Completed).await,
        "ask" => status(TaskState::InputRequired).await,
        "failed" => status(TaskState::Failed).await,
        "rejected" => status(TaskState::Rejected).await,
        "hang" => std::future::pending().await,
        "break" => panic!("a fault of the skill"),
        _ => match word.strip_prefix("wait-") {
            Some(time) => {
                sleep(Duration::from_millis(time.parse().unwrap())).await;
                Some(0)
            }
            None => {
                let artifact = Artifact {
                    id: "text".to_owned(),
                    name: None,
                    description: None,
                    parts: vec![Part::text(word)],
                    metadata: None,
                    extensions: Vec::new(),
                };
                work.sink.artifact(artifact, true, false, None).await.ok()
            }
        },
    }
}

fn caller() -> Caller {
    Caller { id: "env".into(), ..trivium::auth::local_caller() }
}

fn message(id: &str, script: &str) -> SendMessage {
    SendMessage {
        message: Message::new(id.to_owned(), Role::User, vec![Part::text(script)]),
        configuration: Default::default(),
        metadata: None,
        earlier: Vec::new(),
    }
}

async fn begin(tasks: &Tasks, id: &str, script: &str) -> String {
    let asked = Asked::new(caller(), "a2a", None);
    tasks.send(asked, message(id, script), Version::V1).await.unwrap().task.unwrap().id
}

/// What a follower sees: it comes after a while, says what it knows, and takes its time with each event.
async fn follow(tasks: &Tasks, task: &str, (comes, after, pause): (u64, u64, u64)) -> Vec<Numbered> {
    sleep(Duration::from_millis(comes)).await;
    let mut events = tasks.subscribe(&caller(), task, after).await.unwrap();
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        seen.push(event);
        sleep(Duration::from_millis(pause)).await;
    }
    seen
}

fn script() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        3 => "[a-z]{1,3}[0-9]",
        1 => Just("work".to_owned()),
        3 => (0_u64..60).prop_map(|time| format!("wait-{time}")),
    ];
    let end = prop_oneof![Just("done"), Just("failed"), Just("rejected"), Just("break"), Just("")];
    (vec(word, 0..100), end, vec("[a-z]", 0..3))
        .prop_map(|(words, end, behind)| format!("{} {end} {}", words.join(" "), behind.join(" ")))
}

fn is_terminal(event: &StreamEvent) -> bool {
    matches!(event, StreamEvent::Status(update) if update.status.state.is_terminal())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the work does, whoever comes when, and whether it is ended in the middle.
    #[test]
    fn every_follower_sees_the_same_events_in_the_same_order_each_once(
        script in script(),
        followers in vec((0_u64..4_000, 0_u64..40, 0_u64..90), 1..24),
        cancel in prop::option::of(0_u64..3_000),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let hub = TestHub::builder().executor(Arc::new(Player)).build().await;
            let tasks = &hub.tasks;
            let id = begin(tasks, "m", &script).await;
            let ended = async {
                let Some(at) = cancel else { return };
                sleep(Duration::from_millis(at)).await;
                // Too late is no fault.
                drop(tasks.cancel(&caller(), &id).await);
            };
            let following = join_all(followers.iter().map(|follower| follow(tasks, &id, *follower)));
            let (seen, ()) = tokio::join!(following, ended);
            let all = follow(tasks, &id, (0, 0, 0)).await;
            let numbers: Vec<u64> = all.iter().map(|event| event.seq).collect();
            assert_eq!(numbers, (1..=all.len() as u64).collect::<Vec<_>>());
            let ends = all.iter().position(|event| is_terminal(&event.event));
            assert_eq!(ends, Some(all.len() - 1), "one end, and nothing behind it: {all:?}");
            for ((_, after, _), seen) in followers.iter().zip(seen) {
                // Who says that it saw more than there was gets what came from then on.
                let missed = usize::try_from(*after).unwrap().min(all.len() - seen.len());
                assert_eq!(seen, all[missed..]);
            }
            // Who worked leaves behind its last word.
            sleep(Duration::from_secs(1)).await;
            assert_eq!((tasks.status().active_streams, tasks.status().running), (0, 0));
        });
    }
}

async fn state(hub: &TestHub, id: &str) -> (TaskState, String) {
    let asked = a2a::model::GetTask { id: id.to_owned(), history_length: None };
    let task = hub.tasks.get(&caller(), asked).await.unwrap();
    let words = task.status.message.iter().flat_map(|message| &message.parts).filter_map(text);
    (task.status.state, words.collect())
}

#[tokio::test(start_paused = true)]
async fn what_delivered_nothing_is_done_again_after_a_stop_and_the_rest_says_why_not() {
    let hub = TestHub::builder().executor(Arc::new(Player)).build().await;
    let (key_id, _) = key(&hub, "gone", &["execute:completions"], json!({})).await;
    let gone = Caller { id: key_id.as_str().into(), ..caller() };
    let bare = begin(&hub.tasks, "m-1", "work wait-60000 done").await;
    let begun = begin(&hub.tasks, "m-2", "work piece wait-60000 done").await;
    let asked = Asked::new(gone.clone(), "a2a", None);
    let sent = hub.tasks.send(asked, message("m-3", "wait-60000 done"), Version::V1).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    hub.tasks.close(Instant::now() + Duration::from_secs(5)).await;
    assert_eq!(state(&hub, &bare).await.0, TaskState::Working, "it stays as it was");
    assert!(
        hub.json(http::Method::DELETE, &format!("/api/keys/{key_id}"), json!({})).await.status.is_success()
    );

    let next = TestHub::builder().after(&hub).executor(Arc::new(Player)).build().await;
    sleep(Duration::from_secs(90)).await;
    assert_eq!(state(&next, &bare).await.0, TaskState::Completed);
    let (over, why) = state(&next, &begun).await;
    assert_eq!(over, TaskState::Failed);
    assert!(why.contains("send the message again"), "{why}");
    let asked = a2a::model::GetTask { id: sent.task.unwrap().id, history_length: None };
    let orphan = next.tasks.get(&gone, asked).await.unwrap();
    assert_eq!(orphan.status.state, TaskState::Failed, "{orphan:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_work_come_to_its_end() {
    let hub = TestHub::builder().executor(Arc::new(Player)).build().await;
    let id = begin(&hub.tasks, "m-1", "work piece wait-3000 done").await;
    let began = Instant::now();
    hub.tasks.close(began + Duration::from_secs(30)).await;
    assert_eq!(state(&hub, &id).await.0, TaskState::Completed);
    assert!(began.elapsed() < Duration::from_secs(4), "nobody waits longer than the work");
}

#[tokio::test(start_paused = true)]
async fn a_message_for_a_task_that_is_worked_on_waits_its_turn() {
    let hub = TestHub::builder().executor(Arc::new(Player)).build().await;
    let id = begin(&hub.tasks, "m-1", "work a wait-2000 b ask").await;
    let mut more = message("m-2", "c done");
    more.message.task_id = Some(id.clone());
    hub.tasks.send(Asked::new(caller(), "a2a", None), more, Version::V1).await.unwrap();
    let all = follow(&hub.tasks, &id, (9_000, 0, 0)).await;
    let pieces: Vec<&str> = all
        .iter()
        .filter_map(|event| match &event.event {
            StreamEvent::Artifact(update) => text(&update.artifact.parts[0]),
            _ => None,
        })
        .collect();
    assert_eq!(pieces, ["a", "b", "c"], "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn a_key_takes_no_more_than_half_of_the_places() {
    let hub = TestHub::builder().yaml("a2a: {max_running: 4}\n").executor(Arc::new(Player)).build().await;
    begin(&hub.tasks, "m-1", "work hang").await;
    begin(&hub.tasks, "m-2", "work hang").await;
    let asked = Asked::new(caller(), "a2a", None);
    let full = hub.tasks.send(asked, message("m-3", "done"), Version::V1).await.err().unwrap();
    assert!(full.to_string().contains("of this key"), "{full}");
    let other = Asked::new(Caller { id: "other".into(), ..caller() }, "a2a", None);
    let sent = hub.tasks.send(other, message("m-1", "work done"), Version::V1).await.unwrap();
    assert!(sent.task.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_stop_leaves_what_has_not_begun_to_the_next_process() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    hub.engine.admission().close();
    let asked = Asked::new(caller(), "a2a", None);
    let id =
        hub.tasks.send(asked, message("m-1", "echo: hello"), Version::V1).await.unwrap().task.unwrap().id;
    sleep(Duration::from_secs(1)).await;
    hub.tasks.close(Instant::now()).await;
    assert_eq!(state(&hub, &id).await.0, TaskState::Working, "no failure of its own");
    let refused = hub.tasks.send(Asked::new(caller(), "a2a", None), message("m-2", "x"), Version::V1).await;
    assert!(refused.is_err(), "nothing more is taken");
    let next = TestHub::builder().after(&hub).account("a", "sim-ok").build().await;
    sleep(Duration::from_secs(10)).await;
    assert_eq!(state(&next, &id).await.0, TaskState::Completed);
}

#[tokio::test(start_paused = true)]
async fn what_changes_something_is_not_begun_again() {
    struct Changes;
    impl TaskExecutor for Changes {
        fn run(&self, work: Work) -> BoxFuture<'static, ()> {
            Player.run(work)
        }

        fn may_begin_again(&self, skill: Option<&str>) -> bool {
            skill != Some("revoke_key")
        }
    }
    let hub = TestHub::builder().executor(Arc::new(Changes)).build().await;
    let mut change = message("m-1", "work hang");
    change.metadata = json!({"skillId": "revoke_key"}).as_object().cloned();
    let asked = Asked::new(caller(), "a2a", None);
    let id = hub.tasks.send(asked, change, Version::V1).await.unwrap().task.unwrap().id;
    sleep(Duration::from_secs(1)).await;
    hub.tasks.close(Instant::now()).await;
    let next = TestHub::builder().after(&hub).executor(Arc::new(Changes)).build().await;
    sleep(Duration::from_secs(1)).await;
    let (over, why) = state(&next, &id).await;
    assert_eq!(over, TaskState::Failed);
    assert!(why.contains("is not known"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_is_gone_is_told_nothing_more() {
    let hub = TestHub::builder().executor(Arc::new(Player)).build().await;
    hub.posted.answer(&[200, 410]);
    let mut sent = message("m-1", "work a b done");
    sent.configuration.push = Some(hook("https://hooks.example/a"));
    let task =
        hub.tasks.send(Asked::new(caller(), "a2a", None), sent, Version::V1).await.unwrap().task.unwrap();
    sleep(Duration::from_secs(300)).await;
    assert_eq!(hub.posted.messages().len(), 2);
    assert_eq!(hub.dead_letters().await.len(), 1);
    let asked = a2a::model::ListPushes { task_id: task.id, page_size: None, page_token: None };
    assert_eq!(hub.tasks.list_push(&caller(), asked).await.unwrap().configs, []);
}

/// The header and the claims of a token.
fn token(text: &str) -> (Value, Value) {
    let part = |nth| {
        let bytes = URL_SAFE_NO_PAD.decode(text.split('.').nth(nth).unwrap()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    (part(0), part(1))
}

fn hook(url: &str) -> PushConfig {
    PushConfig {
        id: Some("h".to_owned()),
        url: url.to_owned(),
        token: Some("mine".to_owned()),
        authentication: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_is_told_of_every_event_in_order_by_a_signed_message() {
    let hub = TestHub::builder().executor(Arc::new(Player)).build().await;
    // The first one has to be told twice.
    hub.posted.answer(&[503]);
    let mut sent = message("m-1", "work a b done");
    sent.configuration.push = Some(hook("https://hooks.example/a"));
    let task =
        hub.tasks.send(Asked::new(caller(), "a2a", None), sent, Version::V1).await.unwrap().task.unwrap();
    sleep(Duration::from_secs(10)).await;
    let told = hub.posted.messages();
    let ids: Vec<&str> = told.iter().filter_map(|message| message.header("webhook-id")).collect();
    let expected: Vec<String> = [1, 1, 2, 3, 4, 5].iter().map(|seq| format!("{}.{seq}", task.id)).collect();
    assert_eq!(ids, expected);
    let last: Value = serde_json::from_slice(&told[5].body).unwrap();
    assert_eq!(last["statusUpdate"]["status"]["state"], "TASK_STATE_COMPLETED", "{last}");
    for message in &told {
        assert_eq!(message.header("x-a2a-notification-token"), Some("mine"));
        let signed = message.header("x-a2a-notification-signature").unwrap();
        assert_eq!(message.header("authorization"), Some(&*format!("Bearer {signed}")));
        let (header, claims) = token(signed);
        assert_eq!((&header["alg"], &claims["aud"]), (&json!("ES256"), &json!("https://hooks.example/a")));
        assert_eq!(claims["jti"].as_str(), message.header("webhook-id"));
        assert_eq!((&claims["taskId"], &claims["iss"]), (&json!(task.id), &json!("http://hub.test")));
        let hash: String = Sha256::digest(&message.body).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(claims["request_body_sha256"], hash);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_webhook_does_not_take_is_kept_as_a_dead_letter() {
    let hub = TestHub::builder().executor(Arc::new(Player)).build().await;
    hub.posted.answer(&[500; 9]);
    let mut sent = message("m-1", "work done");
    sent.configuration.push = Some(hook("https://hooks.example/a"));
    let task =
        hub.tasks.send(Asked::new(caller(), "a2a", None), sent, Version::V1).await.unwrap().task.unwrap();
    sleep(Duration::from_secs(600)).await;
    let dead = hub.dead_letters().await;
    let told: Vec<(u64, u32, &str)> =
        dead.iter().map(|letter| (letter.seq, letter.tries, letter.host.as_str())).collect();
    assert_eq!(
        told,
        [(2, 1, "hooks.example"), (1, 8, "hooks.example")],
        "after one that was given up, one try each"
    );
    assert_eq!((dead[0].task.as_str(), dead[0].why.as_str()), (task.id.as_str(), "it answered 500"));
    assert_eq!(hub.posted.messages().len(), 10, "and the last one is taken");
}
