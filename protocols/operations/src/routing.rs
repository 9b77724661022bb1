//! Operations that answer "why": where a request would go, and why one went where it did. Times are milliseconds since the
//! Unix epoch in fields that end in `_at`, amounts are US dollars in fields that end in `_usd`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope};

/// Longest name of a model that is taken, in bytes.
const MAX_NAME: usize = 512;
/// Longest text that is taken for finding out what a request is about, in bytes.
const MAX_TEXT: usize = 16 * 1024;
/// Most tokens of a request that is made up.
const MAX_TOKENS: u64 = 100_000_000;
/// Most names in one preference.
const MAX_NAMES: usize = 64;

/// Says where a request would go.
#[derive(Debug, Clone, Copy)]
pub struct Simulate;

/// Says why a request went where it did.
#[derive(Debug, Clone, Copy)]
pub struct Explain;

/// A request that is not made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulateRoute {
    /// The model, combo or `auto…` as a client would name it.
    pub model: String,
    /// The client's dialect: chat, responses, messages or gemini; chat when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<String>,
    /// Whether it brings tools.
    #[serde(default)]
    pub tools: bool,
    /// Whether it shows pictures.
    #[serde(default)]
    pub vision: bool,
    /// Whether it wants an answer after a schema.
    #[serde(default)]
    pub structured: bool,
    /// The tokens of its prompt; 0 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    /// The most tokens that its answer may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// What its last message says, for finding out what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Providers or connections that go first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    /// Providers or connections that may be used; without it all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Providers or connections that may not be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
}

/// The request to explain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainRoute {
    /// The value of `x-request-id` in its answer.
    pub request_id: String,
}

/// A decision, with what it was made from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The model as the client named it.
    pub model: String,
    /// What ordered the targets.
    pub strategy: String,
    /// The targets in the order in which they are to be tried.
    pub order: Vec<CandidateView>,
    /// The targets that were left out, and why.
    pub left_out: Vec<LeftOut>,
    /// The weights of the factors, where the strategy scores.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<String, u32>,
    /// What the request was taken to be about, where that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Whether the first target is first because the caller's session belongs to it.
    #[serde(default)]
    pub by_session: bool,
    /// Whether the planner of today would decide otherwise by the same inputs: another version of the hub made it.
    #[serde(default)]
    pub differs: bool,
    /// The seed of all chance in the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
}

/// A target that could be used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CandidateView {
    /// The connection's id.
    pub connection: String,
    /// The model as the provider knows it.
    pub model: String,
    /// Whether it failed a moment ago, so that it is tried after the others.
    #[serde(default)]
    pub recovering: bool,
    /// What was known of it, where the strategy looks: `in_flight`, `used` (requests of the last hour), `p95_ms`, `success`,
    /// `breaker`, `left` and `task_fit` in thousandths, `cost` in picodollars, `context` in tokens.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub signals: BTreeMap<String, i64>,
    /// The factors of its score in thousandths, and their weighted mean as `total` in thousandths of thousandths.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub score: BTreeMap<String, u32>,
}

/// A target that could not be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// The connection's id.
    pub connection: String,
    /// The model as the provider knows it.
    pub model: String,
    /// Why: a word, a colon, and the reason.
    pub reason: String,
    /// When it can be used again, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_at: Option<i64>,
}

/// What happened to a request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The hub's id of the request.
    pub request_id: String,
    /// When it arrived.
    pub arrived_at: i64,
    /// Who asked: the caller's id.
    pub caller: String,
    /// The status that the client got.
    pub status: u16,
    /// How it ended: completed, failed, interrupted or client_left.
    pub outcome: String,
    /// The public error code, when the client got an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The decision, made again from what was kept of it.
    pub decision: Decision,
    /// What was tried, in order.
    pub attempts: Vec<Attempt>,
    /// Tokens of the prompt, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens of the answer, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// What it cost, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Milliseconds from arrival to the first content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_content_ms: Option<u32>,
    /// Milliseconds from arrival to the end.
    pub total_ms: u32,
    /// Changes that were made to the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<String>,
    /// What translation lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<String>,
}

/// One try at one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// The connection's id.
    pub connection: String,
    /// The provider's id.
    pub provider: String,
    /// The model as the provider knows it.
    pub model: String,
    /// Milliseconds from the request's arrival to its start.
    pub started_ms: u32,
    /// Milliseconds that it took.
    pub took_ms: u32,
    /// What went wrong; absent: it served the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The provider's status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Operation for Simulate {
    const NAME: &'static str = "simulate_route";
    const TITLE: &'static str = "Simulate a route";
    const SUMMARY: &'static str = "Says where a request for a model would go now, in which order, and who is left out \
         for which reason. Nobody is called, and no turn is taken.";
    const SCOPE: Scope = Scope::ReadHealth;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Post, "/api/routing/simulate");
    const COMMAND: (&'static str, &'static str) = ("routing", "simulate");
    const EXAMPLE: &'static str = r#"{"model": "auto", "tools": true}"#;
    const WORDS: &'static [&'static str] = &["text"];
    type Args = SimulateRoute;
    type Result = Decision;

    fn check(mut args: SimulateRoute) -> Result<SimulateRoute, Invalid> {
        args.model = args.model.trim().to_owned();
        if !(1..=MAX_NAME).contains(&args.model.len()) {
            return Err(Invalid::new("model", format!("must be a name of 1 to {MAX_NAME} bytes")));
        }
        if args.text.as_ref().is_some_and(|text| text.len() > MAX_TEXT) {
            return Err(Invalid::new("text", format!("must be at most {MAX_TEXT} bytes long")));
        }
        for (field, tokens) in [("prompt_tokens", args.prompt_tokens), ("max_tokens", args.max_tokens)] {
            if tokens.is_some_and(|tokens| tokens > MAX_TOKENS) {
                return Err(Invalid::new(field, format!("must be at most {MAX_TOKENS}")));
            }
        }
        for (field, names) in [("order", &args.order), ("only", &args.only), ("ignore", &args.ignore)] {
            if names.len() > MAX_NAMES {
                return Err(Invalid::new(field, format!("must be at most {MAX_NAMES} names")));
            }
        }
        Ok(args)
    }
}

impl Operation for Explain {
    const NAME: &'static str = "explain_route";
    const TITLE: &'static str = "Explain a route";
    const SUMMARY: &'static str = "Says what happened to a request, given by the value of x-request-id: the candidates, \
         what was known of them, their order, who was left out and why, what was tried, and what it cost.";
    const SCOPE: Scope = Scope::ReadHealth;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/routing/explain/{request_id}");
    const COMMAND: (&'static str, &'static str) = ("routing", "explain");
    const EXAMPLE: &'static str = r#"{"request_id": "req_01jd5m1v2e4v4rp3c8k5m7x9yz"}"#;
    type Args = ExplainRoute;
    type Result = Explanation;

    fn check(args: ExplainRoute) -> Result<ExplainRoute, Invalid> {
        let request_id = args.request_id.trim().to_owned();
        if !(1..=128).contains(&request_id.len()) {
            return Err(Invalid::new(
                "request_id",
                "must be the value of x-request-id in an answer of the hub",
            ));
        }
        Ok(ExplainRoute { request_id })
    }
}
