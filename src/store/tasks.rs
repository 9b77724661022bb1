//! Tasks of agents in the database: rows, and the log of each, which is sealed. What is in the entries, and who may see
//! them, is said in `ops`. The webhooks are in `hooks`, finding is in `find`, counting in
//! `standing`.

mod find;
mod hooks;
mod standing;

use std::sync::Arc;

use futures_core::future::BoxFuture;

use super::{
    StoreError, events,
    receipts::{signed, unsigned},
    responses::beside,
    seal::Sealer,
    sql::{self, Connection, Pool, Row},
};
use crate::ops::ports::tasks::{
    DeadLetter, EntryKind, FoundTasks, TaskEntry, TaskHook, TaskMessage, TaskQuery, TaskRow, TaskStore,
    TaskStoreError, TaskWrite, TasksStanding,
};

/// Tasks that are forgotten in one transaction.
const STEP: u32 = 64;

/// The tasks of one database.
#[derive(Clone)]
pub struct SqlTasks {
    pool: Pool,
    sealer: Arc<Sealer>,
}

impl SqlTasks {
    pub(super) const fn new(pool: Pool, sealer: Arc<Sealer>) -> Self {
        Self { pool, sealer }
    }

    async fn write_all(&self, writes: Vec<TaskWrite>) -> Result<(), StoreError> {
        let mut sealed = Vec::with_capacity(writes.len());
        for mut write in writes {
            let entry = match write.entry.take() {
                Some(mut entry) => {
                    let (sealer, task) = (Arc::clone(&self.sealer), write.row.id.clone());
                    let payload = std::mem::take(&mut entry.payload);
                    let seal = move |payload| sealer.seal(&bound_to(&task), payload);
                    entry.payload = beside(payload, seal).await?;
                    Some(entry)
                }
                None => None,
            };
            sealed.push((write, entry));
        }
        let mut transaction = self.pool.begin().await?;
        for (write, entry) in sealed {
            put(&mut transaction, write, entry).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn find_message(&self, owner: String, id: String) -> Result<Option<TaskMessage>, StoreError> {
        let query = sql::query("SELECT digest, task, seq FROM task_messages WHERE owner = $1 AND id = $2");
        let Some(row) = query.bind(owner).bind(&id).fetch_optional(&self.pool).await? else {
            return Ok(None);
        };
        let (digest, task, seq) =
            (row.try_get("digest")?, row.try_get("task")?, unsigned(row.try_get("seq")?));
        Ok(Some(TaskMessage { id, digest, task, seq }))
    }

    async fn read(
        &self,
        task: String,
        after: u64,
        limit: u32,
        results: bool,
    ) -> Result<Vec<TaskEntry>, StoreError> {
        let query = sql::query(
            "SELECT seq, at, kind, sealed FROM task_entries \
             WHERE task = $1 AND seq > $2 AND (kind <> 'artifact' OR $4 = 1) ORDER BY seq LIMIT $3",
        );
        let query = query.bind(&task).bind(signed(after)).bind(limit).bind(results);
        let mut entries = Vec::new();
        for row in query.fetch_all(&self.pool).await? {
            let (sealer, bound) = (Arc::clone(&self.sealer), task.clone());
            let open = move |sealed| sealer.open(&bound_to(&bound), sealed);
            let Some(payload) = beside(row.try_get("sealed")?, open).await? else {
                return Err(StoreError::Unreadable { rows: 1, places: "task_entries".to_owned() });
            };
            let kind = kind_of(row.try_get("kind")?);
            entries.push(TaskEntry {
                seq: unsigned(row.try_get("seq")?),
                at: row.try_get("at")?,
                kind,
                payload,
            });
        }
        Ok(entries)
    }

    async fn remove_one(&self, id: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sql::query("DELETE FROM tasks WHERE id = $1").bind(id).execute(&mut *transaction).await?;
        forget(&mut transaction, id).await?;
        Ok(transaction.commit().await?)
    }
}

/// Makes one change.
async fn put(
    connection: &mut Connection,
    write: TaskWrite,
    entry: Option<TaskEntry>,
) -> Result<(), sqlx::Error> {
    let TaskWrite { row, is_new, message, .. } = write;
    if is_new {
        sql::query(
            "INSERT INTO tasks (id, owner, context, state, skill, bare, created_at, status_at, last_seq, bytes, delivered) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(&row.id)
        .bind(&row.owner)
        .bind(&row.context)
        .bind(&row.state)
        .bind(row.skill.clone())
        .bind(row.bare)
        .bind(row.created_at)
        .bind(row.status_at)
        .bind(signed(row.last_seq))
        .bind(signed(row.bytes))
        .bind(row.delivered)
        .execute(&mut *connection)
        .await?;
    } else {
        let query = sql::query(
            "UPDATE tasks SET state = $2, status_at = $3, last_seq = $4, bytes = $5, delivered = $6 WHERE id = $1",
        );
        let query = query.bind(&row.id).bind(&row.state).bind(row.status_at).bind(signed(row.last_seq));
        let done = query.bind(signed(row.bytes)).bind(row.delivered).execute(&mut *connection).await?;
        if done.rows_affected() == 0 {
            // It was swept away meanwhile, and its entries with it.
            return Ok(());
        }
    }
    if let Some(TaskEntry { seq, at, kind, payload }) = entry {
        let query =
            sql::query("INSERT INTO task_entries (task, seq, at, kind, sealed) VALUES ($1, $2, $3, $4, $5)");
        let query = query.bind(&row.id).bind(signed(seq)).bind(at).bind(kind.as_str()).bind(payload);
        query.execute(&mut *connection).await?;
    }
    if let Some(TaskMessage { id, digest, task, seq }) = message {
        let query = sql::query(
            "INSERT INTO task_messages (owner, id, digest, task, seq) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (owner, id) DO NOTHING",
        );
        let query = query.bind(&row.owner).bind(id).bind(digest).bind(task).bind(signed(seq));
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Deletes what belongs to a task that is gone. Dead letters stay: they tell why somebody was not told.
async fn forget(connection: &mut Connection, id: &str) -> Result<(), sqlx::Error> {
    for statement in [
        "DELETE FROM task_entries WHERE task = $1",
        "DELETE FROM task_messages WHERE task = $1",
        "DELETE FROM task_hooks WHERE task = $1",
    ] {
        sql::query(statement).bind(id).execute(&mut *connection).await?;
    }
    Ok(())
}

/// What an entry is sealed for: one that is moved to another task does not open.
fn bound_to(task: &str) -> [&str; 2] {
    ["task", task]
}

fn kind_of(word: &str) -> EntryKind {
    use EntryKind::{Artifact, Message, Status, Task};
    [Task, Message, Artifact].into_iter().find(|kind| kind.as_str() == word).unwrap_or(Status)
}

fn row_of(row: &Row) -> Result<TaskRow, sqlx::Error> {
    Ok(TaskRow {
        id: row.try_get("id")?,
        owner: row.try_get("owner")?,
        context: row.try_get("context")?,
        state: row.try_get("state")?,
        skill: row.try_get("skill")?,
        bare: row.try_get::<i64, _>("bare")? == 1,
        created_at: row.try_get("created_at")?,
        status_at: row.try_get("status_at")?,
        last_seq: unsigned(row.try_get("last_seq")?),
        bytes: unsigned(row.try_get("bytes")?),
        delivered: row.try_get::<i64, _>("delivered")? == 1,
    })
}

type Done<'a, T> = BoxFuture<'a, Result<T, TaskStoreError>>;

impl TaskStore for SqlTasks {
    fn write(&self, writes: Vec<TaskWrite>) -> Done<'_, ()> {
        Box::pin(async move { self.write_all(writes).await.map_err(failed) })
    }

    fn task(&self, id: String) -> Done<'_, Option<TaskRow>> {
        Box::pin(async move { self.find_task(&id).await.map_err(failed) })
    }

    fn message(&self, owner: String, id: String) -> Done<'_, Option<TaskMessage>> {
        Box::pin(async move { self.find_message(owner, id).await.map_err(failed) })
    }

    fn entries(&self, task: String, after: u64, limit: u32, results: bool) -> Done<'_, Vec<TaskEntry>> {
        Box::pin(async move { self.read(task, after, limit, results).await.map_err(failed) })
    }

    fn find(&self, query: TaskQuery) -> Done<'_, FoundTasks> {
        Box::pin(async move { self.find_tasks(&query).await.map_err(failed) })
    }

    fn in_states(&self, states: Vec<&'static str>, limit: u32) -> Done<'_, Vec<TaskRow>> {
        Box::pin(async move { self.find_in_states(&states, limit).await.map_err(failed) })
    }

    fn counts(&self) -> Done<'_, Vec<(String, u64)>> {
        Box::pin(async move { self.count_states().await.map_err(failed) })
    }

    fn standing(&self, owner: Option<String>) -> Done<'_, TasksStanding> {
        Box::pin(async move { self.read_standing(owner.as_deref()).await.map_err(failed) })
    }

    fn remove(&self, id: String) -> Done<'_, ()> {
        Box::pin(async move { self.remove_one(&id).await.map_err(failed) })
    }

    fn sweep(&self, before: i64, except: Vec<&'static str>) -> Done<'_, u64> {
        Box::pin(async move { self.sweep_some(before, &except, STEP).await.map_err(failed) })
    }

    fn make_room(&self, most: u64, except: Vec<&'static str>) -> Done<'_, u64> {
        Box::pin(async move { self.sweep_beyond(most, &except).await.map_err(failed) })
    }

    fn put_hook(&self, hook: TaskHook, most: u32) -> Done<'_, bool> {
        Box::pin(async move { self.write_hook(hook, most).await.map_err(failed) })
    }

    fn hooks(&self, task: String) -> Done<'_, Vec<TaskHook>> {
        Box::pin(async move { self.read_hooks(task).await.map_err(failed) })
    }

    fn remove_hook(&self, task: String, id: String) -> Done<'_, bool> {
        Box::pin(async move { self.delete_hook(task, id).await.map_err(failed) })
    }

    fn hook_told(&self, task: String, id: String, seq: u64) -> Done<'_, ()> {
        Box::pin(async move { self.note_told(task, id, seq).await.map_err(failed) })
    }

    fn tasks_with_hooks(&self) -> Done<'_, Vec<String>> {
        Box::pin(async move { self.all_hooked().await.map_err(failed) })
    }

    fn bury(&self, letter: DeadLetter, most: u32) -> Done<'_, ()> {
        Box::pin(async move { self.bury_one(letter, most).await.map_err(failed) })
    }

    fn dead_letters(
        &self,
        owner: Option<String>,
        after: Option<i64>,
        limit: u32,
    ) -> Done<'_, Vec<DeadLetter>> {
        Box::pin(async move { self.read_letters(owner, after, limit).await.map_err(failed) })
    }
}

fn failed(error: StoreError) -> TaskStoreError {
    events::tasks_failed(&error);
    TaskStoreError(Box::new(error))
}
