//! Messages of clients: a task is made or goes on, and the work begins.

use std::sync::Arc;

use a2a::{
    Code, Failure, Version,
    model::{self, Message, SendMessage, Task, TaskPush, TaskState, TaskStatus},
    v1,
};
use sha2::{Digest, Sha256};

use super::{
    Sent, TaskError, Tasks, bare_task,
    entry::Said,
    follow::{Start, follow},
    log::{Change, ChangeError, Opening},
    new_id, push, refused, runs, state,
    work::TaskExecutor,
};
use crate::{
    engine::caller::Caller,
    ops::{ports::tasks::TaskMessage, registry::Asked},
};

/// The part of all tasks that make room at a time.
const ROOM: u64 = 100;

/// Bytes of an id that a client gives.
const ID: usize = 256;

impl Tasks {
    /// Takes a message: makes a task, or goes on with the one that it names. Answered when that is committed; the work goes
    /// on whether somebody follows it or not. Sent again word for word and with the same id, a message gets the task of the
    /// first one, from that message on.
    ///
    /// # Errors
    /// [`TaskError`].
    pub async fn send(
        &self,
        asked: Asked,
        request: SendMessage,
        version: Version,
    ) -> Result<Sent, TaskError> {
        let tasks = self.clone();
        // To its end even if the client leaves: a task that is made is worked on.
        let taking = tokio::spawn(async move { tasks.take(asked, request, version).await });
        taking.await.unwrap_or(Err(TaskError::Store))
    }

    /// The same for a client that wants one answer: waits until nothing follows by itself, unless the request says that it
    /// does not want to.
    ///
    /// # Errors
    /// [`TaskError`].
    pub async fn send_and_wait(
        &self,
        asked: Asked,
        request: SendMessage,
        version: Version,
    ) -> Result<model::Sent, TaskError> {
        let caller = asked.caller.clone();
        let configuration = &request.configuration;
        let (at_once, history) = (configuration.return_immediately, configuration.history_length);
        let mut sent = self.send(asked, request, version).await?;
        let Some(mut task) = sent.task.take() else {
            let message = sent.message().await.ok_or(TaskError::Store)?;
            return Ok(model::Sent::Message(message));
        };
        if !at_once {
            use futures_util::StreamExt;
            while sent.events.next().await.is_some() {}
            let asked = model::GetTask { id: task.id, history_length: None };
            task = self.get(&caller, asked).await?;
        }
        task.limit_history(history);
        Ok(model::Sent::Task(task))
    }

    async fn take(&self, asked: Asked, request: SendMessage, version: Version) -> Result<Sent, TaskError> {
        let executor = self.0.executor.get().ok_or(TaskError::Busy("The hub is not ready yet"))?;
        if self.0.runs.is_closed() {
            return Err(TaskError::Busy("The hub is stopping: send the message again"));
        }
        let executor = Arc::clone(executor);
        if asked.caller.is_unlogged() {
            let words =
                "Tasks are written down, and nothing of this key may be (`no_log`): use /v1, or another key";
            return Err(TaskError::Failed(Failure::new(Code::UnsupportedOperation, words)));
        }
        check(&request.message)?;
        if let Some(config) = &request.configuration.push {
            self.0.may_push()?;
            push::check(config)?;
        }
        let asked = Asked::new(asked.caller, "a2a", asked.request_id);
        match request.message.task_id.clone() {
            Some(task) => self.continue_with(&*executor, &task, asked, request, version).await,
            None => self.open(&*executor, asked, request, version).await,
        }
    }

    async fn open(
        &self,
        executor: &dyn TaskExecutor,
        asked: Asked,
        mut request: SendMessage,
        version: Version,
    ) -> Result<Sent, TaskError> {
        let place = self.0.runs.place(&asked.caller.id, (self.0.settings)().running);
        let place = place.ok_or(TaskError::Busy(
            "Too many tasks are worked on, or too many of this key: try again later",
        ))?;
        if let Some(config) = &mut request.configuration.push {
            name(config, version, &request.message.id);
        }
        self.make_room().await?;
        let bare = runs::is_bare(executor, &request);
        let message = repeatable(executor, &request.message);
        let task = new_task(&mut request);
        let id: Arc<str> = task.id.as_str().into();
        let opening = Opening {
            task: task.clone(),
            owner: Arc::clone(&asked.caller.id),
            skill: request.skill().map(|skill| skill.chars().take(128).collect()),
            bare,
            said: Said::of(&request, None),
            message,
        };
        let live = self.0.known.lives.of(&id);
        let done = match self.0.log.change(&id, Change::Open(Box::new(opening))).await {
            Ok(done) => done,
            Err(ChangeError::Repeat(known)) => return self.repeat(&asked.caller, known).await,
            Err(error) => return Err(refused(&error, &id)),
        };
        let hooked = match request.configuration.push.clone().filter(|_| !bare) {
            Some(config) => {
                let push = TaskPush { task_id: task.id.clone(), config };
                self.0.put_hook(push, version, 0).await.map(drop)
            }
            None => Ok(()),
        };
        // Whatever became of the webhook: the message is taken, and is worked on.
        self.work_on(Arc::clone(&id), asked, request, Some(place));
        hooked?;
        let start = Start { task: Arc::clone(&id), after: done.seq, since: done.seq, is_over: false };
        let events = follow(start, live, Arc::clone(&self.0.store), &self.0.streams);
        let task = if bare { None } else { Some(self.0.folded(&id, done.seq, true).await?.0) };
        Ok(Sent { task, seq: done.seq, events })
    }

    async fn continue_with(
        &self,
        executor: &dyn TaskExecutor,
        task: &str,
        asked: Asked,
        mut request: SendMessage,
        version: Version,
    ) -> Result<Sent, TaskError> {
        let row = self.0.own_row(&asked.caller, task).await?;
        if request.message.context_id.as_ref().is_some_and(|context| *context != row.context) {
            let words = "The task belongs to another context: leave `contextId` out, or send the task's own";
            return Err(TaskError::Failed(Failure::new(Code::InvalidParams, words)));
        }
        if !self.0.runs.has_room(task) {
            return Err(TaskError::Busy("Too many messages wait for this task: try again later"));
        }
        if self.0.runs.is_left(task) {
            return Err(TaskError::Busy("The task is being taken up again after a restart: try again"));
        }
        if let Some(config) = &mut request.configuration.push {
            name(config, version, &request.message.id);
            self.0.has_room_for(task, config).await?;
        }
        let message = repeatable(executor, &request.message);
        request.message.context_id = Some(row.context.clone());
        let place = self.0.runs.place(&asked.caller.id, (self.0.settings)().running);
        let place = place.ok_or(TaskError::Busy(
            "Too many tasks are worked on, or too many of this key: try again later",
        ))?;
        let id: Arc<str> = task.into();
        let said = Box::new(Said::of(&request, Some(request.message.clone())));
        let live = self.0.known.lives.of(task);
        let done = match self.0.log.change(&id, Change::Said(said, message)).await {
            Ok(done) => done,
            Err(ChangeError::Repeat(known)) => return self.repeat(&asked.caller, known).await,
            Err(error) => return Err(refused(&error, task)),
        };
        let hooked = match request.configuration.push.clone() {
            Some(config) => {
                let push = TaskPush { task_id: row.id.clone(), config };
                self.0.put_hook(push, version, done.seq - 1).await.map(drop)
            }
            None => Ok(()),
        };
        // Whatever became of the webhook: the message is taken, and is worked on.
        self.work_on(Arc::clone(&id), asked, request, Some(place));
        hooked?;
        let start = Start { task: Arc::clone(&id), after: done.seq, since: done.seq, is_over: false };
        let events = follow(start, live, Arc::clone(&self.0.store), &self.0.streams);
        let task = self.0.folded(&id, done.seq, true).await?.0;
        Ok(Sent { task: Some(task), seq: done.seq, events })
    }

    /// What became of a message that was taken before.
    async fn repeat(&self, caller: &Caller, known: TaskMessage) -> Result<Sent, TaskError> {
        let live = self.0.known.lives.of(&known.task);
        let row = self.0.store.task(known.task.clone()).await?;
        let row = row.filter(|row| *row.owner == *caller.id).ok_or(TaskError::NotFound(known.task))?;
        let task = if row.bare { None } else { Some(self.0.folded(&row.id, known.seq, true).await?.0) };
        let is_over = state(&row).is_terminal();
        let start = Start { task: row.id.into(), after: known.seq, since: known.seq, is_over };
        let events = follow(start, live, Arc::clone(&self.0.store), &self.0.streams);
        Ok(Sent { task, seq: known.seq, events })
    }

    /// Makes room for one more task, where all places are taken.
    async fn make_room(&self) -> Result<(), TaskError> {
        let most = (self.0.settings)().tasks;
        let count = |tasks: &Self| tasks.status().counts.iter().map(|(_, count)| count).sum::<u64>();
        if count(self) < most {
            return Ok(());
        }
        // Some at a time: to look for them costs more than to forget them.
        let left = most.saturating_sub(most / ROOM + 1);
        self.0.store.make_room(left, runs::open_states().to_vec()).await?;
        self.0.recount().await?;
        if count(self) < most {
            return Ok(());
        }
        Err(TaskError::Busy("As many tasks are worked on as may be kept: try again later"))
    }
}

/// Names a webhook that comes with a message and has no id: by the message, so that it is the same when that is sent again.
fn name(config: &mut model::PushConfig, version: Version, message: &str) {
    if config.id.as_ref().is_none_or(String::is_empty) {
        config.id = Some(push::unnamed(version, message));
    }
}

/// What a client's words must be, beyond what the codec checks.
fn check(message: &Message) -> Result<(), TaskError> {
    let ids = [Some(&message.id), message.context_id.as_ref(), message.task_id.as_ref()];
    if !message.id.is_empty() && ids.into_iter().flatten().all(|id| id.len() <= ID && !id.contains('\0')) {
        return Ok(());
    }
    let words = format!("`messageId`, `contextId` and `taskId` have 1 to {ID} bytes");
    Err(TaskError::Failed(Failure::new(Code::InvalidParams, words)))
}

/// The id and the hash of a message by which a repeat is known.
fn repeatable(executor: &dyn TaskExecutor, message: &Message) -> Option<(String, Vec<u8>)> {
    let hash = || Sha256::digest(v1::message(message).to_string()).to_vec();
    executor.knows_repeats().then(|| (message.id.clone(), hash()))
}

/// The task that a message begins. The message, and what was said before, now belong to it.
fn new_task(request: &mut SendMessage) -> Task {
    let id = new_id();
    let context = request.message.context_id.take().filter(|context| !context.is_empty());
    let context = context.unwrap_or_else(new_id);
    for message in request.earlier.iter_mut().chain([&mut request.message]) {
        message.task_id = Some(id.clone());
        message.context_id = Some(context.clone());
    }
    let status = TaskStatus { state: TaskState::Submitted, message: None, timestamp: None };
    Task { status, ..bare_task(&id, request) }
}
