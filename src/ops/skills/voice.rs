//! Telling what comes out of a task. What cannot be written down any more is not the skill's business: the task is over then, or
//! ends as failed.

use std::sync::Mutex;

use a2a::model::{Artifact, Message, Metadata, Part, Role, TaskState};
use serde_json::{Map, Value, json};

use super::{EXTENSION, choose::Chosen, conversation::ASKS};
use crate::ops::tasks::{Sink, SinkError, Work};

/// The way from a skill to its task.
pub(super) struct Voice {
    sink: Sink,
    /// Why the last piece could not be told.
    broken: Mutex<Option<SinkError>>,
    /// Pieces of the artifact that is told piece by piece.
    pieces: Mutex<usize>,
}

impl Voice {
    pub(super) fn of(work: &Work) -> Self {
        Self { sink: work.sink.clone(), broken: Mutex::default(), pieces: Mutex::default() }
    }

    /// The work begins: with which skill, and by what that was chosen.
    pub(super) async fn begin(&self, chosen: &Chosen) {
        let (skill, by) = chosen.told();
        let told = json!({"skillId": skill, "skill_chosen_by": by});
        self.status(TaskState::Working, None, told.as_object().cloned()).await;
    }

    /// A piece of a text that is told while it comes.
    pub(super) async fn piece(&self, name: &str, text: String, last: bool) {
        if text.is_empty() && !last {
            return;
        }
        let before = {
            let mut pieces = self.pieces.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *pieces += 1;
            *pieces - 1
        };
        let artifact = artifact(name, vec![Part::text(text)], None);
        self.noted(self.sink.artifact(artifact, before > 0, last, None).await);
    }

    /// A whole result.
    pub(super) async fn artifact(&self, name: &str, parts: Vec<Part>, metadata: Metadata) {
        self.noted(self.sink.artifact(artifact(name, parts, metadata), false, true, None).await);
    }

    /// A question: the task waits for the answer.
    pub(super) async fn question(&self, text: &str, asks: &str, data: Value) {
        let mut message = said(text);
        message.parts.push(Part::data(data));
        message.metadata = json!({ASKS: asks}).as_object().cloned();
        self.status(TaskState::InputRequired, Some(message), None).await;
    }

    /// The work is done, if all of it could be told.
    pub(super) async fn completed(&self, told: Map<String, Value>) {
        let broken = self.broken.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        match broken {
            None => self.status(TaskState::Completed, None, Some(told)).await,
            Some(error) => {
                self.ended(TaskState::Failed, &format!("The work was done, and {error}."), told).await;
            }
        }
    }

    /// The work ends with a word.
    pub(super) async fn ended(&self, state: TaskState, text: &str, told: Map<String, Value>) {
        self.status(state, Some(said(text)), Some(told)).await;
    }

    /// The same with nothing more to tell.
    pub(super) async fn end(&self, state: TaskState, text: &str) {
        self.status(state, Some(said(text)), None).await;
    }

    async fn status(&self, state: TaskState, message: Option<Message>, metadata: Metadata) {
        self.noted(self.sink.status(state, message, metadata).await);
    }

    fn noted(&self, done: Result<u64, SinkError>) {
        if let Err(error) = done {
            let mut broken = self.broken.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            broken.get_or_insert(error);
        }
    }
}

fn said(text: &str) -> Message {
    Message::new(String::new(), Role::Agent, vec![Part::text(text)])
}

fn artifact(name: &str, parts: Vec<Part>, metadata: Metadata) -> Artifact {
    let extensions = if metadata.is_some() { vec![EXTENSION.to_owned()] } else { Vec::new() };
    Artifact {
        id: name.to_owned(),
        name: Some(name.to_owned()),
        description: None,
        parts,
        metadata,
        extensions,
    }
}
