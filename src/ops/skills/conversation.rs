//! What was said in a context, as a conversation for a model: without what the hub asked about the work itself, and bounded.

use a2a::model::{Message, Role};
use operations::completions::MAX_TEXT;
use serde_json::{Value, json};

use super::ask::{Ask, text_of};

/// In the metadata of a question of the hub: what it asks for. The next message of the client answers it.
pub(super) const ASKS: &str = "asks";

/// Most messages of a conversation. What is older is left out.
const MESSAGES: usize = 200;

/// What a task is about by now.
pub(super) struct Conversation {
    /// As `route_request` takes it.
    pub(super) messages: Vec<Value>,
    /// What the caller answered to the last question of the hub, with what was asked for.
    pub(super) answered: Option<(String, String)>,
}

/// The conversation that the work goes on with.
pub(super) fn of(ask: &Ask) -> Conversation {
    let all: Vec<&Message> = ask.before.iter().chain([&ask.message]).collect();
    let mut said: Vec<(&'static str, String)> = Vec::new();
    let mut asked: Option<String> = None;
    let mut answered = None;
    for message in all {
        if let Some(what) = asks(message) {
            asked = Some(what.to_owned());
            continue;
        }
        let text = text_of(message);
        match (asked.take(), message.role) {
            (Some(what), Role::User) => answered = Some((what, text.trim().to_owned())),
            _ if text.is_empty() => {}
            (_, role) => {
                answered = None;
                said.push((speaker(message, role), text));
            }
        }
    }
    let messages = newest(said).into_iter().map(|(role, content)| json!({"role": role, "content": content}));
    Conversation { messages: messages.collect(), answered }
}

fn asks(message: &Message) -> Option<&str> {
    (message.role == Role::Agent).then_some(message.metadata.as_ref()?.get(ASKS)?.as_str()).flatten()
}

fn speaker(message: &Message, role: Role) -> &'static str {
    let says = |word: &str| {
        message.metadata.as_ref().and_then(|it| it.get("role")).and_then(Value::as_str) == Some(word)
    };
    match role {
        Role::Agent => "assistant",
        Role::User if says("system") => "system",
        Role::User => "user",
    }
}

/// As much of the end as an operation takes. The last message is always there: whether it is too long is for the operation to say.
fn newest(said: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    let (mut bytes, mut kept) = (0, Vec::new());
    for (role, text) in said.into_iter().rev().take(MESSAGES) {
        bytes += text.len();
        if bytes > MAX_TEXT && !kept.is_empty() {
            break;
        }
        kept.push((role, text));
    }
    kept.reverse();
    kept
}
