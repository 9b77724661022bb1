//! Operations on the windows of quotas. Times are milliseconds since the Unix epoch in fields that end in `_at`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope, page};

/// Lists windows.
#[derive(Debug, Clone, Copy)]
pub struct List;

/// Which windows to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuotas {
    /// Only those of this connection, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Only those of connections to this provider, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// `next_cursor` of the page before; without it the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Most windows on the page, 1 to 500; 100 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Some windows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuotaPage {
    /// Those of this page, by connection, model and name.
    pub windows: Vec<QuotaWindow>,
    /// For the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// One window of one connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuotaWindow {
    /// The connection's id.
    pub connection: String,
    /// The provider's id.
    #[serde(default)]
    pub provider: String,
    /// Of a connection that somebody logs in to: `valid`, `refreshing` (it could not be renewed a moment ago, and is tried
    /// again soon) or `expired` (its owner must log in).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_status: Option<String>,
    /// The model, where only that one is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its name, alone of its kind for the connection and the model.
    pub window: String,
    /// What it counts, such as `requests` or `tokens`; absent where the provider tells a share only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// How long it is, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<String>,
    /// How much fits, where that is known: in the unit, of money in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// The share that is used, from 0 to 1, without what is reserved.
    pub used: f64,
    /// The share that requests under way have set aside, from 0 to 1.
    pub reserved: f64,
    /// When it is whole again, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<i64>,
    /// Where the figures come from: `configured` (counted here), `header` or `refusal` (the provider's word).
    pub source: String,
    /// How much they are worth: `counted`, `told` (a moment ago) or `stale` (older than a tenth of the window).
    pub confidence: String,
    /// When they were true.
    pub known_at: i64,
}

impl Operation for List {
    const NAME: &'static str = "list_quotas";
    const TITLE: &'static str = "List quotas";
    const SUMMARY: &'static str = "Lists the windows of the connections' quotas: how much fits, is used and is reserved, \
         when they start anew, where the figures come from, and how much they are worth.";
    const SCOPE: Scope = Scope::ReadQuota;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/quotas");
    const COMMAND: (&'static str, &'static str) = ("quotas", "list");
    const EXAMPLE: &'static str = r#"{"connection": "groq-2"}"#;
    type Args = ListQuotas;
    type Result = QuotaPage;

    fn check(args: ListQuotas) -> Result<ListQuotas, Invalid> {
        let limit = page::check(args.cursor.as_ref(), args.limit)?;
        let connection = page::check_name("connection", args.connection.as_ref())?;
        let provider = page::check_name("provider", args.provider.as_ref())?;
        Ok(ListQuotas { connection, provider, limit: Some(limit), ..args })
    }
}
