//! Tasks as those see them who look after the hub: rows, logs by numbers, and what webhooks were not told. Who may see whose
//! is said in `ops/agent`.

use a2a::{model::Task, v1};
use serde_json::Value;

use super::{Inner, TaskError, Tasks, entry::Entry, page, seq_of, unreadable};
use crate::{
    engine::settings::A2a,
    ops::ports::tasks::{DeadLetter, EntryKind, FoundTasks, TaskQuery, TaskRow, TasksStanding},
};

/// Entries that are read at a time, and bytes at which a page of a log ends: one alone may have 8 MiB.
const STEP: u32 = 16;
const LOG_BYTES: usize = 1024 * 1024;

/// An event as it stands in the log of its task.
pub(in crate::ops) struct Logged {
    /// Its number.
    pub(in crate::ops) seq: u64,
    /// When it was written, in milliseconds since the Unix epoch.
    pub(in crate::ops) at: i64,
    /// What it is about.
    pub(in crate::ops) kind: EntryKind,
    /// The event in the words of A2A 1.0.
    pub(in crate::ops) event: Value,
}

/// A page of tasks.
pub(in crate::ops) struct Rows {
    /// The one with the newest status first.
    pub(in crate::ops) rows: Vec<TaskRow>,
    /// How many there are on all pages.
    pub(in crate::ops) total: u64,
    /// The place behind the last one; `None` on the last page.
    pub(in crate::ops) next: Option<String>,
}

impl Tasks {
    /// What the operator says of tasks now.
    pub(in crate::ops) fn settings(&self) -> A2a {
        (self.0.settings)()
    }

    /// How tasks stand by what is written down: those of an owner, or all.
    pub(in crate::ops) async fn standing(&self, owner: Option<String>) -> Result<TasksStanding, TaskError> {
        Ok(self.0.store.standing(owner).await?)
    }

    /// A page of the tasks that `query` finds. Its `limit` is at least 1.
    pub(in crate::ops) async fn rows(&self, query: TaskQuery) -> Result<Rows, TaskError> {
        let limit = query.limit;
        let FoundTasks { mut rows, total } =
            self.0.store.find(TaskQuery { limit: limit.saturating_add(1), ..query }).await?;
        let next = page::cut(&mut rows, limit);
        Ok(Rows { rows, total, next })
    }

    /// A task, whosever it is. What is answered by one message is none.
    pub(in crate::ops) async fn row(&self, id: &str) -> Result<TaskRow, TaskError> {
        let row = self.0.store.task(id.to_owned()).await?.filter(|row| !row.bare);
        row.ok_or_else(|| TaskError::NotFound(id.to_owned()))
    }

    /// A task with its results and the last messages of its history, in the words of A2A 1.0.
    pub(in crate::ops) async fn told(&self, row: &TaskRow, history: Option<u32>) -> Result<Value, TaskError> {
        let (mut task, _): (Task, u64) = self.0.folded(&row.id, u64::MAX, true).await?;
        task.limit_history(history);
        Ok(v1::task(&task))
    }

    /// The events of a task behind a number, oldest first: at most so many, fewer where they are large.
    pub(in crate::ops) async fn log_behind(
        &self,
        row: &TaskRow,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Logged>, TaskError> {
        self.0.log_behind(&row.id, after, limit).await
    }

    /// Ends a task, whosever it is.
    pub(in crate::ops) async fn end_any(&self, row: TaskRow) -> Result<(), TaskError> {
        self.end(row).await.map(drop)
    }

    /// Dead letters of an owner, or all, newest first, behind a number.
    pub(in crate::ops) async fn dead_letters(
        &self,
        owner: Option<String>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, TaskError> {
        Ok(self.0.store.dead_letters(owner, after, limit).await?)
    }
}

impl Inner {
    async fn log_behind(&self, id: &str, after: u64, limit: u32) -> Result<Vec<Logged>, TaskError> {
        let (mut log, mut seen, mut bytes, mut left) = (Vec::new(), after, 0, limit);
        while left > 0 {
            let step = left.min(STEP);
            let entries = self.store.entries(id.to_owned(), seen, step, true).await?;
            let is_last = entries.len() < step as usize;
            for entry in entries {
                if bytes > 0 && bytes + entry.payload.len() > LOG_BYTES {
                    return Ok(log);
                }
                bytes += entry.payload.len();
                seen = seq_of(&entry);
                let read = Entry::decode(seen, &entry.payload).ok_or_else(unreadable)?;
                let event = v1::event(&read.event);
                log.push(Logged { seq: seen, at: entry.at, kind: entry.kind, event });
            }
            if is_last {
                break;
            }
            left -= step;
        }
        Ok(log)
    }
}

/// Where a page begins, by the word of the page before.
pub(in crate::ops) fn place(cursor: &str) -> Option<(i64, String)> {
    page::place(cursor)
}
