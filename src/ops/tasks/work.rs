//! What a skill is given to work on, and how it tells what comes out. Who runs it, and when, is said in `runs`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use a2a::{
    Timestamp,
    model::{
        Artifact, ArtifactUpdate, Message, Metadata, Role, SendMessage, StatusUpdate, Task, TaskState,
        TaskStatus,
    },
};
use futures_core::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::{
    Tasks,
    error::SinkError,
    log::{Change, ChangeError, Log},
};
use crate::ops::registry::Asked;

/// Somebody who works on tasks.
pub trait TaskExecutor: Send + Sync {
    /// Works on a message until there is nothing more to tell. It is dropped in the middle when the task is cancelled.
    /// What ends without a last status has failed.
    fn run(&self, work: Work) -> BoxFuture<'static, ()>;

    /// Whether one message will be the whole answer, without a task that could be looked at. The sink then takes that
    /// message and nothing else.
    fn answers_bare(&self, _request: &SendMessage) -> bool {
        false
    }

    /// Whether a message that is sent again, word for word and with the same id, is a repeat, which gets the task of the
    /// first one.
    fn knows_repeats(&self) -> bool {
        true
    }

    /// Whether work of this skill that was broken off may be begun again from the start: not what changes something.
    fn may_begin_again(&self, _skill: Option<&str>) -> bool {
        true
    }
}

/// A message to work on.
pub struct Work {
    /// Who asked, on whose behalf everything is done. The surface is `a2a`.
    pub asked: Asked,
    /// The task as it is: the message is the last of its history. Of a bare answer, a task that nobody else sees.
    pub task: Task,
    /// The message, how to answer, and what else was said of it.
    pub request: SendMessage,
    /// Takes what comes out.
    pub sink: Sink,
    /// Ends when nobody wants the work any more. What runs within the executor's future is dropped then anyway.
    pub cancelled: CancellationToken,
    pub(super) left: Arc<AtomicBool>,
    pub(super) tasks: Tasks,
}

impl Work {
    /// Leaves the work to the next process, because this one is stopping: nothing more is told of it now.
    pub fn leave(&self) {
        self.left.store(true, Relaxed);
    }

    /// What was said in the conversation before this task, oldest first: by the client, and as results and status
    /// messages by the agent. Of the last few tasks of the same caller in the same context.
    ///
    /// # Errors
    /// [`SinkError::Store`].
    pub async fn conversation(&self) -> Result<Vec<Message>, SinkError> {
        let Some(context) = self.task.context_id.clone() else { return Ok(Vec::new()) };
        let said = self.tasks.conversation(&self.asked.caller, context, &self.task.id).await;
        said.map_err(|_| SinkError::Store)
    }
}

/// Takes what comes out of a task. Every call returns when the event is committed, and with its number; streams and
/// webhooks learn of it then.
#[derive(Clone)]
pub struct Sink {
    task: Arc<str>,
    context: Arc<str>,
    log: Log,
    over: CancellationToken,
}

impl Sink {
    pub(super) const fn new(task: Arc<str>, context: Arc<str>, log: Log, over: CancellationToken) -> Self {
        Self { task, context, log, over }
    }

    /// A new status, with a word to it. Metadata is added to that of the task. The message's ids are set here where they
    /// are missing.
    ///
    /// # Errors
    /// [`SinkError`].
    pub async fn status(
        &self,
        state: TaskState,
        message: Option<Message>,
        metadata: Metadata,
    ) -> Result<u64, SinkError> {
        let message = message.map(|message| self.own(message));
        self.add(Change::Status(StatusUpdate {
            task_id: self.task.to_string(),
            context_id: self.context.to_string(),
            status: TaskStatus { state, message, timestamp: None },
            metadata,
        }))
        .await
    }

    /// A result, or a piece of one. With `append` the parts go behind those of the artifact with this id, else in their
    /// place. `last`: the artifact is complete. The status says nothing of it: the task goes on until there is a last
    /// status.
    ///
    /// # Errors
    /// [`SinkError`].
    pub async fn artifact(
        &self,
        artifact: Artifact,
        append: bool,
        last: bool,
        metadata: Metadata,
    ) -> Result<u64, SinkError> {
        self.add(Change::Artifact(ArtifactUpdate {
            task_id: self.task.to_string(),
            context_id: self.context.to_string(),
            artifact,
            append,
            last_chunk: last,
            metadata,
        }))
        .await
    }

    /// The whole answer, where it was promised ([`TaskExecutor::answers_bare`]).
    ///
    /// # Errors
    /// [`SinkError`]; [`SinkError::Refused`] where there is a task.
    pub async fn message(&self, message: Message) -> Result<u64, SinkError> {
        let mut message = self.own(message);
        message.task_id = None;
        self.add(Change::Message(message)).await
    }

    async fn add(&self, change: Change) -> Result<u64, SinkError> {
        if self.over.is_cancelled() {
            return Err(SinkError::Over);
        }
        match self.log.change(&self.task, change).await {
            Ok(done) => Ok(done.seq),
            Err(ChangeError::Refused(refused)) if refused.state.is_terminal() => Err(SinkError::Over),
            Err(ChangeError::Refused(refused)) => Err(SinkError::Refused(refused)),
            Err(ChangeError::TooLarge) => Err(SinkError::TooLarge),
            Err(ChangeError::NotFound | ChangeError::Repeat(_)) => Err(SinkError::Over),
            Err(ChangeError::Store) => Err(SinkError::Store),
        }
    }

    /// A message of this task by the agent.
    fn own(&self, mut message: Message) -> Message {
        if message.id.is_empty() {
            message.id = super::new_id();
        }
        message.role = Role::Agent;
        message.task_id = Some(self.task.to_string());
        message.context_id = Some(self.context.to_string());
        message
    }
}

/// The time of a status.
pub(super) fn stamp(at: i64) -> Option<Timestamp> {
    Some(Timestamp::from_millis(at))
}
