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
    let opening = "{\"protocolVersion\":\"2025-11-25\"}".to_owned();
    McpSession { id: id.to_owned(), owner: "key_1".to_owned(), opening, used_at }
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
