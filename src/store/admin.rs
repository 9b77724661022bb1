//! The operator's password and the sessions in SQLite. What they mean is `auth`'s.

use std::sync::Arc;

use futures_core::future::BoxFuture;

use super::sql::{self, Pool, Row};
use crate::auth::ports::{AdminStore, AdminStoreError, PasswordRecord, SessionRecord};

/// The password and the sessions of one database.
#[derive(Debug, Clone)]
pub struct SqlAdmin {
    pool: Pool,
}

impl SqlAdmin {
    pub(super) const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    async fn read_password(&self) -> Result<Option<PasswordRecord>, sqlx::Error> {
        let query = sql::query("SELECT hash, temporary, set_at FROM admin_password WHERE one = 1");
        let Some(row) = query.fetch_optional(&self.pool).await? else { return Ok(None) };
        Ok(Some(PasswordRecord {
            hash: row.try_get("hash")?,
            temporary: row.try_get::<i64, _>("temporary")? != 0,
            set_at: row.try_get("set_at")?,
        }))
    }

    async fn write_password(&self, password: &PasswordRecord) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        sql::query(
            "INSERT INTO admin_password (one, hash, temporary, set_at) VALUES (1, $1, $2, $3) \
             ON CONFLICT (one) DO UPDATE SET hash = excluded.hash, temporary = excluded.temporary, \
             set_at = excluded.set_at",
        )
        .bind(&password.hash)
        .bind(i64::from(password.temporary))
        .bind(password.set_at)
        .execute(&mut *transaction)
        .await?;
        sql::query("DELETE FROM admin_sessions").execute(&mut *transaction).await?;
        transaction.commit().await
    }

    async fn insert(&self, session: &SessionRecord) -> Result<(), sqlx::Error> {
        sql::query(
            "INSERT INTO admin_sessions (id, who, hash, address, agent, created_at, last_seen_at, expires_at, \
             must_change) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&*session.id)
        .bind(&*session.who)
        .bind(&session.hash[..])
        .bind(session.address.as_deref())
        .bind(session.agent.as_deref())
        .bind(session.created_at)
        .bind(session.last_seen_at)
        .bind(session.expires_at)
        .bind(i64::from(session.must_change))
        .execute(&self.pool)
        .await
        .map(drop)
    }

    async fn alive(&self, now: i64) -> Result<Vec<SessionRecord>, sqlx::Error> {
        sql::query("DELETE FROM admin_sessions WHERE expires_at <= $1").bind(now).execute(&self.pool).await?;
        let query = sql::query(
            "SELECT id, who, hash, address, agent, created_at, last_seen_at, expires_at, must_change \
             FROM admin_sessions ORDER BY id",
        );
        query.fetch_all(&self.pool).await?.iter().map(record).collect()
    }

    async fn delete(&self, ids: &[Arc<str>]) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        for id in ids {
            sql::query("DELETE FROM admin_sessions WHERE id = $1")
                .bind(&**id)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    async fn touch(&self, seen: &[(Arc<str>, i64)]) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        for (id, at) in seen {
            sql::query("UPDATE admin_sessions SET last_seen_at = $2 WHERE id = $1 AND last_seen_at < $2")
                .bind(&**id)
                .bind(at)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }
}

impl AdminStore for SqlAdmin {
    fn password(&self) -> BoxFuture<'_, Result<Option<PasswordRecord>, AdminStoreError>> {
        Box::pin(async move { self.read_password().await.map_err(failed) })
    }

    fn set_password(&self, password: PasswordRecord) -> BoxFuture<'_, Result<(), AdminStoreError>> {
        Box::pin(async move { self.write_password(&password).await.map_err(failed) })
    }

    fn open_session(&self, session: SessionRecord) -> BoxFuture<'_, Result<(), AdminStoreError>> {
        Box::pin(async move { self.insert(&session).await.map_err(failed) })
    }

    fn sessions(&self, now: i64) -> BoxFuture<'_, Result<Vec<SessionRecord>, AdminStoreError>> {
        Box::pin(async move { self.alive(now).await.map_err(failed) })
    }

    fn close_sessions(&self, ids: Vec<Arc<str>>) -> BoxFuture<'_, Result<(), AdminStoreError>> {
        Box::pin(async move { self.delete(&ids).await.map_err(failed) })
    }

    fn touch_sessions(&self, seen: Vec<(Arc<str>, i64)>) -> BoxFuture<'_, Result<(), AdminStoreError>> {
        Box::pin(async move { self.touch(&seen).await.map_err(failed) })
    }
}

fn record(row: &Row) -> Result<SessionRecord, sqlx::Error> {
    let text = |column: &str| row.try_get::<Option<&str>, _>(column).map(|text| text.map(Arc::from));
    let hash = row.try_get::<&[u8], _>("hash")?;
    Ok(SessionRecord {
        id: row.try_get::<&str, _>("id")?.into(),
        who: row.try_get::<&str, _>("who")?.into(),
        hash: hash.try_into().map_err(|error| sqlx::Error::ColumnDecode {
            index: "hash".to_owned(),
            source: Box::new(error),
        })?,
        address: text("address")?,
        agent: text("agent")?,
        created_at: row.try_get("created_at")?,
        last_seen_at: row.try_get("last_seen_at")?,
        expires_at: row.try_get("expires_at")?,
        must_change: row.try_get::<i64, _>("must_change")? != 0,
    })
}

fn failed(error: sqlx::Error) -> AdminStoreError {
    AdminStoreError(Box::new(error))
}
