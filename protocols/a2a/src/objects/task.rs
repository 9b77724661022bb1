//! Tasks, their status and their artifacts.

use serde_json::Value;

use super::{Spelling, begin, expect_kind, read_message, word, write_message};
use crate::model::{Artifact, Task, TaskStatus};
use crate::shape::{Fields, Invalid, Object};

pub(crate) fn read_task<S: Spelling>(mut fields: Fields) -> Result<Task, Invalid> {
    expect_kind::<S>(&mut fields, "task")?;
    Ok(Task {
        id: fields.required("id")?,
        context_id: fields.optional("contextId")?,
        status: read_status::<S>(fields.required_object("status")?)?,
        artifacts: fields.list("artifacts", read_artifact::<S>)?,
        history: fields.list("history", read_message::<S>)?,
        metadata: fields.metadata("metadata")?,
    })
}

pub(crate) fn write_task<S: Spelling>(task: &Task) -> Value {
    let context = task.context_id.as_deref().or(if S::KINDS { Some("") } else { None });
    begin::<S>("task")
        .set("id", task.id.as_str())
        .some("contextId", context)
        .set("status", write_status::<S>(&task.status))
        .list("artifacts", &task.artifacts, write_artifact::<S>)
        .list("history", &task.history, write_message::<S>)
        .metadata(&task.metadata)
        .done()
}

pub(super) fn read_status<S: Spelling>(mut fields: Fields) -> Result<TaskStatus, Invalid> {
    Ok(TaskStatus {
        state: fields.required_word("state", S::STATES)?,
        message: fields.object("message")?.map(read_message::<S>).transpose()?,
        timestamp: fields.time("timestamp")?.map(|(time, _)| time),
    })
}

pub(super) fn write_status<S: Spelling>(status: &TaskStatus) -> Value {
    Object::new()
        .set("state", word(S::STATES, &status.state))
        .some("message", status.message.as_ref().map(write_message::<S>))
        .some("timestamp", status.timestamp.map(|time| time.to_string()))
        .done()
}

pub(super) fn read_artifact<S: Spelling>(mut fields: Fields) -> Result<Artifact, Invalid> {
    Ok(Artifact {
        id: fields.required("artifactId")?,
        name: fields.optional("name")?,
        description: fields.optional("description")?,
        parts: fields.required_list("parts", S::read_part)?,
        metadata: fields.metadata("metadata")?,
        extensions: fields.texts("extensions")?,
    })
}

pub(super) fn write_artifact<S: Spelling>(artifact: &Artifact) -> Value {
    Object::new()
        .set("artifactId", artifact.id.as_str())
        .text("name", artifact.name.as_ref())
        .text("description", artifact.description.as_ref())
        .set("parts", artifact.parts.iter().map(S::write_part).collect::<Vec<_>>())
        .metadata(&artifact.metadata)
        .texts("extensions", &artifact.extensions)
        .done()
}
