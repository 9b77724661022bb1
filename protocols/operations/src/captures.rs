//! What was said word for word, where the operator has it kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One message of a request: what its client asked or got, or what went to a provider or came back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CapturedPayload {
    /// Where it was seen: `client_request`, `sent_request`, `upstream_answer` or `client_answer`.
    pub stage: String,
    /// Of which attempt, from 1; absent of what the client asked and got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The URL that it was sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The status that it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Its headers. Values of those that carry credentials are taken out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<CapturedHeader>,
    /// Its body, without what looks like a credential; what is no text in UTF-8 is replaced.
    pub body: String,
    /// How many bytes the body had.
    pub bytes: u64,
    /// Whether its end is missing.
    pub cut: bool,
}

/// One header of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CapturedHeader {
    /// Its name, in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
}
