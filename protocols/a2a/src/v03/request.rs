//! Requests of 0.3: the `params` of JSON-RPC. The body of OmniRoute's clients is not read here.

use serde_json::Value;

use super::{V03, push};
use crate::model::{
    CancelTask, DeletePush, GetPush, GetTask, ListPushes, ListTasks, Params, Request, SendConfiguration,
    SendMessage, Subscribe,
};
use crate::objects;
use crate::operation::Operation;
use crate::shape::{Fields, Invalid, Object};

/// Reads the parameters of a call. A list of tasks, which this version does not have, is a list of all.
///
/// # Errors
///
/// The field that is not as it must be.
pub fn request(operation: Operation, params: Option<Value>) -> Result<Request, Invalid> {
    let mut fields = Fields::params(params)?;
    let params = match operation {
        Operation::Send => Params::Send(read_send(fields)?),
        Operation::Stream => Params::Stream(read_send(fields)?),
        Operation::Get => Params::Get(GetTask {
            id: fields.required("id")?,
            history_length: fields.number("historyLength", 0, u32::MAX)?,
        }),
        Operation::List => Params::List(ListTasks::default()),
        Operation::Cancel => {
            Params::Cancel(CancelTask { id: fields.required("id")?, metadata: fields.metadata("metadata")? })
        }
        Operation::Subscribe => Params::Subscribe(Subscribe { id: fields.required("id")? }),
        Operation::CreatePush => Params::CreatePush(push::read(fields)?),
        Operation::GetPush => Params::GetPush(GetPush {
            task_id: fields.required("id")?,
            id: fields.optional("pushNotificationConfigId")?,
        }),
        Operation::ListPushes => Params::ListPushes(ListPushes {
            task_id: fields.required("id")?,
            page_size: None,
            page_token: None,
        }),
        Operation::DeletePush => Params::DeletePush(DeletePush {
            task_id: fields.required("id")?,
            id: fields.required("pushNotificationConfigId")?,
        }),
        Operation::ExtendedCard => Params::ExtendedCard,
    };
    Ok(Request { tenant: None, params })
}

fn read_send(mut fields: Fields) -> Result<SendMessage, Invalid> {
    Ok(SendMessage {
        message: objects::read_message::<V03>(fields.required_object("message")?)?,
        configuration: read_configuration(&mut fields)?,
        metadata: fields.metadata("metadata")?,
        earlier: Vec::new(),
    })
}

/// How to answer, from the parameters that hold it.
pub(crate) fn read_configuration(params: &mut Fields) -> Result<SendConfiguration, Invalid> {
    let Some(mut fields) = params.object("configuration")? else { return Ok(SendConfiguration::default()) };
    Ok(SendConfiguration {
        accepted_output_modes: fields.texts("acceptedOutputModes")?,
        push: fields.object("pushNotificationConfig")?.map(push::read_config).transpose()?,
        history_length: fields.number("historyLength", 0, u32::MAX)?,
        return_immediately: fields.flag("blocking")? == Some(false),
    })
}

/// Writes the parameters of a call; none if there are none, or no such call.
#[must_use]
pub fn params(request: &Request) -> Option<Value> {
    let object = Object::new();
    let object = match &request.params {
        Params::Send(send) | Params::Stream(send) => write_send(send),
        Params::Get(get) => object.set("id", get.id.as_str()).some("historyLength", get.history_length),
        Params::Cancel(cancel) => object.set("id", cancel.id.as_str()).metadata(&cancel.metadata),
        Params::Subscribe(subscribe) => object.set("id", subscribe.id.as_str()),
        Params::CreatePush(push) => return Some(push::write(push)),
        Params::GetPush(get) => {
            object.set("id", get.task_id.as_str()).text("pushNotificationConfigId", get.id.as_ref())
        }
        Params::ListPushes(list) => object.set("id", list.task_id.as_str()),
        Params::DeletePush(delete) => {
            object.set("id", delete.task_id.as_str()).set("pushNotificationConfigId", delete.id.as_str())
        }
        Params::List(_) | Params::ExtendedCard => object,
    };
    object.unless_empty()
}

/// `blocking` is always written: what its absence means is for each agent to say.
fn write_send(send: &SendMessage) -> Object {
    let configuration = Object::new()
        .texts("acceptedOutputModes", &send.configuration.accepted_output_modes)
        .some("historyLength", send.configuration.history_length)
        .some("pushNotificationConfig", send.configuration.push.as_ref().map(push::write_config))
        .set("blocking", !send.configuration.return_immediately);
    Object::new()
        .set("message", objects::write_message::<V03>(&send.message))
        .set("configuration", configuration.done())
        .metadata(&send.metadata)
}
