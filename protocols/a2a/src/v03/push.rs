//! Webhooks of 0.3: the task's id, and the configuration in an object of its own.

use serde_json::Value;

use crate::model::{PushAuthentication, PushConfig, TaskPush};
use crate::shape::{Fields, Invalid, Object, Problem};

pub(super) fn read(mut fields: Fields) -> Result<TaskPush, Invalid> {
    let task_id = fields.required("taskId")?;
    Ok(TaskPush { task_id, config: read_config(fields.required_object("pushNotificationConfig")?)? })
}

pub(super) fn read_config(mut fields: Fields) -> Result<PushConfig, Invalid> {
    Ok(PushConfig {
        id: fields.optional("id")?,
        url: fields.required("url")?,
        token: fields.optional("token")?,
        authentication: fields.object("authentication")?.map(read_authentication).transpose()?,
    })
}

/// The first scheme counts: nothing says how one would choose.
fn read_authentication(mut fields: Fields) -> Result<PushAuthentication, Invalid> {
    let scheme = fields.texts("schemes")?.into_iter().next().filter(|scheme| !scheme.is_empty());
    Ok(PushAuthentication {
        scheme: scheme.ok_or_else(|| fields.bad("schemes", Problem::Empty))?,
        credentials: fields.optional("credentials")?,
    })
}

pub(super) fn write(push: &TaskPush) -> Value {
    Object::new()
        .set("taskId", push.task_id.as_str())
        .set("pushNotificationConfig", write_config(&push.config))
        .done()
}

pub(super) fn write_config(config: &PushConfig) -> Value {
    let authentication = config.authentication.as_ref().map(|it| {
        Object::new()
            .set("schemes", vec![it.scheme.as_str()])
            .text("credentials", it.credentials.as_ref())
            .done()
    });
    Object::new()
        .text("id", config.id.as_ref())
        .set("url", config.url.as_str())
        .text("token", config.token.as_ref())
        .some("authentication", authentication)
        .done()
}
