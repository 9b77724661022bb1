//! Which connections keep responses, in the database: what waits to be written, and the rows. When they are written is the
//! writer's. Losing one costs a client its conversation and nobody else anything, so that the last ones may be
//! lost with a `kill -9`, as receipts may.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use super::sql::{self, Connection, Pool, Row};
use crate::ops::ports::ResponseLocation;

/// Locations that can wait to be written, about four megabytes. Only a failing database lets so many pile up.
const MAX_WAITING: usize = 16_384;
/// Rows deleted in one statement.
const STEP: i64 = 1000;

/// The owner and the response's id.
pub(super) type Place = (Arc<str>, Arc<str>);

/// The last change of a place, and its number; `None`: forgotten.
pub(super) type Change = (u64, Option<ResponseLocation>);

/// What was told and is not in the database for sure. It can be asked all the while, so that a client may go on at once
/// from an answer that it has just got.
#[derive(Default)]
pub(super) struct Waiting {
    changes: BTreeMap<Place, Change>,
    last: u64,
}

impl Waiting {
    /// Takes a change; false: there is no room. A deletion always finds some, since whoever deletes waits for it.
    pub(super) fn put(&mut self, place: Place, location: Option<ResponseLocation>) -> bool {
        let full = self.changes.len() >= MAX_WAITING && location.is_some();
        self.last += 1;
        match self.changes.entry(place) {
            Entry::Vacant(_) if full => false,
            Entry::Vacant(entry) => {
                entry.insert((self.last, location));
                true
            }
            Entry::Occupied(mut entry) => {
                entry.insert((self.last, location));
                true
            }
        }
    }

    pub(super) fn get(&self, place: &Place) -> Option<Option<ResponseLocation>> {
        self.changes.get(place).map(|(_, location)| location.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Everything that waits, oldest first.
    pub(super) fn all(&self) -> Vec<(Place, Change)> {
        let mut all: Vec<_> = self.changes.iter().map(|(place, it)| (place.clone(), it.clone())).collect();
        all.sort_unstable_by_key(|(_, (number, _))| *number);
        all
    }

    /// Forgets what was written, unless it has changed since.
    pub(super) fn written(&mut self, changes: &[(Place, Change)]) {
        for (place, (number, _)) in changes {
            if self.changes.get(place).is_some_and(|(last, _)| last == number) {
                self.changes.remove(place);
            }
        }
    }
}

/// Writes changes in their order. One statement each: they are rarer than receipts, and short.
pub(super) async fn write(
    connection: &mut Connection,
    changes: &[(Place, Change)],
) -> Result<(), sqlx::Error> {
    for ((owner, id), (_, location)) in changes {
        match location {
            Some(location) => upsert(connection, location).await?,
            None => {
                sql::query("DELETE FROM response_locations WHERE owner = $1 AND id = $2")
                    .bind(&**owner)
                    .bind(&**id)
                    .execute(&mut *connection)
                    .await?;
            }
        }
    }
    Ok(())
}

async fn upsert(connection: &mut Connection, location: &ResponseLocation) -> Result<(), sqlx::Error> {
    sql::query(
        "INSERT INTO response_locations (owner, id, connection, fingerprint, expires_at) \
         VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (owner, id) DO UPDATE SET connection = excluded.connection, \
         fingerprint = excluded.fingerprint, expires_at = excluded.expires_at",
    )
    .bind(&*location.owner)
    .bind(&*location.id)
    .bind(&*location.connection)
    // SQL integers are signed; the bits are kept.
    .bind(location.fingerprint.cast_signed())
    .bind(location.expires_at)
    .execute(connection)
    .await
    .map(drop)
}

/// Where the response is, if that was written down.
pub(super) async fn find(pool: &Pool, place: &Place) -> Result<Option<ResponseLocation>, sqlx::Error> {
    let query = sql::query(
        "SELECT connection, fingerprint, expires_at FROM response_locations WHERE owner = $1 AND id = $2",
    );
    let row = query.bind(&*place.0).bind(&*place.1).fetch_optional(pool).await?;
    row.map(|row| location(&row, place)).transpose()
}

/// Deletes the oldest beyond `keep`.
pub(super) async fn trim(connection: &mut Connection, keep: u64) -> Result<(), sqlx::Error> {
    let keep = i64::try_from(keep).unwrap_or(i64::MAX);
    sql::query("DELETE FROM response_locations WHERE seq <= (SELECT MAX(seq) FROM response_locations) - $1")
        .bind(keep)
        .execute(connection)
        .await
        .map(drop)
}

/// Deletes those that have ended.
pub(super) async fn delete_ended(pool: &Pool, now: i64) -> Result<u64, sqlx::Error> {
    let mut deleted = 0;
    loop {
        let query = sql::query(
            "DELETE FROM response_locations WHERE seq IN \
             (SELECT seq FROM response_locations WHERE expires_at <= $1 LIMIT $2)",
        );
        let step = query.bind(now).bind(STEP).execute(pool).await?.rows_affected();
        deleted += step;
        if step < STEP.unsigned_abs() {
            return Ok(deleted);
        }
    }
}

fn location(row: &Row, place: &Place) -> Result<ResponseLocation, sqlx::Error> {
    Ok(ResponseLocation {
        owner: Arc::clone(&place.0),
        id: Arc::clone(&place.1),
        connection: row.try_get::<&str, _>("connection")?.into(),
        fingerprint: row.try_get::<i64, _>("fingerprint")?.cast_unsigned(),
        expires_at: row.try_get("expires_at")?,
    })
}
