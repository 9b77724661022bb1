//! Windows of quotas in the database, so that a restart does not use an account anew that is used up. Their meaning is the
//! engine's; when they are written is the writer's.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Writer,
    sql::{self, Connection, Pool, Row},
};
use crate::engine::ports::{WindowRecord, WindowSink};

/// Which window: of a connection, by name, and of a model when only that one is meant.
pub(super) type Place = (Arc<str>, Arc<str>, Option<Arc<str>>);

/// The last state of each window.
pub(super) type Changes = BTreeMap<Place, WindowRecord>;

pub(super) fn place(record: &WindowRecord) -> Place {
    (Arc::clone(&record.connection), Arc::clone(&record.name), record.model.clone())
}

impl WindowSink for Writer {
    fn window(&self, record: WindowRecord) {
        self.change_window(record);
    }
}

/// The windows that have not ended by `now`; deletes those that have.
pub(super) async fn load(pool: &Pool, now: i64) -> Result<Vec<WindowRecord>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    delete_ended(&mut connection, now).await?;
    let rows = sql::query(
        "SELECT connection, name, model, fingerprint, limit_amount, used, as_of, resets_at, state \
         FROM quota_windows ORDER BY connection, name, model",
    )
    .fetch_all(&mut connection)
    .await?;
    rows.iter().map(record).collect()
}

pub(super) async fn delete_ended(connection: &mut Connection, now: i64) -> Result<(), sqlx::Error> {
    sql::query("DELETE FROM quota_windows WHERE resets_at <= $1")
        .bind(now)
        .execute(connection)
        .await
        .map(drop)
}

/// Writes changes. One statement each: they are rarer than receipts, and many at once have been merged by place.
pub(super) async fn write(connection: &mut Connection, changes: &Changes) -> Result<(), sqlx::Error> {
    for record in changes.values() {
        sql::query(
            "INSERT INTO quota_windows \
             (connection, name, model, fingerprint, limit_amount, used, as_of, resets_at, state) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT (connection, name, model) DO UPDATE SET fingerprint = excluded.fingerprint, \
             limit_amount = excluded.limit_amount, used = excluded.used, as_of = excluded.as_of, \
             resets_at = excluded.resets_at, state = excluded.state",
        )
        .bind(&*record.connection)
        .bind(&*record.name)
        .bind(record.model.as_deref().unwrap_or_default())
        // SQL integers are signed; the bits are kept.
        .bind(record.fingerprint.cast_signed())
        .bind(record.limit.map(u64::cast_signed))
        .bind(record.used.cast_signed())
        .bind(record.as_of)
        .bind(record.resets_at)
        .bind(&record.state)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn record(row: &Row) -> Result<WindowRecord, sqlx::Error> {
    let model: &str = row.try_get("model")?;
    Ok(WindowRecord {
        connection: row.try_get::<&str, _>("connection")?.into(),
        name: row.try_get::<&str, _>("name")?.into(),
        model: Some(model).filter(|model| !model.is_empty()).map(Arc::from),
        fingerprint: row.try_get::<i64, _>("fingerprint")?.cast_unsigned(),
        limit: row.try_get::<Option<i64>, _>("limit_amount")?.map(i64::cast_unsigned),
        used: row.try_get::<i64, _>("used")?.cast_unsigned(),
        as_of: row.try_get("as_of")?,
        resets_at: row.try_get("resets_at")?,
        state: row.try_get("state")?,
    })
}
