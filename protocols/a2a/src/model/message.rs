//! Messages and the parts that they, and artifacts, are made of.

use serde_json::Value;

use super::Metadata;

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The client.
    User,
    /// The agent.
    Agent,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Made by who wrote the message; repeats of a request have the same.
    pub id: String,
    /// The conversation.
    pub context_id: Option<String>,
    /// The task that it is about. From a client: one that exists.
    pub task_id: Option<String>,
    /// Who wrote it.
    pub role: Role,
    /// At least one.
    pub parts: Vec<Part>,
    /// Anything more.
    pub metadata: Metadata,
    /// URIs of the extensions that contributed.
    pub extensions: Vec<String>,
    /// Other tasks that it refers to.
    pub reference_task_ids: Vec<String>,
}

/// One piece of content.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What it holds.
    pub content: Content,
    /// Name of the file. 0.3 can say it of files alone.
    pub filename: Option<String>,
    /// MIME type. 0.3 can say it of files alone.
    pub media_type: Option<String>,
    /// Anything more.
    pub metadata: Metadata,
}

/// What a part holds. How much of it is allowed is the business of who reads the request.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Plain text.
    Text(String),
    /// The bytes of a file in base64 (either alphabet, with or without padding), as they came.
    Raw(String),
    /// Where a file can be fetched. Nobody has checked it.
    Url(String),
    /// Any JSON value; in 0.3 always an object.
    Data(Value),
}

impl Part {
    /// A part of plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(Content::Text(text.into()))
    }

    /// A part of structured data.
    #[must_use]
    pub fn data(data: Value) -> Self {
        Self::of(Content::Data(data))
    }

    /// A part with nothing but its content.
    #[must_use]
    pub const fn of(content: Content) -> Self {
        Self { content, filename: None, media_type: None, metadata: None }
    }

    /// The text of a part of text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Raw(_) | Content::Url(_) | Content::Data(_) => None,
        }
    }
}

impl Message {
    /// A message of some parts that belongs nowhere yet.
    #[must_use]
    pub fn new(id: impl Into<String>, role: Role, parts: Vec<Part>) -> Self {
        Self {
            id: id.into(),
            context_id: None,
            task_id: None,
            role,
            parts,
            metadata: None,
            extensions: Vec::new(),
            reference_task_ids: Vec::new(),
        }
    }
}
