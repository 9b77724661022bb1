//! What can be asked of an agent.

use std::ops::RangeInclusive;

use super::{Message, Metadata, PushConfig, TaskPush, TaskState};
use crate::operation::Operation;
use crate::shape::Timestamp;

/// How many tasks a page of a list may be asked to have.
pub const PAGE_SIZES: RangeInclusive<u32> = 1..=100;
/// How many tasks a page has at most if nobody says a number.
pub const PAGE_SIZE: u32 = 50;

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Which of several agents behind one address. 1.0 alone.
    pub tenant: Option<String>,
    /// What is asked.
    pub params: Params,
}

/// What is asked, with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub enum Params {
    /// Take a message, answer with a task or a message.
    Send(SendMessage),
    /// Take a message, answer with a stream.
    Stream(SendMessage),
    /// A task as it is.
    Get(GetTask),
    /// Tasks, newest first. 1.0 alone.
    List(ListTasks),
    /// End a task.
    Cancel(CancelTask),
    /// The events of a task from now on.
    Subscribe(Subscribe),
    /// Tell this address about a task.
    CreatePush(TaskPush),
    /// One webhook of a task.
    GetPush(GetPush),
    /// The webhooks of a task.
    ListPushes(ListPushes),
    /// Tell that address no longer.
    DeletePush(DeletePush),
    /// The card for those who are known.
    ExtendedCard,
}

/// A message for the agent.
#[derive(Debug, Clone, PartialEq)]
pub struct SendMessage {
    /// The message.
    pub message: Message,
    /// How to answer.
    pub configuration: SendConfiguration,
    /// Anything more about the request.
    pub metadata: Metadata,
    /// What was said before `message`, oldest first. Only the body of OmniRoute's clients has it; neither version can say
    /// it.
    pub earlier: Vec<Message>,
}

/// How to answer a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SendConfiguration {
    /// Media types that the client can read; empty means that it did not say.
    pub accepted_output_modes: Vec<String>,
    /// Tell this address about the task.
    pub push: Option<PushConfig>,
    /// How many messages of the history to answer with.
    pub history_length: Option<u32>,
    /// Answer as soon as there is a task, instead of when it is settled. In 0.3 that is `blocking: false`; without a word
    /// both versions wait.
    pub return_immediately: bool,
}

/// A task as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetTask {
    /// The task.
    pub id: String,
    /// How many messages of the history to answer with.
    pub history_length: Option<u32>,
}

/// Tasks, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListTasks {
    /// Of this conversation.
    pub context_id: Option<String>,
    /// In this state.
    pub status: Option<TaskState>,
    /// Within [`PAGE_SIZES`]; [`PAGE_SIZE`] if none is said.
    pub page_size: Option<u32>,
    /// Where the last page ended.
    pub page_token: Option<String>,
    /// How many messages of each history to answer with.
    pub history_length: Option<u32>,
    /// With a status of this time or later. A fraction of a millisecond counts as a whole one.
    pub status_timestamp_after: Option<Timestamp>,
    /// With results.
    pub include_artifacts: bool,
}

/// End a task.
#[derive(Debug, Clone, PartialEq)]
pub struct CancelTask {
    /// The task.
    pub id: String,
    /// Anything more about the request.
    pub metadata: Metadata,
}

/// The events of a task from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// The task.
    pub id: String,
}

/// One webhook of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetPush {
    /// The task.
    pub task_id: String,
    /// Which one. In 0.3 it may be missing: the task's only one is meant.
    pub id: Option<String>,
}

/// The webhooks of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPushes {
    /// The task.
    pub task_id: String,
    /// At most so many. 1.0 alone.
    pub page_size: Option<u32>,
    /// Where the last page ended. 1.0 alone.
    pub page_token: Option<String>,
}

/// Tell that address no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletePush {
    /// The task.
    pub task_id: String,
    /// Which webhook.
    pub id: String,
}

impl Params {
    /// Which operation this is.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Send(_) => Operation::Send,
            Self::Stream(_) => Operation::Stream,
            Self::Get(_) => Operation::Get,
            Self::List(_) => Operation::List,
            Self::Cancel(_) => Operation::Cancel,
            Self::Subscribe(_) => Operation::Subscribe,
            Self::CreatePush(_) => Operation::CreatePush,
            Self::GetPush(_) => Operation::GetPush,
            Self::ListPushes(_) => Operation::ListPushes,
            Self::DeletePush(_) => Operation::DeletePush,
            Self::ExtendedCard => Operation::ExtendedCard,
        }
    }
}

impl SendMessage {
    /// A message and nothing about how to answer it.
    #[must_use]
    pub fn new(message: Message) -> Self {
        Self { message, configuration: SendConfiguration::default(), metadata: None, earlier: Vec::new() }
    }

    /// The skill that the client asks for: `skillId` in the metadata of the message or else of the request. There is no
    /// standard way to say it; this is what clients do.
    #[must_use]
    pub fn skill(&self) -> Option<&str> {
        [&self.message.metadata, &self.metadata]
            .into_iter()
            .find_map(|metadata| metadata.as_ref()?.get("skillId")?.as_str())
    }
}
