//! What a stream carries, and a webhook of 1.0.

use super::{Artifact, Message, Metadata, Task, TaskStatus};

/// One event of a stream. A stream is one message, or a task and then updates of it.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamEvent {
    /// The task as it is now.
    Task(Task),
    /// The whole answer, without a task.
    Message(Message),
    /// The task has a new status.
    Status(StatusUpdate),
    /// A result, or a piece of one.
    Artifact(ArtifactUpdate),
}

/// A task has a new status. 0.3 adds `final`, which follows from the state (`TaskState::is_settled`).
#[derive(Debug, Clone, PartialEq)]
pub struct StatusUpdate {
    /// The task.
    pub task_id: String,
    /// Its conversation.
    pub context_id: String,
    /// The new status.
    pub status: TaskStatus,
    /// Anything more.
    pub metadata: Metadata,
}

/// A result, or a piece of one.
#[derive(Debug, Clone, PartialEq)]
pub struct ArtifactUpdate {
    /// The task.
    pub task_id: String,
    /// Its conversation.
    pub context_id: String,
    /// The result; its parts are this piece alone.
    pub artifact: Artifact,
    /// The parts go behind those of the artifact with this id, instead of in their place.
    pub append: bool,
    /// The artifact is complete.
    pub last_chunk: bool,
    /// Anything more.
    pub metadata: Metadata,
}
