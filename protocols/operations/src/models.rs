//! Operations on models: what is served by whom, and what is shown. Amounts are US dollars per million tokens in fields
//! that end in `_per_million_usd`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope, page};

/// Lists models.
#[derive(Debug, Clone, Copy)]
pub struct List;

/// Hides a model.
#[derive(Debug, Clone, Copy)]
pub struct Hide;

/// Shows a model that was hidden.
#[derive(Debug, Clone, Copy)]
pub struct Show;

/// The model to hide or show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelVisibility {
    /// The model's name; `*` stands for any text.
    pub model: String,
    /// Only on this connection, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
}

/// What is hidden now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HiddenModels {
    /// Every entry of the setting `routing.hidden`.
    pub hidden: Vec<String>,
}

/// Which models to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListModels {
    /// Only those whose name holds this text, whatever its case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only those that this connection serves, by its id. Needs `read:connections`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Only those that this provider serves, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Only those that are made for this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<Capability>,
    /// `next_cursor` of the page before; without it the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Most models on the page, 1 to 500; 100 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What a model is made for, by its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// Talking.
    #[default]
    Chat,
    /// Turning text into vectors.
    Embedding,
    /// Drawing.
    Image,
    /// Hearing and speaking.
    Audio,
    /// Making films.
    Video,
    /// Ordering texts by how well they answer a question.
    Rerank,
    /// Judging what is said.
    Moderation,
}

/// Some models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelPage {
    /// Those of this page, by name.
    pub models: Vec<ModelView>,
    /// For the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A model by its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelView {
    /// Its name, as providers know it.
    pub id: String,
    /// What it is made for, by its name.
    #[serde(default)]
    pub capability: Capability,
    /// Whether it is hidden wherever it is served: not listed to clients, and not chosen unless it is named.
    pub hidden: bool,
    /// Who serves it, in the order of the configuration.
    pub served_by: Vec<ServedBy>,
}

/// A model on one connection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServedBy {
    /// The connection's id; left out for callers without `read:connections`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub connection: String,
    /// The provider's id.
    pub provider: String,
    /// Whether it is hidden here.
    pub hidden: bool,
    /// The context window in tokens, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u64>,
    /// The most tokens of an answer, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
    /// Whether it can call tools, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<bool>,
    /// Whether it can see pictures, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vision: Option<bool>,
    /// Whether it can be held to a JSON Schema, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structured: Option<bool>,
    /// Whether it thinks before it answers, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<bool>,
    /// What the prompt costs, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_per_million_usd: Option<f64>,
    /// What the answer costs, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_per_million_usd: Option<f64>,
    /// Who says so: `configuration`, or the catalogue's source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_source: Option<String>,
    /// On which day the catalogue's source was last seen, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_as_of: Option<String>,
    /// Whether it costs the operator nothing here.
    pub free: bool,
    /// Its place in the waterfall of `auto-ranked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl Operation for List {
    const NAME: &'static str = "list_models";
    const TITLE: &'static str = "List models with who serves them";
    const SUMMARY: &'static str = "Lists every model that connections serve, with what is known of it at each: window, \
         abilities, price with its source and date, rank and tags. Callers without `read:connections` see those that they may \
         ask for and that are not hidden, and no connections.";
    const SCOPE: Scope = Scope::ReadModels;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/models");
    const COMMAND: (&'static str, &'static str) = ("models", "list");
    const EXAMPLE: &'static str = r#"{"search": "llama"}"#;
    type Args = ListModels;
    type Result = ModelPage;

    fn check(args: ListModels) -> Result<ListModels, Invalid> {
        let limit = page::check(args.cursor.as_ref(), args.limit)?;
        let search = page::check_name("search", args.search.as_ref())?;
        let connection = page::check_name("connection", args.connection.as_ref())?;
        let provider = page::check_name("provider", args.provider.as_ref())?;
        Ok(ListModels { search, connection, provider, limit: Some(limit), ..args })
    }
}

impl Operation for Hide {
    const NAME: &'static str = "hide_model";
    const TITLE: &'static str = "Hide a model";
    const SUMMARY: &'static str = "Hides a model, everywhere or on one connection: it is not listed to clients, and not          chosen unless somebody names it. The setting `routing.hidden`.";
    const SCOPE: Scope = Scope::WriteModels;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Post, "/api/models/hide");
    const COMMAND: (&'static str, &'static str) = ("models", "hide");
    const EXAMPLE: &'static str = r#"{"model": "gpt-4o-mini"}"#;
    type Args = ModelVisibility;
    type Result = HiddenModels;

    fn check(args: ModelVisibility) -> Result<ModelVisibility, Invalid> {
        check_visibility(&args)
    }
}

impl Operation for Show {
    const NAME: &'static str = "show_model";
    const TITLE: &'static str = "Show a hidden model";
    const SUMMARY: &'static str = "Takes back what hide_model did: the entry of exactly this model, and of exactly this          connection where one is named.";
    const SCOPE: Scope = Scope::WriteModels;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Post, "/api/models/show");
    const COMMAND: (&'static str, &'static str) = ("models", "show");
    const EXAMPLE: &'static str = r#"{"model": "gpt-4o-mini"}"#;
    type Args = ModelVisibility;
    type Result = HiddenModels;

    fn check(args: ModelVisibility) -> Result<ModelVisibility, Invalid> {
        check_visibility(&args)
    }
}

fn check_visibility(args: &ModelVisibility) -> Result<ModelVisibility, Invalid> {
    let connection = page::check_name("connection", args.connection.as_ref())?;
    Ok(ModelVisibility { model: page::check_required("model", &args.model)?, connection })
}
