//! What every store of MCP sessions must do.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::ops::ports::{McpSession, McpSessionError, McpSessionStore};

type Done<T> = Result<T, McpSessionError>;

pass_on! { McpSessionStore:
    save(session: McpSession, most: usize) -> Done<()>;
    resume(id: String, since: i64, now: i64) -> Done<Option<McpSession>>;
    owner(id: String) -> Done<Option<String>>;
    count() -> Done<u64>;
    touch(used: Vec<(String, i64)>) -> Done<()>;
    delete(id: String) -> Done<()>;
    sweep(since: i64) -> Done<u64>;
}

impl Either {
    fn mcp_sessions(&self) -> Box<dyn McpSessionStore + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.mcp_sessions()),
        }
    }
}

fn session(id: &str, used_at: i64) -> McpSession {
    session_of("key_1", id, used_at)
}

fn session_of(owner: &str, id: &str, used_at: i64) -> McpSession {
    let opening = "{\"protocolVersion\":\"2025-11-25\"}".to_owned();
    McpSession { id: id.to_owned(), owner: owner.to_owned(), opening, used_at }
}

/// Those of `ids` that are there.
async fn there<'a>(store: &dyn McpSessionStore, ids: &[&'a str]) -> Vec<&'a str> {
    let mut there = Vec::new();
    for id in ids {
        if store.owner((*id).to_owned()).await.unwrap().is_some() {
            there.push(*id);
        }
    }
    there
}

#[tokio::test]
async fn a_session_is_taken_up_until_it_was_unused_for_too_long() {
    for either in Either::each().await {
        let store = either.mcp_sessions();
        store.save(session("a", 100), 10).await.unwrap();
        assert_eq!(store.resume("b".into(), 0, 150).await.unwrap(), None);
        assert_eq!(store.resume("a".into(), 100, 150).await.unwrap(), None);
        assert_eq!(store.resume("a".into(), 99, 150).await.unwrap(), Some(session("a", 150)));
        assert_eq!(store.owner("a".into()).await.unwrap().as_deref(), Some("key_1"));
        assert_eq!(store.sweep(150).await.unwrap(), 0);
        assert_eq!(store.sweep(151).await.unwrap(), 1);
        assert_eq!(store.owner("a".into()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn it_is_noted_later_that_sessions_were_used() {
    for either in Either::each().await {
        let store = either.mcp_sessions();
        for id in ["a", "b"] {
            store.save(session(id, 100), 10).await.unwrap();
        }
        store.touch(vec![("a".into(), 200), ("b".into(), 50), ("c".into(), 300)]).await.unwrap();
        assert_eq!(store.owner("c".into()).await.unwrap(), None);
        assert_eq!(store.sweep(100).await.unwrap(), 0, "time does not go back");
        assert_eq!(store.sweep(150).await.unwrap(), 1);
        assert_eq!(store.resume("a".into(), 199, 201).await.unwrap(), Some(session("a", 201)));
    }
}

#[tokio::test]
async fn the_ones_that_are_unused_for_longest_make_room() {
    for either in Either::each().await {
        let store = either.mcp_sessions();
        for (id, used_at) in [("a", 3), ("b", 1), ("c", 2)] {
            store.save(session(id, used_at), 2).await.unwrap();
        }
        let mut left = Vec::new();
        for id in ["a", "b", "c"] {
            left.push(store.owner(id.into()).await.unwrap().is_some());
        }
        assert_eq!(left, [true, false, true]);
        assert_eq!(store.count().await.unwrap(), 2);
        store.delete("a".into()).await.unwrap();
        assert_eq!(store.owner("a".into()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn who_has_the_most_makes_room_and_of_several_who_opens_another() {
    for either in Either::each().await {
        let store = either.mcp_sessions();
        let save = async |owner: &str, id: &str, used_at: i64, most: usize| {
            store.save(session_of(owner, id, used_at), most).await.unwrap();
        };
        save("key_2", "quiet", 1, 4).await;
        for at in 2..=7 {
            save("key_1", &format!("loud_{at}"), at, 4).await;
        }
        let all = ["quiet", "loud_4", "loud_5", "loud_6", "loud_7", "new", "newer", "last"];
        assert_eq!(there(&*store, &all).await, ["quiet", "loud_5", "loud_6", "loud_7"]);
        // What is there already is one of those that may be.
        save("key_2", "quiet", 1, 4).await;
        save("key_3", "new", 8, 4).await;
        assert_eq!(there(&*store, &all).await, ["quiet", "loud_6", "loud_7", "new"]);
        save("key_3", "newer", 9, 4).await;
        assert_eq!(there(&*store, &all).await, ["quiet", "loud_6", "loud_7", "newer"]);
        // Fewer may be than before: first from who has the most, then by use.
        save("key_4", "last", 10, 2).await;
        assert_eq!(there(&*store, &all).await, ["newer", "last"]);
        // Also where its clock is behind, the one that is written down stays.
        save("key_5", "behind", 0, 2).await;
        assert_eq!(there(&*store, &["newer", "last", "behind"]).await, ["last", "behind"]);
        assert_eq!(store.count().await.unwrap(), 2);
    }
}

#[tokio::test]
async fn who_comes_when_one_owner_has_all_gets_a_fair_share() {
    for either in Either::each().await {
        let store = either.mcp_sessions();
        let all = ["a_1", "a_2", "a_3", "a_4", "b_5", "b_6", "b_7"];
        for (at, id) in (1..).zip(all) {
            store.save(session_of(&id[..1], id, at), 4).await.unwrap();
        }
        assert_eq!(there(&*store, &all).await, ["a_3", "a_4", "b_6", "b_7"]);
    }
}
