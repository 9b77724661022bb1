//! Documents and the audit log of their changes. Definitions are sealed: they may hold credentials. What is in them, and
//! who may change them, is said in `ops`.

use std::sync::Arc;

use futures_core::future::BoxFuture;

use super::{
    StoreError, audit, events,
    responses::beside,
    seal::Sealer,
    sql::{self, Connection, Pool, Row},
};
use crate::ops::ports::{
    Change, Definition, Document, DocumentStore, DocumentStoreError, KeptChange, NewEntry,
};

/// Binds what is sealed to its kind of row.
const KIND: &str = "document";

/// The documents of one database.
#[derive(Clone)]
pub struct SqlDocuments {
    pool: Pool,
    sealer: Arc<Sealer>,
}

impl SqlDocuments {
    pub(super) fn new(pool: Pool, sealer: Arc<Sealer>) -> Self {
        Self { pool, sealer }
    }

    /// All documents, and how many of them cannot be decrypted.
    pub(super) async fn read_all(&self) -> Result<(Vec<Document>, usize), StoreError> {
        let query = "SELECT section, id, version, sealed, updated_at FROM documents ORDER BY section, id";
        let rows = sql::query(query).fetch_all(&self.pool).await?;
        let mut documents = Vec::with_capacity(rows.len());
        let mut unreadable = 0;
        for row in &rows {
            let (section, id) = place(row)?;
            let definition = match row.try_get::<Option<Vec<u8>>, _>("sealed")? {
                Some(sealed) => {
                    let opened = self.open(&section, &id, sealed).await?;
                    if opened.is_none() {
                        events::document_unreadable(&section, &id);
                        unreadable += 1;
                    }
                    opened
                }
                None => None,
            };
            documents.push(Document {
                section,
                id,
                version: row.try_get::<i64, _>("version")?.cast_unsigned(),
                definition,
                updated_at: row.try_get("updated_at")?,
            });
        }
        Ok((documents, unreadable))
    }

    async fn commit_one(&self, change: Change, entry: NewEntry) -> Result<Option<u64>, StoreError> {
        let Change { section, id, from, before, after } = change;
        let after = self.seal(&section, &id, after).await?;
        let before = self.seal(&section, &id, before).await?;
        let mut transaction = self.pool.begin().await?;
        if !write(&mut transaction, (&section, &id), from, after, entry.at).await? {
            return Ok(None);
        }
        let number = audit::append(&mut transaction, &entry).await?;
        sql::query(
            "INSERT INTO document_changes (change, section, id, sealed_before, version_after) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(number.cast_signed())
        .bind(&*section)
        .bind(&*id)
        .bind(before)
        .bind(from.saturating_add(1).cast_signed())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(number))
    }

    async fn read_change(&self, number: u64) -> Result<Option<KeptChange>, StoreError> {
        let query = sql::query(
            "SELECT section, id, sealed_before, version_after FROM document_changes WHERE change = $1",
        );
        let Some(row) = query.bind(number.cast_signed()).fetch_optional(&self.pool).await? else {
            return Ok(None);
        };
        let (section, id) = place(&row)?;
        let before = match row.try_get::<Option<Vec<u8>>, _>("sealed_before")? {
            Some(sealed) => match self.open(&section, &id, sealed).await? {
                Some(definition) => Some(definition),
                None => {
                    events::document_unreadable(&section, &id);
                    return Ok(None);
                }
            },
            None => None,
        };
        let version = row.try_get::<i64, _>("version_after")?.cast_unsigned();
        Ok(Some(KeptChange { section, id, before, version }))
    }

    async fn seal(
        &self,
        section: &Arc<str>,
        id: &Arc<str>,
        definition: Option<Definition>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(definition) = definition else { return Ok(None) };
        let plain = serde_json::Value::Object(definition).to_string().into_bytes();
        let (sealer, section, id) = (Arc::clone(&self.sealer), Arc::clone(section), Arc::clone(id));
        beside(plain, move |plain| sealer.seal(&[KIND, &section, &id], plain)).await.map(Some)
    }

    async fn open(
        &self,
        section: &Arc<str>,
        id: &Arc<str>,
        sealed: Vec<u8>,
    ) -> Result<Option<Definition>, StoreError> {
        let (sealer, section, id) = (Arc::clone(&self.sealer), Arc::clone(section), Arc::clone(id));
        let opened = beside(sealed, move |sealed| sealer.open(&[KIND, &section, &id], sealed)).await?;
        Ok(opened.and_then(|plain| serde_json::from_slice(&plain).ok()))
    }
}

/// Writes the next version, if the one that is there is the one that is expected.
async fn write(
    connection: &mut Connection,
    (section, id): (&str, &str),
    from: u64,
    sealed: Option<Vec<u8>>,
    at: i64,
) -> Result<bool, StoreError> {
    let query = if from == 0 {
        sql::query(
            "INSERT INTO documents (section, id, version, sealed, updated_at) VALUES ($1, $2, $3 + 1, $4, $5) \
             ON CONFLICT (section, id) DO NOTHING",
        )
    } else {
        sql::query(
            "UPDATE documents SET version = version + 1, sealed = $4, updated_at = $5 \
             WHERE section = $1 AND id = $2 AND version = $3",
        )
    };
    let done = query.bind(section).bind(id).bind(from.cast_signed()).bind(sealed).bind(at);
    Ok(done.execute(connection).await?.rows_affected() == 1)
}

fn place(row: &Row) -> Result<(Arc<str>, Arc<str>), sqlx::Error> {
    Ok((row.try_get::<&str, _>("section")?.into(), row.try_get::<&str, _>("id")?.into()))
}

pub(super) fn failed(error: StoreError) -> DocumentStoreError {
    events::management_failed(&error);
    DocumentStoreError::Failed(Box::new(error))
}

impl DocumentStore for SqlDocuments {
    fn all(&self) -> BoxFuture<'_, Result<Vec<Document>, DocumentStoreError>> {
        Box::pin(async move { self.read_all().await.map(|(all, _)| all).map_err(failed) })
    }

    fn commit(&self, change: Change, entry: NewEntry) -> BoxFuture<'_, Result<u64, DocumentStoreError>> {
        Box::pin(async move {
            let committed = self.commit_one(change, entry).await.map_err(failed)?;
            committed.ok_or(DocumentStoreError::Stale)
        })
    }

    fn change(&self, number: u64) -> BoxFuture<'_, Result<Option<KeptChange>, DocumentStoreError>> {
        Box::pin(async move { self.read_change(number).await.map_err(failed) })
    }
}
