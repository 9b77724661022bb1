//! Suggestions about connections. What they mean is said in `ops`.

use futures_core::future::BoxFuture;
use operations::diagnosis::{SuggestionKind, SuggestionState};

use super::sql::{self, Pool, Row};
use crate::ops::ports::{Suggestion, SuggestionStore, SuggestionStoreError};

/// The suggestions of one database.
#[derive(Debug, Clone)]
pub struct SqlSuggestions {
    pool: Pool,
}

impl SqlSuggestions {
    pub(super) const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    async fn read(&self) -> Result<Vec<Suggestion>, sqlx::Error> {
        let query = sql::query(
            "SELECT id, connection, kind, model, patch, seen, times, first_at, last_at, state, decided_at, decided_by \
             FROM suggestions ORDER BY id",
        );
        let rows = query.fetch_all(&self.pool).await?;
        let read: Result<Vec<Option<Suggestion>>, _> = rows.iter().map(suggestion).collect();
        let mut read: Vec<Suggestion> = read?.into_iter().flatten().collect();
        // The databases sort texts in ways of their own.
        read.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(read)
    }

    async fn write(&self, put: Vec<Suggestion>, remove: Vec<String>) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        for id in remove {
            let query = sql::query("DELETE FROM suggestions WHERE id = $1").bind(id);
            query.execute(&mut *transaction).await?;
        }
        for one in put {
            let patch = one.patch.as_ref().map(|patch| serde_json::to_string(patch).unwrap_or_default());
            let query = sql::query(
                "INSERT INTO suggestions (id, connection, kind, model, patch, seen, times, first_at, last_at, state, \
                 decided_at, decided_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
                 ON CONFLICT (id) DO UPDATE SET connection = excluded.connection, kind = excluded.kind, \
                 model = excluded.model, patch = excluded.patch, seen = excluded.seen, times = excluded.times, \
                 first_at = excluded.first_at, last_at = excluded.last_at, state = excluded.state, \
                 decided_at = excluded.decided_at, decided_by = excluded.decided_by",
            );
            let query = query.bind(one.id).bind(one.connection).bind(one.kind.as_str()).bind(one.model);
            let query = query.bind(patch).bind(one.seen).bind(i64::from(one.times)).bind(one.first_at);
            let query = query.bind(one.last_at).bind(one.state.as_str()).bind(one.decided_at);
            query.bind(one.decided_by).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }
}

/// A row; `None` where another version of this program wrote a word that this one does not know.
fn suggestion(row: &Row) -> Result<Option<Suggestion>, sqlx::Error> {
    let (kind, state): (String, String) = (row.try_get("kind")?, row.try_get("state")?);
    let kind = SuggestionKind::ALL.into_iter().find(|known| known.as_str() == kind);
    let state = SuggestionState::ALL.into_iter().find(|known| known.as_str() == state);
    let (Some(kind), Some(state)) = (kind, state) else { return Ok(None) };
    let patch: Option<String> = row.try_get("patch")?;
    let times: i64 = row.try_get("times")?;
    Ok(Some(Suggestion {
        id: row.try_get("id")?,
        connection: row.try_get("connection")?,
        kind,
        model: row.try_get("model")?,
        patch: patch.and_then(|patch| serde_json::from_str(&patch).ok()),
        seen: row.try_get("seen")?,
        times: u32::try_from(times).unwrap_or(u32::MAX),
        first_at: row.try_get("first_at")?,
        last_at: row.try_get("last_at")?,
        state,
        decided_at: row.try_get("decided_at")?,
        decided_by: row.try_get("decided_by")?,
    }))
}

impl SuggestionStore for SqlSuggestions {
    fn all(&self) -> BoxFuture<'_, Result<Vec<Suggestion>, SuggestionStoreError>> {
        Box::pin(async move { self.read().await.map_err(failed) })
    }

    fn change(
        &self,
        put: Vec<Suggestion>,
        remove: Vec<String>,
    ) -> BoxFuture<'_, Result<(), SuggestionStoreError>> {
        Box::pin(async move { self.write(put, remove).await.map_err(failed) })
    }
}

fn failed(error: sqlx::Error) -> SuggestionStoreError {
    SuggestionStoreError(Box::new(error))
}
