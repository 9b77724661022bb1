//! Messages.

use serde_json::Value;

use super::{Spelling, begin, expect_kind, word};
use crate::model::Message;
use crate::shape::{Fields, Invalid};

pub(crate) fn read_message<S: Spelling>(mut fields: Fields) -> Result<Message, Invalid> {
    expect_kind::<S>(&mut fields, "message")?;
    Ok(Message {
        id: fields.required("messageId")?,
        context_id: fields.optional("contextId")?,
        task_id: fields.optional("taskId")?,
        role: fields.required_word("role", S::ROLES)?,
        parts: fields.required_list("parts", S::read_part)?,
        metadata: fields.metadata("metadata")?,
        extensions: fields.texts("extensions")?,
        reference_task_ids: fields.texts("referenceTaskIds")?,
    })
}

pub(crate) fn write_message<S: Spelling>(message: &Message) -> Value {
    begin::<S>("message")
        .set("messageId", message.id.as_str())
        .text("contextId", message.context_id.as_ref())
        .text("taskId", message.task_id.as_ref())
        .set("role", word(S::ROLES, &message.role))
        .set("parts", message.parts.iter().map(S::write_part).collect::<Vec<_>>())
        .metadata(&message.metadata)
        .texts("extensions", &message.extensions)
        .texts("referenceTaskIds", &message.reference_task_ids)
        .done()
}
