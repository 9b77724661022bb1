//! The audit log: rows that are added and never changed, each with a hash of itself and of the one before. Old ones are
//! deleted from the front, so the oldest that is left vouches for nothing before it.

use futures_core::future::BoxFuture;
use operations::audit::{AuditEntry, AuditOutcome, AuditVerdict, DEFAULT_PAGE, ListAudit};
use sha2::{Digest, Sha256};
use sqlx::AssertSqlSafe;

use super::{
    StoreError,
    documents::failed,
    sql::{self, Connection, Pool, Row},
};
use crate::ops::ports::{AuditLog, DocumentStoreError, EntryDetail, NewEntry};

/// Rows that are read or deleted in one statement.
const STEP: i64 = 500;

/// The audit log of one database.
#[derive(Clone)]
pub struct SqlAudit(pub(super) Pool);

/// A row as it is hashed and written.
struct Line<'a> {
    id: i64,
    at: i64,
    caller: &'a str,
    caller_name: &'a str,
    operation: &'a str,
    outcome: &'a str,
    target: &'a str,
    detail: &'a str,
}

impl Line<'_> {
    /// The hash of this row behind the one before. Every part is led by its length, so that no two rows read the same.
    fn hash(&self, before: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(before);
        hash.update(self.id.to_be_bytes());
        hash.update(self.at.to_be_bytes());
        let parts = [self.caller, self.caller_name, self.operation, self.outcome, self.target, self.detail];
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// Adds an entry within a transaction; answers its number.
pub(super) async fn append(connection: &mut Connection, entry: &NewEntry) -> Result<u64, StoreError> {
    // A statement that writes: whoever comes second waits here until the first is through.
    let query = sql::query("UPDATE audit_head SET id = id + 1 WHERE one = 1 RETURNING id, hash");
    let head = query.fetch_one(&mut *connection).await?;
    let before: Vec<u8> = head.try_get("hash")?;
    let detail = serde_json::to_string(&entry.detail).unwrap_or_default();
    let line = Line {
        id: head.try_get("id")?,
        at: entry.at,
        caller: &entry.caller,
        caller_name: &entry.caller_name,
        operation: entry.operation,
        outcome: entry.outcome.as_str(),
        target: entry.target.as_deref().unwrap_or_default(),
        detail: &detail,
    };
    let hash = line.hash(&before);
    sql::query(
        "INSERT INTO audit (id, at, caller, caller_name, operation, outcome, target, detail, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(line.id)
    .bind(line.at)
    .bind(line.caller)
    .bind(line.caller_name)
    .bind(line.operation)
    .bind(line.outcome)
    .bind(line.target)
    .bind(line.detail)
    .bind(&hash[..])
    .execute(&mut *connection)
    .await?;
    let query = sql::query("UPDATE audit_head SET hash = $1 WHERE one = 1");
    query.bind(&hash[..]).execute(connection).await?;
    Ok(line.id.cast_unsigned())
}

impl SqlAudit {
    async fn append_one(&self, entry: &NewEntry) -> Result<u64, StoreError> {
        let mut transaction = self.0.begin().await?;
        let number = append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(number)
    }

    async fn read_page(&self, wanted: ListAudit) -> Result<Vec<AuditEntry>, StoreError> {
        let outcome = wanted.outcome.map(|outcome| outcome.as_str().to_owned());
        let narrowed = [
            ("operation", wanted.operation),
            ("caller", wanted.caller),
            ("target", wanted.target),
            ("outcome", outcome),
        ];
        let narrowed: Vec<(&str, String)> =
            narrowed.into_iter().filter_map(|(column, value)| Some((column, value?))).collect();
        let mut text = "SELECT id, at, caller, caller_name, operation, outcome, target, detail FROM audit \
             WHERE id < $1"
            .to_owned();
        for (at, (column, _)) in narrowed.iter().enumerate() {
            text.push_str(&format!(" AND {column} = ${}", at + 3));
        }
        text.push_str(" ORDER BY id DESC LIMIT $2");
        // Nothing but names of columns from above, and numbers.
        let query = sql::query(AssertSqlSafe(text))
            .bind(wanted.cursor.map_or(i64::MAX, u64::cast_signed))
            .bind(i64::from(wanted.limit.unwrap_or(DEFAULT_PAGE)));
        let query = narrowed.iter().fold(query, |query, (_, value)| query.bind(value.as_str()));
        let rows = query.fetch_all(&self.0).await?;
        Ok(rows.iter().map(entry).collect::<Result<_, _>>()?)
    }

    async fn verify_all(&self) -> Result<AuditVerdict, StoreError> {
        // Before the rest, so that entries that are added meanwhile are not missed.
        let newest: i64 =
            sql::query("SELECT id FROM audit_head WHERE one = 1").fetch_one(&self.0).await?.try_get("id")?;
        let (mut after, mut before, mut entries) = (0_i64, None::<Vec<u8>>, 0_u64);
        loop {
            let query = sql::query(
                "SELECT id, at, caller, caller_name, operation, outcome, target, detail, hash FROM audit \
                 WHERE id > $1 ORDER BY id LIMIT $2",
            );
            let rows = query.bind(after).bind(STEP).fetch_all(&self.0).await?;
            if rows.is_empty() {
                // With none left, all were old enough to be forgotten.
                let missing = (entries > 0 && after < newest).then_some((after + 1).cast_unsigned());
                return Ok(AuditVerdict { whole: missing.is_none(), entries, broken_at: missing });
            }
            for row in &rows {
                let line = Line {
                    id: row.try_get("id")?,
                    at: row.try_get("at")?,
                    caller: row.try_get("caller")?,
                    caller_name: row.try_get("caller_name")?,
                    operation: row.try_get("operation")?,
                    outcome: row.try_get("outcome")?,
                    target: row.try_get("target")?,
                    detail: row.try_get("detail")?,
                };
                let hash: Vec<u8> = row.try_get("hash")?;
                let follows = before.is_none() || line.id == after + 1;
                // What was before the oldest one that is left is gone; the very first one has nothing before it.
                let known = before.as_deref().or((line.id == 1).then_some(&[][..]));
                entries += 1;
                if !follows || known.is_some_and(|known| line.hash(known)[..] != hash[..]) {
                    let broken_at = Some(line.id.cast_unsigned());
                    return Ok(AuditVerdict { whole: false, entries, broken_at });
                }
                (after, before) = (line.id, Some(hash));
            }
        }
    }
}

/// Deletes up to a batch of entries that are older than `before` (milliseconds since the Unix epoch), or beyond the newest
/// `most`, and what they could take back. From the front without a gap: the chain is only cut at its end. Says whether there
/// may be more.
pub(super) async fn forget(pool: &Pool, before: Option<i64>, most: u64) -> Result<bool, sqlx::Error> {
    let query = sql::query("SELECT id FROM audit_head WHERE one = 1");
    let newest: i64 = query.fetch_one(pool).await?.try_get("id")?;
    let bound = newest.saturating_sub(i64::try_from(most).unwrap_or(i64::MAX));
    let query = sql::query(
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id <= $1 OR at < $2 ORDER BY id LIMIT $3) \
         AND id < (SELECT COALESCE(MIN(id), $4) FROM audit WHERE id > $1 AND at >= $2)",
    );
    let done = query
        .bind(bound)
        .bind(before.unwrap_or(i64::MIN))
        .bind(STEP)
        .bind(newest.saturating_add(1))
        .execute(pool)
        .await?
        .rows_affected();
    if done > 0 {
        let query = "DELETE FROM document_changes WHERE change < (SELECT COALESCE(MIN(id), $1) FROM audit)";
        sql::query(query).bind(newest.saturating_add(1)).execute(pool).await?;
    }
    Ok(done >= STEP.unsigned_abs())
}

fn entry(row: &Row) -> Result<AuditEntry, sqlx::Error> {
    let detail: EntryDetail = serde_json::from_str(row.try_get("detail")?).unwrap_or_default();
    let target: String = row.try_get("target")?;
    Ok(AuditEntry {
        id: row.try_get::<i64, _>("id")?.cast_unsigned(),
        at: row.try_get("at")?,
        caller: row.try_get("caller")?,
        caller_name: row.try_get("caller_name")?,
        address: detail.address,
        surface: detail.surface,
        request_id: detail.request_id,
        operation: row.try_get("operation")?,
        scope: detail.scope,
        outcome: outcome(row.try_get("outcome")?),
        error: detail.error,
        target: Some(target).filter(|target| !target.is_empty()),
        arguments: detail.arguments,
        before: detail.before,
        after: detail.after,
        can_undo: detail.can_undo,
    })
}

/// A word that this program does not know comes from a newer one, and is no success.
fn outcome(word: &str) -> AuditOutcome {
    match word {
        "done" => AuditOutcome::Done,
        "denied" => AuditOutcome::Denied,
        _ => AuditOutcome::Failed,
    }
}

impl AuditLog for SqlAudit {
    fn append(&self, entry: NewEntry) -> BoxFuture<'_, Result<u64, DocumentStoreError>> {
        Box::pin(async move { self.append_one(&entry).await.map_err(failed) })
    }

    fn page(&self, wanted: ListAudit) -> BoxFuture<'_, Result<Vec<AuditEntry>, DocumentStoreError>> {
        Box::pin(async move { self.read_page(wanted).await.map_err(failed) })
    }

    fn verify(&self) -> BoxFuture<'_, Result<AuditVerdict, DocumentStoreError>> {
        Box::pin(async move { self.verify_all().await.map_err(failed) })
    }
}
