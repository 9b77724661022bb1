//! Receipts in the database: many rows per statement on the way in, trimmed to a number, read newest first. When they are
//! written is the writer's.

use std::sync::{Arc, LazyLock};

use futures_core::future::BoxFuture;
use sqlx::AssertSqlSafe;

use super::{
    Writer, receipt_text,
    sql::{self, Connection, Pool, Row, within},
};
use crate::{
    engine::{ports::ReceiptSink, receipt::Receipt, settings::Usd},
    ops::ports::{LogError, QueueState, ReceiptLog, ReceiptQueue, ReceiptRow},
};

/// What is written of a receipt, in the order in which [`bind_row`] gives it.
const COLUMNS: [&str; 16] = [
    "id",
    "at",
    "caller",
    "model",
    "connection",
    "status",
    "outcome",
    "input_tokens",
    "output_tokens",
    "total_ms",
    "cost_pico",
    "cost_estimated",
    "detail",
    "plan",
    "error",
    "session",
];

/// Rows per statement, in the order in which they are tried. Few sizes, so that each statement is compiled once
/// and kept; 256 rows of these columns are far below SQLite's bound of 32,766 values and PostgreSQL's of 65,535.
const ROWS_PER_STATEMENT: [usize; 5] = [256, 64, 16, 4, 1];

/// Statements, each with its number of rows.
type Insertions = [(usize, Arc<str>); 5];

/// The statement for each number of rows. Made once: to put 4,096 placeholders together for every batch would
/// cost as much as to fill them. `?` is SQLite's placeholder; numbered ones would be looked up by name, each by a
/// walk over all of them.
static FOR_SQLITE: LazyLock<Insertions> = LazyLock::new(|| insertions(|_| "?".to_owned()));

/// The same for PostgreSQL, which numbers its placeholders.
static FOR_POSTGRES: LazyLock<Insertions> = LazyLock::new(|| insertions(|number| format!("${number}")));

fn insertions(placeholder: fn(usize) -> String) -> Insertions {
    ROWS_PER_STATEMENT.map(|rows| {
        let of_row = |row: usize| {
            let numbers = row * COLUMNS.len() + 1..=(row + 1) * COLUMNS.len();
            format!("({})", numbers.map(placeholder).collect::<Vec<_>>().join(","))
        };
        let values = (0..rows).map(of_row).collect::<Vec<_>>().join(",");
        (rows, format!("INSERT INTO receipts ({}) VALUES {values}", COLUMNS.join(", ")).into())
    })
}

/// `SELECT` of all columns that [`row`] reads, with the given end.
macro_rules! select_receipts {
    ($end:literal) => {
        concat!(
            "SELECT id, at, caller, model, connection, status, outcome, input_tokens, output_tokens, total_ms, \
             cost_pico, cost_estimated, session, detail FROM receipts ",
            $end
        )
    };
}

impl ReceiptSink for Writer {
    fn record(&self, mut receipt: Receipt) {
        receipt_text::clip(&mut receipt);
        self.enqueue(receipt);
    }
}

impl ReceiptQueue for Writer {
    fn state(&self) -> QueueState {
        let (waiting, capacity) = self.waiting();
        QueueState { waiting, capacity, dropped: self.dropped() }
    }
}

/// The receipts of one database, for reading.
#[derive(Debug, Clone)]
pub struct SqlReceipts {
    pool: Pool,
}

impl SqlReceipts {
    pub(super) fn new(pool: Pool) -> Self {
        Self { pool }
    }

    pub(super) const fn pool(&self) -> &Pool {
        &self.pool
    }
}

impl ReceiptLog for SqlReceipts {
    fn recent(&self, limit: u32) -> BoxFuture<'_, Result<Vec<ReceiptRow>, LogError>> {
        Box::pin(async move {
            let query = sql::query(select_receipts!("ORDER BY seq DESC LIMIT $1"));
            let rows = query.bind(i64::from(limit)).fetch_all(&self.pool).await.map_err(failed)?;
            rows.iter().map(row).collect::<Result<_, _>>().map_err(failed)
        })
    }

    fn by_id(&self, id: String) -> BoxFuture<'_, Result<Option<ReceiptRow>, LogError>> {
        Box::pin(async move {
            let query = sql::query(select_receipts!("WHERE id = $1 ORDER BY seq DESC LIMIT 1"));
            let found = query.bind(id).fetch_optional(&self.pool).await.map_err(failed)?;
            found.as_ref().map(row).transpose().map_err(failed)
        })
    }

    fn plan_of(&self, id: String) -> BoxFuture<'_, Result<Option<String>, LogError>> {
        Box::pin(async move {
            let query = sql::query("SELECT plan FROM receipts WHERE id = $1 ORDER BY seq DESC LIMIT 1");
            let found = query.bind(id).fetch_optional(&self.pool).await.map_err(failed)?;
            found.map_or(Ok(None), |row| row.try_get(0)).map_err(failed)
        })
    }

    fn count(&self) -> BoxFuture<'_, Result<u64, LogError>> {
        Box::pin(async move {
            let query = sql::query("SELECT COUNT(*) FROM receipts");
            let count: i64 =
                query.fetch_one(&self.pool).await.and_then(|row| row.try_get(0)).map_err(failed)?;
            Ok(count.unsigned_abs())
        })
    }
}

/// Writes receipts in their order.
pub(super) async fn write(connection: &mut Connection, mut receipts: &[Receipt]) -> Result<(), sqlx::Error> {
    let insertions = match connection {
        Connection::Sqlite(_) => &*FOR_SQLITE,
        Connection::Postgres(_) => &*FOR_POSTGRES,
    };
    for (size, sql) in insertions {
        while let Some((rows, rest)) = receipts.split_at_checked(*size) {
            insert(connection, sql, rows).await?;
            receipts = rest;
        }
    }
    Ok(())
}

/// Deletes up to `step` of the oldest receipts beyond `keep`; says whether there may be more to delete.
pub(super) async fn trim(connection: &mut Connection, keep: u64, step: i64) -> Result<bool, sqlx::Error> {
    // Each of the two is one step down the index; asked for in one SELECT they would be a scan.
    let bounds = "SELECT (SELECT MIN(seq) FROM receipts), (SELECT MAX(seq) FROM receipts)";
    let bounds = sql::query(bounds).fetch_one(&mut *connection).await?;
    let (Some(min), Some(max)) = (bounds.try_get::<Option<i64>, _>(0)?, bounds.try_get::<Option<i64>, _>(1)?)
    else {
        return Ok(false);
    };
    let first_kept = max.saturating_add(1).saturating_sub_unsigned(keep);
    if first_kept <= min {
        return Ok(false);
    }
    let end = first_kept.min(min.saturating_add(step));
    sql::query("DELETE FROM receipts WHERE seq < $1").bind(end).execute(connection).await?;
    Ok(end < first_kept)
}

/// Gives a receipt's values to a statement of either database, each at once in the form that it wants: what comes by the
/// thousand goes no way round.
macro_rules! bind_row {
    ($query:expr, $receipt:expr) => {{
        let receipt: &Receipt = $receipt;
        let detail = receipt_text::write(receipt).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        let plan = receipt_text::plan(receipt).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        $query
            .bind(receipt.id.as_str())
            .bind(receipt.at)
            .bind(Arc::clone(&receipt.caller))
            .bind(receipt.model.as_str())
            .bind(receipt_text::served_by(receipt).map(|attempt| Arc::clone(&attempt.connection)))
            .bind(i64::from(receipt.status))
            .bind(receipt.outcome.as_str())
            .bind(receipt.usage.map(|usage| signed(usage.input)))
            .bind(receipt.usage.map(|usage| signed(usage.output)))
            .bind(i64::from(receipt.total_ms))
            .bind(receipt.cost.map(|cost| signed(cost.pico())))
            .bind(i64::from(receipt.cost_estimated))
            .bind(detail)
            .bind(plan)
            .bind(receipt.error)
            .bind(receipt.session.as_deref())
    }};
}

async fn insert(
    connection: &mut Connection,
    sql: &Arc<str>,
    receipts: &[Receipt],
) -> Result<(), sqlx::Error> {
    // Safe: made of constants alone.
    let sql = AssertSqlSafe(Arc::clone(sql));
    match connection {
        Connection::Sqlite(connection) => {
            let mut query = sqlx::query(sql);
            for receipt in receipts {
                query = bind_row!(query, receipt);
            }
            query.execute(&mut **connection).await.map(drop)
        }
        Connection::Postgres(connection) => {
            let mut query = sqlx::query(sql);
            for receipt in receipts {
                query = bind_row!(query, receipt);
            }
            within(query.execute(&mut **connection)).await.map(drop)
        }
    }
}

pub(super) fn row(row: &Row) -> Result<ReceiptRow, sqlx::Error> {
    let tokens = |column: &str| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(column)?.map(unsigned));
    let detail = receipt_text::read(row.try_get("detail")?).map_err(|error| decode("detail", error))?;
    let status: i64 = row.try_get("status")?;
    let total_ms: i64 = row.try_get("total_ms")?;
    Ok(ReceiptRow {
        id: row.try_get("id")?,
        at: row.try_get("at")?,
        caller: row.try_get("caller")?,
        model: row.try_get("model")?,
        connection: row.try_get("connection")?,
        status: status.try_into().map_err(|error| decode("status", error))?,
        outcome: row.try_get("outcome")?,
        input_tokens: tokens("input_tokens")?,
        output_tokens: tokens("output_tokens")?,
        total_ms: total_ms.try_into().map_err(|error| decode("total_ms", error))?,
        cost: tokens("cost_pico")?.map(Usd::from_pico),
        cost_estimated: row.try_get::<i64, _>("cost_estimated")? != 0,
        session: row.try_get("session")?,
        detail,
    })
}

/// SQL integers are signed; no count of tokens and no cost comes near the difference.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

fn decode(column: &str, error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(error) }
}

pub(super) fn failed(error: sqlx::Error) -> LogError {
    LogError(Box::new(error))
}
