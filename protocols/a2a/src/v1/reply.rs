//! Answers of 1.0: the `result` of JSON-RPC, and the bodies of HTTP+JSON.

use serde_json::Value;

use super::{V1, push, read_event};
use crate::model::{PushPage, Reply, Sent, StreamEvent, TaskPage};
use crate::objects;
use crate::operation::Operation;
use crate::shape::{Fields, Invalid, Object, Problem};

/// Writes an answer.
#[must_use]
pub fn reply(reply: &Reply) -> Value {
    match reply {
        Reply::Sent(Sent::Task(task)) => Object::new().set("task", objects::write_task::<V1>(task)).done(),
        Reply::Sent(Sent::Message(message)) => {
            Object::new().set("message", objects::write_message::<V1>(message)).done()
        }
        Reply::Task(task) => objects::write_task::<V1>(task),
        Reply::Tasks(page) => Object::new()
            .set("tasks", page.tasks.iter().map(objects::write_task::<V1>).collect::<Vec<_>>())
            .set("nextPageToken", page.next_page_token.as_str())
            .set("pageSize", page.page_size)
            .set("totalSize", page.total_size)
            .done(),
        Reply::Push(push) => push::write(push),
        Reply::Pushes(page) => {
            let token = Some(&page.next_page_token).filter(|token| !token.is_empty());
            let configs: Vec<Value> = page.configs.iter().map(push::write).collect();
            Object::new().set("configs", configs).text("nextPageToken", token).done()
        }
        Reply::Deleted => Object::new().done(),
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
                Err(Invalid::new("result", Problem::ExactlyOne(&["task", "message"])))
            }
        },
        Operation::Get | Operation::Cancel => super::read_task(result).map(Reply::Task),
        Operation::List => read_page(Fields::result(result)?).map(Reply::Tasks),
        Operation::CreatePush | Operation::GetPush => push::read(Fields::result(result)?).map(Reply::Push),
        Operation::ListPushes => {
            let mut fields = Fields::result(result)?;
            let configs = fields.list("configs", push::read)?;
            let next_page_token = fields.optional("nextPageToken")?.unwrap_or_default();
            Ok(Reply::Pushes(PushPage { configs, next_page_token }))
        }
        Operation::DeletePush => Ok(Reply::Deleted),
        Operation::ExtendedCard => Ok(Reply::Card(result)),
    }
}

fn read_page(mut fields: Fields) -> Result<TaskPage, Invalid> {
    Ok(TaskPage {
        tasks: fields.list("tasks", objects::read_task::<V1>)?,
        next_page_token: fields.optional("nextPageToken")?.unwrap_or_default(),
        page_size: fields.number("pageSize", 0, u32::MAX)?.unwrap_or(0),
        total_size: fields.number("totalSize", 0, u32::MAX)?.unwrap_or(0),
    })
}
