//! Pages of tasks, and what was said in a conversation.

use std::sync::Arc;

use a2a::{
    Code, Failure, machine,
    model::{ListTasks, Message, PAGE_SIZE, PAGE_SIZES, Role, Task, TaskPage},
};

use super::{Inner, TaskError, new_id};
use crate::{
    engine::caller::Caller,
    ops::ports::tasks::{FoundTasks, TaskQuery, TaskRow},
};

/// Bytes of logs that are read for one answer.
const BYTES: u64 = 16 * 1024 * 1024;

impl Inner {
    pub(super) async fn page(&self, caller: &Caller, asked: ListTasks) -> Result<TaskPage, TaskError> {
        let limit = asked.page_size.unwrap_or(PAGE_SIZE).clamp(*PAGE_SIZES.start(), *PAGE_SIZES.end());
        let token = asked.page_token.filter(|token| !token.is_empty());
        let after = token.map(|token| place(&token).ok_or_else(no_page)).transpose()?;
        let query = TaskQuery {
            owner: Some(caller.id.to_string()),
            context: asked.context_id,
            state: asked.status.map(|state| machine::word(state).to_owned()),
            skill: None,
            since: asked.status_timestamp_after.map(a2a::Timestamp::millis),
            after,
            limit: limit + 1,
        };
        let FoundTasks { mut rows, total } = self.store.find(query).await?;
        let limit_now = fitting(&rows, limit);
        let next = cut(&mut rows, limit_now);
        let mut tasks = Vec::with_capacity(rows.len());
        for row in rows {
            let (mut task, _) = self.folded(&row.id, u64::MAX, asked.include_artifacts).await?;
            task.limit_history(asked.history_length);
            tasks.push(task);
        }
        Ok(TaskPage {
            tasks,
            next_page_token: next.unwrap_or_default(),
            page_size: limit,
            total_size: u32::try_from(total).unwrap_or(u32::MAX),
        })
    }

    /// What was said in the last tasks of a context, one apart, oldest first.
    pub(super) async fn conversation(
        &self,
        owner: &Arc<str>,
        context: String,
        apart: &str,
        tasks: u32,
    ) -> Result<Vec<Message>, TaskError> {
        let query = TaskQuery {
            owner: Some(owner.to_string()),
            context: Some(context),
            limit: tasks + 1,
            ..TaskQuery::default()
        };
        let mut rows = self.store.find(query).await?.rows;
        rows.retain(|row| row.id != apart);
        rows.truncate(usize::try_from(tasks).unwrap_or(usize::MAX));
        rows.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        // The newest ones, as many as fit.
        let mut bytes = 0;
        let first = rows.iter().rposition(|row| {
            bytes += row.bytes;
            bytes > BYTES
        });
        let mut said = Vec::new();
        for row in rows.into_iter().skip(first.map_or(0, |at| at + 1)) {
            said.extend(words(self.folded(&row.id, u64::MAX, true).await?.0));
        }
        Ok(said)
    }
}

/// What was said in a task: its history, its results as messages of the agent, and its last word.
fn words(task: Task) -> impl Iterator<Item = Message> {
    let (id, context) = (task.id, task.context_id);
    let results = task.artifacts.into_iter().map(move |artifact| Message {
        task_id: Some(id.clone()),
        context_id: context.clone(),
        metadata: artifact.metadata,
        ..Message::new(new_id(), Role::Agent, artifact.parts)
    });
    task.history.into_iter().chain(results).chain(task.status.message)
}

/// How many of the first rows make a page: `limit` at most, and as many as are in memory together; at least one.
fn fitting(rows: &[TaskRow], limit: u32) -> u32 {
    let mut bytes = 0;
    let fit = rows.iter().take_while(|row| {
        bytes += row.bytes;
        bytes <= BYTES
    });
    u32::try_from(fit.count()).unwrap_or(limit).clamp(1, limit)
}

/// Leaves at most so many rows; where that cuts something off, the place behind the last one.
pub(super) fn cut(rows: &mut Vec<TaskRow>, limit: u32) -> Option<String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| is_more).map(|row| format!("{}.{}", row.status_at, row.id))
}

/// Where a page begins.
pub(super) fn place(token: &str) -> Option<(i64, String)> {
    let (at, id) = token.split_once('.')?;
    Some((at.parse().ok()?, id.to_owned()))
}

fn no_page() -> TaskError {
    TaskError::Failed(Failure::new(
        Code::InvalidParams,
        "There is no such page: `pageToken` is that of a page before",
    ))
}
