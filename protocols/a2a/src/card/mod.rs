//! The agent card in the terms of 1.0, and the forms that it is served in: pure 1.0, 0.3, and one that clients of both
//! read. `canonical` is what is signed; signing is done elsewhere.

mod canonical;
mod jcs;
mod legacy;
mod security;

pub use canonical::{canonical, canonical_without_empty};
pub use legacy::{NoInterface, hybrid, v03};
pub use security::{
    ApiKey, AuthorizationCode, ClientCredentials, DeviceCode, Direct, Flow, HttpAuthentication, MutualTls,
    OAuth2, OpenIdConnect, Requirement, ScopeList, Scopes, SecurityScheme,
};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where 1.0 and 0.3 look for the card.
pub const PATH: &str = "/.well-known/agent-card.json";
/// Where versions before 0.3 looked for it.
pub const OLD_PATH: &str = "/.well-known/agent.json";

/// Interfaces over JSON-RPC.
pub const JSONRPC: &str = "JSONRPC";
/// Interfaces over plain HTTP.
pub const HTTP_JSON: &str = "HTTP+JSON";

/// What an agent says of itself. Serialized, it is the card of 1.0: what is required is always written, what is
/// `Option` if it was said, and anything else if it is not empty, as protobuf does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Card {
    /// For people.
    pub name: String,
    /// For people and other agents.
    pub description: String,
    /// Where it can be reached, best first.
    pub supported_interfaces: Vec<Interface>,
    /// Who runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// Of the agent, not of the protocol.
    pub version: String,
    /// More to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation_url: Option<String>,
    /// What of the protocol it can do.
    pub capabilities: Capabilities,
    /// Ways to prove who one is, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub security_schemes: BTreeMap<String, SecurityScheme>,
    /// One of these suffices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub security_requirements: Vec<Requirement>,
    /// Media types that every skill reads.
    pub default_input_modes: Vec<String>,
    /// Media types that every skill writes.
    pub default_output_modes: Vec<String>,
    /// What it is good at.
    pub skills: Vec<Skill>,
    /// Over `canonical`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<Signature>,
    /// A picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon_url: Option<String>,
}

/// A place where an agent can be reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Interface {
    /// Absolute; HTTPS outside of tests.
    pub url: String,
    /// [`JSONRPC`], [`HTTP_JSON`], `GRPC` or a URI.
    pub protocol_binding: String,
    /// What every request to it must say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// Major and minor: `1.0`, `0.3`.
    pub protocol_version: String,
}

/// Who runs an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provider {
    /// Web site.
    pub url: String,
    /// Name.
    pub organization: String,
}

/// What of the protocol an agent can do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Capabilities {
    /// Answers in streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streaming: Option<bool>,
    /// Calls webhooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_notifications: Option<bool>,
    /// Extensions of the protocol.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Extension>,
    /// Has another card for those who are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_agent_card: Option<bool>,
}

/// An extension of the protocol.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extension {
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uri: String,
    /// How the agent uses it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Nobody gets on without it.
    #[serde(skip_serializing_if = "is_false")]
    pub required: bool,
    /// Its own settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<Map<String, Value>>,
}

/// Something that an agent is good at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Skill {
    /// What clients ask for.
    pub id: String,
    /// For people.
    pub name: String,
    /// For people and other agents.
    pub description: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What one might ask.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    /// Instead of the card's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub input_modes: Vec<String>,
    /// Instead of the card's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub output_modes: Vec<String>,
    /// One of these suffices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub security_requirements: Vec<Requirement>,
}

/// A signature of a card: a JWS without its payload.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signature {
    /// The protected header, in base64url.
    pub protected: String,
    /// The signature, in base64url.
    pub signature: String,
    /// The unprotected header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<Map<String, Value>>,
}

/// The card of 1.0, with no field that its schema does not know.
#[must_use]
pub fn v1(card: &Card) -> Value {
    // Maps have text for keys and no number is a fraction of infinity: nothing here cannot be written.
    serde_json::to_value(card).unwrap_or_default()
}

const fn is_false(it: &bool) -> bool {
    !*it
}

#[cfg(test)]
mod tests;
