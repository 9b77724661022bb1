//! The webhooks of tasks, whose addresses and credentials are sealed, and what they were not told.

use super::SqlTasks;
use crate::{
    ops::ports::tasks::{DeadLetter, TaskHook},
    store::{
        StoreError,
        receipts::{signed, unsigned},
        sql,
    },
};

impl SqlTasks {
    pub(super) async fn write_hook(&self, hook: TaskHook, most: u32) -> Result<bool, StoreError> {
        let TaskHook { task, id, version, payload, told_seq } = hook;
        let sealed = self.sealer.seal(&bound_to(&task, &id), payload)?;
        let mut transaction = self.pool.begin().await?;
        let query = sql::query(
            "INSERT INTO task_hooks (task, id, version, told_seq, sealed) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (task, id) DO UPDATE SET version = $3, told_seq = $4, sealed = $5",
        );
        let query = query.bind(&task).bind(id).bind(version).bind(signed(told_seq)).bind(sealed);
        query.execute(&mut *transaction).await?;
        let query = sql::query("SELECT COUNT(*) FROM task_hooks WHERE task = $1").bind(&task);
        let count: i64 = query.fetch_one(&mut *transaction).await?.try_get(0)?;
        if count > i64::from(most) {
            // Rolled back: it was one too many.
            return Ok(false);
        }
        transaction.commit().await?;
        Ok(true)
    }

    pub(super) async fn read_hooks(&self, task: String) -> Result<Vec<TaskHook>, StoreError> {
        let query =
            sql::query("SELECT id, version, told_seq, sealed FROM task_hooks WHERE task = $1 ORDER BY id");
        let mut hooks = Vec::new();
        for row in query.bind(&task).fetch_all(&self.pool).await? {
            let id: String = row.try_get("id")?;
            let opened = self.sealer.open(&bound_to(&task, &id), row.try_get("sealed")?)?;
            let Some(payload) = opened else {
                return Err(StoreError::Unreadable { rows: 1, places: "task_hooks".to_owned() });
            };
            hooks.push(TaskHook {
                task: task.clone(),
                id,
                version: row.try_get("version")?,
                payload,
                told_seq: unsigned(row.try_get("told_seq")?),
            });
        }
        Ok(hooks)
    }

    pub(super) async fn delete_hook(&self, task: String, id: String) -> Result<bool, StoreError> {
        let query = sql::query("DELETE FROM task_hooks WHERE task = $1 AND id = $2").bind(task).bind(id);
        Ok(query.execute(&self.pool).await?.rows_affected() > 0)
    }

    pub(super) async fn note_told(&self, task: String, id: String, seq: u64) -> Result<(), StoreError> {
        let query =
            sql::query("UPDATE task_hooks SET told_seq = $3 WHERE task = $1 AND id = $2 AND told_seq < $3");
        query.bind(task).bind(id).bind(signed(seq)).execute(&self.pool).await?;
        Ok(())
    }

    pub(super) async fn all_hooked(&self) -> Result<Vec<String>, StoreError> {
        let rows = sql::query("SELECT DISTINCT task FROM task_hooks ORDER BY task");
        let rows = rows.fetch_all(&self.pool).await?;
        Ok(rows.iter().map(|row| row.try_get("task")).collect::<Result<_, _>>()?)
    }

    pub(super) async fn bury_one(&self, letter: DeadLetter, most: u32) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sql::query(
            "INSERT INTO task_dead_letters (at, owner, task, hook, seq, host, tries, why) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(letter.at)
        .bind(letter.owner)
        .bind(letter.task)
        .bind(letter.hook)
        .bind(signed(letter.seq))
        .bind(letter.host)
        .bind(letter.tries)
        .bind(letter.why)
        .execute(&mut *transaction)
        .await?;
        let query = sql::query(
            "DELETE FROM task_dead_letters WHERE nr <= \
             (SELECT nr FROM task_dead_letters ORDER BY nr DESC LIMIT 1 OFFSET $1)",
        );
        query.bind(most).execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn read_letters(
        &self,
        owner: Option<String>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let after = after.unwrap_or(i64::MAX);
        let query = match owner {
            Some(owner) => sql::query(
                "SELECT nr, at, owner, task, hook, seq, host, tries, why FROM task_dead_letters \
                 WHERE nr < $1 AND owner = $3 ORDER BY nr DESC LIMIT $2",
            )
            .bind(after)
            .bind(limit)
            .bind(owner),
            None => sql::query(
                "SELECT nr, at, owner, task, hook, seq, host, tries, why FROM task_dead_letters \
                 WHERE nr < $1 ORDER BY nr DESC LIMIT $2",
            )
            .bind(after)
            .bind(limit),
        };
        let rows = query.fetch_all(&self.pool).await?;
        let letter = |row: &sql::Row| {
            Ok(DeadLetter {
                number: row.try_get("nr")?,
                at: row.try_get("at")?,
                owner: row.try_get("owner")?,
                task: row.try_get("task")?,
                hook: row.try_get("hook")?,
                seq: unsigned(row.try_get("seq")?),
                host: row.try_get("host")?,
                tries: u32::try_from(row.try_get::<i64, _>("tries")?).unwrap_or(u32::MAX),
                why: row.try_get("why")?,
            })
        };
        Ok(rows.iter().map(letter).collect::<Result<_, sqlx::Error>>()?)
    }
}

/// What a webhook is sealed for: a row that is moved to another task or id does not open.
const fn bound_to<'a>(task: &'a str, id: &'a str) -> [&'a str; 3] {
    ["task_hook", task, id]
}
