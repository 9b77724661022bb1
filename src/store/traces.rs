//! Receipts by the page. Times, callers and failures are found by an index; other filters are put to a bounded number of
//! receipts per page, so that a filter that nothing meets costs as much as one that all meet.

use std::fmt::Write;

use futures_core::future::BoxFuture;
use sqlx::AssertSqlSafe;

use super::{
    receipts::{SqlReceipts, failed, row},
    sql::{self, Query},
};
use crate::ops::ports::{
    LogError,
    usage::{TraceLog, TracePlace, TraceQuery, TraceRows},
};

/// Receipts that one page looks through.
const LOOK: i64 = 20_000;

/// The columns of a receipt.
const COLUMNS: &str = "id, at, caller, model, connection, status, outcome, input_tokens, output_tokens, total_ms, \
                       cost_pico, cost_estimated, session, detail, seq";

/// A value of a condition.
#[derive(Clone)]
enum Value {
    Number(i64),
    Text(String),
}

/// Conditions with their values.
#[derive(Clone, Default)]
struct Where {
    text: String,
    values: Vec<Value>,
}

impl Where {
    /// Adds a condition on `column`.
    fn and(&mut self, column: &str, compared: &str, value: Value) {
        self.values.push(value);
        // Writing to a string never fails.
        let _ = write!(self.text, " AND {column} {compared} ${}", self.values.len());
    }

    /// Only what is behind a place in the order, or (`reach`) up to it and itself.
    fn beyond(&mut self, place: TracePlace, reach: bool) {
        let (whole, strict, last) = if reach { (">=", ">", ">=") } else { ("<=", "<", "<") };
        self.and("at", whole, Value::Number(place.at));
        self.values.extend([Value::Number(place.at), Value::Number(place.seq)]);
        let count = self.values.len();
        let _ = write!(self.text, " AND (at {strict} ${} OR seq {last} ${count})", count - 1);
    }

    fn bind<'q>(self, sql: String) -> Query<'q> {
        // Safe: made of constants; what a caller said is bound.
        let mut query = sql::query(AssertSqlSafe(sql));
        for value in self.values {
            query = match value {
                Value::Number(number) => query.bind(number),
                Value::Text(text) => query.bind(text),
            };
        }
        query
    }
}

impl TraceLog for SqlReceipts {
    fn page(&self, query: TraceQuery) -> BoxFuture<'_, Result<TraceRows, LogError>> {
        Box::pin(async move { self.read_page(query).await.map_err(failed) })
    }
}

impl SqlReceipts {
    async fn read_page(&self, query: TraceQuery) -> Result<TraceRows, sqlx::Error> {
        let limit = i64::from(query.limit);
        let found = found_by_index(&query);
        let filters = filters(query);
        let mut all = found.clone();
        let mut reached = None;
        if !filters.is_empty() {
            let sql = format!(
                "SELECT at, seq FROM receipts WHERE 1 = 1{} ORDER BY at DESC, seq DESC LIMIT 1 OFFSET {}",
                found.text,
                LOOK - 1
            );
            if let Some(last) = found.bind(sql).fetch_optional(self.pool()).await? {
                let place = TracePlace { at: last.try_get(0)?, seq: last.try_get(1)? };
                all.beyond(place, true);
                reached = Some(place);
            }
            for (column, compared, value) in filters {
                all.and(column, compared, value);
            }
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM receipts WHERE 1 = 1{} ORDER BY at DESC, seq DESC LIMIT {}",
            all.text,
            limit + 1
        );
        let rows = all.bind(sql).fetch_all(self.pool()).await?;
        let shown = rows.get(..usize::try_from(limit).unwrap_or_default()).unwrap_or(&rows);
        let next = if shown.len() < rows.len() {
            shown.last().map(|last| {
                Ok::<_, sqlx::Error>(TracePlace { at: last.try_get("at")?, seq: last.try_get("seq")? })
            })
        } else {
            reached.map(Ok)
        };
        Ok(TraceRows { rows: shown.iter().map(row).collect::<Result<_, _>>()?, next: next.transpose()? })
    }
}

/// What an index finds.
fn found_by_index(query: &TraceQuery) -> Where {
    let mut found = Where::default();
    if let Some(after) = query.after {
        found.beyond(after, false);
    }
    if let Some(since) = query.since {
        found.and("at", ">=", Value::Number(since));
    }
    if let Some(until) = query.until {
        found.and("at", "<", Value::Number(until));
    }
    if let Some(caller) = &query.caller {
        found.and("caller", "=", Value::Text(caller.clone()));
    }
    if query.failed {
        // As the index says it.
        found.text.push_str(" AND outcome <> 'completed'");
    }
    found
}

/// What only the receipt itself tells.
fn filters(query: TraceQuery) -> Vec<(&'static str, &'static str, Value)> {
    let texts = [
        ("model", query.model),
        ("connection", query.connection),
        ("session", query.session),
        ("outcome", query.outcome.map(str::to_owned)),
        ("error", query.error),
    ];
    let texts = texts.into_iter().filter_map(|(column, value)| Some((column, "=", Value::Text(value?))));
    let bounds = query.status.into_iter().flat_map(|(least, most)| {
        [("status", ">=", Value::Number(least.into())), ("status", "<=", Value::Number(most.into()))]
    });
    texts.chain(bounds).collect()
}
