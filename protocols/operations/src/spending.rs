//! Operations on what was spent of budgets. What budgets there are is said by documents. Times are milliseconds since the
//! Unix epoch in fields that end in `_at`, amounts are US dollars in fields that end in `_usd`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope, page};

/// Says what was spent.
#[derive(Debug, Clone, Copy)]
pub struct Status;

/// Begins a budget's window anew.
#[derive(Debug, Clone, Copy)]
pub struct Reset;

/// Which budgets to show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetStatus {
    /// Only this budget, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<String>,
    /// `next_cursor` of the page before; without it the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Most rows on the page, 1 to 500; 100 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Some budgets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpendingPage {
    /// Those of this page, by budget and holder.
    pub budgets: Vec<Spending>,
    /// For the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// What was spent of one budget by one holder in the window that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spending {
    /// The budget's id.
    pub budget: String,
    /// The caller's id, where each caller has the whole limit; absent where there is one sum for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// What may be spent in one window.
    pub limit_usd: f64,
    /// What was spent in the one that runs.
    pub spent_usd: f64,
    /// What requests under way have set aside.
    pub reserved_usd: f64,
    /// Whether it refuses (`strict`) or only tells (`soft`).
    pub mode: String,
    /// How long a window is: `day`, `week` or `month`.
    pub window: String,
    /// When the window began.
    pub began_at: i64,
    /// When the next one begins.
    pub resets_at: i64,
}

/// The budget to begin anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetBudget {
    /// The budget's id.
    pub id: String,
    /// Only for this caller, by its id, where each caller has the whole limit; without it for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetResetDone {
    /// The budget's id.
    pub id: String,
    /// How many holders had spent something.
    pub holders: u32,
    /// What counted as spent before. Requests under way still count.
    pub forgiven_usd: f64,
}

impl Operation for Status {
    const NAME: &'static str = "budget_status";
    const TITLE: &'static str = "Show what was spent";
    const SUMMARY: &'static str = "Says of each budget, and of each caller where each has its own, what was spent and \
         reserved in the window that runs, and when the next one begins.";
    const SCOPE: Scope = Scope::ReadUsage;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/spending");
    const COMMAND: (&'static str, &'static str) = ("budgets", "status");
    const EXAMPLE: &'static str = r#"{"budget": "team"}"#;
    type Args = BudgetStatus;
    type Result = SpendingPage;

    fn check(args: BudgetStatus) -> Result<BudgetStatus, Invalid> {
        let limit = page::check(args.cursor.as_ref(), args.limit)?;
        let budget = page::check_name("budget", args.budget.as_ref())?;
        Ok(BudgetStatus { budget, limit: Some(limit), ..args })
    }
}

impl Operation for Reset {
    const NAME: &'static str = "reset_budget";
    const TITLE: &'static str = "Begin a budget anew";
    const SUMMARY: &'static str = "Lets a budget's running window begin with nothing spent, for one holder or for all. \
         What was spent stays in the receipts. It is on disk when this is answered.";
    const SCOPE: Scope = Scope::WriteBudget;
    const HINTS: Hints = Hints { read_only: false, destructive: true, idempotent: true };
    const ROUTE: Route = Route::new(Method::Post, "/api/budgets/{id}/reset");
    const COMMAND: (&'static str, &'static str) = ("budgets", "reset");
    const EXAMPLE: &'static str = r#"{"id": "team"}"#;
    type Args = ResetBudget;
    type Result = BudgetResetDone;

    fn check(args: ResetBudget) -> Result<ResetBudget, Invalid> {
        let holder = page::check_name("holder", args.holder.as_ref())?;
        Ok(ResetBudget { id: page::check_required("id", &args.id)?, holder })
    }
}
