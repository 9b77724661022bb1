//! Requests of 1.0: the `params` of JSON-RPC, and the bodies of HTTP+JSON.

use serde_json::Value;

use super::{V1, push};
use crate::model::{
    CancelTask, DeletePush, GetPush, GetTask, ListPushes, ListTasks, PAGE_SIZES, Params, Request,
    SendConfiguration, SendMessage, Subscribe, TaskState,
};
use crate::objects::{self, Spelling};
use crate::operation::Operation;
use crate::shape::{Fields, Invalid, Object};

/// The largest number that the proto file's `int32` can say.
const MOST: u32 = i32::MAX.unsigned_abs();

/// Reads the parameters of a call.
///
/// # Errors
///
/// The field that is not as it must be.
pub fn request(operation: Operation, params: Option<Value>) -> Result<Request, Invalid> {
    let mut fields = Fields::proto_params(params)?;
    let tenant = fields.optional("tenant")?;
    let params = match operation {
        Operation::Send => Params::Send(read_send(fields)?),
        Operation::Stream => Params::Stream(read_send(fields)?),
        Operation::Get => Params::Get(GetTask {
            id: fields.required("id")?,
            history_length: fields.number("historyLength", 0, MOST)?,
        }),
        Operation::List => Params::List(read_list(fields)?),
        Operation::Cancel => {
            Params::Cancel(CancelTask { id: fields.required("id")?, metadata: fields.metadata("metadata")? })
        }
        Operation::Subscribe => Params::Subscribe(Subscribe { id: fields.required("id")? }),
        Operation::CreatePush => Params::CreatePush(push::read(fields)?),
        Operation::GetPush => {
            Params::GetPush(GetPush { task_id: fields.required("taskId")?, id: Some(fields.required("id")?) })
        }
        Operation::ListPushes => Params::ListPushes(ListPushes {
            task_id: fields.required("taskId")?,
            page_size: fields.number("pageSize", 0, MOST)?.filter(|size| *size > 0),
            page_token: fields.optional("pageToken")?,
        }),
        Operation::DeletePush => {
            Params::DeletePush(DeletePush { task_id: fields.required("taskId")?, id: fields.required("id")? })
        }
        Operation::ExtendedCard => Params::ExtendedCard,
    };
    Ok(Request { tenant, params })
}

fn read_send(mut fields: Fields) -> Result<SendMessage, Invalid> {
    Ok(SendMessage {
        message: objects::read_message::<V1>(fields.required_object("message")?)?,
        configuration: fields
            .object("configuration")?
            .map(read_configuration)
            .transpose()?
            .unwrap_or_default(),
        metadata: fields.metadata("metadata")?,
        earlier: Vec::new(),
    })
}

fn read_configuration(mut fields: Fields) -> Result<SendConfiguration, Invalid> {
    Ok(SendConfiguration {
        accepted_output_modes: fields.texts("acceptedOutputModes")?,
        push: fields.object("taskPushNotificationConfig")?.map(push::read_config).transpose()?,
        history_length: fields.number("historyLength", 0, MOST)?,
        return_immediately: fields.flag("returnImmediately")?.unwrap_or(false),
    })
}

fn read_list(mut fields: Fields) -> Result<ListTasks, Invalid> {
    Ok(ListTasks {
        context_id: fields.optional("contextId")?,
        // The unspecified state is the default of the enum: no filter.
        status: fields.word("status", V1::STATES)?.filter(|state| *state != TaskState::Unknown),
        page_size: fields.number("pageSize", *PAGE_SIZES.start(), *PAGE_SIZES.end())?,
        page_token: fields.optional("pageToken")?,
        history_length: fields.number("historyLength", 0, MOST)?,
        status_timestamp_after: fields.time("statusTimestampAfter")?.map(|(time, cut)| time.rounded_up(cut)),
        include_artifacts: fields.flag("includeArtifacts")?.unwrap_or(false),
    })
}

/// Writes the parameters of a call; none if there are none.
#[must_use]
pub fn params(request: &Request) -> Option<Value> {
    let object = Object::new().text("tenant", request.tenant.as_ref());
    let object = match &request.params {
        Params::Send(send) | Params::Stream(send) => write_send(object, send),
        Params::Get(get) => object.set("id", get.id.as_str()).some("historyLength", get.history_length),
        Params::List(list) => write_list(object, list),
        Params::Cancel(cancel) => object.set("id", cancel.id.as_str()).metadata(&cancel.metadata),
        Params::Subscribe(subscribe) => object.set("id", subscribe.id.as_str()),
        Params::CreatePush(push) => match push::write(push) {
            Value::Object(fields) => {
                fields.into_iter().fold(object, |object, (name, it)| object.set(&name, it))
            }
            _ => object,
        },
        Params::GetPush(get) => object.set("taskId", get.task_id.as_str()).text("id", get.id.as_ref()),
        Params::ListPushes(list) => object
            .set("taskId", list.task_id.as_str())
            .some("pageSize", list.page_size)
            .text("pageToken", list.page_token.as_ref()),
        Params::DeletePush(delete) => {
            object.set("taskId", delete.task_id.as_str()).set("id", delete.id.as_str())
        }
        Params::ExtendedCard => object,
    };
    object.unless_empty()
}

fn write_send(object: Object, send: &SendMessage) -> Object {
    let configuration = Object::new()
        .texts("acceptedOutputModes", &send.configuration.accepted_output_modes)
        .some("taskPushNotificationConfig", send.configuration.push.as_ref().map(push::write_config))
        .some("historyLength", send.configuration.history_length)
        .flag("returnImmediately", send.configuration.return_immediately);
    object
        .set("message", objects::write_message::<V1>(&send.message))
        .some("configuration", configuration.unless_empty())
        .metadata(&send.metadata)
}

fn write_list(object: Object, list: &ListTasks) -> Object {
    let state = |state| V1::STATES.iter().find(|(_, other)| *other == state).map(|(word, _)| *word);
    object
        .text("contextId", list.context_id.as_ref())
        .some("status", list.status.and_then(state))
        .some("pageSize", list.page_size)
        .text("pageToken", list.page_token.as_ref())
        .some("historyLength", list.history_length)
        .some("statusTimestampAfter", list.status_timestamp_after.map(|time| time.to_string()))
        .flag("includeArtifacts", list.include_artifacts)
}
