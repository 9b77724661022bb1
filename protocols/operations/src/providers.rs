//! The operation on the catalogue of providers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope, page};

/// Lists the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct List;

/// Which providers to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListProviders {
    /// Only those whose id, prefix or name holds this text, whatever its case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only those with a connection.
    #[serde(default)]
    pub configured: bool,
    /// `next_cursor` of the page before; without it the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Most providers on the page, 1 to 500; 100 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Some providers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderPage {
    /// Those of this page, by id.
    pub providers: Vec<ProviderView>,
    /// For the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A row of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderView {
    /// Its id: the `type` of a connection.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Further prefixes of model names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<String>,
    /// The dialects that the hub speaks with it; none: it is listed to say why it is not served.
    pub dialects: Vec<String>,
    /// How a key is sent: `none`, `bearer`, `optional-bearer`, or `header: NAME`.
    pub auth: String,
    /// The environment variables in which its key is looked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Whether a connection must name a `base_url`.
    pub needs_base_url: bool,
    /// `variables` that a connection must fill in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
    /// Whose service it is: first-party, cloud, aggregator, reseller, local or unknown.
    pub trust: String,
    /// Whether its terms allow use through a gateway: ok, unclear or restricted.
    pub terms: String,
    /// What was known of a free tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_tier: Option<String>,
    /// On which day that was known, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_tier_as_of: Option<String>,
    /// What to know before using it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// Models that the catalogue names.
    pub models: u32,
    /// The connections that there are, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<String>,
}

impl Operation for List {
    const NAME: &'static str = "list_providers";
    const TITLE: &'static str = "List providers";
    const SUMMARY: &'static str = "Lists the catalogue of providers: their ids, dialects, how they take a key, the \
         environment variables of it, what is known of their terms, and the connections that there are.";
    const SCOPE: Scope = Scope::ReadConnections;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/providers");
    const COMMAND: (&'static str, &'static str) = ("providers", "list");
    const EXAMPLE: &'static str = r#"{"search": "groq"}"#;
    type Args = ListProviders;
    type Result = ProviderPage;

    fn check(args: ListProviders) -> Result<ListProviders, Invalid> {
        let limit = page::check(args.cursor.as_ref(), args.limit)?;
        let search = page::check_name("search", args.search.as_ref())?;
        Ok(ListProviders { search, limit: Some(limit), ..args })
    }
}
