//! Tasks of the Agent2Agent protocol: durable, owned by the caller who began them, followed by any number of streams and
//! webhooks. An event is told to nobody before it is committed. What may happen to a task when is said in `a2a::machine`;
//! what skills do, and how requests and answers look on the wire, is not known here.
//!
//! `log` writes, `live` and `follow` tell streams, `push` tells webhooks, `runs` has the work done, `entry` says what is
//! written and what a task is by it, `manage` shows tasks to those who look after them.

mod entry;
mod error;
mod follow;
mod live;
mod log;
mod manage;
mod page;
mod push;
mod runs;
mod send;
mod work;

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use a2a::{
    machine,
    model::{GetTask, ListTasks, Message, Part, Role, SendMessage, Task, TaskPage, TaskState, TaskStatus},
};
use tokio::{task::JoinHandle, time::Instant};

use self::{
    entry::Entry,
    follow::{Start, follow},
    log::{Change, ChangeError, Known, Log},
    runs::Runs,
};
use super::ports::tasks::{TaskRow, TaskStore, TaskStoreError};
use crate::engine::{caller::Caller, ports::Clock, settings::A2a};

pub use error::{SinkError, TaskError};
pub use follow::{Events, Numbered, Sent};
pub(in crate::ops) use manage::{Logged, place};
pub use push::Pushing;
pub use runs::FindCaller;
pub use work::{Sink, TaskExecutor, Work};

/// Tasks of a context whose words are a conversation.
const CONVERSATION: u32 = 20;

/// Events that are read at a time where all of a task are looked at.
const PAGE: u32 = 64;

/// All tasks of a hub. Clones are the same.
#[derive(Clone)]
pub struct Tasks(Arc<Inner>);

struct Inner {
    store: Arc<dyn TaskStore>,
    clock: Arc<dyn Clock>,
    settings: Box<dyn Fn() -> A2a + Send + Sync>,
    known: Arc<Known>,
    log: Log,
    runs: Runs,
    executor: OnceLock<Arc<dyn TaskExecutor>>,
    streams: Arc<AtomicUsize>,
    beside: Mutex<Vec<JoinHandle<()>>>,
}

/// How tasks stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskStatusSummary {
    /// Streams that are open.
    pub active_streams: usize,
    /// Tasks that are worked on.
    pub running: usize,
    /// When something last happened to a task since the start, in milliseconds since the Unix epoch.
    pub last_task_at: Option<i64>,
    /// How many tasks are in each state that has any, as the protocol's words, by the word.
    pub counts: Vec<(String, u64)>,
}

impl Tasks {
    /// The tasks of a store. Messages are taken after [`Self::start`]. Must be called within a runtime.
    #[must_use]
    pub fn new(
        store: Arc<dyn TaskStore>,
        clock: Arc<dyn Clock>,
        settings: Box<dyn Fn() -> A2a + Send + Sync>,
    ) -> Self {
        let known = Arc::<Known>::default();
        let log = Log::start(Arc::clone(&store), Arc::clone(&clock), Arc::clone(&known));
        Self(Arc::new(Inner {
            store,
            clock,
            settings,
            known,
            log,
            runs: Runs::default(),
            executor: OnceLock::new(),
            streams: Arc::default(),
            beside: Mutex::default(),
        }))
    }

    /// Takes messages from now on, has them worked on by `executor`, tells webhooks by `pushing`, and goes on with what the
    /// last process left open, for those callers that `caller` finds by their ids. Only the first call does something.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn start(
        &self,
        executor: Arc<dyn TaskExecutor>,
        pushing: Pushing,
        caller: FindCaller,
    ) -> Result<(), TaskStoreError> {
        // Before the first message is taken: what is open now is of the last process.
        let left = self.0.store.in_states(runs::open_states().to_vec(), runs::LEFT).await?;
        let hooked = self.0.store.tasks_with_hooks().await?;
        self.0.recount().await?;
        if self.0.executor.set(executor).is_err() {
            return Ok(());
        }
        self.0.runs.leave(&left);
        self.0.known.hooks.know(hooked);
        let delivering = tokio::spawn(push::deliver(Arc::clone(&self.0), pushing));
        let again = tokio::spawn(self.clone().go_on(left, caller));
        self.0.beside.lock().unwrap_or_else(PoisonError::into_inner).extend([delivering, again]);
        Ok(())
    }

    /// Takes no more messages, and begins nothing that is left: the hub is going to stop. What then cannot be done because of
    /// that is done by the next process.
    pub fn hold(&self) {
        self.0.runs.close();
    }

    /// Lets the work that is going on come to its end until `until`, and ends the rest. Tasks that are open then are gone
    /// on with at the next start. To be called when no more requests come, and before the store is closed.
    pub async fn close(&self, until: Instant) {
        self.hold();
        self.0.runs.settle(until).await;
        let beside = std::mem::take(&mut *self.0.beside.lock().unwrap_or_else(PoisonError::into_inner));
        beside.iter().for_each(JoinHandle::abort);
        self.0.runs.end_all().await;
    }

    /// A task as it is.
    ///
    /// # Errors
    /// [`TaskError::NotFound`], [`TaskError::Store`].
    pub async fn get(&self, caller: &Caller, asked: GetTask) -> Result<Task, TaskError> {
        let row = self.0.own_row(caller, &asked.id).await?;
        let (mut task, _) = self.0.folded(&row.id, u64::MAX, true).await?;
        task.limit_history(asked.history_length);
        Ok(task)
    }

    /// The caller's tasks, the one with the newest status first. Without `include_artifacts` none has results.
    ///
    /// # Errors
    /// [`TaskError::Failed`] for a page that there is not, [`TaskError::Store`].
    pub async fn list(&self, caller: &Caller, asked: ListTasks) -> Result<TaskPage, TaskError> {
        self.0.page(caller, asked).await
    }

    /// Ends a task: first that is written down, then the work is dropped, with all that it holds.
    ///
    /// # Errors
    /// [`TaskError::NotFound`], [`TaskError::Refused`] where it is over, [`TaskError::Store`].
    pub async fn cancel(&self, caller: &Caller, id: &str) -> Result<Task, TaskError> {
        let row = self.0.own_row(caller, id).await?;
        self.end(row).await
    }

    /// The events of a task behind the one with the number `after` (0: all from the first on, which is the task as it
    /// began), and then those that come. Ends behind a status on which nothing follows by itself; what the task waited for
    /// before this was called does not end it. A task that is over is only replayed.
    ///
    /// # Errors
    /// [`TaskError::NotFound`], [`TaskError::Store`].
    pub async fn subscribe(&self, caller: &Caller, id: &str, after: u64) -> Result<Events, TaskError> {
        let live = self.0.known.lives.of(id);
        let row = self.0.own_row(caller, id).await?;
        // A number that is not there yet would be waited for beyond the task's end.
        Ok(self.0.events(&row, live, after.min(row.last_seq), row.last_seq))
    }

    /// The task as it is, and the events from now on: what a stream begins with to which a client comes back without saying
    /// what it saw.
    ///
    /// # Errors
    /// [`TaskError::NotFound`], [`TaskError::Failed`] where the task is over, [`TaskError::Store`].
    pub async fn attach(&self, caller: &Caller, id: &str) -> Result<Sent, TaskError> {
        let live = self.0.known.lives.of(id);
        let row = self.0.own_row(caller, id).await?;
        machine::subscribe(state(&row))?;
        let (task, seq) = self.0.folded(id, u64::MAX, true).await?;
        // It may have come to its end since the row was read.
        let row = TaskRow { state: machine::word(task.status.state).to_owned(), ..row };
        let events = self.0.events(&row, live, seq, seq);
        Ok(Sent { task: Some(task), seq, events })
    }

    /// How tasks stand.
    #[must_use]
    pub fn status(&self) -> TaskStatusSummary {
        let counts = self.0.known.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        TaskStatusSummary {
            active_streams: self.0.streams.load(Relaxed),
            running: self.0.runs.taken(),
            last_task_at: Some(self.0.known.last_at.load(Relaxed)).filter(|at| *at > 0),
            counts: counts.into_iter().filter(|(_, count)| *count > 0).collect(),
        }
    }

    /// Forgets tasks that are older than the settings say, and the oldest ones beyond how many may be kept, a batch at a
    /// time. Says whether there may be more.
    ///
    /// # Errors
    /// When the store fails, which was logged.
    pub async fn sweep(&self) -> Result<bool, TaskStoreError> {
        let settings = (self.0.settings)();
        let age = i64::try_from(settings.retention.as_millis()).unwrap_or(i64::MAX);
        let before = self.0.clock.now().saturating_sub(age);
        let open = runs::open_states().to_vec();
        let old = self.0.store.sweep(before, open.clone()).await?;
        let many = self.0.store.make_room(settings.tasks, open).await?;
        if old + many > 0 {
            self.0.recount().await?;
            self.0.known.hooks.doubt_all_but(self.0.store.tasks_with_hooks().await?);
        }
        Ok(old + many > 0)
    }

    async fn end(&self, row: TaskRow) -> Result<Task, TaskError> {
        let id: Arc<str> = row.id.into();
        self.0.log.change(&id, Change::Cancel).await.map_err(|error| refused(&error, &id))?;
        self.0.runs.end(&id).await;
        Ok(self.0.folded(&id, u64::MAX, true).await?.0)
    }

    /// What was said in a context before a task, oldest first.
    async fn conversation(
        &self,
        caller: &Caller,
        context: String,
        task: &str,
    ) -> Result<Vec<Message>, TaskError> {
        self.0.conversation(&caller.id, context, task, CONVERSATION).await
    }
}

impl Inner {
    /// The row of a task that is the caller's. What is another's is not there for it.
    async fn own_row(&self, caller: &Caller, id: &str) -> Result<TaskRow, TaskError> {
        let row = self.store.task(id.to_owned()).await?;
        let own = row.filter(|row| *row.owner == *caller.id && !row.bare);
        own.ok_or_else(|| TaskError::NotFound(id.to_owned()))
    }

    fn events(&self, row: &TaskRow, live: Arc<live::Live>, after: u64, since: u64) -> Events {
        let is_over = state(row).is_terminal();
        let start = Start { task: row.id.as_str().into(), after, since, is_over };
        follow(start, live, Arc::clone(&self.store), &self.streams)
    }

    /// A task by its entries up to one, and the number of the last of them. Without `results` it has none.
    async fn folded(&self, id: &str, upto: u64, results: bool) -> Result<(Task, u64), TaskStoreError> {
        let (mut task, mut seen) = (None, 0);
        loop {
            let page = self.store.entries(id.to_owned(), seen, PAGE, results).await?;
            let is_last = page.len() < PAGE as usize;
            for entry in page {
                if entry.seq > upto {
                    return whole(task, seen);
                }
                seen = entry.seq;
                let read = Entry::decode(seq_of(&entry), &entry.payload).ok_or_else(unreadable)?;
                entry::apply(&mut task, read);
            }
            if is_last {
                return whole(task, seen);
            }
        }
    }

    /// Counts the tasks anew.
    async fn recount(&self) -> Result<(), TaskStoreError> {
        let counts = self.store.counts().await?.into_iter().collect();
        *self.known.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
        Ok(())
    }
}

const fn seq_of(entry: &super::ports::tasks::TaskEntry) -> u64 {
    entry.seq
}

fn whole(task: Option<Task>, seen: u64) -> Result<(Task, u64), TaskStoreError> {
    task.map(|task| (task, seen)).ok_or_else(unreadable)
}

fn unreadable() -> TaskStoreError {
    TaskStoreError("the entries of the task cannot be read".into())
}

/// The state of a row.
fn state(row: &TaskRow) -> TaskState {
    machine::state_of(&row.state).unwrap_or(TaskState::Unknown)
}

/// A change that a client asked for and that was not made.
fn refused(error: &ChangeError, task: &str) -> TaskError {
    match error {
        ChangeError::NotFound => TaskError::NotFound(task.to_owned()),
        ChangeError::Refused(refused) => TaskError::Refused(*refused),
        ChangeError::TooLarge => TaskError::Busy("The task has become too large: begin a new one"),
        // A repeat is known where it can come up.
        ChangeError::Repeat(_) | ChangeError::Store => TaskError::Store,
    }
}

impl From<TaskStoreError> for TaskError {
    fn from(_: TaskStoreError) -> Self {
        Self::Store
    }
}

/// An id for what has none.
fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A word of the agent's own about a task.
fn word_of_agent(text: &str, task: &str, context: &str) -> Message {
    let mut message = Message::new(new_id(), Role::Agent, vec![Part::text(text)]);
    message.task_id = Some(task.to_owned());
    message.context_id = Some(context.to_owned());
    message
}

/// The task of a bare answer, which stands nowhere.
fn bare_task(id: &str, request: &SendMessage) -> Task {
    let mut history = request.earlier.clone();
    history.push(request.message.clone());
    Task {
        id: id.to_owned(),
        context_id: request.message.context_id.clone(),
        status: TaskStatus { state: TaskState::Submitted, message: None, timestamp: None },
        artifacts: Vec::new(),
        history,
        metadata: None,
    }
}
