//! Responses that the hub keeps, in the database: sealed, counted, and deleted when they end or others need their room.
//! What is in a payload, and who may ask for it, is said in `ops`.

use std::sync::Arc;

use futures_core::future::BoxFuture;
use tokio::sync::{Mutex, MutexGuard};

use super::{
    StoreError, Writer, events,
    locations::{self, Place},
    seal::{self, Sealer},
    sql::{self, Connection, Pool, Row, Transaction},
};
use crate::ops::ports::{ResponseLocation, ResponseStore, ResponseStoreError, StoredResponse, Whereabouts};

/// What a row takes beside its payload, generously: tiny responses must not fill the disk uncounted.
const ROW: u64 = 512;
/// Rows that are looked at or deleted in one statement.
const STEP: i64 = 256;
/// Larger payloads are encrypted and decrypted beside the runtime, not on it.
const AT_ONCE: usize = 64 * 1024;

/// What a payload counts towards the bound of all.
pub(super) fn cost(payload: usize) -> u64 {
    u64::try_from(payload.saturating_add(seal::OVERHEAD)).unwrap_or(u64::MAX).saturating_add(ROW)
}

/// The responses of one database. Clones share their count of bytes: there must be no second one beside them.
#[derive(Clone)]
pub struct SqlResponses {
    pool: Pool,
    writer: Writer,
    sealer: Arc<Sealer>,
    /// What all rows count together; `None` when it is to be looked up. Held during every change, so that
    /// changes come one after the other.
    held: Arc<Mutex<Option<u64>>>,
}

/// A change under way. Until it is committed nothing is known of the count: a change that is dropped in the
/// middle, as by a caller that leaves, makes the next one look it up.
struct Change<'a> {
    count: MutexGuard<'a, Option<u64>>,
    transaction: Transaction,
    held: u64,
    /// Ended rows that were deleted at the start.
    ended: usize,
}

impl SqlResponses {
    pub(super) fn new(pool: Pool, writer: Writer, sealer: Arc<Sealer>) -> Self {
        Self { pool, writer, sealer, held: Arc::default() }
    }

    /// Starts a change by deleting some of what has ended.
    async fn change(&self, now: i64) -> Result<Change<'_>, sqlx::Error> {
        let mut count = self.held.lock().await;
        let known = count.take();
        let mut transaction = self.pool.begin().await?;
        // First a statement that writes, so that the transaction waits its turn here and does not fail later.
        let query = sql::query(
            "DELETE FROM responses WHERE seq IN \
             (SELECT seq FROM responses WHERE expires_at <= $1 LIMIT $2) RETURNING bytes",
        );
        let ended = query.bind(now).bind(STEP).fetch_all(&mut *transaction).await?;
        let held = match known {
            Some(held) => held.saturating_sub(sum(&ended)?),
            None => total(&mut transaction).await?,
        };
        Ok(Change { count, transaction, held, ended: ended.len() })
    }

    async fn keep_one(&self, response: StoredResponse, max_bytes: u64) -> Result<(), StoreError> {
        let cost = cost(response.payload.len());
        let StoredResponse { owner, id, created_at, expires_at, payload } = response;
        let (sealer, place) = (Arc::clone(&self.sealer), (Arc::clone(&owner), Arc::clone(&id)));
        let sealed = beside(payload, move |payload| sealer.seal(&bound_to(&place), payload)).await?;
        let mut change = self.change(created_at).await?;
        change.delete(&owner, &id).await?;
        change.make_room(max_bytes.saturating_sub(cost)).await?;
        sql::query(
            "INSERT INTO responses (owner, id, created_at, expires_at, bytes, sealed) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&*owner)
        .bind(&*id)
        .bind(created_at)
        .bind(expires_at)
        .bind(i64::try_from(cost).unwrap_or(i64::MAX))
        .bind(sealed)
        .execute(&mut *change.transaction)
        .await?;
        change.held = change.held.saturating_add(cost);
        Ok(change.commit().await?)
    }

    async fn find_one(&self, place: Place, now: i64) -> Result<Option<Whereabouts>, StoreError> {
        let query =
            sql::query("SELECT sealed FROM responses WHERE owner = $1 AND id = $2 AND expires_at > $3");
        let query = query.bind(&*place.0).bind(&*place.1).bind(now);
        let Some(row) = query.fetch_optional(&self.pool).await? else {
            let location = self.location(&place, now).await?;
            return Ok(location.map(Whereabouts::There));
        };
        let (sealer, bound) = (Arc::clone(&self.sealer), place.clone());
        let opened =
            beside(row.try_get("sealed")?, move |sealed| sealer.open(&bound_to(&bound), sealed)).await?;
        if opened.is_none() {
            events::response_unreadable(&place.0, &place.1);
        }
        Ok(opened.map(Whereabouts::Here))
    }

    async fn location(&self, place: &Place, now: i64) -> Result<Option<ResponseLocation>, sqlx::Error> {
        let known = match self.writer.waiting_location(place) {
            Some(known) => known,
            None => locations::find(&self.pool, place).await?,
        };
        Ok(known.filter(|location| location.expires_at > now))
    }

    async fn delete_one(&self, place: Place, now: i64) -> Result<bool, StoreError> {
        let mut change = self.change(now).await?;
        let kept = change.delete(&place.0, &place.1).await?.is_some_and(|end| end > now);
        change.commit().await?;
        let located = self.location(&place, now).await?.is_some();
        if located {
            self.writer.forget_location(place);
            self.writer.flush().await?;
        }
        Ok(kept || located)
    }

    async fn sweep_all(&self, now: i64, max_bytes: u64) -> Result<u64, StoreError> {
        let mut deleted = locations::delete_ended(&self.pool, now).await?;
        loop {
            let mut change = self.change(now).await?;
            let ended = change.ended;
            deleted += ended as u64 + change.make_room(max_bytes).await?;
            change.commit().await?;
            if ended < STEP.unsigned_abs() as usize {
                return Ok(deleted);
            }
        }
    }
}

impl Change<'_> {
    /// Deletes one response; says when it would have ended, if it was there.
    async fn delete(&mut self, owner: &str, id: &str) -> Result<Option<i64>, sqlx::Error> {
        let query =
            sql::query("DELETE FROM responses WHERE owner = $1 AND id = $2 RETURNING bytes, expires_at");
        let row = query.bind(owner).bind(id).fetch_optional(&mut *self.transaction).await?;
        let Some(row) = row else { return Ok(None) };
        self.held = self.held.saturating_sub(bytes(&row)?);
        row.try_get("expires_at").map(Some)
    }

    /// Deletes the oldest until no more than `most` is held; answers how many those were.
    async fn make_room(&mut self, most: u64) -> Result<u64, sqlx::Error> {
        let mut deleted = 0;
        while self.held > most {
            let query = sql::query("SELECT seq, bytes FROM responses ORDER BY seq LIMIT $1");
            let rows = query.bind(STEP).fetch_all(&mut *self.transaction).await?;
            let mut last: Option<i64> = None;
            for row in &rows {
                if self.held <= most {
                    break;
                }
                self.held = self.held.saturating_sub(bytes(row)?);
                last = Some(row.try_get("seq")?);
            }
            let Some(last) = last else {
                // Nothing is left, so nothing is held.
                self.held = 0;
                break;
            };
            let query = sql::query("DELETE FROM responses WHERE seq <= $1").bind(last);
            deleted += query.execute(&mut *self.transaction).await?.rows_affected();
        }
        Ok(deleted)
    }

    async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.transaction.commit().await?;
        *self.count = Some(self.held);
        Ok(())
    }
}

impl ResponseStore for SqlResponses {
    fn keep(
        &self,
        response: StoredResponse,
        max_bytes: u64,
    ) -> BoxFuture<'_, Result<(), ResponseStoreError>> {
        Box::pin(async move {
            if cost(response.payload.len()) > max_bytes {
                return Err(ResponseStoreError::TooLarge);
            }
            self.keep_one(response, max_bytes).await.map_err(failed)
        })
    }

    fn find(
        &self,
        owner: Arc<str>,
        id: Arc<str>,
        now: i64,
    ) -> BoxFuture<'_, Result<Option<Whereabouts>, ResponseStoreError>> {
        Box::pin(async move { self.find_one((owner, id), now).await.map_err(failed) })
    }

    fn locate(&self, location: ResponseLocation) {
        self.writer.locate(location);
    }

    fn delete(
        &self,
        owner: Arc<str>,
        id: Arc<str>,
        now: i64,
    ) -> BoxFuture<'_, Result<bool, ResponseStoreError>> {
        Box::pin(async move { self.delete_one((owner, id), now).await.map_err(failed) })
    }

    fn sweep(&self, now: i64, max_bytes: u64) -> BoxFuture<'_, Result<u64, ResponseStoreError>> {
        Box::pin(async move { self.sweep_all(now, max_bytes).await.map_err(failed) })
    }
}

/// What a payload is sealed for: a row that is moved to another owner or id does not open.
fn bound_to(place: &Place) -> [&str; 3] {
    ["response", &place.0, &place.1]
}

/// Does the work here, or on a thread of its own when the payload is large.
pub(super) async fn beside<T: Send + 'static>(
    payload: Vec<u8>,
    work: impl FnOnce(Vec<u8>) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    if payload.len() <= AT_ONCE {
        return work(payload);
    }
    // Fails only when the runtime shuts down.
    tokio::task::spawn_blocking(move || work(payload)).await.unwrap_or(Err(StoreError::WriterStopped))
}

async fn total(connection: &mut Connection) -> Result<u64, sqlx::Error> {
    let row = sql::query("SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM responses")
        .fetch_one(connection)
        .await?;
    bytes(&row)
}

fn sum(rows: &[Row]) -> Result<u64, sqlx::Error> {
    rows.iter().try_fold(0_u64, |sum, row| Ok(sum.saturating_add(bytes(row)?)))
}

fn bytes(row: &Row) -> Result<u64, sqlx::Error> {
    Ok(u64::try_from(row.try_get::<i64, _>("bytes")?).unwrap_or_default())
}

fn failed(error: StoreError) -> ResponseStoreError {
    events::responses_failed(&error);
    ResponseStoreError::Failed(Box::new(error))
}

#[cfg(test)]
mod tests;
