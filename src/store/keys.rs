//! Keys in the database. The rules (who may do what, how tokens are made) are those of `ops` and `auth`.

use std::sync::Arc;

use futures_core::future::BoxFuture;
use operations::keys::KeyPolicy;

use super::sql::{self, Connection, Pool, Query, Row};
use crate::auth::ports::{
    Ending, KeyRecord, KeyStore, KeyStoreError, TokenHash, scopes_from_text, scopes_to_text,
};

/// `SELECT` of all columns that [`record`] reads, with the given end.
macro_rules! select_keys {
    ($end:literal) => {
        concat!(
            "SELECT id, name, prefix, hash, scopes, created_at, expires_at, revoked_at, last_used_at, \
             policy, version, disabled FROM api_keys ",
            $end
        )
    };
}

/// No policy reads as this, so that it can never be taken for one that allows everything.
const UNREADABLE: &str = "?";

/// The keys of one database.
#[derive(Debug, Clone)]
pub struct SqlKeys {
    pool: Pool,
}

impl SqlKeys {
    pub(super) fn new(pool: Pool) -> Self {
        Self { pool }
    }

    async fn insert_one(&self, record: KeyRecord) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        // A holder that has ended gives its name up. Also makes the transaction a writing one from its first
        // statement, so that it waits its turn instead of failing in the middle.
        sql::query(
            "UPDATE api_keys SET holds_name = 0 WHERE name = $1 AND holds_name = 1 \
             AND (revoked_at IS NOT NULL OR expires_at <= $2)",
        )
        .bind(&*record.name)
        .bind(record.created_at)
        .execute(&mut *transaction)
        .await?;
        insertion(&record).execute(&mut *transaction).await?;
        transaction.commit().await
    }

    async fn update_one(&self, record: &KeyRecord) -> Result<(), KeyStoreError> {
        let updated = sql::query(
            "UPDATE api_keys SET scopes = $2, expires_at = $3, policy = $4, disabled = $5, version = $6 \
             WHERE id = $1 AND version = $6 - 1",
        )
        .bind(&*record.id)
        .bind(scopes_to_text(record.scopes))
        .bind(record.expires_at)
        .bind(policy_text(record))
        .bind(record.disabled.as_deref())
        .bind(record.version.cast_signed())
        .execute(&self.pool)
        .await
        .map_err(failed)?;
        if updated.rows_affected() == 0 { Err(KeyStoreError::Stale) } else { Ok(()) }
    }

    async fn revoke_all(&self, ids: &[Arc<str>], now: i64) -> Result<Vec<KeyRecord>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let mut records = Vec::with_capacity(ids.len());
        for id in ids {
            sql::query(
                "UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $2), holds_name = 0 WHERE id = $1",
            )
            .bind(&**id)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
            records.push(one(&mut transaction, id).await?);
        }
        transaction.commit().await?;
        Ok(records)
    }

    async fn rotate_one(
        &self,
        old: &str,
        ending: Ending,
        new: &KeyRecord,
    ) -> Result<KeyRecord, KeyStoreError> {
        let (revoked_at, expires_at) = match ending {
            Ending::Revoked(at) => (Some(at), None),
            Ending::Expires(at) => (None, Some(at)),
        };
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        let ended = sql::query(
            "UPDATE api_keys SET holds_name = 0, revoked_at = $2, expires_at = COALESCE($3, expires_at) \
             WHERE id = $1 AND holds_name = 1 AND revoked_at IS NULL",
        )
        .bind(old)
        .bind(revoked_at)
        .bind(expires_at)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        if ended.rows_affected() == 0 {
            // Dropping the transaction takes nothing back, since nothing was done.
            return Err(KeyStoreError::NotCurrent);
        }
        insertion(new).execute(&mut *transaction).await.map_err(failed)?;
        let old = one(&mut transaction, old).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(old)
    }

    async fn touch(&self, used: &[(Arc<str>, i64)]) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        for (id, at) in used {
            sql::query(
                "UPDATE api_keys SET last_used_at = $2 \
                 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)",
            )
            .bind(&**id)
            .bind(at)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }
}

impl KeyStore for SqlKeys {
    fn insert(&self, record: KeyRecord) -> BoxFuture<'_, Result<(), KeyStoreError>> {
        Box::pin(async move { self.insert_one(record).await.map_err(failed) })
    }

    fn find(&self, key: String, now: i64) -> BoxFuture<'_, Result<Vec<KeyRecord>, KeyStoreError>> {
        Box::pin(async move {
            let query = sql::query(select_keys!(
                "WHERE id = $1 OR (name = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)) \
                 ORDER BY holds_name DESC, id"
            ));
            all(query.bind(key).bind(now), &self.pool).await
        })
    }

    fn page(
        &self,
        after: Option<String>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<KeyRecord>, KeyStoreError>> {
        Box::pin(async move {
            let query = sql::query(select_keys!("WHERE id > $1 ORDER BY id LIMIT $2"));
            all(query.bind(after.unwrap_or_default()).bind(i64::from(limit)), &self.pool).await
        })
    }

    fn all(&self) -> BoxFuture<'_, Result<Vec<KeyRecord>, KeyStoreError>> {
        Box::pin(async move { all(sql::query(select_keys!("ORDER BY id")), &self.pool).await })
    }

    fn update(&self, record: KeyRecord) -> BoxFuture<'_, Result<(), KeyStoreError>> {
        Box::pin(async move { self.update_one(&record).await })
    }

    fn revoke(&self, ids: Vec<Arc<str>>, now: i64) -> BoxFuture<'_, Result<Vec<KeyRecord>, KeyStoreError>> {
        Box::pin(async move { self.revoke_all(&ids, now).await.map_err(failed) })
    }

    fn rotate(
        &self,
        old: Arc<str>,
        ending: Ending,
        successor: KeyRecord,
    ) -> BoxFuture<'_, Result<KeyRecord, KeyStoreError>> {
        Box::pin(async move { self.rotate_one(&old, ending, &successor).await })
    }

    fn touch_last_used(&self, used: Vec<(Arc<str>, i64)>) -> BoxFuture<'_, Result<(), KeyStoreError>> {
        Box::pin(async move { self.touch(&used).await.map_err(failed) })
    }

    fn forget_ended(&self, before: i64) -> BoxFuture<'_, Result<u64, KeyStoreError>> {
        Box::pin(async move {
            let query = sql::query(
                "DELETE FROM api_keys WHERE (revoked_at < $1 OR expires_at < $1) \
                 AND id < (SELECT MAX(id) FROM api_keys)",
            );
            let deleted = query.bind(before).execute(&self.pool).await.map_err(failed)?;
            Ok(deleted.rows_affected())
        })
    }
}

/// A new key holds its name.
fn insertion(record: &KeyRecord) -> Query<'_> {
    sql::query(
        "INSERT INTO api_keys (id, name, prefix, hash, scopes, created_at, expires_at, revoked_at, \
         last_used_at, policy, version, disabled, holds_name) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1)",
    )
    .bind(&*record.id)
    .bind(&*record.name)
    .bind(&*record.prefix)
    .bind(&record.hash[..])
    .bind(scopes_to_text(record.scopes))
    .bind(record.created_at)
    .bind(record.expires_at)
    .bind(record.revoked_at)
    .bind(record.last_used_at)
    .bind(policy_text(record))
    .bind(record.version.cast_signed())
    .bind(record.disabled.as_deref().map(str::to_owned))
}

/// A policy is plain data: there is nothing in it that JSON has no words for.
fn policy_text(record: &KeyRecord) -> String {
    serde_json::to_string(&*record.policy).unwrap_or_else(|_| UNREADABLE.to_owned())
}

async fn one(connection: &mut Connection, id: &str) -> Result<KeyRecord, sqlx::Error> {
    record(&sql::query(select_keys!("WHERE id = $1")).bind(id).fetch_one(connection).await?)
}

async fn all(query: Query<'_>, pool: &Pool) -> Result<Vec<KeyRecord>, KeyStoreError> {
    let rows = query.fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(record).collect::<Result<_, _>>().map_err(failed)
}

fn record(row: &Row) -> Result<KeyRecord, sqlx::Error> {
    let text = |column: &str| row.try_get::<&str, _>(column).map(Arc::from);
    let hash: TokenHash = row
        .try_get::<&[u8], _>("hash")?
        .try_into()
        .map_err(|error| sqlx::Error::ColumnDecode { index: "hash".to_owned(), source: Box::new(error) })?;
    Ok(KeyRecord {
        id: text("id")?,
        name: text("name")?,
        prefix: text("prefix")?,
        hash,
        scopes: scopes_from_text(row.try_get("scopes")?),
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        revoked_at: row.try_get("revoked_at")?,
        last_used_at: row.try_get("last_used_at")?,
        version: row.try_get::<i64, _>("version")?.cast_unsigned(),
        disabled: row.try_get::<Option<&str>, _>("disabled")?.map(Arc::from),
        policy: Arc::new(policy(row.try_get("policy")?)?),
    })
}

fn policy(text: &str) -> Result<KeyPolicy, sqlx::Error> {
    serde_json::from_str(text)
        .map_err(|error| sqlx::Error::ColumnDecode { index: "policy".to_owned(), source: Box::new(error) })
}

/// Of all that is unique in the table only the name is chosen by people.
fn failed(error: sqlx::Error) -> KeyStoreError {
    match error.as_database_error() {
        Some(database) if database.is_unique_violation() => KeyStoreError::NameTaken,
        _ => KeyStoreError::Failed(Box::new(error)),
    }
}
