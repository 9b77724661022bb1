//! The record of tool calls: a chain of its own, so that an agent that asks again and again cannot push the changes of the
//! configuration out of the audit log.

use std::sync::Arc;

use futures_core::future::BoxFuture;
use operations::{
    audit::AuditVerdict,
    mcp::{CallOutcome, DEFAULT_PAGE, ListToolCalls, ToolCall},
};
use sqlx::AssertSqlSafe;

use super::{
    chain::{Chain, Link, STEP},
    sql::{self, Pool, Row},
};
use crate::ops::ports::{CallSum, LogError, NewCall, ToolCallLog};

pub(super) const CHAIN: Chain = Chain {
    table: "tool_calls",
    texts: &["caller", "caller_name", "tool", "outcome", "detail"],
    numbers: &["took_ms"],
};

/// The record of one database.
#[derive(Clone)]
pub struct SqlToolCalls(pub(super) Pool);

impl SqlToolCalls {
    async fn add(&self, calls: &[NewCall]) -> Result<(), sqlx::Error> {
        let mut transaction = self.0.begin().await?;
        for call in calls {
            let detail = serde_json::to_string(&call.detail).unwrap_or_default();
            let link = Link {
                at: call.at,
                texts: &[&call.caller, &call.caller_name, &call.tool, call.outcome.as_str(), &detail],
                numbers: &[i64::try_from(call.took_ms).unwrap_or(i64::MAX)],
            };
            CHAIN.append(&mut transaction, link).await?;
        }
        transaction.commit().await
    }

    async fn read_page(&self, wanted: ListToolCalls) -> Result<Vec<ToolCall>, sqlx::Error> {
        let outcome = wanted.outcome.map(|outcome| outcome.as_str().to_owned());
        let narrowed = [("tool", wanted.tool), ("caller", wanted.caller), ("outcome", outcome)];
        let narrowed: Vec<(&str, String)> =
            narrowed.into_iter().filter_map(|(column, value)| Some((column, value?))).collect();
        let mut text = "SELECT id, at, caller, caller_name, tool, outcome, took_ms, detail FROM tool_calls \
             WHERE id < $1"
            .to_owned();
        match wanted.success {
            Some(true) => text.push_str(" AND outcome = 'ok'"),
            Some(false) => text.push_str(" AND outcome <> 'ok'"),
            None => {}
        }
        for (at, (column, _)) in narrowed.iter().enumerate() {
            text.push_str(&format!(" AND {column} = ${}", at + 4));
        }
        text.push_str(" ORDER BY id DESC LIMIT $2 OFFSET $3");
        // Nothing but names of columns from above, and numbers.
        let query = sql::query(AssertSqlSafe(text))
            .bind(wanted.cursor.map_or(i64::MAX, u64::cast_signed))
            .bind(i64::from(wanted.limit.unwrap_or(DEFAULT_PAGE)))
            .bind(i64::from(wanted.offset.unwrap_or_default()));
        let query = narrowed.iter().fold(query, |query, (_, value)| query.bind(value.as_str()));
        query.fetch_all(&self.0).await?.iter().map(call).collect()
    }

    async fn add_up(&self, since: i64) -> Result<Vec<CallSum>, sqlx::Error> {
        let query = sql::query(
            "SELECT tool, outcome, COUNT(*) AS calls, CAST(COALESCE(SUM(took_ms), 0) AS BIGINT) AS took \
             FROM tool_calls WHERE at >= $1 GROUP BY tool, outcome ORDER BY tool, outcome",
        );
        let rows = query.bind(since).fetch_all(&self.0).await?;
        let sum = |row: &Row| -> Result<CallSum, sqlx::Error> {
            Ok(CallSum {
                tool: row.try_get("tool")?,
                outcome: outcome(row.try_get("outcome")?),
                calls: row.try_get::<i64, _>("calls")?.unsigned_abs(),
                took_ms: row.try_get::<i64, _>("took")?.unsigned_abs(),
            })
        };
        rows.iter().map(sum).collect()
    }
}

/// Deletes up to a batch of calls that are older than `before`, or beyond the newest `most`. Says whether there may be more.
pub(super) async fn forget(pool: &Pool, before: Option<i64>, most: u64) -> Result<bool, sqlx::Error> {
    Ok(CHAIN.forget(pool, before, most).await? >= STEP.unsigned_abs())
}

fn call(row: &Row) -> Result<ToolCall, sqlx::Error> {
    Ok(ToolCall {
        id: row.try_get::<i64, _>("id")?.cast_unsigned(),
        at: row.try_get("at")?,
        caller: row.try_get("caller")?,
        caller_name: row.try_get("caller_name")?,
        tool: row.try_get("tool")?,
        outcome: outcome(row.try_get("outcome")?),
        took_ms: row.try_get::<i64, _>("took_ms")?.unsigned_abs(),
        detail: serde_json::from_str(row.try_get("detail")?).unwrap_or_default(),
    })
}

/// A word that this program does not know comes from a newer one, and is no success.
fn outcome(word: &str) -> CallOutcome {
    CallOutcome::ALL.into_iter().find(|outcome| outcome.as_str() == word).unwrap_or(CallOutcome::Error)
}

impl ToolCallLog for SqlToolCalls {
    fn append(&self, calls: Arc<[NewCall]>) -> BoxFuture<'_, Result<(), LogError>> {
        Box::pin(async move { self.add(&calls).await.map_err(failed) })
    }

    fn page(&self, wanted: ListToolCalls) -> BoxFuture<'_, Result<Vec<ToolCall>, LogError>> {
        Box::pin(async move { self.read_page(wanted).await.map_err(failed) })
    }

    fn sums(&self, since: i64) -> BoxFuture<'_, Result<Vec<CallSum>, LogError>> {
        Box::pin(async move { self.add_up(since).await.map_err(failed) })
    }

    fn verify(&self) -> BoxFuture<'_, Result<AuditVerdict, LogError>> {
        Box::pin(async move { CHAIN.verify(&self.0).await.map_err(failed) })
    }
}

fn failed(error: sqlx::Error) -> LogError {
    LogError(Box::new(error))
}
