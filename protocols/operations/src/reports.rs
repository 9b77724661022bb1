//! Operations that sum up for people and agents: what was spent, how combos and providers do, what went wrong lately, and which
//! model or combo is best for a kind of work. A caller without `read:keys` is told of its own requests alone. Times are
//! milliseconds since the Unix epoch in fields that end in `_at`, amounts are US dollars in fields that end in `_usd`; what is
//! not known is absent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Hints, Invalid, Method, Operation, Route, Scope,
    completions::WorkKind,
    health::ConnectionHealth,
    page,
    steering::BudgetGuard,
    usage::{Percentiles, UsageGroup},
};

/// Most money and longest time that are asked for.
const MAX_USD: f64 = 1_000_000.0;
const LOOK: Hints = Hints { read_only: true, destructive: false, idempotent: true };

/// Says what was spent.
#[derive(Debug, Clone, Copy)]
pub struct Cost;

/// Says what the caller did since the hub started.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot;

/// Says how combos do.
#[derive(Debug, Clone, Copy)]
pub struct Combos;

/// Says how a provider does.
#[derive(Debug, Clone, Copy)]
pub struct Providers;

/// Says what went wrong lately.
#[derive(Debug, Clone, Copy)]
pub struct Errors;

/// Says what is best for a kind of work.
#[derive(Debug, Clone, Copy)]
pub struct Best;

/// Over which time to report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CostReportArgs {
    /// Over which time; the day when nothing is said.
    #[serde(default)]
    pub period: ReportPeriod,
    /// Only what this caller spent, by its id. Others than the caller itself need `read:keys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A time that ends now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReportPeriod {
    /// Since the hub started.
    Session,
    /// Since midnight (UTC).
    #[default]
    Day,
    /// Since Monday (UTC).
    Week,
    /// Since the first of the month (UTC).
    Month,
}

/// What was spent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostReport {
    /// Over which time.
    pub period: ReportPeriod,
    /// From when on, rounded down to the hour that is kept.
    pub since_at: i64,
    /// Until when.
    pub until_at: i64,
    /// Whose; absent: everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Everything.
    pub totals: UsageGroup,
    /// By provider, those with the most requests first; at most 50.
    pub by_provider: Vec<UsageGroup>,
    /// By model, likewise.
    pub by_model: Vec<UsageGroup>,
    /// The budgets that hold for what is reported, those with the least left first.
    pub budgets: Vec<BudgetLeft>,
}

/// What is left of a budget in the window that runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetLeft {
    /// The budget's id.
    pub budget: String,
    /// Whose part of it, where each caller has the whole limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// What may be spent in one window.
    pub limit_usd: f64,
    /// What is left of it, running requests taken off.
    pub remaining_usd: f64,
    /// How long a window is: `day`, `week` or `month`.
    pub window: String,
    /// When the next one begins; absent where nothing was spent yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<i64>,
}

/// Whose requests to sum up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionSnapshotArgs {
    /// Whose, by its id; the caller's own when nothing is said. Others need `read:keys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What one caller did since the hub started.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionSnapshot {
    /// Whose.
    pub key: String,
    /// From when on, rounded down to the hour that is kept.
    pub since_at: i64,
    /// Everything.
    pub totals: UsageGroup,
    /// The models with the most requests; at most 5.
    pub top_models: Vec<UsageGroup>,
    /// The providers with the most requests; at most 5.
    pub top_providers: Vec<UsageGroup>,
    /// Errors by their public code, of the last 500 requests that failed.
    pub errors: Vec<ErrorCount>,
    /// What bounds the caller's spending by set_budget_guard, if anything does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<BudgetGuard>,
}

/// How often something went wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorCount {
    /// The public error code.
    pub code: String,
    /// How often.
    pub count: u64,
}

/// Which combos, and since when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComboMetricsArgs {
    /// Only this combo, by its id; without it all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// From when on; a day ago when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_at: Option<i64>,
}

/// How combos do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComboMetricsReport {
    /// From when on.
    pub since_at: i64,
    /// Each combo, by id.
    pub combos: Vec<ComboMetrics>,
    /// Whether there were more requests than are looked at, which are the last 5000: the numbers are of those.
    pub truncated: bool,
}

/// How a combo does: requests that named it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComboMetrics {
    /// The combo's id.
    pub name: String,
    /// Its strategy.
    pub strategy: String,
    /// Requests.
    pub requests: u64,
    /// The share of them that got a whole answer, from 0 to 1; of requests whose clients stayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_rate: Option<f64>,
    /// Half of the whole answers took no longer than this, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<u32>,
    /// 95 of 100 did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<u32>,
    /// What they cost, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Answers whose cost is not known, and is not in `cost_usd`.
    pub cost_unknown: u64,
    /// Requests that were answered by another target than the first.
    pub fallback_count: u64,
    /// Answers by provider, the most first.
    pub by_provider: Vec<ProviderShare>,
}

/// What one provider answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderShare {
    /// The provider's id.
    pub provider: String,
    /// Answers.
    pub answers: u64,
    /// What they cost, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// Which provider, and since when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderMetricsArgs {
    /// The provider, by its id or a prefix of its models.
    pub provider: String,
    /// From when on; a day ago when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_at: Option<i64>,
}

/// How a provider does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderMetrics {
    /// The provider's id.
    pub provider: String,
    /// From when on, rounded down to the hour that is kept.
    pub since_at: i64,
    /// Whose requests are counted; absent: everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The share of requests that ended well, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_rate: Option<f64>,
    /// How long requests took, in milliseconds; known to about a fifth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_ms: Option<Percentiles>,
    /// Requests, tokens, cost and speed.
    pub usage: UsageGroup,
    /// The last failure there, of the last 1000 requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<ProviderError>,
    /// How its connections stand.
    pub connections: Vec<ConnectionStanding>,
}

/// How a connection of a provider stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionStanding {
    /// How it stands.
    #[serde(flatten)]
    pub health: ConnectionHealth,
    /// The breaker of its host: `closed`, `degraded`, `half_open` or `open`.
    pub breaker: String,
}

/// A failure at a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderError {
    /// When its request arrived.
    pub at: i64,
    /// The connection.
    pub connection: String,
    /// The model.
    pub model: String,
    /// What it was, such as `rate_limited`.
    pub kind: String,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The request, for `explain_route`.
    pub request_id: String,
}

/// Which errors to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecentErrorsArgs {
    /// From when on; a day ago when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_at: Option<i64>,
    /// Only requests for this model, as their clients named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Only those of this caller, by its id. Others than the caller itself need `read:keys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Most groups in the answer, 1 to 500; 50 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What went wrong, by its cause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecentErrors {
    /// From when on.
    pub since_at: i64,
    /// The causes, the most frequent first.
    pub errors: Vec<ErrorGroup>,
    /// Whether there were more failures than are looked at (the last 2000), or more causes than were asked for.
    pub truncated: bool,
}

/// Requests that failed for one cause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorGroup {
    /// The public error code.
    pub code: String,
    /// What went wrong at the last target that was asked, such as `unauthorized`; absent where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The connection of that target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The model there; where nobody was asked, as the client named it.
    pub model: String,
    /// How many.
    pub count: u64,
    /// When the last of them arrived.
    pub last_at: i64,
    /// What the provider said last, or the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Up to three of the requests, the latest first, for `explain_route`.
    pub request_ids: Vec<String>,
    /// What to do next.
    pub next: String,
}

/// The work to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BestForTaskArgs {
    /// What kind of work.
    pub task_type: WorkKind,
    /// The most that a request of 2000 tokens and an answer of 500 may cost, in US dollars. What has no known price is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost: Option<f64>,
    /// The longest time to the first content, in milliseconds, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_latency_ms: Option<u32>,
}

/// What is best for the work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BestForTask {
    /// The kind of work.
    pub task_type: WorkKind,
    /// What to ask; absent where nothing can be used within the bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommended: Option<Suitable>,
    /// Why.
    pub reason: String,
    /// The next ones, best first; at most 5.
    pub alternatives: Vec<Suitable>,
    /// The best that costs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free: Option<Suitable>,
}

/// A combo or model that can be asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suitable {
    /// The name to ask for.
    pub name: String,
    /// Whether it is a combo.
    pub is_combo: bool,
    /// The model that would answer first.
    pub model: String,
    /// Its provider.
    pub provider: String,
    /// How good it is at the work, in thousandths, by a table of families of models; absent for those that it does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<u16>,
    /// How many of 1000 attempts of the last hour succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<u16>,
    /// What 95 of 100 of its last first contents kept, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<u32>,
    /// What a request of 2000 tokens and an answer of 500 is expected to cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Whether it costs the operator nothing.
    pub free: bool,
}

impl Operation for Cost {
    const NAME: &'static str = "cost_report";
    const TITLE: &'static str = "Report what was spent";
    const SUMMARY: &'static str = "Says what was spent since the hub started, today, this week or this month: in all, by \
         provider and by model, and what is left of the budgets. Unknown cost is counted apart.";
    const SCOPE: Scope = Scope::ReadUsage;
    const HINTS: Hints = LOOK;
    const ROUTE: Route = Route::new(Method::Get, "/api/usage/cost");
    const COMMAND: (&'static str, &'static str) = ("usage", "cost");
    const EXAMPLE: &'static str = r#"{"period": "week"}"#;
    type Args = CostReportArgs;
    type Result = CostReport;

    fn check(args: CostReportArgs) -> Result<CostReportArgs, Invalid> {
        Ok(CostReportArgs { key: page::check_name("key", args.key.as_ref())?, ..args })
    }
}

impl Operation for Snapshot {
    const NAME: &'static str = "get_session_snapshot";
    const TITLE: &'static str = "Sum up what a key did";
    const SUMMARY: &'static str = "Sums up what the caller's own key did since the hub started: requests, tokens, cost, the \
         models and providers that it used most, errors, and the guard that bounds its spending.";
    const SCOPE: Scope = Scope::ReadUsage;
    const HINTS: Hints = LOOK;
    const ROUTE: Route = Route::new(Method::Get, "/api/usage/session");
    const COMMAND: (&'static str, &'static str) = ("usage", "session");
    const EXAMPLE: &'static str = "{}";
    type Args = SessionSnapshotArgs;
    type Result = SessionSnapshot;

    fn check(args: SessionSnapshotArgs) -> Result<SessionSnapshotArgs, Invalid> {
        Ok(SessionSnapshotArgs { key: page::check_name("key", args.key.as_ref())? })
    }
}

impl Operation for Combos {
    const NAME: &'static str = "get_combo_metrics";
    const TITLE: &'static str = "Show how combos do";
    const SUMMARY: &'static str = "Says of one combo, or of each, how often it was asked, answered and had to fall back, how \
         long that took, what it cost, and who answered.";
    const SCOPE: Scope = Scope::ReadCombos;
    const HINTS: Hints = LOOK;
    const ROUTE: Route = Route::new(Method::Get, "/api/routing/combo-metrics");
    const COMMAND: (&'static str, &'static str) = ("combos", "metrics");
    const EXAMPLE: &'static str = r#"{"name": "coding"}"#;
    type Args = ComboMetricsArgs;
    type Result = ComboMetricsReport;

    fn check(args: ComboMetricsArgs) -> Result<ComboMetricsArgs, Invalid> {
        crate::traces::check_range(args.since_at, None)?;
        Ok(ComboMetricsArgs { name: page::check_name("name", args.name.as_ref())?, ..args })
    }
}

impl Operation for Providers {
    const NAME: &'static str = "get_provider_metrics";
    const TITLE: &'static str = "Show how a provider does";
    const SUMMARY: &'static str = "Says of a provider how many requests ended well, how long they took, what they used and \
         cost, what failed there last, and how its connections and the breaker of its host stand.";
    const SCOPE: Scope = Scope::ReadHealth;
    const HINTS: Hints = LOOK;
    const ROUTE: Route = Route::new(Method::Get, "/api/health/provider");
    const COMMAND: (&'static str, &'static str) = ("health", "provider");
    const EXAMPLE: &'static str = r#"{"provider": "groq"}"#;
    type Args = ProviderMetricsArgs;
    type Result = ProviderMetrics;

    fn check(args: ProviderMetricsArgs) -> Result<ProviderMetricsArgs, Invalid> {
        crate::traces::check_range(args.since_at, None)?;
        Ok(ProviderMetricsArgs { provider: page::check_required("provider", &args.provider)?, ..args })
    }
}

impl Operation for Errors {
    const NAME: &'static str = "list_recent_errors";
    const TITLE: &'static str = "List what went wrong lately";
    const SUMMARY: &'static str = "Groups the requests that failed lately by their cause: the error, the connection and the \
         model, how many, when the last one was, some of their ids, and what to do next.";
    const SCOPE: Scope = Scope::ReadTraces;
    const HINTS: Hints = LOOK;
    const ROUTE: Route = Route::new(Method::Get, "/api/errors");
    const COMMAND: (&'static str, &'static str) = ("traces", "errors");
    const EXAMPLE: &'static str = r#"{"limit": 10}"#;
    type Args = RecentErrorsArgs;
    type Result = RecentErrors;

    fn check(args: RecentErrorsArgs) -> Result<RecentErrorsArgs, Invalid> {
        crate::traces::check_range(args.since_at, None)?;
        if args.limit.is_some_and(|limit| !(1..=page::MAX_PAGE).contains(&limit)) {
            return Err(Invalid::new("limit", format!("must be from 1 to {}", page::MAX_PAGE)));
        }
        let model = page::check_name("model", args.model.as_ref())?;
        Ok(RecentErrorsArgs { model, key: page::check_name("key", args.key.as_ref())?, ..args })
    }
}

impl Operation for Best {
    const NAME: &'static str = "best_combo_for_task";
    const TITLE: &'static str = "Say what is best for a kind of work";
    const SUMMARY: &'static str = "Recommends a combo or model for a kind of work, by how good families of models are at it, what \
         was seen of them lately, and prices; with alternatives, and the best that costs nothing. Nobody is asked.";
    const SCOPE: Scope = Scope::ReadCombos;
    const HINTS: Hints = LOOK;
    const ROUTE: Route = Route::new(Method::Get, "/api/routing/best");
    const COMMAND: (&'static str, &'static str) = ("routing", "best");
    const EXAMPLE: &'static str = r#"{"task_type": "coding"}"#;
    type Args = BestForTaskArgs;
    type Result = BestForTask;

    fn check(args: BestForTaskArgs) -> Result<BestForTaskArgs, Invalid> {
        if args.max_cost.is_some_and(|most| !(0.0..=MAX_USD).contains(&most)) {
            return Err(Invalid::new("max_cost", "must be an amount in US dollars"));
        }
        Ok(args)
    }
}
