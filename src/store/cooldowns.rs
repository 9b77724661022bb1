//! Cooldowns in the database, so that a restart does not hammer an account that asked to be left alone. Their meaning
//! is the engine's; when they are written is the writer's.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Writer, events,
    sql::{self, Connection, Pool, Row},
};
use crate::engine::{
    fault::FaultKind,
    ports::{CooldownRecord, CooldownSink, LockKind},
};

/// What a cooldown is about: a connection, and a model when only that one is meant.
pub(super) type Place = (Arc<str>, Option<Arc<str>>);

/// The last change of each place; `None`: cleared.
pub(super) type Changes = BTreeMap<Place, Option<CooldownRecord>>;

impl CooldownSink for Writer {
    fn cooled(&self, record: CooldownRecord) {
        self.change_cooldown((Arc::clone(&record.connection), record.model.clone()), Some(record));
    }

    fn cleared(&self, connection: Arc<str>, model: Option<Arc<str>>) {
        self.change_cooldown((connection, model), None);
    }
}

/// The cooldowns that have not ended by `now`; deletes those that have.
pub(super) async fn load(pool: &Pool, now: i64) -> Result<Vec<CooldownRecord>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    delete_ended(&mut connection, now).await?;
    let rows = sql::query(
        "SELECT connection, model, fingerprint, until_at, kind, message, lock_kind, since_at, level, strikes \
         FROM cooldowns ORDER BY connection, model",
    )
    .fetch_all(&mut connection)
    .await?;
    rows.iter().filter_map(|row| record(row).transpose()).collect()
}

pub(super) async fn delete_ended(connection: &mut Connection, now: i64) -> Result<(), sqlx::Error> {
    sql::query("DELETE FROM cooldowns WHERE until_at <= $1").bind(now).execute(connection).await.map(drop)
}

/// Writes changes. One statement each: they are rare, and many at once have been merged by place.
pub(super) async fn write(connection: &mut Connection, changes: &Changes) -> Result<(), sqlx::Error> {
    for ((place, model), change) in changes {
        let model = model.as_deref().unwrap_or_default();
        match change {
            Some(record) => upsert(connection, model, record).await?,
            None => {
                sql::query("DELETE FROM cooldowns WHERE connection = $1 AND model = $2")
                    .bind(&**place)
                    .bind(model)
                    .execute(&mut *connection)
                    .await?;
            }
        }
    }
    Ok(())
}

async fn upsert(
    connection: &mut Connection,
    model: &str,
    record: &CooldownRecord,
) -> Result<(), sqlx::Error> {
    sql::query(
        "INSERT INTO cooldowns \
         (connection, model, fingerprint, until_at, kind, message, lock_kind, since_at, level, strikes) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (connection, model) DO UPDATE SET fingerprint = excluded.fingerprint, \
         until_at = excluded.until_at, kind = excluded.kind, message = excluded.message, \
         lock_kind = excluded.lock_kind, since_at = excluded.since_at, level = excluded.level, \
         strikes = excluded.strikes",
    )
    .bind(&*record.connection)
    .bind(model)
    // SQL integers are signed; the bits are kept.
    .bind(record.fingerprint.cast_signed())
    .bind(record.until)
    .bind(record.kind.as_str())
    .bind(&record.message)
    .bind(record.lock.as_str())
    .bind(record.since)
    .bind(i64::from(record.level))
    .bind(i64::from(record.strikes))
    .execute(connection)
    .await
    .map(drop)
}

fn record(row: &Row) -> Result<Option<CooldownRecord>, sqlx::Error> {
    let kind: &str = row.try_get("kind")?;
    let Some(kind) = FaultKind::parse(kind) else {
        events::row_not_understood("cooldowns", kind);
        return Ok(None);
    };
    let lock: &str = row.try_get("lock_kind")?;
    let Some(lock) = LockKind::parse(lock) else {
        events::row_not_understood("cooldowns", lock);
        return Ok(None);
    };
    let model: &str = row.try_get("model")?;
    let count = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
    Ok(Some(CooldownRecord {
        lock,
        connection: row.try_get::<&str, _>("connection")?.into(),
        model: Some(model).filter(|model| !model.is_empty()).map(Arc::from),
        fingerprint: row.try_get::<i64, _>("fingerprint")?.cast_unsigned(),
        until: row.try_get("until_at")?,
        kind,
        message: row.try_get("message")?,
        since: row.try_get("since_at")?,
        level: count(row.try_get("level")?),
        strikes: count(row.try_get("strikes")?),
    }))
}
