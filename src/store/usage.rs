//! Sums of usage: added to in the transaction that writes the receipts, so that nothing is counted twice or lost;
//! read as sums of columns. What a receipt adds is said in `rollup`.

use std::{
    fmt::Write,
    sync::{Arc, LazyLock},
};

use futures_core::future::BoxFuture;
use sqlx::AssertSqlSafe;

use super::{
    receipts::{failed, signed, unsigned},
    rollup::{Place, Sheet},
    sql::{self, Connection, Pool, Row},
};
use crate::ops::ports::{
    LogError,
    usage::{
        BUCKETS, Count, Dimension, HOUR_MS, MAX_READ, SessionQuery, SessionRow, Sums, UsageLog, UsageQuery,
    },
};

/// The columns of [`Count::ALL`], in that order.
const COUNTS: [&str; Count::ALL.len()] = [
    "requests",
    "errors",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "tokens_unknown",
    "cost_pico",
    "cost_known",
    "cost_unknown",
    "cost_estimated",
    "streamed_tokens",
    "streamed_ms",
];

/// What rows are told apart by.
const KEY: &str = "span_ms, bucket_at, caller, connection, provider, model, dialect, outcome, status";

/// The columns of sums: counts, then the pieces of both latencies.
static COLUMNS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let pieces = |letter: char| (0..BUCKETS).map(move |at| format!("{letter}{at:02}"));
    COUNTS.iter().map(|name| (*name).to_owned()).chain(pieces('t')).chain(pieces('f')).collect()
});

/// Adds a row.
static ADD: LazyLock<Arc<str>> = LazyLock::new(|| {
    let columns = COLUMNS.join(", ");
    let places = placeholders(9 + COLUMNS.len());
    let sums = added("usage_sums", COLUMNS.iter().map(String::as_str));
    format!(
        "INSERT INTO usage_sums ({KEY}, {columns}) VALUES ({places}) ON CONFLICT ({KEY}) DO UPDATE SET {sums}"
    )
    .into()
});

/// Adds to a session.
static ADD_SESSION: LazyLock<Arc<str>> = LazyLock::new(|| {
    let columns = COUNTS.join(", ");
    let places = placeholders(4 + COUNTS.len());
    let sums = added("usage_sessions", COUNTS);
    format!(
        "INSERT INTO usage_sessions (session, caller, first_at, last_at, {columns}) VALUES ({places}) \
         ON CONFLICT (session, caller) DO UPDATE SET \
         first_at = CASE WHEN excluded.first_at < usage_sessions.first_at THEN excluded.first_at \
         ELSE usage_sessions.first_at END, \
         last_at = CASE WHEN excluded.last_at > usage_sessions.last_at THEN excluded.last_at \
         ELSE usage_sessions.last_at END, {sums}"
    )
    .into()
});

fn placeholders(count: usize) -> String {
    (1..=count).map(|number| format!("${number}")).collect::<Vec<_>>().join(",")
}

fn added<'a>(table: &str, columns: impl IntoIterator<Item = &'a str>) -> String {
    let each = columns.into_iter().map(|name| format!("{name} = {table}.{name} + excluded.{name}"));
    each.collect::<Vec<_>>().join(", ")
}

/// Adds what receipts add.
pub(super) async fn write(connection: &mut Connection, sheet: &Sheet) -> Result<(), sqlx::Error> {
    for (place, sums) in &sheet.sums {
        let Place { span_ms, at, caller, connection: account, provider, model, dialect, outcome, status } =
            place;
        // Safe: made of constants alone.
        let mut query = sql::query(AssertSqlSafe(Arc::clone(&ADD)))
            .bind(span_ms)
            .bind(at)
            .bind(caller)
            .bind(account)
            .bind(provider)
            .bind(model)
            .bind(*dialect)
            .bind(*outcome)
            .bind(*status);
        for number in sums.counts.iter().chain(&sums.total).chain(&sums.first) {
            query = query.bind(signed(*number));
        }
        query.execute(&mut *connection).await?;
    }
    for ((session, caller), (first, last, sums)) in &sheet.sessions {
        let query = sql::query(AssertSqlSafe(Arc::clone(&ADD_SESSION)));
        let mut query = query.bind(session).bind(caller).bind(first).bind(last);
        for number in sums.counts {
            query = query.bind(signed(number));
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The sums of usage of one database, for reading.
#[derive(Debug, Clone)]
pub struct SqlUsage {
    pool: Pool,
}

impl SqlUsage {
    pub(super) const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    async fn read(&self, query: UsageQuery) -> Result<Vec<(String, Sums)>, sqlx::Error> {
        // Safe: made of constants; what a caller said is bound.
        let mut statement = sql::query(AssertSqlSafe(statement(&query)))
            .bind(query.span_ms)
            .bind(query.from)
            .bind(query.until);
        for (_, value) in query.only {
            statement = statement.bind(value);
        }
        let rows = statement.fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, sums(row, 1)?))).collect()
    }

    async fn read_sessions(&self, query: SessionQuery) -> Result<Vec<SessionRow>, sqlx::Error> {
        let columns = COUNTS.join(", ");
        let whose = if query.caller.is_some() { "AND caller = $4" } else { "" };
        let text = format!(
            "SELECT session, caller, first_at, last_at, {columns} FROM usage_sessions \
             WHERE last_at >= $1 AND first_at < $2 {whose} ORDER BY last_at DESC, session LIMIT $3"
        );
        // Safe: made of constants.
        let mut statement =
            sql::query(AssertSqlSafe(text)).bind(query.since).bind(query.until).bind(i64::from(query.limit));
        if let Some(caller) = query.caller {
            statement = statement.bind(caller);
        }
        statement.fetch_all(&self.pool).await?.iter().map(session).collect()
    }
}

impl UsageLog for SqlUsage {
    fn sums(&self, query: UsageQuery) -> BoxFuture<'_, Result<Vec<(String, Sums)>, LogError>> {
        Box::pin(async move { self.read(query).await.map_err(failed) })
    }

    fn oldest_hour(&self) -> BoxFuture<'_, Result<Option<i64>, LogError>> {
        Box::pin(async move {
            let query = sql::query("SELECT MIN(bucket_at) FROM usage_sums WHERE span_ms = $1").bind(HOUR_MS);
            query.fetch_one(&self.pool).await.and_then(|row| row.try_get(0)).map_err(failed)
        })
    }

    fn sessions(&self, query: SessionQuery) -> BoxFuture<'_, Result<Vec<SessionRow>, LogError>> {
        Box::pin(async move { self.read_sessions(query).await.map_err(failed) })
    }
}

fn statement(query: &UsageQuery) -> String {
    let group = match query.group {
        Dimension::At => "CAST(bucket_at AS TEXT)",
        other => column(other),
    };
    let mut text = format!("SELECT {group}");
    for name in &*COLUMNS {
        // Writing to a string never fails.
        let _ = write!(text, ", CAST(SUM({name}) AS BIGINT)");
    }
    text.push_str(" FROM usage_sums WHERE span_ms = $1 AND bucket_at >= $2 AND bucket_at < $3");
    for (at, (dimension, _)) in query.only.iter().enumerate() {
        let _ = write!(text, " AND {} = ${}", column(*dimension), at + 4);
    }
    // By the column itself: by time, rows then come from the index in the order in which they are summed up.
    let _ = write!(text, " GROUP BY {} LIMIT {MAX_READ}", column(query.group));
    text
}

const fn column(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::At => "bucket_at",
        Dimension::Caller => "caller",
        Dimension::Connection => "connection",
        Dimension::Provider => "provider",
        Dimension::Model => "model",
        Dimension::Dialect => "dialect",
        Dimension::Outcome => "outcome",
        Dimension::Status => "status",
    }
}

/// Sums from the columns behind the first `skip`.
fn sums(row: &Row, skip: usize) -> Result<Sums, sqlx::Error> {
    let mut sums = Sums::default();
    let numbers = sums.counts.iter_mut().chain(&mut sums.total).chain(&mut sums.first);
    for (at, number) in numbers.enumerate() {
        *number = unsigned(row.try_get(skip + at)?);
    }
    Ok(sums)
}

fn session(row: &Row) -> Result<SessionRow, sqlx::Error> {
    let mut sums = Sums::default();
    for (at, number) in sums.counts.iter_mut().enumerate() {
        *number = unsigned(row.try_get(4 + at)?);
    }
    Ok(SessionRow {
        session: row.try_get(0)?,
        caller: row.try_get(1)?,
        first_at: row.try_get(2)?,
        last_at: row.try_get(3)?,
        sums,
    })
}
