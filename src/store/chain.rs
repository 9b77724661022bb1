//! Rows that are added and never changed, each with a hash of itself and of the one before: the audit log and the record of
//! tool calls. Old ones are deleted from the front, so the oldest that is left vouches for nothing before it.

use operations::audit::AuditVerdict;
use sha2::{Digest, Sha256};
use sqlx::AssertSqlSafe;

use super::sql::{self, Connection, Pool, Row};

/// Rows that are read or deleted in one statement.
pub(super) const STEP: i64 = 500;

/// A table of such rows. It has `id`, `at`, these columns and `hash`; a table of one row, called alike with `_head` behind it,
/// has the last number and hash.
pub(super) struct Chain {
    /// Its name.
    pub(super) table: &'static str,
    /// Its columns of text, in the order in which they are hashed.
    pub(super) texts: &'static [&'static str],
    /// Its columns of whole numbers, hashed behind the texts.
    pub(super) numbers: &'static [&'static str],
}

/// A row that is to be added: what stands in the columns.
pub(super) struct Link<'a> {
    pub(super) at: i64,
    pub(super) texts: &'a [&'a str],
    pub(super) numbers: &'a [i64],
}

/// The hash of a row behind the one before. Every part is led by its length, so that no two rows read the same.
fn hash(before: &[u8], id: i64, at: i64, parts: impl Iterator<Item = impl AsRef<str>>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(id.to_be_bytes());
    hash.update(at.to_be_bytes());
    for part in parts {
        let part = part.as_ref();
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl Chain {
    fn columns(&self) -> String {
        let columns: Vec<&str> = self.texts.iter().chain(self.numbers).copied().collect();
        columns.join(", ")
    }

    /// Adds a row within a transaction; answers its number.
    pub(super) async fn append(
        &self,
        connection: &mut Connection,
        link: Link<'_>,
    ) -> Result<i64, sqlx::Error> {
        let table = self.table;
        // Safe, here and below: names are those of the program's own schema. A statement that writes: whoever comes second
        // waits here until the first is through.
        let text = format!("UPDATE {table}_head SET id = id + 1 WHERE one = 1 RETURNING id, hash");
        let head = sql::query(AssertSqlSafe(text)).fetch_one(&mut *connection).await?;
        let (id, before): (i64, Vec<u8>) = (head.try_get("id")?, head.try_get("hash")?);
        let numbers = link.numbers.iter().map(i64::to_string);
        let parts = link.texts.iter().map(|text| (*text).to_owned()).chain(numbers);
        let hash = hash(&before, id, link.at, parts);
        let width = link.texts.len() + link.numbers.len();
        let marks: Vec<String> = (1..=width).map(|at| format!("${}", at + 3)).collect();
        let (columns, marks) = (self.columns(), marks.join(", "));
        let text = format!("INSERT INTO {table} (id, at, hash, {columns}) VALUES ($1, $2, $3, {marks})");
        let query = sql::query(AssertSqlSafe(text)).bind(id).bind(link.at).bind(&hash[..]);
        let query = link.texts.iter().fold(query, |query, text| query.bind(*text));
        let query = link.numbers.iter().fold(query, |query, number| query.bind(*number));
        query.execute(&mut *connection).await?;
        let text = format!("UPDATE {table}_head SET hash = $1 WHERE one = 1");
        sql::query(AssertSqlSafe(text)).bind(&hash[..]).execute(connection).await?;
        Ok(id)
    }

    async fn newest(&self, pool: &Pool) -> Result<i64, sqlx::Error> {
        let text = format!("SELECT id FROM {}_head WHERE one = 1", self.table);
        sql::query(AssertSqlSafe(text)).fetch_one(pool).await?.try_get("id")
    }

    /// Checks the hashes of all rows.
    pub(super) async fn verify(&self, pool: &Pool) -> Result<AuditVerdict, sqlx::Error> {
        // Before the rest, so that rows that are added meanwhile are not missed.
        let newest = self.newest(pool).await?;
        let text = format!(
            "SELECT id, at, hash, {} FROM {} WHERE id > $1 ORDER BY id LIMIT $2",
            self.columns(),
            self.table
        );
        let (mut after, mut before, mut entries) = (0_i64, None::<Vec<u8>>, 0_u64);
        loop {
            let query = sql::query(AssertSqlSafe(text.clone()));
            let rows = query.bind(after).bind(STEP).fetch_all(pool).await?;
            if rows.is_empty() {
                // With none left, all were old enough to be forgotten.
                let missing = (entries > 0 && after < newest).then_some((after + 1).cast_unsigned());
                return Ok(AuditVerdict { whole: missing.is_none(), entries, broken_at: missing });
            }
            for row in &rows {
                let id: i64 = row.try_get("id")?;
                let kept: Vec<u8> = row.try_get("hash")?;
                let follows = before.is_none() || id == after + 1;
                // What was before the oldest one that is left is gone; the very first one has nothing before it.
                let known = before.as_deref().or((id == 1).then_some(&[][..]));
                entries += 1;
                let parts = self.parts(row)?;
                let right = match known {
                    Some(known) => hash(known, id, row.try_get("at")?, parts.iter())[..] == kept[..],
                    None => true,
                };
                if !follows || !right {
                    let broken_at = Some(id.cast_unsigned());
                    return Ok(AuditVerdict { whole: false, entries, broken_at });
                }
                (after, before) = (id, Some(kept));
            }
        }
    }

    fn parts(&self, row: &Row) -> Result<Vec<String>, sqlx::Error> {
        let mut parts = Vec::with_capacity(self.texts.len() + self.numbers.len());
        for column in self.texts {
            parts.push(row.try_get::<String, _>(*column)?);
        }
        for column in self.numbers {
            parts.push(row.try_get::<i64, _>(*column)?.to_string());
        }
        Ok(parts)
    }

    /// Deletes up to a batch of rows that are older than `before` (milliseconds since the Unix epoch), or beyond the newest
    /// `most`. From the front without a gap: the chain is only cut at its end. Answers how many.
    pub(super) async fn forget(
        &self,
        pool: &Pool,
        before: Option<i64>,
        most: u64,
    ) -> Result<u64, sqlx::Error> {
        let (table, newest) = (self.table, self.newest(pool).await?);
        let bound = newest.saturating_sub(i64::try_from(most).unwrap_or(i64::MAX));
        let text = format!(
            "DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE id <= $1 OR at < $2 ORDER BY id LIMIT $3) \
             AND id < (SELECT COALESCE(MIN(id), $4) FROM {table} WHERE id > $1 AND at >= $2)"
        );
        let done = sql::query(AssertSqlSafe(text))
            .bind(bound)
            .bind(before.unwrap_or(i64::MIN))
            .bind(STEP)
            .bind(newest.saturating_add(1))
            .execute(pool)
            .await?;
        Ok(done.rows_affected())
    }
}
