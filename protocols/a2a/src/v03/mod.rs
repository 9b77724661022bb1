//! The wire of 0.3: objects name their `kind`, enums are lower-case words, files stand in an object of their own, webhooks
//! are nested. Three things that only this version says are not kept: `final`, which follows from the state; further
//! schemes of a webhook behind the first; and `metadata` of requests that only read.

mod part;
mod push;
mod reply;
mod request;

use serde_json::Value;

use crate::model::{Message, Part, Role, StreamEvent, Task, TaskState};
use crate::objects::{self, Spelling};
use crate::shape::{Fields, Invalid, Problem};

pub use reply::{read_reply, reply};
pub(crate) use request::read_configuration;
pub use request::{params, request};

/// What the model can hold and this version cannot say, each with what becomes of it.
pub const CANNOT_SAY: &[(&str, &str)] = &[
    ("tenant", "is left out"),
    ("list of tasks", "there is no such call"),
    ("pages of webhooks", "size and token are left out; the answer is the whole list"),
    ("name and type of text and data", "are left out; files have them"),
    ("data that is no object", "becomes the field `value` of an object"),
    ("earlier messages", "the conversation before a message is left out"),
];

pub(crate) struct V03;

impl Spelling for V03 {
    const ROLES: &'static [(&'static str, Role)] = &[("user", Role::User), ("agent", Role::Agent)];
    #[rustfmt::skip]
    const STATES: &'static [(&'static str, TaskState)] = &[
        ("submitted",      TaskState::Submitted),
        ("working",        TaskState::Working),
        ("input-required", TaskState::InputRequired),
        ("completed",      TaskState::Completed),
        ("canceled",       TaskState::Canceled),
        ("failed",         TaskState::Failed),
        ("rejected",       TaskState::Rejected),
        ("auth-required",  TaskState::AuthRequired),
        ("unknown",        TaskState::Unknown),
    ];
    const KINDS: bool = true;

    fn read_part(fields: Fields) -> Result<Part, Invalid> {
        part::read(fields)
    }

    fn write_part(part: &Part) -> Value {
        part::write(part)
    }
}

/// A task: as an answer, and the body of a webhook.
#[must_use]
pub fn task(task: &Task) -> Value {
    objects::write_task::<V03>(task)
}

/// Reads a task.
///
/// # Errors
///
/// The field that is not as it must be.
pub fn read_task(value: Value) -> Result<Task, Invalid> {
    objects::read_task::<V03>(Fields::result(value)?)
}

/// A message.
#[must_use]
pub fn message(message: &Message) -> Value {
    objects::write_message::<V03>(message)
}

/// Reads a message.
///
/// # Errors
///
/// The field that is not as it must be.
pub fn read_message(value: Value) -> Result<Message, Invalid> {
    objects::read_message::<V03>(Fields::result(value)?)
}

/// An event of a stream.
#[must_use]
pub fn event(event: &StreamEvent) -> Value {
    match event {
        StreamEvent::Task(task) => objects::write_task::<V03>(task),
        StreamEvent::Message(message) => objects::write_message::<V03>(message),
        StreamEvent::Status(update) => objects::write_status_update::<V03>(update),
        StreamEvent::Artifact(update) => objects::write_artifact_update::<V03>(update),
    }
}

/// Reads an event.
///
/// # Errors
///
/// The field that is not as it must be.
pub fn read_event(value: Value) -> Result<StreamEvent, Invalid> {
    #[derive(Clone, Copy)]
    enum Kind {
        Task,
        Message,
        Status,
        Artifact,
    }
    const KINDS: &[(&str, Kind)] = &[
        ("task", Kind::Task),
        ("message", Kind::Message),
        ("status-update", Kind::Status),
        ("artifact-update", Kind::Artifact),
    ];
    let mut fields = Fields::result(value)?;
    match fields.word("kind", KINDS)? {
        None => Err(fields.bad("kind", Problem::Missing)),
        Some(Kind::Task) => objects::read_task::<V03>(fields).map(StreamEvent::Task),
        Some(Kind::Message) => objects::read_message::<V03>(fields).map(StreamEvent::Message),
        Some(Kind::Status) => objects::read_status_update::<V03>(fields).map(StreamEvent::Status),
        Some(Kind::Artifact) => objects::read_artifact_update::<V03>(fields).map(StreamEvent::Artifact),
    }
}
