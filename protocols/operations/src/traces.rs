//! Single requests: what was asked, tried and answered. Times are milliseconds since the Unix epoch in fields that end in
//! `_at`, amounts are US dollars in fields that end in `_usd`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Hints, Invalid, Method, Operation, Route, Scope,
    captures::CapturedPayload,
    routing::{Attempt, LeftOut},
};

/// Traces on a page when nothing was said.
pub const DEFAULT_PAGE: u32 = 50;
/// Most traces on a page.
pub const MAX_PAGE: u32 = 500;
/// Longest name that is filtered by, in bytes.
const MAX_NAME: usize = 512;
/// The largest time: the end of the year 9999. What is behind it is meant in another unit.
const MAX_AT: i64 = 253_402_300_799_999;

/// Lists single requests.
#[derive(Debug, Clone, Copy)]
pub struct List;

/// Tells everything of one request.
#[derive(Debug, Clone, Copy)]
pub struct Get;

/// Which page of requests to list, the latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTraces {
    /// `next_cursor` of the page before; without it the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Most requests on the page, 1 to 500; 50 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only those that arrived then or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_at: Option<i64>,
    /// Only those that arrived before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_at: Option<i64>,
    /// Only this model, as the client named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Only those that this connection answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Only those of this caller: the id of a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Only those of this session, as the client calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Only statuses of this class: 2xx, 4xx or 5xx.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusClass>,
    /// Only those that ended like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Ending>,
    /// Only those with this public error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A class of statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StatusClass {
    /// It was answered, or its answer began.
    #[serde(rename = "2xx")]
    Good,
    /// The caller's fault.
    #[serde(rename = "4xx")]
    Caller,
    /// The hub's fault, or a provider's.
    #[serde(rename = "5xx")]
    Server,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The client got the whole answer.
    Completed,
    /// The client got an error instead of an answer.
    Failed,
    /// The answer broke off after its beginning.
    Interrupted,
    /// The client left before the end.
    ClientLeft,
}

/// Some requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TracePage {
    /// The requests of this page, the latest first. May be fewer than asked for although there are more: one call looks
    /// through a bounded number of requests.
    pub traces: Vec<TraceView>,
    /// For the next page; absent where nothing is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// One request in a few words.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TraceView {
    /// The hub's id of the request (`x-request-id`).
    pub request_id: String,
    /// When it arrived.
    pub arrived_at: i64,
    /// Who asked: the caller's id.
    pub key: String,
    /// The dialect in which the client spoke.
    pub route: String,
    /// The model as the client named it.
    pub model: String,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// What the client calls the session that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The connection that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// How many targets were tried.
    pub attempts: u64,
    /// The status that the client got.
    pub status: u16,
    /// How it ended: completed, failed, interrupted or `client_left`.
    pub outcome: String,
    /// The public error code, when the client got an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Tokens of the prompt, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens of the answer, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// What it cost, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Whether that is by estimated tokens.
    pub cost_estimated: bool,
    /// Milliseconds from arrival to the first content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_content_ms: Option<u32>,
    /// Milliseconds from arrival to the end.
    pub total_ms: u32,
}

/// The request to tell of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTrace {
    /// The value of `x-request-id` in its answer.
    pub request_id: String,
}

/// Everything that is kept of one request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trace {
    /// It in a few words.
    #[serde(flatten)]
    pub summary: TraceView,
    /// The client's own id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<String>,
    /// The trace that its client named in `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// What ordered the targets.
    pub strategy: String,
    /// What was tried, in order.
    pub tried: Vec<Attempt>,
    /// The targets that were left out, and why.
    pub left_out: Vec<LeftOut>,
    /// Attempts and targets beyond the first 64, which were not written down.
    pub omitted: u64,
    /// How the request came by an answer that was made for another: cached, joined or replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reused: Option<String>,
    /// What was done to the request before it was planned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shaped: Vec<String>,
    /// Tokens of the prompt that were read from a cache.
    pub cached_tokens: u64,
    /// Tokens of the answer that were spent on reasoning.
    pub reasoning_tokens: u64,
    /// Changes that were made to the request for the last attempt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<String>,
    /// What translation lost: a name where it was dropped, `~name` where it was changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<String>,
    /// Bytes of answer that the client got.
    pub bytes_out: u64,
    /// What was said word for word, where the operator has it kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payloads: Vec<CapturedPayload>,
}

impl Operation for List {
    const NAME: &'static str = "list_traces";
    const TITLE: &'static str = "List requests";
    const SUMMARY: &'static str = "Lists single requests, the latest first, by model, connection, key, session, status, \
         outcome, error and time. Never prompts or answers.";
    const SCOPE: Scope = Scope::ReadTraces;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/traces");
    const COMMAND: (&'static str, &'static str) = ("traces", "list");
    const EXAMPLE: &'static str = r#"{"limit": 20}"#;
    type Args = ListTraces;
    type Result = TracePage;

    fn check(mut args: ListTraces) -> Result<ListTraces, Invalid> {
        let names = [
            ("cursor", &mut args.cursor),
            ("model", &mut args.model),
            ("connection", &mut args.connection),
            ("key", &mut args.key),
            ("session", &mut args.session),
            ("error", &mut args.error),
        ];
        for (field, name) in names {
            let Some(text) = name else { continue };
            *text = text.trim().to_owned();
            if !(1..=MAX_NAME).contains(&text.len()) {
                return Err(Invalid::new(field, format!("must be 1 to {MAX_NAME} bytes long")));
            }
        }
        if args.limit.is_some_and(|limit| !(1..=MAX_PAGE).contains(&limit)) {
            return Err(Invalid::new("limit", format!("must be from 1 to {MAX_PAGE}")));
        }
        check_range(args.since_at, args.until_at)?;
        Ok(args)
    }
}

impl Operation for Get {
    const NAME: &'static str = "get_trace";
    const TITLE: &'static str = "Get a request";
    const SUMMARY: &'static str = "Tells everything that is kept of one request, given by the value of x-request-id: what \
         was tried and left out, tokens, cost, times, and what translation lost.";
    const SCOPE: Scope = Scope::ReadTraces;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/traces/{request_id}");
    const COMMAND: (&'static str, &'static str) = ("traces", "get");
    const EXAMPLE: &'static str = r#"{"request_id": "req_01jd5m1v2e4v4rp3c8k5m7x9yz"}"#;
    type Args = GetTrace;
    type Result = Trace;

    fn check(args: GetTrace) -> Result<GetTrace, Invalid> {
        let request_id = args.request_id.trim().to_owned();
        if !(1..=128).contains(&request_id.len()) {
            let message = "must be the value of x-request-id in an answer of the hub";
            return Err(Invalid::new("request_id", message));
        }
        Ok(GetTrace { request_id })
    }
}

/// Whether two times make a range.
pub(crate) fn check_range(since: Option<i64>, until: Option<i64>) -> Result<(), Invalid> {
    for (field, at) in [("since_at", since), ("until_at", until)] {
        if at.is_some_and(|at| !(0..=MAX_AT).contains(&at)) {
            return Err(Invalid::new(field, "must be a time in milliseconds since the Unix epoch"));
        }
    }
    match (since, until) {
        (Some(since), Some(until)) if since >= until => {
            Err(Invalid::new("since_at", "must be before `until_at`"))
        }
        _ => Ok(()),
    }
}
