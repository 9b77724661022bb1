//! Answers of 0.3: the `result` of JSON-RPC. Tasks and messages are bare and name their kind.

use serde_json::Value;

use super::{V03, push, read_event};
use crate::model::{PushPage, Reply, Sent, StreamEvent, TaskPage};
use crate::objects;
use crate::operation::Operation;
use crate::shape::{Fields, Invalid, Object, Problem};

/// Writes an answer. A page of tasks, for which this version has no call, is written as in 1.0 with tasks of 0.3.
#[must_use]
pub fn reply(reply: &Reply) -> Value {
    match reply {
        Reply::Sent(Sent::Task(task)) | Reply::Task(task) => objects::write_task::<V03>(task),
        Reply::Sent(Sent::Message(message)) => objects::write_message::<V03>(message),
        Reply::Tasks(page) => Object::new()
            .set("tasks", page.tasks.iter().map(objects::write_task::<V03>).collect::<Vec<_>>())
            .set("nextPageToken", page.next_page_token.as_str())
            .set("pageSize", page.page_size)
            .set("totalSize", page.total_size)
            .done(),
        Reply::Push(push) => push::write(push),
        Reply::Pushes(page) => page.configs.iter().map(push::write).collect(),
        Reply::Deleted => Value::Null,
        Reply::Card(card) => card.clone(),
    }
}

/// Reads the answer to an operation. Of one that is answered by a stream, a first event of it that is a task or a
/// message.
///
/// # Errors
///
/// The field that is not as it must be.
pub fn read_reply(operation: Operation, result: Value) -> Result<Reply, Invalid> {
    match operation {
        Operation::Send | Operation::Stream | Operation::Subscribe => match read_event(result)? {
            StreamEvent::Task(task) => Ok(Reply::Sent(Sent::Task(task))),
            StreamEvent::Message(message) => Ok(Reply::Sent(Sent::Message(message))),
            StreamEvent::Status(_) | StreamEvent::Artifact(_) => {
                Err(Invalid::new("result.kind", Problem::OneOf(vec!["task", "message"])))
            }
        },
        Operation::Get | Operation::Cancel => super::read_task(result).map(Reply::Task),
        Operation::List => {
            let mut fields = Fields::result(result)?;
            Ok(Reply::Tasks(TaskPage {
                tasks: fields.list("tasks", objects::read_task::<V03>)?,
                next_page_token: fields.optional("nextPageToken")?.unwrap_or_default(),
                page_size: fields.number("pageSize", 0, u32::MAX)?.unwrap_or(0),
                total_size: fields.number("totalSize", 0, u32::MAX)?.unwrap_or(0),
            }))
        }
        Operation::CreatePush | Operation::GetPush => push::read(Fields::result(result)?).map(Reply::Push),
        Operation::ListPushes => {
            let configs = Fields::whole("result", result).list("result", push::read)?;
            Ok(Reply::Pushes(PushPage { configs, next_page_token: String::new() }))
        }
        Operation::DeletePush => Ok(Reply::Deleted),
        Operation::ExtendedCard => Ok(Reply::Card(result)),
    }
}
