//! What happens to tasks goes through here, one after the other: whether it can happen, its number, the commit, and then
//! those who follow. A commit takes everything that has gathered, and at most one begins in 20 ms.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use a2a::{
    machine::{self, Event, Refused},
    model::{ArtifactUpdate, Message, StatusUpdate, StreamEvent, Task, TaskState, TaskStatus},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, sleep_until},
};

use super::{
    entry::{Entry, Said},
    live::{Committed, Lives},
    work::stamp,
};
use crate::{
    engine::ports::Clock,
    observe::events,
    ops::ports::tasks::{EntryKind, TaskEntry, TaskMessage, TaskRow, TaskStore, TaskStoreError, TaskWrite},
};

/// Changes that wait; who has a further one waits with it.
const WAITING: usize = 1024;
/// Changes in one transaction.
const BATCH: usize = 256;
/// Between the beginnings of two commits.
const PACE: Duration = Duration::from_millis(20);
/// Tries of a transaction, and the pause after the first; it doubles.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(50);

/// The most that one event, and one task with all of its events, may take, in bytes; and events that a task may have.
const EVENT_BYTES: usize = 8 * 1024 * 1024;
const TASK_BYTES: u64 = 64 * 1024 * 1024;
const EVENTS: u64 = 50_000;

/// What is to happen to a task.
pub(super) enum Change {
    /// It is made.
    Open(Box<Opening>),
    /// Its client says something.
    Said(Box<Said>, Option<(String, Vec<u8>)>),
    /// Its agent reports a status.
    Status(StatusUpdate),
    /// Its agent has a piece of a result.
    Artifact(ArtifactUpdate),
    /// Its agent gives the whole answer.
    Message(Message),
    /// Its client ends it.
    Cancel,
    /// Nobody works on it any more: where it is open, that is a failure, for this reason.
    Finish(&'static str),
    /// It is worked on again, for what its client had said meanwhile.
    Resume,
}

/// How a task begins.
pub(super) struct Opening {
    pub(super) task: Task,
    pub(super) owner: Arc<str>,
    pub(super) skill: Option<String>,
    pub(super) bare: bool,
    pub(super) said: Said,
    /// The id and the hash of the message, where a repeat is to be known.
    pub(super) message: Option<(String, Vec<u8>)>,
}

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Done {
    /// The number of the event; where nothing was to be done, of the last one.
    pub(super) seq: u64,
    /// The state of the task now.
    pub(super) state: TaskState,
}

/// Why it has not.
#[derive(Debug)]
pub(super) enum ChangeError {
    /// There is no such task.
    NotFound,
    /// It cannot happen now.
    Refused(Refused),
    /// The message was taken before.
    Repeat(TaskMessage),
    /// It is larger than what is kept.
    TooLarge,
    /// It could not be written.
    Store,
}

struct Command {
    task: Arc<str>,
    change: Change,
    done: oneshot::Sender<Result<Done, ChangeError>>,
}

/// The way in.
#[derive(Clone)]
pub(super) struct Log(mpsc::Sender<Command>);

impl Log {
    /// Begins to write.
    pub(super) fn start(store: Arc<dyn TaskStore>, clock: Arc<dyn Clock>, known: Arc<Known>) -> Self {
        let (queue, commands) = mpsc::channel(WAITING);
        let writer = Writer { store, clock, known, heads: HashMap::new() };
        tokio::spawn(writer.run(commands));
        Self(queue)
    }

    /// Has something happen to a task; answered when it is committed. What was begun happens even if this is dropped.
    pub(super) async fn change(&self, task: &Arc<str>, change: Change) -> Result<Done, ChangeError> {
        let (done, answer) = oneshot::channel();
        let command = Command { task: Arc::clone(task), change, done };
        self.0.send(command).await.map_err(|_| ChangeError::Store)?;
        answer.await.unwrap_or(Err(ChangeError::Store))
    }
}

/// What is known of all tasks, beside the store.
#[derive(Default)]
pub(super) struct Known {
    pub(super) lives: Lives,
    /// Tasks by state, those with a bare answer apart.
    pub(super) counts: Mutex<BTreeMap<String, u64>>,
    /// When something last happened to one, in milliseconds since the Unix epoch; 0: not since the start.
    pub(super) last_at: AtomicI64,
    /// Tasks with webhooks, and those of them of which something is to be told.
    pub(super) hooks: super::push::Due,
}

impl Known {
    fn count(&self, before: Option<&str>, after: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if before == Some(after) {
            return;
        }
        if let Some(count) = before.and_then(|before| counts.get_mut(before)) {
            *count = count.saturating_sub(1);
        }
        *counts.entry(after.to_owned()).or_default() += 1;
    }
}

/// A task as it will be when what was accepted is committed.
#[derive(Clone)]
struct Head {
    row: TaskRow,
    state: TaskState,
}

/// What was accepted and is not committed yet.
#[derive(Default)]
struct Batch {
    writes: Vec<TaskWrite>,
    committed: Vec<Accepted>,
    messages: HashSet<(String, String)>,
}

struct Accepted {
    task: Arc<str>,
    event: Option<Arc<Committed>>,
    /// The state before, of a task that is counted; `None`: it was made.
    before: Option<String>,
    done: Done,
    answer: oneshot::Sender<Result<Done, ChangeError>>,
}

struct Writer {
    store: Arc<dyn TaskStore>,
    clock: Arc<dyn Clock>,
    known: Arc<Known>,
    /// The tasks that are worked on. Nobody else changes them in the store.
    heads: HashMap<Arc<str>, Head>,
}

impl Writer {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut next = Instant::now();
        let mut gathered = Vec::with_capacity(BATCH);
        while let Some(first) = commands.recv().await {
            sleep_until(next).await;
            next = Instant::now() + PACE;
            gathered.push(first);
            while gathered.len() < BATCH {
                let Ok(further) = commands.try_recv() else { break };
                gathered.push(further);
            }
            let mut batch = Batch::default();
            for command in gathered.drain(..) {
                self.accept(command, &mut batch).await;
            }
            self.commit(batch).await;
        }
    }

    /// Takes a change into the batch, or answers why not.
    async fn accept(&mut self, command: Command, batch: &mut Batch) {
        let Command { task, change, done } = command;
        match self.prepare(&task, change, batch).await {
            Ok((write, committed, before, now)) => {
                if let Some(write) = write {
                    batch.writes.push(write);
                }
                let accepted = Accepted { task, event: committed, before, done: now, answer: done };
                batch.committed.push(accepted);
            }
            Err(error) => drop(done.send(Err(error))),
        }
    }

    async fn prepare(
        &mut self,
        task: &Arc<str>,
        change: Change,
        batch: &mut Batch,
    ) -> Result<Prepared, ChangeError> {
        let now = self.clock.now();
        if let Change::Open(opening) = change {
            return self.open(task, *opening, now, batch).await;
        }
        let head = self.head(task).await?;
        let (change, message) = match change {
            Change::Said(said, message) => (Change::Said(said, None), message),
            change => (change, None),
        };
        let message = self.new_message(&head.row.owner, message, task, head.row.last_seq + 1, batch).await?;
        // Once more: others may have been written meanwhile.
        let Head { mut row, state } = self.head(task).await?;
        let (before, seq) = (Some(row.state.clone()), row.last_seq + 1);
        let message = message.map(|message| TaskMessage { seq, ..message });
        let Some((next, entry)) = step(&row, state, change, now).map_err(ChangeError::Refused)? else {
            return Ok((None, None, before, Done { seq: row.last_seq, state }));
        };
        let from_agent = entry.said.is_none();
        let payload = entry.encode(seq);
        let bytes = payload.len();
        let is_last = next.is_terminal();
        // The last status always has a place: a task that is too large must be able to end.
        let too_large = bytes > EVENT_BYTES && from_agent
            || !is_last && (row.bytes + bytes as u64 > TASK_BYTES || seq > EVENTS);
        if too_large {
            return Err(ChangeError::TooLarge);
        }
        let kind = entry.kind();
        if kind == EntryKind::Status || kind == EntryKind::Message {
            row.status_at = now;
        }
        row.delivered |= kind == EntryKind::Artifact;
        (row.last_seq, row.bytes) = (seq, row.bytes + bytes as u64);
        machine::word(next).clone_into(&mut row.state);
        self.heads.insert(Arc::clone(task), Head { row: row.clone(), state: next });
        let event = Arc::new(Committed { seq, event: entry.event, bytes });
        let entry = Some(TaskEntry { seq, at: now, kind, payload });
        let write = TaskWrite { row, is_new: false, message, entry };
        Ok((Some(write), Some(event), before, Done { seq, state: next }))
    }

    async fn open(
        &mut self,
        id: &Arc<str>,
        opening: Opening,
        now: i64,
        batch: &mut Batch,
    ) -> Result<Prepared, ChangeError> {
        let Opening { mut task, owner, skill, bare, said, message } = opening;
        let seq = u64::from(!bare);
        let message = self.new_message(&owner, message, id, seq, batch).await?;
        let state = TaskState::Submitted;
        task.status = TaskStatus { state, message: None, timestamp: stamp(now) };
        let mut row = TaskRow {
            id: id.to_string(),
            owner: owner.to_string(),
            context: task.context_id.clone().unwrap_or_default(),
            state: machine::word(state).to_owned(),
            skill,
            bare,
            created_at: now,
            status_at: now,
            last_seq: seq,
            bytes: 0,
            delivered: false,
        };
        let entry = Entry { event: StreamEvent::Task(task), said: Some(said) };
        let (entry, event) = if bare {
            (None, None)
        } else {
            let payload = entry.encode(seq);
            let bytes = payload.len();
            row.bytes = bytes as u64;
            let entry_row = TaskEntry { seq, at: now, kind: EntryKind::Task, payload };
            (Some(entry_row), Some(Arc::new(Committed { seq, event: entry.event, bytes })))
        };
        self.heads.insert(Arc::clone(id), Head { row: row.clone(), state });
        let write = TaskWrite { row, is_new: true, message, entry };
        Ok((Some(write), event, None, Done { seq, state }))
    }

    /// The message as it is kept, if it is a new one. Nobody but this writes messages, so that nothing comes in between.
    async fn new_message(
        &mut self,
        owner: &str,
        message: Option<(String, Vec<u8>)>,
        task: &str,
        seq: u64,
        batch: &mut Batch,
    ) -> Result<Option<TaskMessage>, ChangeError> {
        let Some((id, digest)) = message else { return Ok(None) };
        let place = (owner.to_owned(), id.clone());
        if batch.messages.contains(&place) {
            // What is to be found out stands in this batch.
            let earlier = std::mem::take(batch);
            self.commit(earlier).await;
        }
        match self.store.message(owner.to_owned(), id.clone()).await {
            Ok(Some(known)) if known.digest == digest => Err(ChangeError::Repeat(known)),
            // Another message of the same id. The first one keeps it.
            Ok(Some(_)) => Ok(None),
            Ok(None) => {
                batch.messages.insert(place);
                Ok(Some(TaskMessage { id, digest, task: task.to_owned(), seq }))
            }
            Err(_) => Err(ChangeError::Store),
        }
    }

    /// A task as it will be.
    async fn head(&mut self, task: &Arc<str>) -> Result<Head, ChangeError> {
        if let Some(head) = self.heads.get(task) {
            return Ok(head.clone());
        }
        let row = self.store.task(task.to_string()).await.map_err(|_| ChangeError::Store)?;
        let row = row.ok_or(ChangeError::NotFound)?;
        let state = machine::state_of(&row.state).unwrap_or(TaskState::Unknown);
        Ok(Head { row, state })
    }

    /// Writes a batch and tells everybody.
    async fn commit(&mut self, batch: Batch) {
        let Batch { writes, committed, .. } = batch;
        let is_written = writes.is_empty() || self.write(writes).await.is_ok();
        for accepted in committed {
            let Accepted { task, event, before, done, answer } = accepted;
            if !is_written {
                // What was thought of it did not come true: it is read anew.
                self.heads.remove(&task);
                drop(answer.send(Err(ChangeError::Store)));
                continue;
            }
            if let Some(event) = event {
                self.known.lives.publish(&task, event);
                self.known.hooks.happened(&task);
            }
            if self.heads.get(&task).is_some_and(|head| !head.row.bare) {
                self.known.count(before.as_deref(), machine::word(done.state));
            }
            self.known.last_at.store(self.clock.now(), Relaxed);
            drop(answer.send(Ok(done)));
        }
        // What waits for nobody here is read again when something happens to it.
        self.heads.retain(|_, head| !head.state.is_settled());
    }

    async fn write(&self, writes: Vec<TaskWrite>) -> Result<(), TaskStoreError> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.store.write(writes.clone()).await {
                Ok(()) => return Ok(()),
                Err(error) => events::tasks_not_written(&error),
            }
            sleep(pause).await;
            pause *= 2;
        }
        self.store.write(writes).await.inspect_err(|error| events::tasks_not_written(error))
    }
}

type Prepared = (Option<TaskWrite>, Option<Arc<Committed>>, Option<String>, Done);

/// What a change comes to: the entry and the state behind it, or nothing.
type Step = Option<(TaskState, Entry)>;

fn step(row: &TaskRow, state: TaskState, change: Change, now: i64) -> Result<Step, Refused> {
    let status = |next, message| {
        StreamEvent::Status(StatusUpdate {
            task_id: row.id.clone(),
            context_id: row.context.clone(),
            status: TaskStatus { state: next, message, timestamp: stamp(now) },
            metadata: None,
        })
    };
    let told = |next, event| Some((next, Entry { event, said: None }));
    if row.bare {
        return bare(state, change);
    }
    Ok(match change {
        Change::Open(_) => None,
        Change::Said(said, _) => {
            let next = machine::step(state, Event::Message)?;
            Some((next, Entry { event: status(next, None), said: Some(*said) }))
        }
        Change::Status(mut update) => {
            let next = machine::step(state, Event::Status(update.status.state))?;
            update.status.timestamp = stamp(now);
            told(next, StreamEvent::Status(update))
        }
        Change::Artifact(update) => {
            told(machine::step(state, Event::Artifact)?, StreamEvent::Artifact(update))
        }
        // A task was promised.
        Change::Message(_) => return Err(Refused { state, event: Event::Artifact }),
        Change::Cancel => {
            let next = machine::step(state, Event::Cancel)?;
            told(next, status(next, None))
        }
        Change::Finish(_) if state.is_settled() => None,
        Change::Finish(why) => {
            let why = super::word_of_agent(why, &row.id, &row.context);
            told(TaskState::Failed, status(TaskState::Failed, Some(why)))
        }
        Change::Resume if !state.is_interrupted() => None,
        Change::Resume => {
            let next = machine::step(state, Event::Message)?;
            told(next, status(next, None))
        }
    })
}

/// The same where one message is the answer.
fn bare(state: TaskState, change: Change) -> Result<Step, Refused> {
    let refused = |event| Refused { state, event };
    let over = state.is_terminal();
    let told = |next, message| {
        let entry = Entry { event: StreamEvent::Message(message), said: None };
        Ok(Some((next, entry)))
    };
    match change {
        Change::Message(message) if !over => told(TaskState::Completed, message),
        Change::Finish(why) if !over => {
            let mut message = super::word_of_agent(why, "", "");
            (message.task_id, message.context_id) = (None, None);
            told(TaskState::Failed, message)
        }
        Change::Open(_) | Change::Finish(_) | Change::Resume => Ok(None),
        Change::Status(update) => Err(refused(Event::Status(update.status.state))),
        Change::Artifact(_) | Change::Message(_) => Err(refused(Event::Artifact)),
        Change::Cancel => Err(refused(Event::Cancel)),
        Change::Said(..) => Err(refused(Event::Message)),
    }
}
