//! What stands in the log of a task, and what the task is by it. The words are those of A2A 1.0.

use a2a::{
    model::{Artifact, Content, Message, Metadata, Part, SendMessage, StreamEvent, Task},
    v1,
};
use serde_json::{Map, Value, json};

use crate::ops::ports::tasks::EntryKind;

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// What streams and webhooks are told.
    pub(super) event: StreamEvent,
    /// What the client said, where that is what happened.
    pub(super) said: Option<Said>,
}

/// What a client said, as far as it takes to work on it again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    /// The message; `None`: the last one of the history of the task that stands in the entry.
    pub(super) message: Option<Message>,
    /// What was said of the request.
    pub(super) metadata: Metadata,
    /// The media types that the client reads.
    pub(super) modes: Vec<String>,
}

impl Said {
    /// What a request says, besides its message.
    pub(super) fn of(request: &SendMessage, message: Option<Message>) -> Self {
        let modes = request.configuration.accepted_output_modes.clone();
        Self { message, metadata: request.metadata.clone(), modes }
    }
}

impl Entry {
    pub(super) const fn kind(&self) -> EntryKind {
        match self.event {
            StreamEvent::Task(_) => EntryKind::Task,
            StreamEvent::Message(_) => EntryKind::Message,
            StreamEvent::Status(_) => EntryKind::Status,
            StreamEvent::Artifact(_) => EntryKind::Artifact,
        }
    }

    /// As it is written down, with its number, so that an entry that was moved is found out.
    pub(super) fn encode(&self, seq: u64) -> Vec<u8> {
        let mut entry = Map::new();
        entry.insert("seq".to_owned(), seq.into());
        entry.insert("event".to_owned(), v1::event(&self.event));
        if let Some(said) = &self.said {
            let mut words = Map::new();
            if let Some(message) = &said.message {
                words.insert("message".to_owned(), v1::message(message));
            }
            if let Some(metadata) = &said.metadata {
                words.insert("metadata".to_owned(), Value::Object(metadata.clone()));
            }
            if !said.modes.is_empty() {
                words.insert("modes".to_owned(), json!(said.modes));
            }
            entry.insert("said".to_owned(), Value::Object(words));
        }
        Value::Object(entry).to_string().into_bytes()
    }

    /// Reads an entry; `None` if it is none, or another one than that of this number.
    pub(super) fn decode(seq: u64, payload: &[u8]) -> Option<Self> {
        let Value::Object(mut entry) = serde_json::from_slice(payload).ok()? else { return None };
        if entry.get("seq")?.as_u64()? != seq {
            return None;
        }
        let event = v1::read_event(entry.remove("event")?).ok()?;
        let said = match entry.remove("said") {
            Some(Value::Object(words)) => Some(said(words)?),
            _ => None,
        };
        Some(Self { event, said })
    }
}

fn said(mut words: Map<String, Value>) -> Option<Said> {
    let message = words.remove("message").map(v1::read_message).transpose().ok()?;
    let metadata = words.remove("metadata").and_then(|metadata| match metadata {
        Value::Object(metadata) => Some(metadata),
        _ => None,
    });
    let modes = words.remove("modes").and_then(|modes| serde_json::from_value(modes).ok());
    Some(Said { message, metadata, modes: modes.unwrap_or_default() })
}

/// The task after one more entry. Before the first one there is none.
pub(super) fn apply(task: &mut Option<Task>, entry: Entry) {
    match (entry.event, task) {
        (StreamEvent::Task(first), task) => *task = Some(first),
        (StreamEvent::Status(update), Some(task)) => {
            // What the agent said with its last status, a question perhaps, is now what was said before.
            task.history.extend(task.status.message.take());
            task.history.extend(entry.said.and_then(|said| said.message));
            task.status = update.status;
            if let Some(more) = update.metadata {
                task.metadata.get_or_insert_default().extend(more);
            }
        }
        (StreamEvent::Artifact(update), Some(task)) => {
            let known = task.artifacts.iter_mut().find(|artifact| artifact.id == update.artifact.id);
            match known {
                Some(known) if update.append => extend(known, update.artifact),
                Some(known) => *known = update.artifact,
                None => task.artifacts.push(update.artifact),
            }
        }
        (StreamEvent::Status(_) | StreamEvent::Artifact(_) | StreamEvent::Message(_), _) => {}
    }
}

/// Puts a piece behind what is there. Text goes on with the text before it, where neither says more of itself: clients read
/// parts as paragraphs of their own, and pieces of an answer are none.
fn extend(known: &mut Artifact, piece: Artifact) {
    for part in piece.parts {
        match (known.parts.last_mut(), part) {
            (Some(last), part) if is_plain(last) && is_plain(&part) => join(last, part),
            (_, part) => known.parts.push(part),
        }
    }
    known.name = piece.name.or_else(|| known.name.take());
    known.description = piece.description.or_else(|| known.description.take());
    if let Some(more) = piece.metadata {
        known.metadata.get_or_insert_default().extend(more);
    }
    for uri in piece.extensions {
        if !known.extensions.contains(&uri) {
            known.extensions.push(uri);
        }
    }
}

const fn is_plain(part: &Part) -> bool {
    matches!(part.content, Content::Text(_))
        && part.filename.is_none()
        && part.media_type.is_none()
        && part.metadata.is_none()
}

fn join(text: &mut Part, more: Part) {
    if let (Content::Text(text), Content::Text(more)) = (&mut text.content, more.content) {
        text.push_str(&more);
    }
}
