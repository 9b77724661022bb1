//! Operations on connections in daily life: whether one works, and what its provider serves. What a connection is, is said
//! by documents. Times that something took are milliseconds in fields that end in `_ms`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope, page};

/// Most models that are accepted at once.
const MAX_ACCEPTED: usize = 1000;

/// Tests a connection.
#[derive(Debug, Clone, Copy)]
pub struct Test;

/// Asks a provider what it serves.
#[derive(Debug, Clone, Copy)]
pub struct Discover;

/// Takes models into a connection's list.
#[derive(Debug, Clone, Copy)]
pub struct Accept;

/// The connection to test.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestConnection {
    /// The connection's id.
    pub id: String,
    /// A model that is to answer a short question. Without it the provider's list of models is asked for, which costs
    /// nothing, but is public at some providers and then says nothing of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// How the test went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionTested {
    /// The connection's id.
    pub id: String,
    /// Whether every step went well.
    pub works: bool,
    /// The step that failed: `proxy`, `dns`, `tcp`, `tls`, `auth` or `model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// The steps that were taken, in order.
    pub steps: Vec<TestStep>,
    /// The model that was asked, where one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How many models the provider lists, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<u32>,
    /// Tokens of the question, where one was asked and the provider tells. They are the account's, and in no receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
}

/// One step of a test.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestStep {
    /// What was tried: `proxy`, `dns`, `tcp`, `tls`, `auth` or `model`.
    pub step: String,
    /// Whether it went well.
    pub works: bool,
    /// What it took; absent where it was proved by the step after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// What was found, or the provider's words, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The connection whose provider to ask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscoverModels {
    /// The connection's id.
    pub id: String,
}

/// What the provider lists, compared with the connection's own list. Nothing is changed by it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Discovered {
    /// The connection's id.
    pub id: String,
    /// On both lists.
    pub known: Vec<String>,
    /// On the provider's only: not listed to clients until they are accepted.
    pub new: Vec<String>,
    /// On the connection's only: the provider may have retired them.
    pub gone: Vec<String>,
}

/// The models to take in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptModels {
    /// The connection's id.
    pub id: String,
    /// The models, as the provider names them.
    pub models: Vec<String>,
}

/// What was taken in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelsAccepted {
    /// The connection's id.
    pub id: String,
    /// Models that are served from now on, and were not before.
    pub accepted: Vec<String>,
    /// How many models the connection lists now.
    pub models: u32,
    /// The version of the connection's definition.
    pub version: u64,
}

impl Operation for Test {
    const NAME: &'static str = "test_connection";
    const TITLE: &'static str = "Test a connection";
    const SUMMARY: &'static str = "Tries whether a connection works and says which step failed: proxy, dns, tcp, tls,          auth or model, with the time of each and the provider's words. Nothing is held against the connection for it.";
    const SCOPE: Scope = Scope::WriteConnections;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Post, "/api/connections/{id}/test");
    const COMMAND: (&'static str, &'static str) = ("connections", "test");
    const EXAMPLE: &'static str = r#"{"id": "groq-2"}"#;
    type Args = TestConnection;
    type Result = ConnectionTested;

    fn check(args: TestConnection) -> Result<TestConnection, Invalid> {
        let model = page::check_name("model", args.model.as_ref())?;
        Ok(TestConnection { id: page::check_required("id", &args.id)?, model })
    }
}

impl Operation for Discover {
    const NAME: &'static str = "discover_models";
    const TITLE: &'static str = "Ask a provider for its models";
    const SUMMARY: &'static str = "Asks a connection's provider which models it serves, and says which of them the          connection lists, which are new and which are gone. Nothing is changed: see accept_models.";
    const SCOPE: Scope = Scope::WriteModels;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Post, "/api/connections/{id}/discover");
    const COMMAND: (&'static str, &'static str) = ("connections", "discover");
    const EXAMPLE: &'static str = r#"{"id": "groq-2"}"#;
    type Args = DiscoverModels;
    type Result = Discovered;

    fn check(args: DiscoverModels) -> Result<DiscoverModels, Invalid> {
        Ok(DiscoverModels { id: page::check_required("id", &args.id)? })
    }
}

impl Operation for Accept {
    const NAME: &'static str = "accept_models";
    const TITLE: &'static str = "Take models into a connection's list";
    const SUMMARY: &'static str = "Adds models to the list of a connection that was made by these operations, so that          they are listed and routed to. What the file declares is changed in the file.";
    const SCOPE: Scope = Scope::WriteModels;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Post, "/api/connections/{id}/models");
    const COMMAND: (&'static str, &'static str) = ("connections", "accept");
    const EXAMPLE: &'static str = r#"{"id": "groq-2", "models": ["llama-3.3-70b-versatile"]}"#;
    type Args = AcceptModels;
    type Result = ModelsAccepted;

    fn check(args: AcceptModels) -> Result<AcceptModels, Invalid> {
        if !(1..=MAX_ACCEPTED).contains(&args.models.len()) {
            return Err(Invalid::new("models", format!("must be 1 to {MAX_ACCEPTED} names")));
        }
        let models = args.models.iter().map(|model| page::check_required("models", model));
        Ok(AcceptModels {
            id: page::check_required("id", &args.id)?,
            models: models.collect::<Result<_, _>>()?,
        })
    }
}
