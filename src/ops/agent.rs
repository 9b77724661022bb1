//! Operations on the hub as an agent of A2A: how it is, and the tasks that other agents have begun. Whose tasks a caller
//! sees is the rule of `own`. What an agent itself asks about its tasks is `tasks`.

use a2a::Version;
use operations::{
    Invalid,
    tasks::{
        A2aStatus, CancelTask, DEFAULT_PAGE, DeadLetterPage, DeadLetterView, GetTask, ListDeadLetters,
        ListTasks, Pushes, SkillView, TaskDetail, TaskEvent, TaskPage, TaskView,
    },
};

use super::{
    OpError, own,
    ports::tasks::{DeadLetter, TaskQuery, TaskRow},
    skills,
    tasks::{TaskError, Tasks, place},
};
use crate::engine::caller::Caller;

/// Where the agent is asked.
pub const ENDPOINT: &str = "/a2a";

/// Executes the operations on tasks.
pub struct Agent {
    tasks: Tasks,
}

impl Agent {
    /// Operations on these tasks. Whether somebody works on them already does not matter.
    #[must_use]
    pub const fn new(tasks: Tasks) -> Self {
        Self { tasks }
    }

    /// Tells how the agent is. Streams and running tasks are counted for the whole hub, all else is of the tasks that the
    /// caller sees.
    ///
    /// # Errors
    /// [`OpError::Store`].
    pub async fn status(&self, caller: &Caller) -> Result<A2aStatus, OpError> {
        let owner = own::only(caller, None)?;
        let (settings, summary) = (self.tasks.settings(), self.tasks.status());
        // Since the start it is also known when something happened that is no status.
        let heard = summary.last_task_at.filter(|_| owner.is_none());
        let standing = self.tasks.standing(owner).await?;
        let skill =
            |skill: &skills::Skill| SkillView { id: skill.id.to_owned(), name: skill.name.to_owned() };
        Ok(A2aStatus {
            enabled: settings.enabled,
            endpoint: ENDPOINT.to_owned(),
            protocol_versions: Version::ALL.iter().map(|version| version.as_str().to_owned()).collect(),
            skills: skills::ALL.iter().map(skill).collect(),
            push: settings.push,
            active_streams: summary.active_streams as u64,
            running: summary.running as u64,
            last_task_at: standing.last_at.max(heard),
            tasks: standing.counts.into_iter().collect(),
            pushes: Pushes { waiting: standing.waiting, dead: standing.dead },
        })
    }

    /// Lists tasks, the one with the newest status first.
    ///
    /// # Errors
    /// [`OpError`].
    pub async fn list(&self, caller: &Caller, args: ListTasks) -> Result<TaskPage, OpError> {
        let after = args.cursor.as_deref().map(|cursor| place(cursor).ok_or_else(no_page)).transpose()?;
        let query = TaskQuery {
            owner: own::only(caller, args.owner)?,
            context: args.context,
            state: args.state.map(|state| state.as_str().to_owned()),
            skill: args.skill,
            since: args.since_at,
            after,
            limit: args.limit.unwrap_or(DEFAULT_PAGE),
        };
        let found = self.tasks.rows(query).await?;
        let tasks = found.rows.into_iter().map(view).collect();
        Ok(TaskPage { tasks, total: found.total, next_cursor: found.next })
    }

    /// Tells everything of a task.
    ///
    /// # Errors
    /// [`OpError`]; not found when there is none that the caller sees.
    pub async fn get(&self, caller: &Caller, args: GetTask) -> Result<TaskDetail, OpError> {
        let row = self.row(caller, &args.id).await?;
        let task = self.tasks.told(&row, args.history).await?;
        let (after, limit) = (args.after.unwrap_or_default(), args.limit.unwrap_or(DEFAULT_PAGE));
        let logged = self.tasks.log_behind(&row, after, limit).await?;
        let last = logged.last().map(|event| event.seq);
        let event = |logged: super::tasks::Logged| TaskEvent {
            seq: logged.seq,
            at: logged.at,
            kind: logged.kind.as_str().to_owned(),
            event: logged.event,
        };
        Ok(TaskDetail {
            next_after: last.filter(|last| *last < row.last_seq),
            log: logged.into_iter().map(event).collect(),
            task,
            summary: view(row),
        })
    }

    /// Ends a task.
    ///
    /// # Errors
    /// [`OpError`]; not found when there is none that the caller sees, a conflict when it is over.
    pub async fn cancel(&self, caller: &Caller, args: CancelTask) -> Result<TaskView, OpError> {
        let row = self.row(caller, &args.id).await?;
        self.tasks.end_any(row).await?;
        Ok(view(self.tasks.row(&args.id).await?))
    }

    /// Lists what webhooks were not told, newest first.
    ///
    /// # Errors
    /// [`OpError`].
    pub async fn dead_letters(
        &self,
        caller: &Caller,
        args: ListDeadLetters,
    ) -> Result<DeadLetterPage, OpError> {
        let owner = own::only(caller, args.owner)?;
        let after = args.cursor.map(|cursor| i64::try_from(cursor).unwrap_or(i64::MAX));
        let limit = args.limit.unwrap_or(DEFAULT_PAGE);
        let mut found = self.tasks.dead_letters(owner, after, limit.saturating_add(1)).await?;
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_more = found.len() > most;
        found.truncate(most);
        let letters: Vec<_> = found.into_iter().map(letter).collect();
        let next_cursor = letters.last().filter(|_| is_more).map(|last| last.number);
        Ok(DeadLetterPage { letters, next_cursor })
    }

    /// A task that the caller sees.
    async fn row(&self, caller: &Caller, id: &str) -> Result<TaskRow, OpError> {
        let row = self.tasks.row(id).await?;
        if own::sees(caller, &row.owner) { Ok(row) } else { Err(TaskError::NotFound(row.id).into()) }
    }
}

fn view(row: TaskRow) -> TaskView {
    TaskView {
        id: row.id,
        context: row.context,
        state: row.state,
        skill: row.skill,
        owner: row.owner,
        created_at: row.created_at,
        status_at: row.status_at,
        events: row.last_seq,
        bytes: row.bytes,
    }
}

fn letter(letter: DeadLetter) -> DeadLetterView {
    DeadLetterView {
        number: letter.number.unsigned_abs(),
        at: letter.at,
        owner: letter.owner,
        task: letter.task,
        webhook: letter.hook,
        seq: letter.seq,
        host: letter.host,
        tries: letter.tries,
        why: letter.why,
    }
}

fn no_page() -> Invalid {
    Invalid::new("cursor", "must be `next_cursor` of a page")
}

impl From<TaskError> for OpError {
    fn from(error: TaskError) -> Self {
        match error {
            TaskError::NotFound(name) => Self::NotFound { noun: "task", name },
            TaskError::NoHook(name) => Self::NotFound { noun: "webhook", name },
            TaskError::Store => Self::Store(Box::new(TaskError::Store)),
            TaskError::Busy(_) => Self::Refused(error.to_string()),
            TaskError::Refused(_) | TaskError::Failed(_) | TaskError::PushOff => {
                Self::Conflict(error.to_string())
            }
        }
    }
}
