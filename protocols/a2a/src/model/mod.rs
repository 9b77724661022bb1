//! What both versions speak of, in the terms of 1.0. What a version cannot say stands in the list of its codec
//! (`v1::CANNOT_SAY`, `v03::CANNOT_SAY`).

mod event;
mod message;
mod push;
mod reply;
mod request;
mod task;

pub use event::{ArtifactUpdate, StatusUpdate, StreamEvent};
pub use message::{Content, Message, Part, Role};
pub use push::{PushAuthentication, PushConfig, TaskPush};
pub use reply::{PushPage, Reply, Sent, TaskPage};
pub use request::{
    CancelTask, DeletePush, GetPush, GetTask, ListPushes, ListTasks, PAGE_SIZE, PAGE_SIZES, Params, Request,
    SendConfiguration, SendMessage, Subscribe,
};
pub use task::{Artifact, Task, TaskState, TaskStatus};

use serde_json::{Map, Value};

/// A JSON object with keys of anybody's own; kept as it came. `{}` and none at all are two things in 1.0.
pub type Metadata = Option<Map<String, Value>>;
