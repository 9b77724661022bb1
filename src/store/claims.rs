//! Claims on idempotency keys in the database: made before a request goes out, finished with its answer, which is sealed.
//! What is in an answer, and who may ask for it, is said in `ops`.

use std::sync::Arc;

use super::{
    StoreError, events,
    responses::beside,
    seal::Sealer,
    sql::{self, Connection, Pool, Row},
};
use crate::ops::ports::{Claim, ClaimEnding, ClaimPlace, ClaimStore, ClaimStoreError, Claimed};
use futures_core::future::BoxFuture;

/// Rows that are looked at or deleted in one statement.
const STEP: i64 = 256;

const ANSWERED: &str = "answered";
const NOT_KEPT: &str = "not_kept";

/// The claims of one database.
#[derive(Clone)]
pub struct SqlClaims {
    pool: Pool,
    sealer: Arc<Sealer>,
}

impl SqlClaims {
    pub(super) fn new(pool: Pool, sealer: Arc<Sealer>) -> Self {
        Self { pool, sealer }
    }

    async fn claim_one(&self, claim: Claim, most: u32) -> Result<Option<Claimed>, StoreError> {
        let Claim { place, request, created_at, expires_at } = claim;
        let mut transaction = self.pool.begin().await?;
        // First a statement that writes, so that the transaction waits its turn here and does not fail later.
        delete_ended(&mut transaction, created_at).await?;
        let query = sql::query(
            "SELECT request, ending, sealed FROM idempotency_claims \
             WHERE owner = $1 AND id = $2 AND expires_at > $3",
        );
        let query = query.bind(&*place.owner).bind(&*place.id).bind(created_at);
        if let Some(row) = query.fetch_optional(&mut *transaction).await? {
            transaction.commit().await?;
            return self.found(&row, place).await.map(Some);
        }
        make_room(&mut transaction, &place.owner, most).await?;
        // An ended one of the same id may be left where many end at once.
        sql::query(
            "INSERT INTO idempotency_claims (owner, id, request, expires_at, bytes) VALUES ($1, $2, $3, $4, 0) \
             ON CONFLICT (owner, id) DO UPDATE SET request = $3, expires_at = $4, ending = NULL, bytes = 0, sealed = NULL",
        )
        .bind(&*place.owner)
        .bind(&*place.id)
        .bind(&request[..])
        .bind(expires_at)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(None)
    }

    async fn found(&self, row: &Row, place: ClaimPlace) -> Result<Claimed, StoreError> {
        let request: Vec<u8> = row.try_get("request")?;
        // Another length is no hash of ours, and equals none.
        let request = request.try_into().unwrap_or_default();
        let ending: Option<String> = row.try_get("ending")?;
        let ending = match (ending.as_deref(), row.try_get::<Option<Vec<u8>>, _>("sealed")?) {
            (None, _) => None,
            (Some(ANSWERED), Some(sealed)) => Some(self.open(sealed, place).await?),
            (Some(_), _) => Some(ClaimEnding::NotKept),
        };
        Ok(Claimed { request, ending })
    }

    async fn open(&self, sealed: Vec<u8>, place: ClaimPlace) -> Result<ClaimEnding, StoreError> {
        let (sealer, owner) = (Arc::clone(&self.sealer), Arc::clone(&place.owner));
        let opened = beside(sealed, move |sealed| sealer.open(&bound_to(&place), sealed)).await?;
        if opened.is_none() {
            events::claim_unreadable(&owner);
        }
        Ok(opened.map_or(ClaimEnding::NotKept, ClaimEnding::Answered))
    }

    async fn finish_one(
        &self,
        place: ClaimPlace,
        ending: ClaimEnding,
        max_bytes: u64,
    ) -> Result<(), StoreError> {
        let (word, sealed) = match ending {
            ClaimEnding::Answered(payload) => {
                let (sealer, bound) = (Arc::clone(&self.sealer), place.clone());
                let sealed = beside(payload, move |payload| sealer.seal(&bound_to(&bound), payload)).await?;
                (ANSWERED, Some(sealed))
            }
            ClaimEnding::NotKept => (NOT_KEPT, None),
        };
        let bytes = sealed.as_ref().map_or(0, |sealed| i64::try_from(sealed.len()).unwrap_or(i64::MAX));
        let mut transaction = self.pool.begin().await?;
        sql::query(
            "UPDATE idempotency_claims SET ending = $3, bytes = $4, sealed = $5 WHERE owner = $1 AND id = $2",
        )
        .bind(&*place.owner)
        .bind(&*place.id)
        .bind(word)
        .bind(bytes)
        .bind(sealed)
        .execute(&mut *transaction)
        .await?;
        give_way(&mut transaction, max_bytes).await?;
        Ok(transaction.commit().await?)
    }

    async fn release_one(&self, place: &ClaimPlace) -> Result<(), StoreError> {
        let query = sql::query("DELETE FROM idempotency_claims WHERE owner = $1 AND id = $2");
        query.bind(&*place.owner).bind(&*place.id).execute(&self.pool).await?;
        Ok(())
    }

    async fn sweep_all(&self, now: i64) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            let mut connection = self.pool.acquire().await?;
            let ended = delete_ended(&mut connection, now).await?;
            deleted += ended;
            if ended < STEP.unsigned_abs() {
                return Ok(deleted);
            }
        }
    }
}

/// Deletes some of what has ended; answers how many those were.
async fn delete_ended(connection: &mut Connection, now: i64) -> Result<u64, sqlx::Error> {
    let query = sql::query(
        "DELETE FROM idempotency_claims WHERE seq IN \
         (SELECT seq FROM idempotency_claims WHERE expires_at <= $1 LIMIT $2)",
    );
    Ok(query.bind(now).bind(STEP).execute(connection).await?.rows_affected())
}

/// Deletes an owner's oldest claims, so that with one more there are no more than `most`.
async fn make_room(connection: &mut Connection, owner: &str, most: u32) -> Result<(), sqlx::Error> {
    let query = sql::query(
        "DELETE FROM idempotency_claims WHERE owner = $1 AND seq <= \
         (SELECT seq FROM idempotency_claims WHERE owner = $1 ORDER BY seq DESC LIMIT 1 OFFSET $2)",
    );
    query.bind(owner).bind(i64::from(most.saturating_sub(1))).execute(connection).await.map(drop)
}

/// Deletes the oldest answers until no more than `most` bytes are held.
async fn give_way(connection: &mut Connection, most: u64) -> Result<(), sqlx::Error> {
    let query = sql::query(
        "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM idempotency_claims WHERE sealed IS NOT NULL",
    );
    let mut held = bytes(&query.fetch_one(&mut *connection).await?)?;
    while held > most {
        let query = sql::query(
            "SELECT seq, bytes FROM idempotency_claims WHERE sealed IS NOT NULL ORDER BY seq LIMIT $1",
        );
        let rows = query.bind(STEP).fetch_all(&mut *connection).await?;
        let mut last: Option<i64> = None;
        for row in &rows {
            if held <= most {
                break;
            }
            held = held.saturating_sub(bytes(row)?);
            last = Some(row.try_get("seq")?);
        }
        let Some(last) = last else { break };
        let query = sql::query("DELETE FROM idempotency_claims WHERE seq <= $1 AND sealed IS NOT NULL");
        query.bind(last).execute(&mut *connection).await?;
    }
    Ok(())
}

fn bytes(row: &Row) -> Result<u64, sqlx::Error> {
    Ok(u64::try_from(row.try_get::<i64, _>("bytes")?).unwrap_or_default())
}

/// What an answer is sealed for: a row that is moved to another owner or id does not open.
fn bound_to(place: &ClaimPlace) -> [&str; 3] {
    ["idempotency", &place.owner, &place.id]
}

impl ClaimStore for SqlClaims {
    fn claim(&self, claim: Claim, most: u32) -> BoxFuture<'_, Result<Option<Claimed>, ClaimStoreError>> {
        Box::pin(async move { self.claim_one(claim, most).await.map_err(failed) })
    }

    fn finish(
        &self,
        place: ClaimPlace,
        ending: ClaimEnding,
        max_bytes: u64,
    ) -> BoxFuture<'_, Result<(), ClaimStoreError>> {
        Box::pin(async move { self.finish_one(place, ending, max_bytes).await.map_err(failed) })
    }

    fn release(&self, place: ClaimPlace) -> BoxFuture<'_, Result<(), ClaimStoreError>> {
        Box::pin(async move { self.release_one(&place).await.map_err(failed) })
    }

    fn sweep(&self, now: i64) -> BoxFuture<'_, Result<u64, ClaimStoreError>> {
        Box::pin(async move { self.sweep_all(now).await.map_err(failed) })
    }
}

fn failed(error: StoreError) -> ClaimStoreError {
    events::claims_failed(&error);
    ClaimStoreError(Box::new(error))
}
