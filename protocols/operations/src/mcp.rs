//! Operations on the hub as an MCP server: how it is, what it offers, and which tools were called by whom. Times are
//! milliseconds since the Unix epoch in fields that end in `_at`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Hints, Invalid, Method, Operation, Route, Scope, audit::AuditVerdict};

/// Calls on a page when nothing was said.
pub const DEFAULT_PAGE: u32 = 50;
/// Most calls on a page.
pub const MAX_PAGE: u32 = 500;
/// Most calls that are passed over.
const MAX_OFFSET: u32 = 100_000;
/// Longest name to search for, in bytes.
const MAX_TEXT: usize = 256;
/// Hours that are summed up when nothing was said.
pub const DEFAULT_HOURS: u32 = 24;
/// Most hours that are summed up: ninety days.
const MAX_HOURS: u32 = 90 * 24;

const LOOKS: Hints = Hints { read_only: true, destructive: false, idempotent: true };

/// Tells how the MCP server is.
#[derive(Debug, Clone, Copy)]
pub struct Status;

/// Lists the tools.
#[derive(Debug, Clone, Copy)]
pub struct Tools;

/// Lists calls of tools.
#[derive(Debug, Clone, Copy)]
pub struct Calls;

/// Sums up calls of tools.
#[derive(Debug, Clone, Copy)]
pub struct Stats;

/// Checks that nothing was taken out of the record of calls or changed in it.
#[derive(Debug, Clone, Copy)]
pub struct Verify;

/// Nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetMcpStatus {}

/// How the MCP server is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct McpStatus {
    /// Whether it answers (`mcp.enabled`).
    pub enabled: bool,
    /// The hub's version.
    pub version: String,
    /// When the hub started.
    pub started_at: i64,
    /// How long it has run, in milliseconds.
    pub uptime_ms: u64,
    /// The profile of tools that clients are shown which do not say: essential, standard or full.
    pub profile: String,
    /// How many tools are offered at all.
    pub tools: u32,
    /// Whether callers are held to their scopes. Always.
    pub scopes_enforced: bool,
    /// Sessions of the revisions that have any.
    pub sessions: McpSessions,
    /// Streams that are open, over which the hub tells clients of changes.
    pub streams: u32,
    /// Processes on this machine that speak MCP over their standard input and output.
    pub processes: Vec<McpProcessView>,
    /// Calls of the last hour, by tool and outcome; absent without `read:audit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_hour: Option<Vec<ToolSums>>,
    /// The last ten calls, newest first; absent without `read:audit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recent: Option<Vec<RecentCall>>,
}

/// How many sessions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct McpSessions {
    /// Sessions that stand in this process.
    pub standing: u32,
    /// Sessions that were written down, so that they can be taken up again.
    pub kept: u64,
    /// How many there may be.
    pub most: u32,
}

/// A process that speaks MCP over its standard input and output, as it last said of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct McpProcessView {
    /// Its process id.
    pub pid: u32,
    /// When it started.
    pub started_at: i64,
    /// When it was last heard of.
    pub last_heartbeat_at: i64,
    /// Its version.
    pub version: String,
    /// Its transport.
    pub transport: String,
    /// Its scopes.
    pub allowed_scopes: Vec<String>,
    /// How many tools its client is shown.
    pub tool_count: u32,
    /// Whether it was heard of lately; otherwise it is stale.
    pub is_alive: bool,
}

/// A call in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecentCall {
    /// When.
    pub at: i64,
    /// The caller's name.
    pub caller_name: String,
    /// The tool.
    pub tool: String,
    /// How it ended.
    pub outcome: CallOutcome,
}

/// Nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTools {}

/// Every tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolList {
    /// The tools, in the order of the catalogue.
    pub tools: Vec<ToolView>,
}

/// A tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolView {
    /// Its name.
    pub name: String,
    /// A few words for people.
    pub title: String,
    /// What it does.
    pub description: String,
    /// The scope that a caller must hold.
    pub scope: String,
    /// The smallest profile that lists it: essential, standard or full.
    pub profile: String,
    /// Whether it changes nothing.
    pub read_only: bool,
    /// Whether it takes away something for good, and wants `confirm: true`.
    pub destructive: bool,
    /// Whether asking twice is as asking once.
    pub idempotent: bool,
    /// Whether `mcp.allow` and `mcp.deny` leave it in.
    pub offered: bool,
    /// Whether the key that asks may call it: it is offered, and scopes and the key's list allow it.
    pub callable: bool,
}

/// Which calls to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListToolCalls {
    /// `next_cursor` of the page before; without it the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
    /// How many to pass over. A cursor is quicker, and does not slip when calls are added meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
    /// Most calls on the page, 1 to 500; 50 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only this tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Only calls that were done (`true`), or that were not (`false`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<bool>,
    /// Only this caller, by its id; OmniRoute's `apiKeyId`.
    #[serde(default, alias = "apiKeyId", skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Only this outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<CallOutcome>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CallOutcome {
    /// It was done.
    Ok,
    /// It was refused, or went wrong.
    Error,
    /// The caller did not hold the scope, or its key's list leaves the tool out.
    Denied,
    /// The caller did not wait for its end.
    Cancelled,
}

impl CallOutcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Error, Self::Denied, Self::Cancelled];

    /// The outcome as a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Denied => "denied",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolCall {
    /// Its number; grows.
    pub id: u64,
    /// When it began.
    pub at: i64,
    /// The caller's id.
    pub caller: String,
    /// The caller's name.
    pub caller_name: String,
    /// The tool.
    pub tool: String,
    /// How it ended.
    pub outcome: CallOutcome,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The rest.
    #[serde(flatten)]
    pub detail: CallDetail,
}

/// The parts of a call that are shown and not searched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CallDetail {
    /// The error's code, where it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The client's name, by its own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The client's version, by its own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_version: Option<String>,
    /// The transport: http, sse or stdio.
    pub transport: String,
    /// The session, in the revisions that have any: the first characters of its id, which is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The scope that the tool needs; absent for `search_tools`, which needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// A digest of the arguments as they were sent, in hexadecimal digits: HMAC-SHA-256 of their SHA-256, with a key of the
    /// hub. The same arguments have the same digest, and nobody without the key can find out which they were by trying.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments_digest: Option<String>,
    /// The arguments, secrets masked and without what people say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Value>,
    /// How many bytes the result has.
    pub result_bytes: u64,
    /// The hub's id of the request that the call came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The ids of requests to models that it made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caused: Vec<String>,
}

/// Some calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolCallPage {
    /// Those of this page, newest first.
    pub calls: Vec<ToolCall>,
    /// For the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<u64>,
}

/// What to sum up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetToolCallStats {
    /// The last hours, 1 to 2160; 24 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<u32>,
}

/// Calls in sums.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolCallStats {
    /// Since when.
    pub since_at: i64,
    /// All tools together.
    pub total: Sums,
    /// The part of calls that was done, 0 to 1; absent where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_rate: Option<f64>,
    /// By tool, the one that was called most first.
    pub tools: Vec<ToolSums>,
}

/// The calls of one tool in sums.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolSums {
    /// The tool.
    pub tool: String,
    /// Its calls.
    #[serde(flatten)]
    pub sums: Sums,
}

/// Calls in sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sums {
    /// All of them.
    pub calls: u64,
    /// Those that were done.
    pub ok: u64,
    /// Those that were refused or went wrong.
    pub error: u64,
    /// Those that were denied.
    pub denied: u64,
    /// Those whose caller did not wait.
    pub cancelled: u64,
    /// How long one took on the average, in milliseconds; absent where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_ms: Option<f64>,
}

/// Nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyToolCalls {}

impl Operation for Status {
    const NAME: &'static str = "get_mcp_status";
    const TITLE: &'static str = "Get the MCP server's status";
    const SUMMARY: &'static str = "Tells whether the MCP server answers, its sessions, streams and local processes; with \
         `read:audit` also the last calls and those of the last hour by tool and outcome.";
    const SCOPE: Scope = Scope::ReadHealth;
    const HINTS: Hints = LOOKS;
    const ROUTE: Route = Route::new(Method::Get, "/api/mcp/status");
    const COMMAND: (&'static str, &'static str) = ("tool", "status");
    const EXAMPLE: &'static str = "{}";
    type Args = GetMcpStatus;
    type Result = McpStatus;

    fn check(args: GetMcpStatus) -> Result<GetMcpStatus, Invalid> {
        Ok(args)
    }
}

impl Operation for Tools {
    const NAME: &'static str = "list_tools";
    const TITLE: &'static str = "List tools with their rights";
    const SUMMARY: &'static str = "Lists every tool with its scope, profile and hints, and whether the key that asks may \
         call it.";
    const SCOPE: Scope = Scope::ReadHealth;
    const HINTS: Hints = LOOKS;
    const ROUTE: Route = Route::new(Method::Get, "/api/mcp/tools");
    const COMMAND: (&'static str, &'static str) = ("tool", "list");
    const EXAMPLE: &'static str = "{}";
    type Args = ListTools;
    type Result = ToolList;

    fn check(args: ListTools) -> Result<ListTools, Invalid> {
        Ok(args)
    }
}

impl Operation for Calls {
    const NAME: &'static str = "list_tool_calls";
    const TITLE: &'static str = "List calls of tools";
    const SUMMARY: &'static str = "Lists which tools were called over MCP, by whom and how it ended, newest first; denied and \
         failed calls too. Secrets are masked, and what people say is left out.";
    const SCOPE: Scope = Scope::ReadAudit;
    const HINTS: Hints = LOOKS;
    const ROUTE: Route = Route::new(Method::Get, "/api/mcp/audit");
    const COMMAND: (&'static str, &'static str) = ("tool", "calls");
    const EXAMPLE: &'static str = r#"{"limit": 20}"#;
    type Args = ListToolCalls;
    type Result = ToolCallPage;

    fn check(args: ListToolCalls) -> Result<ListToolCalls, Invalid> {
        let limit = args.limit.unwrap_or(DEFAULT_PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Invalid::new("limit", format!("must be between 1 and {MAX_PAGE}")));
        }
        if args.offset.is_some_and(|offset| offset > MAX_OFFSET) {
            return Err(Invalid::new("offset", format!("must be at most {MAX_OFFSET}; use `cursor`")));
        }
        for (field, text) in [("tool", &args.tool), ("caller", &args.caller)] {
            if text.as_ref().is_some_and(|text| text.len() > MAX_TEXT) {
                return Err(Invalid::new(field, format!("must have at most {MAX_TEXT} bytes")));
            }
        }
        Ok(ListToolCalls { limit: Some(limit), ..args })
    }
}

impl Operation for Stats {
    const NAME: &'static str = "get_tool_call_stats";
    const TITLE: &'static str = "Sum up calls of tools";
    const SUMMARY: &'static str =
        "Counts the calls of tools of the last hours by tool and outcome, with how long they took.";
    const SCOPE: Scope = Scope::ReadAudit;
    const HINTS: Hints = LOOKS;
    const ROUTE: Route = Route::new(Method::Get, "/api/mcp/audit/stats");
    const COMMAND: (&'static str, &'static str) = ("tool", "stats");
    const EXAMPLE: &'static str = r#"{"hours": 24}"#;
    type Args = GetToolCallStats;
    type Result = ToolCallStats;

    fn check(args: GetToolCallStats) -> Result<GetToolCallStats, Invalid> {
        let hours = args.hours.unwrap_or(DEFAULT_HOURS);
        if !(1..=MAX_HOURS).contains(&hours) {
            return Err(Invalid::new("hours", format!("must be between 1 and {MAX_HOURS}")));
        }
        Ok(GetToolCallStats { hours: Some(hours) })
    }
}

impl Operation for Verify {
    const NAME: &'static str = "verify_tool_calls";
    const TITLE: &'static str = "Verify the record of tool calls";
    const SUMMARY: &'static str = "Checks that no row of the record of tool calls was changed and none taken out between \
         the oldest and the newest: each carries a hash of itself and of the one before.";
    const SCOPE: Scope = Scope::ReadAudit;
    const HINTS: Hints = LOOKS;
    const ROUTE: Route = Route::new(Method::Get, "/api/mcp/audit/verify");
    const COMMAND: (&'static str, &'static str) = ("tool", "verify");
    const EXAMPLE: &'static str = "{}";
    type Args = VerifyToolCalls;
    type Result = AuditVerdict;

    fn check(args: VerifyToolCalls) -> Result<VerifyToolCalls, Invalid> {
        Ok(args)
    }
}
