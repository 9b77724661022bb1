//! What an agent answers, streams apart.

use serde_json::Value;

use super::{Message, Task, TaskPush};

/// The answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// To a message.
    Sent(Sent),
    /// A task: got or canceled.
    Task(Task),
    /// A page of tasks.
    Tasks(TaskPage),
    /// A webhook: created or got.
    Push(TaskPush),
    /// The webhooks of a task.
    Pushes(PushPage),
    /// A webhook is no more.
    Deleted,
    /// A card, already in the words of the version that asks (`card`).
    Card(Value),
}

/// The answer to a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Sent {
    /// A task was made or went on.
    Task(Task),
    /// That was all.
    Message(Message),
}

/// A page of tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskPage {
    /// Newest status first.
    pub tasks: Vec<Task>,
    /// Where the next page begins; empty on the last one.
    pub next_page_token: String,
    /// How many a page has at most.
    pub page_size: u32,
    /// How many there are on all pages.
    pub total_size: u32,
}

/// Webhooks of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushPage {
    /// The webhooks.
    pub configs: Vec<TaskPush>,
    /// Where the next page begins; empty on the last one. 0.3 has no pages.
    pub next_page_token: String,
}
