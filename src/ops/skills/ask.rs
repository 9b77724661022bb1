//! Asking operations in the name of a task's caller, and what the caller said beside its text.

use std::sync::Arc;

use a2a::model::{Content, Message, Metadata, Part, Role};
use operations::Definition;
use serde_json::{Map, Value};

use crate::ops::{
    OpError,
    ports::Progress,
    registry::{Asked, Registry},
    tasks::Work,
};

/// The way of a task to the operations.
pub(super) struct Ask {
    registry: Arc<Registry>,
    pub(super) asked: Asked,
    /// The message that is worked on.
    pub(super) message: Message,
    /// What was said before it, oldest first: in this context, and in the request itself.
    pub(super) before: Vec<Message>,
    given: Map<String, Value>,
}

impl Ask {
    /// `context` is what was said before this task.
    pub(super) fn new(registry: Arc<Registry>, work: &Work, context: Vec<Message>) -> Self {
        let send = &work.request;
        let before = send.earlier.iter().chain(&work.task.history).cloned();
        let before = before.filter(|message| message.id != send.message.id);
        let before = context.into_iter().chain(before).collect();
        let given = given(&send.metadata, &send.message);
        Self { registry, asked: work.asked.clone(), message: send.message.clone(), before, given }
    }

    /// The result of an operation.
    ///
    /// # Errors
    /// [`OpError`]; also when this build has no such operation.
    pub(super) async fn call(&self, name: &str, args: Value) -> Result<Value, OpError> {
        self.call_with(name, args, None).await
    }

    /// The same, with somebody who listens while it is worked on.
    ///
    /// # Errors
    /// As above.
    pub(super) async fn call_with(
        &self,
        name: &str,
        args: Value,
        progress: Option<Arc<dyn Progress>>,
    ) -> Result<Value, OpError> {
        let missing = || OpError::NotFound { noun: "operation", name: name.to_owned() };
        let definition = Definition::named(name).ok_or_else(missing)?;
        let asked = match progress {
            Some(progress) => self.asked.clone().with_progress(progress),
            None => self.asked.clone(),
        };
        self.registry.call(asked, definition, args).await
    }

    /// The result of an operation that only adds to an answer: nothing where the caller may not ask for it.
    ///
    /// # Errors
    /// As above, rights apart.
    pub(super) async fn call_if_allowed(&self, name: &str, args: Value) -> Result<Option<Value>, OpError> {
        let scope = Definition::named(name).map(|definition| definition.scope);
        if !scope.is_some_and(|scope| self.asked.caller.may(scope)) {
            return Ok(None);
        }
        self.call(name, args).await.map(Some)
    }

    /// The text of the message.
    pub(super) fn text(&self) -> String {
        text_of(&self.message)
    }

    /// What the caller said of these names, in the metadata or in a part of data.
    pub(super) fn given(&self, names: &[&str]) -> Map<String, Value> {
        let named =
            names.iter().filter_map(|name| Some(((*name).to_owned(), self.given.get(*name)?.clone())));
        named.filter(|(_, value)| !value.is_null()).collect()
    }

    /// The first part of data, whole.
    pub(super) fn data(&self) -> Option<&Map<String, Value>> {
        self.message.parts.iter().find_map(|part| match &part.content {
            Content::Data(Value::Object(data)) => Some(data),
            _ => None,
        })
    }
}

/// The text of a message. What the hub said came in pieces, and the data beside it was for the client.
pub(super) fn text_of(message: &Message) -> String {
    let texts: Vec<&str> =
        message.parts.iter().filter_map(Part::as_text).filter(|text| !text.is_empty()).collect();
    match message.role {
        Role::Agent => texts.concat(),
        Role::User => texts.join("\n"),
    }
}

/// What was said beside the text: the request's metadata, over them the message's, over them its data.
fn given(request: &Metadata, message: &Message) -> Map<String, Value> {
    let mut all = request.clone().unwrap_or_default();
    all.extend(message.metadata.clone().unwrap_or_default());
    for part in &message.parts {
        if let Content::Data(Value::Object(data)) = &part.content {
            all.extend(data.clone());
        }
    }
    all
}
