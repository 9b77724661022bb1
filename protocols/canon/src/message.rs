//! Messages: who speaks, and what is said.

use crate::{Block, Rest};

/// One message of a conversation.
///
/// The results of tools are blocks of user messages, whatever the dialect does with them.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub blocks: Vec<Block>,
    /// Fields of the message that have no place of their own (a name, an item's id, a status).
    pub rest: Rest,
}

impl Message {
    /// A message of `role`.
    #[must_use]
    pub fn new(role: Role, blocks: Vec<Block>) -> Self {
        Self { role, blocks, rest: Rest::default() }
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The operator of the application, in the middle of or before a conversation.
    System,
    /// The same, by OpenAI's newer word.
    Developer,
    /// The user, and the tools that report to the model.
    User,
    /// The model.
    Assistant,
}
