//! Messages of requests word for word: sealed, and bounded by bytes and age. What is in them is said in `ops`.

use std::sync::Arc;

use futures_core::future::BoxFuture;

use super::{
    StoreError, events,
    responses::beside,
    seal::Sealer,
    sql::{self, Pool},
};
use crate::ops::ports::{CaptureStore, CaptureStoreError, StoredCapture};

/// Rows that are deleted in one statement. Each may be a megabyte or more.
const STEP: i64 = 32;

/// What a row takes beside its messages, generously.
const ROW: i64 = 256;

/// The captured messages of one database.
#[derive(Clone)]
pub struct SqlCaptures {
    pool: Pool,
    sealer: Arc<Sealer>,
}

impl SqlCaptures {
    pub(super) fn new(pool: Pool, sealer: Arc<Sealer>) -> Self {
        Self { pool, sealer }
    }

    async fn keep_one(&self, capture: StoredCapture, max_bytes: u64) -> Result<(), StoreError> {
        let StoredCapture { request_id, at, payload } = capture;
        let (sealer, bound) = (Arc::clone(&self.sealer), request_id.clone());
        let sealed = beside(payload, move |payload| sealer.seal(&bound_to(&bound), payload)).await?;
        let bytes = i64::try_from(sealed.len()).unwrap_or(i64::MAX - ROW) + ROW;
        let mut transaction = self.pool.begin().await?;
        let query = sql::query(
            "INSERT INTO captures (request_id, at, bytes, byte_offset, sealed) VALUES ($1, $2, $3, \
             COALESCE((SELECT last.byte_offset + last.bytes FROM captures AS last ORDER BY last.seq DESC LIMIT 1), 0), $4) \
             RETURNING byte_offset",
        );
        let query = query.bind(request_id).bind(at).bind(bytes).bind(sealed);
        let offset: i64 = query.fetch_one(&mut *transaction).await?.try_get(0)?;
        let most = i64::try_from(max_bytes).unwrap_or(i64::MAX);
        let first = offset.saturating_add(bytes).saturating_sub(most);
        let query = sql::query(
            "DELETE FROM captures WHERE seq IN \
             (SELECT seq FROM captures WHERE byte_offset < $1 ORDER BY byte_offset LIMIT $2)",
        );
        query.bind(first).bind(STEP).execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    async fn find_one(&self, id: String) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sql::query("SELECT sealed FROM captures WHERE request_id = $1 ORDER BY seq DESC LIMIT 1");
        let Some(row) = query.bind(&id).fetch_optional(&self.pool).await? else { return Ok(None) };
        let (sealer, bound) = (Arc::clone(&self.sealer), id.clone());
        let opened =
            beside(row.try_get("sealed")?, move |sealed| sealer.open(&bound_to(&bound), sealed)).await?;
        if opened.is_none() {
            events::capture_unreadable(&id);
        }
        Ok(opened)
    }

    async fn sweep_some(&self, before: i64) -> Result<bool, StoreError> {
        let query = sql::query(
            "DELETE FROM captures WHERE seq IN (SELECT seq FROM captures WHERE at < $1 ORDER BY at LIMIT $2)",
        );
        let done = query.bind(before).bind(STEP).execute(&self.pool).await?;
        Ok(done.rows_affected() >= STEP.unsigned_abs())
    }
}

/// What messages are sealed for: a row that is moved to another request does not open.
fn bound_to(request_id: &str) -> [&str; 2] {
    ["capture", request_id]
}

impl CaptureStore for SqlCaptures {
    fn keep(&self, capture: StoredCapture, max_bytes: u64) -> BoxFuture<'_, Result<(), CaptureStoreError>> {
        Box::pin(async move { self.keep_one(capture, max_bytes).await.map_err(failed) })
    }

    fn of_request(&self, id: String) -> BoxFuture<'_, Result<Option<Vec<u8>>, CaptureStoreError>> {
        Box::pin(async move { self.find_one(id).await.map_err(failed) })
    }

    fn sweep(&self, before: i64) -> BoxFuture<'_, Result<bool, CaptureStoreError>> {
        Box::pin(async move { self.sweep_some(before).await.map_err(failed) })
    }
}

fn failed(error: StoreError) -> CaptureStoreError {
    events::captures_failed(&error);
    CaptureStoreError(Box::new(error))
}
