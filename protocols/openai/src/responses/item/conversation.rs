//! Items in a row become messages: what the model gave is one, and so is what its tools answered.

use canon::{Block, Message, Rest, Role};
use serde_json::{Value, json};

use super::{Item, hint};
use crate::responses::OWN;

/// Messages that grow item by item.
#[derive(Default)]
pub(crate) struct Conversation {
    messages: Vec<Message>,
    /// Whether the last message may take more: one of the model, or one of outputs.
    open: Option<Role>,
}

impl Conversation {
    /// Adds an item.
    pub(crate) fn push(&mut self, item: Item) {
        let joins = match item.role {
            Role::Assistant => Some(Role::Assistant),
            Role::User if !item.message => Some(Role::User),
            _ => None,
        };
        if joins.is_none() || joins != self.open {
            self.messages.push(Message::new(item.role, Vec::new()));
        }
        self.open = joins;
        if let Some(message) = self.messages.last_mut() {
            add(item, &mut message.blocks, &mut message.rest);
        }
    }

    /// All of it.
    pub(crate) fn finish(self) -> Vec<Message> {
        self.messages
    }
}

/// Adds what an item holds to blocks; one that says nothing is a hint in their rest.
pub(crate) fn add(item: Item, blocks: &mut Vec<Block>, rest: &mut Rest) {
    if let Some(empty) = item.empty {
        let entry = json!({ "at": blocks.len(), "item": empty });
        match rest.fields.get_mut(hint::EMPTY) {
            Some(Value::Array(list)) => list.push(entry),
            _ => rest.hint(OWN, hint::EMPTY, vec![entry]),
        }
    }
    blocks.extend(item.blocks);
}
