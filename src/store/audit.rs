//! The audit log: who changed what, as a chain of rows.

use futures_core::future::BoxFuture;
use operations::audit::{AuditEntry, AuditOutcome, AuditVerdict, DEFAULT_PAGE, ListAudit};
use sqlx::AssertSqlSafe;

use super::{
    StoreError,
    chain::{Chain, Link, STEP},
    documents::failed,
    sql::{self, Connection, Pool, Row},
};
use crate::ops::ports::{AuditLog, DocumentStoreError, EntryDetail, NewEntry};

/// The audit log of one database.
#[derive(Clone)]
pub struct SqlAudit(pub(super) Pool);

const CHAIN: Chain = Chain {
    table: "audit",
    texts: &["caller", "caller_name", "operation", "outcome", "target", "detail"],
    numbers: &[],
};

/// Adds an entry within a transaction; answers its number.
pub(super) async fn append(connection: &mut Connection, entry: &NewEntry) -> Result<u64, StoreError> {
    let detail = serde_json::to_string(&entry.detail).unwrap_or_default();
    let target = entry.target.as_deref().unwrap_or_default();
    let texts =
        [&*entry.caller, &entry.caller_name, entry.operation, entry.outcome.as_str(), target, &detail];
    let link = Link { at: entry.at, texts: &texts, numbers: &[] };
    Ok(CHAIN.append(connection, link).await?.cast_unsigned())
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
        Ok(CHAIN.verify(&self.0).await?)
    }
}

/// Deletes up to a batch of entries that are older than `before` (milliseconds since the Unix epoch), or beyond the newest
/// `most`, and what they could take back. Says whether there may be more.
pub(super) async fn forget(pool: &Pool, before: Option<i64>, most: u64) -> Result<bool, sqlx::Error> {
    let done = CHAIN.forget(pool, before, most).await?;
    if done > 0 {
        let query = sql::query(
            "DELETE FROM document_changes WHERE change < \
             (SELECT COALESCE((SELECT MIN(id) FROM audit), id + 1) FROM audit_head WHERE one = 1)",
        );
        query.execute(pool).await?;
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
