//! What every store of tasks must do.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::ops::ports::tasks::{
    DeadLetter, EntryKind, FoundTasks, TaskEntry, TaskHook, TaskMessage, TaskQuery, TaskRow, TaskStore,
    TaskStoreError, TaskWrite, TasksStanding,
};

type Done<T> = Result<T, TaskStoreError>;

pass_on! { TaskStore:
    write(writes: Vec<TaskWrite>) -> Done<()>;
    task(id: String) -> Done<Option<TaskRow>>;
    message(owner: String, id: String) -> Done<Option<TaskMessage>>;
    entries(task: String, after: u64, limit: u32, results: bool) -> Done<Vec<TaskEntry>>;
    find(query: TaskQuery) -> Done<FoundTasks>;
    in_states(states: Vec<&'static str>, limit: u32) -> Done<Vec<TaskRow>>;
    counts() -> Done<Vec<(String, u64)>>;
    standing(owner: Option<String>) -> Done<TasksStanding>;
    remove(id: String) -> Done<()>;
    sweep(before: i64, except: Vec<&'static str>) -> Done<u64>;
    make_room(most: u64, except: Vec<&'static str>) -> Done<u64>;
    put_hook(hook: TaskHook, most: u32) -> Done<bool>;
    hooks(task: String) -> Done<Vec<TaskHook>>;
    remove_hook(task: String, id: String) -> Done<bool>;
    hook_told(task: String, id: String, seq: u64) -> Done<()>;
    tasks_with_hooks() -> Done<Vec<String>>;
    bury(letter: DeadLetter, most: u32) -> Done<()>;
    dead_letters(owner: Option<String>, after: Option<i64>, limit: u32) -> Done<Vec<DeadLetter>>;
}

impl Either {
    fn tasks(&self) -> Box<dyn TaskStore + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.tasks()),
        }
    }
}

fn row(id: &str, owner: &str, state: &str, status_at: i64) -> TaskRow {
    TaskRow {
        id: id.to_owned(),
        owner: owner.to_owned(),
        context: "c".to_owned(),
        state: state.to_owned(),
        skill: Some("smart-routing".to_owned()),
        bare: false,
        created_at: 5,
        status_at,
        last_seq: 1,
        bytes: 10,
        delivered: false,
    }
}

fn entry(seq: u64, kind: EntryKind) -> TaskEntry {
    TaskEntry { seq, at: 7, kind, payload: format!("{{\"seq\":{seq}}}").into_bytes() }
}

fn new(row: TaskRow) -> TaskWrite {
    TaskWrite { row, is_new: true, message: None, entry: Some(entry(1, EntryKind::Task)) }
}

fn ids(found: &FoundTasks) -> Vec<&str> {
    found.rows.iter().map(|row| row.id.as_str()).collect()
}

#[tokio::test]
async fn a_task_and_its_log_are_written_together_and_read_in_order() {
    for either in Either::each().await {
        let store = either.tasks();
        let message = TaskMessage { id: "m".into(), digest: vec![1, 2], task: "t".into(), seq: 1 };
        let first = TaskWrite { message: Some(message.clone()), ..new(row("t", "key_1", "submitted", 10)) };
        let later = TaskRow { state: "working".into(), last_seq: 2, delivered: true, ..first.row.clone() };
        let second = TaskWrite {
            row: later.clone(),
            is_new: false,
            message: Some(TaskMessage { digest: vec![3], seq: 2, ..message.clone() }),
            entry: Some(entry(2, EntryKind::Artifact)),
        };
        store.write(vec![first, second]).await.unwrap();
        assert_eq!(store.task("t".into()).await.unwrap(), Some(later));
        assert_eq!(store.task("u".into()).await.unwrap(), None);
        let found = store.message("key_1".into(), "m".into()).await.unwrap();
        assert_eq!(found, Some(message), "the first one keeps the id");
        assert_eq!(store.message("key_2".into(), "m".into()).await.unwrap(), None);
        let all = [entry(1, EntryKind::Task), entry(2, EntryKind::Artifact)];
        assert_eq!(store.entries("t".into(), 0, 10, true).await.unwrap(), all);
        assert_eq!(store.entries("t".into(), 1, 10, true).await.unwrap(), all[1..]);
        assert_eq!(store.entries("t".into(), 0, 1, true).await.unwrap(), all[..1]);
        assert_eq!(store.entries("t".into(), 0, 10, false).await.unwrap(), all[..1]);
        store.remove("t".into()).await.unwrap();
        assert_eq!(store.entries("t".into(), 0, 10, true).await.unwrap(), []);
        assert_eq!(store.message("key_1".into(), "m".into()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn tasks_are_found_newest_first_and_page_by_page() {
    for either in Either::each().await {
        let store = either.tasks();
        let mut writes: Vec<TaskWrite> = [("a", 10), ("b", 20), ("c", 20), ("d", 30)]
            .map(|(id, at)| new(row(id, "me", "working", at)))
            .into();
        writes.push(new(row("e", "other", "completed", 40)));
        writes.push(new(TaskRow { bare: true, ..row("f", "me", "completed", 50) }));
        store.write(writes).await.unwrap();
        let of = |owner: &str| TaskQuery { owner: Some(owner.into()), limit: 10, ..TaskQuery::default() };
        let mine = store.find(of("me")).await.unwrap();
        assert_eq!((ids(&mine), mine.total), (vec!["d", "c", "b", "a"], 4));
        let second = TaskQuery { after: Some((20, "c".into())), limit: 1, ..of("me") };
        let second = store.find(second).await.unwrap();
        assert_eq!((ids(&second), second.total), (vec!["b"], 4));
        let since = store.find(TaskQuery { since: Some(20), ..of("me") }).await.unwrap();
        assert_eq!(since.total, 3);
        let done = TaskQuery { owner: None, state: Some("completed".into()), ..of("me") };
        assert_eq!(ids(&store.find(done).await.unwrap()), ["e"]);
        let elsewhere = store.find(TaskQuery { context: Some("x".into()), ..of("me") }).await.unwrap();
        assert_eq!(elsewhere.total, 0);
        let skill = |skill: &str| TaskQuery { skill: Some(skill.into()), ..of("me") };
        assert_eq!(store.find(skill("smart-routing")).await.unwrap().total, 4);
        assert_eq!(store.find(skill("cost-analysis")).await.unwrap().total, 0);
        let counts = [("completed".to_owned(), 1), ("working".to_owned(), 4)];
        assert_eq!(store.counts().await.unwrap(), counts);
        let open = store.in_states(vec!["working", "submitted"], 3).await.unwrap();
        assert_eq!(open.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}

#[tokio::test]
async fn old_tasks_go_and_those_that_are_worked_on_stay() {
    for either in Either::each().await {
        let store = either.tasks();
        let rows =
            [("a", "working", 10), ("b", "completed", 20), ("c", "input-required", 30), ("d", "failed", 40)];
        let writes = rows.map(|(id, state, at)| new(row(id, "me", state, at)));
        store.write(writes.into()).await.unwrap();
        assert_eq!(store.sweep(20, vec!["working"]).await.unwrap(), 0);
        assert_eq!(store.sweep(21, vec!["working"]).await.unwrap(), 1);
        assert_eq!(store.entries("b".into(), 0, 10, true).await.unwrap(), []);
        assert_eq!(store.make_room(2, vec!["working"]).await.unwrap(), 1);
        assert_eq!(store.task("c".into()).await.unwrap(), None);
        assert_eq!(store.make_room(0, vec!["working"]).await.unwrap(), 1);
        assert!(store.task("a".into()).await.unwrap().is_some());
        // What comes late for one that is gone is left out.
        let late = TaskWrite { is_new: false, ..new(row("b", "me", "working", 50)) };
        store.write(vec![late]).await.unwrap();
        assert_eq!(store.entries("b".into(), 0, 10, true).await.unwrap(), []);
    }
}

#[tokio::test]
async fn who_has_the_most_tasks_makes_room() {
    for either in Either::each().await {
        let store = either.tasks();
        let rows =
            [("a", "one", 10), ("b", "many", 20), ("c", "many", 30), ("d", "many", 40), ("e", "two", 50)];
        let writes = rows.map(|(id, owner, at)| new(row(id, owner, "completed", at)));
        store.write(writes.into()).await.unwrap();
        assert_eq!(store.make_room(3, vec!["working"]).await.unwrap(), 2);
        for (id, is_there) in [("a", true), ("b", false), ("c", false), ("d", true), ("e", true)] {
            assert_eq!(store.task(id.into()).await.unwrap().is_some(), is_there, "{id}");
        }
    }
}

#[tokio::test]
async fn webhooks_are_kept_with_how_far_they_were_told() {
    for either in Either::each().await {
        let store = either.tasks();
        let hook = |task: &str, id: &str| TaskHook {
            task: task.into(),
            id: id.into(),
            version: "1.0".into(),
            payload: b"{\"url\":\"https://hooks.test/\"}".to_vec(),
            told_seq: 3,
        };
        for (task, id, is_room) in [("t", "a", true), ("t", "b", true), ("t", "c", false), ("u", "a", true)] {
            assert_eq!(store.put_hook(hook(task, id), 2).await.unwrap(), is_room, "{task} {id}");
        }
        let other = TaskHook { version: "0.3".into(), ..hook("t", "a") };
        assert!(store.put_hook(other.clone(), 2).await.unwrap(), "in place of the one of its id");
        store.hook_told("t".into(), "b".into(), 9).await.unwrap();
        store.hook_told("t".into(), "b".into(), 8).await.unwrap();
        let told = TaskHook { told_seq: 9, ..hook("t", "b") };
        assert_eq!(store.hooks("t".into()).await.unwrap(), [other, told]);
        assert_eq!(store.tasks_with_hooks().await.unwrap(), ["t", "u"]);
        assert!(store.remove_hook("u".into(), "a".into()).await.unwrap());
        assert!(!store.remove_hook("u".into(), "a".into()).await.unwrap());
        assert_eq!(store.tasks_with_hooks().await.unwrap(), ["t"]);
    }
}

#[tokio::test]
async fn the_last_dead_letters_are_kept() {
    for either in Either::each().await {
        let store = either.tasks();
        for seq in 1..=5 {
            let letter = DeadLetter {
                number: 0,
                at: 100,
                owner: if seq == 4 { "other" } else { "me" }.into(),
                task: "t".into(),
                hook: "h".into(),
                seq,
                host: "hooks.test".into(),
                tries: 8,
                why: "it answered 500".into(),
            };
            store.bury(letter, 3).await.unwrap();
        }
        let seqs = |letters: &[DeadLetter]| letters.iter().map(|letter| letter.seq).collect::<Vec<_>>();
        let all = store.dead_letters(None, None, 10).await.unwrap();
        assert_eq!(seqs(&all), [5, 4, 3]);
        let mine = store.dead_letters(Some("me".into()), None, 10).await.unwrap();
        assert_eq!(seqs(&mine), [5, 3]);
        let behind = store.dead_letters(None, Some(all[0].number), 1).await.unwrap();
        assert_eq!(seqs(&behind), [4]);
    }
}

#[tokio::test]
async fn it_is_counted_how_tasks_stand_and_how_far_webhooks_were_told() {
    for either in Either::each().await {
        let store = either.tasks();
        assert_eq!(store.standing(None).await.unwrap(), TasksStanding::default());
        let rows = [("a", "me", "working", 10), ("b", "me", "completed", 30), ("c", "other", "working", 40)];
        let mut writes: Vec<TaskWrite> =
            rows.map(|(id, owner, state, at)| new(row(id, owner, state, at))).into();
        writes.push(new(TaskRow { bare: true, ..row("d", "me", "working", 50) }));
        store.write(writes).await.unwrap();
        for (task, told_seq) in [("a", 0), ("b", 1), ("c", 0)] {
            let (task, id, version) = (task.to_owned(), "h".to_owned(), "1.0".to_owned());
            store
                .put_hook(TaskHook { task, id, version, payload: b"{}".to_vec(), told_seq }, 9)
                .await
                .unwrap();
        }
        let letter = DeadLetter {
            number: 0,
            at: 100,
            owner: "other".into(),
            task: "gone".into(),
            hook: "h".into(),
            seq: 1,
            host: "hooks.test".into(),
            tries: 8,
            why: "it answered 500".into(),
        };
        store.bury(letter, 9).await.unwrap();
        let counts =
            |all: &[(&str, u64)]| all.iter().map(|(state, count)| ((*state).to_owned(), *count)).collect();
        let all = TasksStanding {
            counts: counts(&[("completed", 1), ("working", 2)]),
            last_at: Some(40),
            waiting: 2,
            dead: 1,
        };
        assert_eq!(store.standing(None).await.unwrap(), all);
        let mine = TasksStanding {
            counts: counts(&[("completed", 1), ("working", 1)]),
            last_at: Some(30),
            waiting: 1,
            dead: 0,
        };
        assert_eq!(store.standing(Some("me".into())).await.unwrap(), mine);
    }
}
