//! The wire of 1.0: protobuf's JSON. Field names are camelCase, enums are written as in the proto file, and what a thing
//! is follows from the name of the field that it stands in.

mod part;
mod push;
mod reply;
mod request;

use serde_json::Value;

use crate::model::{Message, Part, Role, StreamEvent, Task, TaskState};
use crate::objects::{self, Spelling};
use crate::shape::{Fields, Invalid, Object, Problem};

pub use reply::{read_reply, reply};
pub use request::{params, request};

/// What the model can hold and this version cannot say, each with what becomes of it.
pub const CANNOT_SAY: &[(&str, &str)] = &[
    (
        "webhook without an id",
        "asking for one without an id is written without it, and such a request is refused",
    ),
    ("earlier messages", "the conversation before a message is left out"),
];

pub(crate) struct V1;

impl Spelling for V1 {
    const ROLES: &'static [(&'static str, Role)] = &[("ROLE_USER", Role::User), ("ROLE_AGENT", Role::Agent)];
    #[rustfmt::skip]
    const STATES: &'static [(&'static str, TaskState)] = &[
        ("TASK_STATE_SUBMITTED",      TaskState::Submitted),
        ("TASK_STATE_WORKING",        TaskState::Working),
        ("TASK_STATE_COMPLETED",      TaskState::Completed),
        ("TASK_STATE_FAILED",         TaskState::Failed),
        ("TASK_STATE_CANCELED",       TaskState::Canceled),
        ("TASK_STATE_INPUT_REQUIRED", TaskState::InputRequired),
        ("TASK_STATE_REJECTED",       TaskState::Rejected),
        ("TASK_STATE_AUTH_REQUIRED",  TaskState::AuthRequired),
        ("TASK_STATE_UNSPECIFIED",    TaskState::Unknown),
    ];
    const KINDS: bool = false;

    fn read_part(fields: Fields) -> Result<Part, Invalid> {
        part::read(fields)
    }

    fn write_part(part: &Part) -> Value {
        part::write(part)
    }
}

/// A task, bare: as an answer to `GetTask`, and for whoever keeps tasks.
#[must_use]
pub fn task(task: &Task) -> Value {
    objects::write_task::<V1>(task)
}

/// Reads a task.
///
/// # Errors
///
/// The field that is not as it must be.
pub fn read_task(value: Value) -> Result<Task, Invalid> {
    objects::read_task::<V1>(Fields::result(value)?)
}

/// A message, bare.
#[must_use]
pub fn message(message: &Message) -> Value {
    objects::write_message::<V1>(message)
}

/// Reads a message.
///
/// # Errors
///
/// The field that is not as it must be.
pub fn read_message(value: Value) -> Result<Message, Invalid> {
    objects::read_message::<V1>(Fields::result(value)?)
}

/// An event of a stream, and the body of a webhook: a `StreamResponse`.
#[must_use]
pub fn event(event: &StreamEvent) -> Value {
    let (name, value) = match event {
        StreamEvent::Task(task) => ("task", objects::write_task::<V1>(task)),
        StreamEvent::Message(message) => ("message", objects::write_message::<V1>(message)),
        StreamEvent::Status(update) => ("statusUpdate", objects::write_status_update::<V1>(update)),
        StreamEvent::Artifact(update) => ("artifactUpdate", objects::write_artifact_update::<V1>(update)),
    };
    Object::new().set(name, value).done()
}

/// Reads an event.
///
/// # Errors
///
/// The field that is not as it must be.
pub fn read_event(value: Value) -> Result<StreamEvent, Invalid> {
    const NAMES: &[&str] = &["task", "message", "statusUpdate", "artifactUpdate"];
    let mut fields = Fields::result(value)?;
    let mut named = NAMES.iter().filter(|name| fields.has(name));
    let (Some(name), None) = (named.next(), named.next()) else {
        return Err(fields.wrong(Problem::ExactlyOne(NAMES)));
    };
    let inner = fields.required_object(name)?;
    match *name {
        "task" => objects::read_task::<V1>(inner).map(StreamEvent::Task),
        "message" => objects::read_message::<V1>(inner).map(StreamEvent::Message),
        "statusUpdate" => objects::read_status_update::<V1>(inner).map(StreamEvent::Status),
        _ => objects::read_artifact_update::<V1>(inner).map(StreamEvent::Artifact),
    }
}
