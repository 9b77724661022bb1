//! Updates of a task.

use serde_json::Value;

use super::task::{read_artifact, read_status, write_artifact, write_status};
use super::{Spelling, begin, expect_kind};
use crate::model::{ArtifactUpdate, StatusUpdate};
use crate::shape::{Fields, Invalid};

/// `final` is not read: it follows from the state.
pub(crate) fn read_status_update<S: Spelling>(mut fields: Fields) -> Result<StatusUpdate, Invalid> {
    expect_kind::<S>(&mut fields, "status-update")?;
    Ok(StatusUpdate {
        task_id: fields.required("taskId")?,
        context_id: fields.required("contextId")?,
        status: read_status::<S>(fields.required_object("status")?)?,
        metadata: fields.metadata("metadata")?,
    })
}

pub(crate) fn write_status_update<S: Spelling>(update: &StatusUpdate) -> Value {
    let last = S::KINDS.then(|| update.status.state.is_settled());
    begin::<S>("status-update")
        .set("taskId", update.task_id.as_str())
        .set("contextId", update.context_id.as_str())
        .set("status", write_status::<S>(&update.status))
        .some("final", last)
        .metadata(&update.metadata)
        .done()
}

pub(crate) fn read_artifact_update<S: Spelling>(mut fields: Fields) -> Result<ArtifactUpdate, Invalid> {
    expect_kind::<S>(&mut fields, "artifact-update")?;
    Ok(ArtifactUpdate {
        task_id: fields.required("taskId")?,
        context_id: fields.required("contextId")?,
        artifact: read_artifact::<S>(fields.required_object("artifact")?)?,
        append: fields.flag("append")?.unwrap_or(false),
        last_chunk: fields.flag("lastChunk")?.unwrap_or(false),
        metadata: fields.metadata("metadata")?,
    })
}

pub(crate) fn write_artifact_update<S: Spelling>(update: &ArtifactUpdate) -> Value {
    begin::<S>("artifact-update")
        .set("taskId", update.task_id.as_str())
        .set("contextId", update.context_id.as_str())
        .set("artifact", write_artifact::<S>(&update.artifact))
        .flag("append", update.append)
        .flag("lastChunk", update.last_chunk)
        .metadata(&update.metadata)
        .done()
}
