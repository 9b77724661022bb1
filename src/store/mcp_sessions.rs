//! MCP sessions in the database. Who may use one is said in `surfaces/mcp`.

use futures_core::future::BoxFuture;

use super::sql::{self, Connection, Pool, Row};
use crate::ops::ports::{McpSession, McpSessionError, McpSessionStore};

/// The sessions of one database.
#[derive(Debug, Clone)]
pub struct SqlMcpSessions {
    pool: Pool,
}

impl SqlMcpSessions {
    pub(super) const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    async fn write(&self, session: McpSession, most: usize) -> Result<(), sqlx::Error> {
        let (id, owner) = (session.id.clone(), session.owner.clone());
        let mut transaction = self.pool.begin().await?;
        sql::query(
            "INSERT INTO mcp_sessions (id, owner, opening, used_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (id) DO UPDATE SET opening = $3, used_at = $4",
        )
        .bind(session.id)
        .bind(session.owner)
        .bind(session.opening)
        .bind(session.used_at)
        .execute(&mut *transaction)
        .await?;
        make_room(&mut transaction, &id, &owner, most).await?;
        transaction.commit().await
    }

    async fn take_up(&self, id: String, since: i64, now: i64) -> Result<Option<McpSession>, sqlx::Error> {
        let query = sql::query(
            "UPDATE mcp_sessions SET used_at = $3 WHERE id = $1 AND used_at > $2 \
             RETURNING id, owner, opening, used_at",
        );
        let query = query.bind(id).bind(since).bind(now);
        query.fetch_optional(&self.pool).await?.map(|row| session(&row)).transpose()
    }

    async fn owner_of(&self, id: String) -> Result<Option<String>, sqlx::Error> {
        let query = sql::query("SELECT owner FROM mcp_sessions WHERE id = $1").bind(id);
        query.fetch_optional(&self.pool).await?.map(|row| row.try_get("owner")).transpose()
    }

    async fn note_used(&self, used: Vec<(String, i64)>) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        for (id, at) in used {
            sql::query("UPDATE mcp_sessions SET used_at = $2 WHERE id = $1 AND used_at < $2")
                .bind(id)
                .bind(at)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    async fn remove(&self, id: String) -> Result<(), sqlx::Error> {
        sql::query("DELETE FROM mcp_sessions WHERE id = $1").bind(id).execute(&self.pool).await?;
        Ok(())
    }

    async fn count_all(&self) -> Result<u64, sqlx::Error> {
        let query = sql::query("SELECT COUNT(*) AS sessions FROM mcp_sessions");
        Ok(query.fetch_one(&self.pool).await?.try_get::<i64, _>("sessions")?.unsigned_abs())
    }

    async fn remove_unused(&self, since: i64) -> Result<u64, sqlx::Error> {
        let query = sql::query("DELETE FROM mcp_sessions WHERE used_at < $1").bind(since);
        Ok(query.execute(&self.pool).await?.rows_affected())
    }
}

/// Deletes what is beyond `most`, for the session `id` of `owner`, which never goes itself: each time one of the owner who
/// has the most, of several this one's.
async fn make_room(
    connection: &mut Connection,
    id: &str,
    owner: &str,
    most: usize,
) -> Result<(), sqlx::Error> {
    let count = sql::query("SELECT COUNT(*) AS sessions FROM mcp_sessions").fetch_one(&mut *connection);
    let count: i64 = count.await?.try_get("sessions")?;
    let beyond = count.saturating_sub(i64::try_from(most).unwrap_or(i64::MAX));
    if beyond <= 0 {
        return Ok(());
    }
    // Who has the most has the one with the highest place, and so on when that one is gone. The new one has the first.
    let query = sql::query(
        "DELETE FROM mcp_sessions WHERE id IN (SELECT id FROM \
         (SELECT id, owner, used_at, ROW_NUMBER() OVER (PARTITION BY owner \
         ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END, used_at DESC, id) AS place FROM mcp_sessions) AS ranked \
         WHERE id <> $1 ORDER BY place DESC, CASE WHEN owner = $2 THEN 0 ELSE 1 END, used_at, id DESC LIMIT $3)",
    );
    query.bind(id.to_owned()).bind(owner.to_owned()).bind(beyond).execute(&mut *connection).await?;
    Ok(())
}

fn session(row: &Row) -> Result<McpSession, sqlx::Error> {
    Ok(McpSession {
        id: row.try_get("id")?,
        owner: row.try_get("owner")?,
        opening: row.try_get("opening")?,
        used_at: row.try_get("used_at")?,
    })
}

impl McpSessionStore for SqlMcpSessions {
    fn save(&self, session: McpSession, most: usize) -> BoxFuture<'_, Result<(), McpSessionError>> {
        Box::pin(async move { self.write(session, most).await.map_err(failed) })
    }

    fn resume(
        &self,
        id: String,
        since: i64,
        now: i64,
    ) -> BoxFuture<'_, Result<Option<McpSession>, McpSessionError>> {
        Box::pin(async move { self.take_up(id, since, now).await.map_err(failed) })
    }

    fn owner(&self, id: String) -> BoxFuture<'_, Result<Option<String>, McpSessionError>> {
        Box::pin(async move { self.owner_of(id).await.map_err(failed) })
    }

    fn count(&self) -> BoxFuture<'_, Result<u64, McpSessionError>> {
        Box::pin(async move { self.count_all().await.map_err(failed) })
    }

    fn touch(&self, used: Vec<(String, i64)>) -> BoxFuture<'_, Result<(), McpSessionError>> {
        Box::pin(async move { self.note_used(used).await.map_err(failed) })
    }

    fn delete(&self, id: String) -> BoxFuture<'_, Result<(), McpSessionError>> {
        Box::pin(async move { self.remove(id).await.map_err(failed) })
    }

    fn sweep(&self, since: i64) -> BoxFuture<'_, Result<u64, McpSessionError>> {
        Box::pin(async move { self.remove_unused(since).await.map_err(failed) })
    }
}

fn failed(error: sqlx::Error) -> McpSessionError {
    McpSessionError(Box::new(error))
}
