//! What models cost, and who says so. Amounts are US dollars per million tokens in fields that end in `_per_million_usd`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope};

/// Most prices in one answer.
pub const MAX_PRICES: usize = 5000;
/// Longest name that is filtered by, in bytes.
const MAX_NAME: usize = 512;

/// Lists what models cost.
#[derive(Debug, Clone, Copy)]
pub struct List;

/// Fetches the configured list now.
#[derive(Debug, Clone, Copy)]
pub struct SyncNow;

/// Whose prices to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPrices {
    /// Only those of this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Only those of this model, as its provider knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// What models cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PriceTable {
    /// The models that connections list, in the order of the configuration.
    pub prices: Vec<ModelPrice>,
    /// Whether there are more than fit into one answer: ask for one connection or model.
    pub truncated: bool,
}

/// What one model costs at one connection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelPrice {
    /// The connection.
    pub connection: String,
    /// Its provider.
    pub provider: String,
    /// The model as the provider knows it.
    pub model: String,
    /// A million tokens of requests; absent where no price is known, which is not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_per_million_usd: Option<f64>,
    /// A million tokens of answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_per_million_usd: Option<f64>,
    /// A million tokens of requests that were read from the provider's cache, where they have a price of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read_per_million_usd: Option<f64>,
    /// A million tokens of requests that were written to the provider's cache, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_per_million_usd: Option<f64>,
    /// Who says so: `configured` (the operator), `built_in`, `fetched` or `unknown`.
    pub said_by: String,
    /// The vendor or the host of the list that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The day on which that was last seen, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
}

/// How to fetch the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncPricing {
    /// Only say what would be different.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a fetched list brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PricingSynced {
    /// The host of the list.
    pub source: String,
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Models on the list that can be read.
    pub models: u32,
    /// Those of them of which the list before had no price.
    pub new: u32,
    /// Those of them that have another price than on the list before.
    pub changed: u32,
    /// Those of them whose price is as before.
    pub same: u32,
    /// Models of the list before that are not on this one.
    pub gone: u32,
    /// Entries of the list that were left out: not by tokens, no price, or not readable.
    pub skipped: u32,
    /// When it was fetched, in milliseconds since the Unix epoch.
    pub fetched_at: i64,
}

impl Operation for SyncNow {
    const NAME: &'static str = "sync_pricing";
    const TITLE: &'static str = "Fetch prices now";
    const SUMMARY: &'static str = "Fetches the list of prices that `prices_sync.url` names, without waiting for its time, and \
         counts what is new, changed and left out. With `dry_run` nothing is put in force.";
    const SCOPE: Scope = Scope::WritePricing;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Post, "/api/pricing/sync");
    const COMMAND: (&'static str, &'static str) = ("pricing", "sync");
    const EXAMPLE: &'static str = r#"{"dry_run": true}"#;
    type Args = SyncPricing;
    type Result = PricingSynced;

    fn check(args: SyncPricing) -> Result<SyncPricing, Invalid> {
        Ok(args)
    }
}

impl Operation for List {
    const NAME: &'static str = "list_pricing";
    const TITLE: &'static str = "List prices";
    const SUMMARY: &'static str = "Lists what the models of each connection cost, who says so and since when. What is not \
         known is absent, and not 0.";
    const SCOPE: Scope = Scope::ReadModels;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/pricing");
    const COMMAND: (&'static str, &'static str) = ("pricing", "list");
    const EXAMPLE: &'static str = r#"{"model": "llama-3.3-70b-versatile"}"#;
    type Args = ListPrices;
    type Result = PriceTable;

    fn check(mut args: ListPrices) -> Result<ListPrices, Invalid> {
        for (field, name) in [("connection", &mut args.connection), ("model", &mut args.model)] {
            let Some(text) = name else { continue };
            *text = text.trim().to_owned();
            if !(1..=MAX_NAME).contains(&text.len()) {
                return Err(Invalid::new(field, format!("must be 1 to {MAX_NAME} bytes long")));
            }
        }
        Ok(args)
    }
}
