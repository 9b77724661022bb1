//! What tasks need of a store: rows, and for each task the log of what happened to it, which only grows. The words of the
//! log are the protocol's; the store sees bytes.

use futures_core::future::BoxFuture;

/// A task, without what was said in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// Made by the hub.
    pub id: String,
    /// The caller who sent its first message; it is nobody else's.
    pub owner: String,
    /// Its conversation.
    pub context: String,
    /// Its state as a word of the protocol.
    pub state: String,
    /// The skill that was asked for by name.
    pub skill: Option<String>,
    /// Whether one message is the answer, so that there is no task for anybody to look at.
    pub bare: bool,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at: i64,
    /// When it got its status, likewise.
    pub status_at: i64,
    /// The number of its last entry; 0: it has none.
    pub last_seq: u64,
    /// Bytes of its entries before they were sealed.
    pub bytes: u64,
    /// Whether a piece of a result was written down.
    pub delivered: bool,
}

/// What an entry is about. What is in it is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// The task as it began.
    Task,
    /// The whole answer.
    Message,
    /// A status.
    Status,
    /// A result, or a piece of one.
    Artifact,
}

impl EntryKind {
    /// The kind as a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Message => "message",
            Self::Status => "status",
            Self::Artifact => "artifact",
        }
    }
}

/// An entry of a task's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskEntry {
    /// From 1, without gaps.
    pub seq: u64,
    /// When it was written, in milliseconds since the Unix epoch.
    pub at: i64,
    /// What it is about.
    pub kind: EntryKind,
    /// What happened, as JSON.
    pub payload: Vec<u8>,
}

/// A caller's message, and the entry that it became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskMessage {
    /// The id that the caller gave it.
    pub id: String,
    /// A hash of the whole message: another one of the same id is no repeat.
    pub digest: Vec<u8>,
    /// The task that took it.
    pub task: String,
    /// The entry; 0 where the task has none for it.
    pub seq: u64,
}

/// One change of a task.
#[derive(Debug, Clone)]
pub struct TaskWrite {
    /// The task as it is afterwards.
    pub row: TaskRow,
    /// Whether it is made by this.
    pub is_new: bool,
    /// The message that this takes, if it is to be known again.
    pub message: Option<TaskMessage>,
    /// What is added to the log.
    pub entry: Option<TaskEntry>,
}

/// Which tasks to find: the one with the newest status first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskQuery {
    /// Of this caller.
    pub owner: Option<String>,
    /// Of this conversation.
    pub context: Option<String>,
    /// In this state.
    pub state: Option<String>,
    /// For which this skill was asked by name.
    pub skill: Option<String>,
    /// With a status of this time or later.
    pub since: Option<i64>,
    /// Behind the task with this time and id.
    pub after: Option<(i64, String)>,
    /// At most so many.
    pub limit: u32,
}

/// Tasks that were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundTasks {
    /// As many as were asked for.
    pub rows: Vec<TaskRow>,
    /// How many there are without regard to `after` and `limit`.
    pub total: u64,
}

/// How tasks stand by what is written down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TasksStanding {
    /// How many tasks that anybody can look at are in each state that has any, by the state.
    pub counts: Vec<(String, u64)>,
    /// When one of them last got a status, in milliseconds since the Unix epoch.
    pub last_at: Option<i64>,
    /// Webhooks that were not told of every entry yet.
    pub waiting: u64,
    /// Dead letters that are kept.
    pub dead: u64,
}

/// A webhook of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskHook {
    /// The task.
    pub task: String,
    /// Unique within its task.
    pub id: String,
    /// The version of the protocol that it is told in.
    pub version: String,
    /// Address and credentials, as JSON.
    pub payload: Vec<u8>,
    /// The last entry that it was told of, or that was given up.
    pub told_seq: u64,
}

/// Something that a webhook was not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Given by the store, rising.
    pub number: i64,
    /// When it was given up, in milliseconds since the Unix epoch.
    pub at: i64,
    /// Whose task it is.
    pub owner: String,
    /// The task.
    pub task: String,
    /// The webhook.
    pub hook: String,
    /// The entry.
    pub seq: u64,
    /// The host of the webhook.
    pub host: String,
    /// How often it was tried.
    pub tries: u32,
    /// What was wrong the last time.
    pub why: String,
}

type Done<'a, T> = BoxFuture<'a, Result<T, TaskStoreError>>;

/// Tasks that are written down.
pub trait TaskStore: Send + Sync {
    /// Makes these changes in their order, all or none; answered when they are committed.
    fn write(&self, writes: Vec<TaskWrite>) -> Done<'_, ()>;
    /// A task.
    fn task(&self, id: String) -> Done<'_, Option<TaskRow>>;
    /// A caller's message that a task has taken.
    fn message(&self, owner: String, id: String) -> Done<'_, Option<TaskMessage>>;
    /// Entries of a task behind a number, oldest first; with `results` off without pieces of results.
    fn entries(&self, task: String, after: u64, limit: u32, results: bool) -> Done<'_, Vec<TaskEntry>>;
    /// Tasks that anybody can look at.
    fn find(&self, query: TaskQuery) -> Done<'_, FoundTasks>;
    /// Tasks in these states, oldest first, those with a bare answer too.
    fn in_states(&self, states: Vec<&'static str>, limit: u32) -> Done<'_, Vec<TaskRow>>;
    /// How many tasks there are that anybody can look at, by state.
    fn counts(&self) -> Done<'_, Vec<(String, u64)>>;
    /// How tasks stand: those of a caller, or all.
    fn standing(&self, owner: Option<String>) -> Done<'_, TasksStanding>;
    /// Forgets a task with all that belongs to it.
    fn remove(&self, id: String) -> Done<'_, ()>;
    /// Forgets some of the tasks whose status is older than `before`, except those in these states. Answers how many.
    fn sweep(&self, before: i64, except: Vec<&'static str>) -> Done<'_, u64>;
    /// Forgets the oldest tasks, except those in these states, until there are at most so many. Answers how many went.
    fn make_room(&self, most: u64, except: Vec<&'static str>) -> Done<'_, u64>;

    /// Writes a webhook down, in place of one with its id; `false` where the task has `most` others already.
    fn put_hook(&self, hook: TaskHook, most: u32) -> Done<'_, bool>;
    /// The webhooks of a task, by id.
    fn hooks(&self, task: String) -> Done<'_, Vec<TaskHook>>;
    /// Forgets a webhook; says whether there was one.
    fn remove_hook(&self, task: String, id: String) -> Done<'_, bool>;
    /// Notes how far a webhook was told.
    fn hook_told(&self, task: String, id: String, seq: u64) -> Done<'_, ()>;
    /// The tasks that have webhooks, each once.
    fn tasks_with_hooks(&self) -> Done<'_, Vec<String>>;
    /// Keeps a dead letter; beyond `most` the oldest go.
    fn bury(&self, letter: DeadLetter, most: u32) -> Done<'_, ()>;
    /// Dead letters, newest first, behind a number.
    fn dead_letters(
        &self,
        owner: Option<String>,
        after: Option<i64>,
        limit: u32,
    ) -> Done<'_, Vec<DeadLetter>>;
}

/// The store failed. Was logged.
#[derive(Debug, thiserror::Error)]
#[error("the tasks could not be read or written")]
pub struct TaskStoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
