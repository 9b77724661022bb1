//! Having the web searched: by models that the operator has tagged `web-search`, as the route for that in the model API does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope};

/// Longest query, in characters.
const MAX_QUERY: usize = 500;

/// Searches the web.
#[derive(Debug, Clone, Copy)]
pub struct Web;

/// What to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebSearchArgs {
    /// What to look for, at most 500 characters.
    pub query: String,
    /// Most pages in the answer, 1 to 20; 5 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
    /// What kind of pages; any when nothing is said.
    #[serde(default)]
    pub search_type: SearchKind,
}

/// What kind of pages is looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SearchKind {
    /// Any.
    #[default]
    Web,
    /// Recent news.
    News,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebSearchResult {
    /// The id of the request that was made, for `explain_route`.
    pub request_id: String,
    /// What the model that searched says.
    pub summary: String,
    /// The pages that it refers to, as far as its provider tells.
    pub results: Vec<FoundPage>,
    /// The provider that searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model that searched.
    pub model: String,
    /// What it cost by its tokens; `null` where that is not known. Fees for the search itself are not in it.
    pub cost_usd: Option<f64>,
}

/// A page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundPage {
    /// Its address.
    pub url: String,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

impl Operation for Web {
    const NAME: &'static str = "web_search";
    const TITLE: &'static str = "Search the web";
    const SUMMARY: &'static str = "Has the web searched by a model that the operator has tagged `web-search`, with the caller's \
         policy, budgets, limits and a receipt. Spends money. Answers what the model says of it, and the pages it refers to.";
    const SCOPE: Scope = Scope::ExecuteSearch;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: false };
    const ROUTE: Route = Route::new(Method::Post, "/api/search");
    const COMMAND: (&'static str, &'static str) = ("search", "web");
    const EXAMPLE: &'static str = r#"{"query": "When was the last leap second?"}"#;
    const ENDS_WITH_CALLER: bool = true;
    const WORDS: &'static [&'static str] = &["query"];
    type Args = WebSearchArgs;
    type Result = WebSearchResult;

    fn check(args: WebSearchArgs) -> Result<WebSearchArgs, Invalid> {
        let query = args.query.trim().to_owned();
        if !(1..=MAX_QUERY).contains(&query.chars().count()) {
            return Err(Invalid::new("query", format!("must have 1 to {MAX_QUERY} characters")));
        }
        if args.max_results.is_some_and(|most| !(1..=20).contains(&most)) {
            return Err(Invalid::new("max_results", "must be from 1 to 20"));
        }
        Ok(WebSearchArgs { query, ..args })
    }
}
