//! Deletes what is older than the operator wants to keep: in small batches, so that nobody waits long for the database, each
//! found by an index, so that nothing walks over history. What is too many goes by the writer, which sees it come.

use std::time::Duration;

use super::{
    StoreError, Writer, audit,
    sql::{self, Pool},
    tool_calls,
};
use crate::{
    engine::settings::Retention,
    ops::ports::usage::{DAY_MS, HOUR_MS},
};

/// Rows deleted in one go: a few milliseconds.
const STEP: i64 = 1000;

/// Receipts by whose size that of all is told.
const SAMPLE: i64 = 1000;

/// Bytes of a receipt beside its text: its numbers, and what indexes hold of it.
const OVERHEAD: u64 = 350;

/// Deletes what is old of one database.
#[derive(Clone)]
pub struct Sweeper {
    pool: Pool,
    writer: Writer,
}

impl Sweeper {
    pub(super) const fn new(pool: Pool, writer: Writer) -> Self {
        Self { pool, writer }
    }

    /// Deletes one batch of what is older than is to be kept at `now` (milliseconds since the Unix epoch), and tells the writer
    /// how many receipts there may be. Says whether there may be more to delete.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn sweep(&self, retention: &Retention, now: i64) -> Result<bool, StoreError> {
        let within = rows_within(&self.pool, retention.receipts_bytes).await?;
        self.writer.keep_receipts(retention.receipts_rows.min(within));
        Ok(sweep(&self.pool, retention, now).await?)
    }
}

/// Deletes one batch of each kind; says whether there may be more.
async fn sweep(pool: &Pool, retention: &Retention, now: i64) -> Result<bool, sqlx::Error> {
    let mut more = false;
    if let Some(before) = before(now, retention.receipts_age) {
        more |= old_receipts(pool, before).await?;
    }
    if let Some(before) = before(now, retention.plans_age) {
        more |= old_plans(pool, before).await?;
    }
    for (span, age) in [(HOUR_MS, retention.usage_hours_age), (DAY_MS, retention.usage_age)] {
        if let Some(before) = before(now, age) {
            more |= old_usage(pool, span, before - before.rem_euclid(DAY_MS)).await?;
        }
    }
    if let Some(before) = before(now, retention.sessions_age) {
        more |= old_sessions(pool, before).await?;
    }
    more |= audit::forget(pool, before(now, retention.audit_age), retention.audit_rows).await?;
    let old = before(now, retention.tool_calls_age);
    more |= tool_calls::forget(pool, old, retention.tool_calls_rows).await?;
    Ok(more)
}

/// How many receipts take as many bytes as all may: by those that were written last.
async fn rows_within(pool: &Pool, bytes: u64) -> Result<u64, sqlx::Error> {
    let query = sql::query(
        "SELECT COUNT(*), CAST(SUM(LENGTH(detail) + COALESCE(LENGTH(plan), 0)) AS BIGINT) FROM \
         (SELECT detail, plan FROM receipts ORDER BY seq DESC LIMIT $1) AS last",
    );
    let row = query.bind(SAMPLE).fetch_one(pool).await?;
    let (count, text): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    let (count, text) = (count.unsigned_abs().max(1), text.unwrap_or_default().unsigned_abs());
    Ok((bytes / (text / count + OVERHEAD)).max(1))
}

fn before(now: i64, age: Option<Duration>) -> Option<i64> {
    let age = i64::try_from(age?.as_millis()).ok()?;
    Some(now.saturating_sub(age))
}

async fn old_receipts(pool: &Pool, before: i64) -> Result<bool, sqlx::Error> {
    let query = sql::query(
        "DELETE FROM receipts WHERE seq IN (SELECT seq FROM receipts WHERE at < $1 ORDER BY at LIMIT $2)",
    );
    let done = query.bind(before).bind(STEP).execute(pool).await?;
    Ok(done.rows_affected() >= STEP.unsigned_abs())
}

async fn old_plans(pool: &Pool, before: i64) -> Result<bool, sqlx::Error> {
    let query = sql::query(
        "UPDATE receipts SET plan = NULL WHERE seq IN \
         (SELECT seq FROM receipts WHERE plan IS NOT NULL AND at < $1 ORDER BY at LIMIT $2)",
    );
    let done = query.bind(before).bind(STEP).execute(pool).await?;
    Ok(done.rows_affected() >= STEP.unsigned_abs())
}

/// Whole days, so that a day whose first hour is there has all of them.
async fn old_usage(pool: &Pool, span: i64, before: i64) -> Result<bool, sqlx::Error> {
    let oldest = sql::query("SELECT MIN(bucket_at) FROM usage_sums WHERE span_ms = $1").bind(span);
    let oldest: Option<i64> = oldest.fetch_one(pool).await?.try_get(0)?;
    let Some(oldest) = oldest.filter(|oldest| *oldest < before) else { return Ok(false) };
    let end = oldest - oldest.rem_euclid(DAY_MS) + DAY_MS;
    let query = sql::query("DELETE FROM usage_sums WHERE span_ms = $1 AND bucket_at < $2");
    query.bind(span).bind(end).execute(pool).await?;
    Ok(end < before)
}

async fn old_sessions(pool: &Pool, before: i64) -> Result<bool, sqlx::Error> {
    let query = sql::query(
        "DELETE FROM usage_sessions WHERE (session, caller) IN \
         (SELECT session, caller FROM usage_sessions WHERE last_at < $1 ORDER BY last_at LIMIT $2)",
    );
    let done = query.bind(before).bind(STEP).execute(pool).await?;
    Ok(done.rows_affected() >= STEP.unsigned_abs())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::{
        auth::test_clock::START,
        engine::{ports::ReceiptSink, receipt::Receipt},
        ops::ports::{
            ReceiptLog,
            usage::{SessionQuery, UsageLog},
        },
        store::{
            Store, WriterLimits,
            contract::{open, receipt},
        },
    };

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    async fn filled(dir: &tempfile::TempDir, count: i64) -> Store {
        let store = open(dir, WriterLimits::default()).await;
        for nth in 0..count {
            let session = Some(format!("s{}", nth / 10));
            let at = START + nth * HOUR_MS;
            store.writer().record(Receipt { at, session, ..receipt(&nth.to_string()) });
            if nth % 10_000 == 9999 {
                store.writer().flush().await.unwrap();
            }
        }
        store.writer().flush().await.unwrap();
        store
    }

    async fn swept(store: &Store, retention: Retention, now: i64) -> usize {
        let mut rounds = 1;
        while sweep(&store.pools.managing, &retention, now).await.unwrap() {
            rounds += 1;
        }
        rounds
    }

    #[tokio::test]
    async fn what_is_old_goes_in_batches_and_the_rest_stays() {
        let dir = tempfile::tempdir().unwrap();
        // More than one batch.
        let store = filled(&dir, 2500).await;
        let now = START + 2500 * HOUR_MS;
        let none = Retention {
            receipts_age: None,
            plans_age: None,
            usage_hours_age: None,
            usage_age: None,
            sessions_age: None,
            ..Retention::default()
        };
        assert_eq!(swept(&store, none, now).await, 1);
        assert_eq!(store.receipts().count().await.unwrap(), 2500);
        let some = Retention {
            receipts_age: Some(20 * DAY),
            usage_hours_age: Some(30 * DAY),
            usage_age: Some(50 * DAY),
            sessions_age: Some(10 * DAY),
            ..none
        };
        assert!(swept(&store, some, now).await > 20, "days are deleted one by one");
        assert_eq!(store.receipts().count().await.unwrap(), 20 * 24);
        let usage = store.usage();
        let oldest = usage.oldest_hour().await.unwrap().unwrap();
        assert_eq!(oldest % DAY_MS, 0);
        assert!((30 * DAY_MS..31 * DAY_MS).contains(&(now - oldest)), "{}", now - oldest);
        let days = sql::query("SELECT COUNT(*) FROM usage_sums WHERE span_ms = 86400000");
        let days: i64 = days.fetch_one(&store.pools.managing).await.unwrap().try_get(0).unwrap();
        assert!((50..=52).contains(&days), "{days}");
        let all = SessionQuery { since: 0, until: i64::MAX, caller: None, limit: 1000 };
        assert_eq!(usage.sessions(all).await.unwrap().len(), 24);
    }

    #[tokio::test]
    async fn plans_go_before_their_receipts_and_bytes_are_a_number_of_rows() {
        let dir = tempfile::tempdir().unwrap();
        let store = filled(&dir, 10).await;
        let set = sql::query("UPDATE receipts SET plan = '{}'");
        set.execute(&store.pools.managing).await.unwrap();
        let retention = Retention { plans_age: Some(DAY), receipts_age: None, ..Retention::default() };
        swept(&store, retention, START + 5 * HOUR_MS + DAY_MS).await;
        let kept = async |id: &str| store.receipts().plan_of(id.to_owned()).await.unwrap().is_some();
        assert_eq!((kept("4").await, kept("5").await), (false, true));
        assert_eq!(store.receipts().count().await.unwrap(), 10);
        let rows = rows_within(&store.pools.managing, 1024 * 1024).await.unwrap();
        assert!((500..2500).contains(&rows), "{rows} receipts in a megabyte");
    }
}
