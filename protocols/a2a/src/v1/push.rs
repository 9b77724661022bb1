//! Webhooks of 1.0, which are flat: task, id, address and credential in one object.

use serde_json::Value;

use crate::model::{PushAuthentication, PushConfig, TaskPush};
use crate::shape::{Fields, Invalid, Object};

/// A webhook with its task.
pub(super) fn read(mut fields: Fields) -> Result<TaskPush, Invalid> {
    Ok(TaskPush { task_id: fields.required("taskId")?, config: read_config(fields)? })
}

/// A webhook for the task that a message is about to make.
pub(super) fn read_config(mut fields: Fields) -> Result<PushConfig, Invalid> {
    Ok(PushConfig {
        id: fields.optional("id")?,
        url: fields.required("url")?,
        token: fields.optional("token")?,
        authentication: fields.object("authentication")?.map(read_authentication).transpose()?,
    })
}

fn read_authentication(mut fields: Fields) -> Result<PushAuthentication, Invalid> {
    Ok(PushAuthentication {
        scheme: fields.required("scheme")?,
        credentials: fields.optional("credentials")?,
    })
}

pub(super) fn write(push: &TaskPush) -> Value {
    with(Object::new().set("taskId", push.task_id.as_str()), &push.config)
}

pub(super) fn write_config(config: &PushConfig) -> Value {
    with(Object::new(), config)
}

fn with(object: Object, config: &PushConfig) -> Value {
    let authentication = config.authentication.as_ref().map(|it| {
        Object::new().set("scheme", it.scheme.as_str()).text("credentials", it.credentials.as_ref()).done()
    });
    object
        .text("id", config.id.as_ref())
        .set("url", config.url.as_str())
        .text("token", config.token.as_ref())
        .some("authentication", authentication)
        .done()
}
