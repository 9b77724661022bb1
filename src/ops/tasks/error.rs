//! Why something was not done with a task, and how the protocol says so.

use a2a::{Code, Failure, Version, machine::Refused};

/// Something that was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The caller has no such task. Others' tasks are not there for it.
    #[error("Task not found: there is no task `{0}`")]
    NotFound(String),
    /// The caller's task has no such webhook.
    #[error("the task has no webhook `{0}`")]
    NoHook(String),
    /// It cannot happen to the task now.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The request itself; in the protocol's words.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// There is no room for more; what of.
    #[error("{0}")]
    Busy(&'static str),
    /// Nobody may have webhooks told.
    #[error("webhooks are switched off here")]
    PushOff,
    /// The store failed, which was logged, or the hub stops.
    #[error("the hub could not write the task down; try again")]
    Store,
}

impl TaskError {
    /// The error as a client of a version is told.
    #[must_use]
    pub fn failure(self, version: Version) -> Failure {
        let words = self.to_string();
        match self {
            Self::NotFound(id) => Failure::new(Code::TaskNotFound, words).about("taskId", id),
            // The protocol has no error of its own for that.
            Self::NoHook(id) => Failure::new(Code::TaskNotFound, words).about("pushNotificationConfigId", id),
            Self::Refused(refused) => refused.failure(version),
            Self::Failed(failure) => failure,
            Self::Busy(_) | Self::Store => Failure::new(Code::Internal, words),
            Self::PushOff => Failure::new(Code::PushNotificationNotSupported, words),
        }
    }
}

/// Why an event of a skill was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// The task is over, or nobody wants this work any more: end it.
    #[error("nobody waits for this any more")]
    Over,
    /// It cannot happen to the task now.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The event, or the task with it, is larger than what is kept.
    #[error("the result is larger than what is kept of a task")]
    TooLarge,
    /// It could not be written down. Was logged.
    #[error("the event could not be written down")]
    Store,
}
