//! What every record of tool calls must do.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use operations::{
    audit::AuditVerdict,
    mcp::{CallDetail, CallOutcome, ListToolCalls, ToolCall},
};
use serde_json::json;

use super::*;
use crate::ops::ports::{CallSum, LogError, NewCall, ToolCallLog};

type Done<T> = Result<T, LogError>;

pass_on! { ToolCallLog:
    append(calls: Arc<[NewCall]>) -> Done<()>;
    page(wanted: ListToolCalls) -> Done<Vec<ToolCall>>;
    sums(since: i64) -> Done<Vec<CallSum>>;
    verify() -> Done<AuditVerdict>;
}

impl Either {
    fn tool_calls(&self) -> Box<dyn ToolCallLog + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.tool_calls()),
        }
    }
}

fn call(caller: &str, tool: &str, outcome: CallOutcome, at: i64) -> NewCall {
    let detail = CallDetail {
        transport: "http".to_owned(),
        arguments: Some(json!({"limit": 3})),
        caused: vec!["req_1".to_owned()],
        ..CallDetail::default()
    };
    let tool = tool.to_owned();
    NewCall { at, caller: caller.into(), caller_name: "ci".into(), tool, outcome, took_ms: 10, detail }
}

fn some() -> Arc<[NewCall]> {
    Arc::new([
        call("key_1", "get_health", CallOutcome::Ok, 1),
        call("key_2", "get_health", CallOutcome::Ok, 2),
        call("key_1", "create_key", CallOutcome::Denied, 3),
        call("key_1", "get_health", CallOutcome::Error, 4),
    ])
}

#[tokio::test]
async fn calls_are_read_newest_first_narrowed_and_added_up() {
    for either in Either::each().await {
        let log = either.tool_calls();
        log.append(some()).await.unwrap();
        let ids = async |wanted: ListToolCalls| -> Vec<u64> {
            log.page(wanted).await.unwrap().iter().map(|call| call.id).collect()
        };
        let all = ListToolCalls::default();
        assert_eq!(ids(all.clone()).await, [4, 3, 2, 1]);
        assert_eq!(ids(ListToolCalls { cursor: Some(4), limit: Some(2), ..all.clone() }).await, [3, 2]);
        assert_eq!(ids(ListToolCalls { offset: Some(3), ..all.clone() }).await, [1]);
        assert_eq!(ids(ListToolCalls { success: Some(true), ..all.clone() }).await, [2, 1]);
        assert_eq!(ids(ListToolCalls { success: Some(false), ..all.clone() }).await, [4, 3]);
        let of = ListToolCalls { caller: Some("key_1".to_owned()), ..all.clone() };
        assert_eq!(ids(ListToolCalls { tool: Some("get_health".to_owned()), ..of.clone() }).await, [4, 1]);
        assert_eq!(ids(ListToolCalls { outcome: Some(CallOutcome::Denied), ..of }).await, [3]);
        let page = log.page(all).await.unwrap();
        let first = page.last().unwrap();
        assert_eq!((first.at, first.took_ms, first.caller_name.as_str()), (1, 10, "ci"));
        assert_eq!(first.detail, call("", "", CallOutcome::Ok, 0).detail);

        let sums = log.sums(2).await.unwrap();
        let of = |tool: &str, outcome: CallOutcome| {
            let sum = sums.iter().find(|sum| sum.tool == tool && sum.outcome == outcome);
            sum.map(|sum| (sum.calls, sum.took_ms))
        };
        assert_eq!(of("get_health", CallOutcome::Ok), Some((1, 10)));
        assert_eq!(of("create_key", CallOutcome::Denied), Some((1, 10)));
        assert_eq!(sums.len(), 3);
        let verdict = AuditVerdict { whole: true, entries: 4, broken_at: None };
        assert_eq!(log.verify().await.unwrap(), verdict);
    }
}

#[tokio::test]
async fn what_is_changed_or_taken_out_of_the_record_shows_and_old_calls_may_go() {
    for either in Either::each().await {
        let Either::Sql(sql, _) = &either else { continue };
        let (log, pool) = (either.tool_calls(), &sql.pools.managing);
        log.append(some()).await.unwrap();
        let broken = async || log.verify().await.unwrap().broken_at;
        let tamper = async |statement: &'static str| {
            crate::store::sql::query(statement).execute(pool).await.unwrap();
        };
        for (wrong, right) in [
            (
                "UPDATE tool_calls SET caller = 'key_9' WHERE id = 3",
                "UPDATE tool_calls SET caller = 'key_1' WHERE id = 3",
            ),
            (
                "UPDATE tool_calls SET took_ms = 11 WHERE id = 3",
                "UPDATE tool_calls SET took_ms = 10 WHERE id = 3",
            ),
        ] {
            tamper(wrong).await;
            assert_eq!(broken().await, Some(3), "{wrong}");
            tamper(right).await;
            assert_eq!(broken().await, None);
        }
        assert!(!crate::store::tool_calls::forget(pool, Some(2), 1000).await.unwrap());
        assert!(!crate::store::tool_calls::forget(pool, None, 2).await.unwrap());
        let verdict = AuditVerdict { whole: true, entries: 2, broken_at: None };
        assert_eq!(log.verify().await.unwrap(), verdict, "what is left vouches for itself");
        log.append(some()).await.unwrap();
        tamper("DELETE FROM tool_calls WHERE id = 5").await;
        assert_eq!(broken().await, Some(6), "a gap");
    }
}

#[tokio::test]
async fn calls_of_earlier_programs_stand_and_their_plain_digests_are_not_shown() {
    for either in Either::each().await {
        let Either::Sql(sql, _) = &either else { continue };
        let (log, pool) = (either.tool_calls(), &sql.pools.managing);
        let detail = r#"{"transport":"http","arguments_sha256":"0123abcd","result_bytes":7}"#;
        let texts = &["key_1", "ci", "get_health", "ok", detail];
        let link = crate::store::chain::Link { at: 1, texts, numbers: &[10] };
        let mut transaction = pool.begin().await.unwrap();
        crate::store::tool_calls::CHAIN.append(&mut transaction, link).await.unwrap();
        transaction.commit().await.unwrap();
        let mut new = call("key_1", "get_health", CallOutcome::Ok, 2);
        new.detail.arguments_digest = Some("4567".to_owned());
        log.append(Arc::new([new])).await.unwrap();
        let verdict = AuditVerdict { whole: true, entries: 2, broken_at: None };
        assert_eq!(log.verify().await.unwrap(), verdict);
        let page = log.page(ListToolCalls::default()).await.unwrap();
        assert_eq!(page[0].detail.arguments_digest.as_deref(), Some("4567"));
        assert_eq!((page[1].detail.arguments_digest.as_deref(), page[1].detail.result_bytes), (None, 7));
        assert!(!serde_json::to_string(&page[1]).unwrap().contains("0123abcd"));
    }
}
