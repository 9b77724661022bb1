//! Operations on what the hub finds out about connections by asking their providers for lists of models, which costs nothing:
//! suggestions, which wait for a person. Times are milliseconds since the Unix epoch in fields that end in `_at`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Hints, Invalid, Method, Operation, Route, Scope, page};

/// Most suggestions in the report of a diagnosis; all of them are listed by the page.
pub const MAX_REPORTED: usize = 500;

/// Asks the providers now.
#[derive(Debug, Clone, Copy)]
pub struct Diagnose;

/// Lists suggestions.
#[derive(Debug, Clone, Copy)]
pub struct List;

/// Does what a suggestion says.
#[derive(Debug, Clone, Copy)]
pub struct Accept;

/// Lets a suggestion be.
#[derive(Debug, Clone, Copy)]
pub struct Dismiss;

/// Whose providers to ask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiagnoseConnections {
    /// Only this connection, by its id; without it all that are in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
}

/// What a diagnosis found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DiagnosisReport {
    /// What was done.
    pub run: DiagnosisRun,
    /// The suggestions about these connections that are open now, at most 500 of them: what is wrong before what is new.
    pub suggestions: Vec<SuggestionView>,
}

/// A diagnosis that has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiagnosisRun {
    /// When it began.
    pub began_at: i64,
    /// When it ended.
    pub ended_at: i64,
    /// The connections whose providers were asked.
    pub connections: Vec<ConnectionDiagnosed>,
    /// Connections that it did not come to within its time.
    pub unfinished: u32,
    /// Suggestions that were left out because too many are kept already.
    pub left_out: u32,
}

/// What was found out about one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionDiagnosed {
    /// The connection's id.
    pub id: String,
    /// Its provider's id.
    pub provider: String,
    /// Whether the provider gave its list of models. Not every provider has one.
    pub works: bool,
    /// Why it did not, in words without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Models on the provider's list.
    pub listed: u32,
    /// Models of the connection that the provider has.
    pub known: u32,
    /// Models that the provider has and the connection does not list, those included that are not suggested for their number.
    pub new: u32,
    /// Models of the connection that the provider does not have, those included that are not on its list and were not asked for
    /// for their number.
    pub gone: u32,
    /// Models that were hidden or locked for being gone, and are back.
    pub back: u32,
    /// Suggestions about the base URL, the way of the key, or the dialect.
    pub endpoint: u32,
}

/// What kind of thing is suggested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuggestionKind {
    /// The provider does not have a model any more: hide it on the connection. It is not deleted.
    ModelGone,
    /// A model that was hidden or locked for being gone is there again: show it, and lift the lock.
    ModelBack,
    /// The provider has a model that the connection does not list: list it.
    ModelNew,
    /// The provider is reached at another base URL.
    BaseUrl,
    /// The key travels in another way.
    Auth,
    /// Another dialect is spoken there.
    Dialect,
}

impl SuggestionKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::ModelGone, Self::ModelBack, Self::ModelNew, Self::BaseUrl, Self::Auth, Self::Dialect];

    /// The kind as a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ModelGone => "model_gone",
            Self::ModelBack => "model_back",
            Self::ModelNew => "model_new",
            Self::BaseUrl => "base_url",
            Self::Auth => "auth",
            Self::Dialect => "dialect",
        }
    }

    /// Whether it is about a model, and not about the way to the provider.
    #[must_use]
    pub const fn is_of_model(self) -> bool {
        matches!(self, Self::ModelGone | Self::ModelBack | Self::ModelNew)
    }
}

/// What became of a suggestion.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SuggestionState {
    /// It waits.
    #[default]
    Open,
    /// It was done.
    Accepted,
    /// Somebody does not want it.
    Dismissed,
}

impl SuggestionState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Accepted, Self::Dismissed];

    /// The state as a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Dismissed => "dismissed",
        }
    }
}

/// Which suggestions to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSuggestions {
    /// Only those about this connection, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Only those in this state; without it those that are open.
    #[serde(default)]
    pub state: SuggestionState,
    /// `next_cursor` of the page before; without it the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Most suggestions on the page, 1 to 500; 100 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Some suggestions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuggestionPage {
    /// Those of this page, by id.
    pub suggestions: Vec<SuggestionView>,
    /// For the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// The last diagnosis since the hub runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<DiagnosisRun>,
}

/// A suggestion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuggestionView {
    /// Its id, the same for the same suggestion in every diagnosis.
    pub id: String,
    /// The connection that it is about.
    pub connection: String,
    /// What kind of thing it is.
    pub kind: SuggestionKind,
    /// The model that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What was seen, in words without secrets.
    pub seen: String,
    /// In how many diagnoses in a row it was seen.
    pub times: u32,
    /// When it was first seen.
    pub first_at: i64,
    /// When it was last seen.
    pub last_at: i64,
    /// What became of it.
    pub state: SuggestionState,
    /// When that was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<i64>,
    /// Who decided it: a caller's id, or `hub` for the hub itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// What accepting it changes as things are now; absent where the hub has nothing to change, or it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<SuggestedChange>,
}

/// A change of a definition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuggestedChange {
    /// The section: `providers`, or `settings` for a single key.
    pub section: String,
    /// The definition's id.
    pub id: String,
    /// What is to be different, as a JSON merge patch.
    pub changes: Map<String, Value>,
}

/// The suggestion that is decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameSuggestion {
    /// Its id.
    pub suggestion: String,
}

fn check_name(args: &NameSuggestion) -> Result<NameSuggestion, Invalid> {
    Ok(NameSuggestion { suggestion: page::check_required("suggestion", &args.suggestion)? })
}

impl Operation for Diagnose {
    const NAME: &'static str = "diagnose_connections";
    const TITLE: &'static str = "Diagnose connections";
    const SUMMARY: &'static str = "Asks the connections' providers for their lists of models, and looks for them nearby where \
         they are not, which costs nothing; says what is gone, new or elsewhere, and suggests changes. Nothing is changed by it.";
    const SCOPE: Scope = Scope::WriteConnections;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Post, "/api/diagnosis");
    const COMMAND: (&'static str, &'static str) = ("suggestions", "find");
    const EXAMPLE: &'static str = r#"{"connection": "groq-2"}"#;
    type Args = DiagnoseConnections;
    type Result = DiagnosisReport;

    fn check(args: DiagnoseConnections) -> Result<DiagnoseConnections, Invalid> {
        Ok(DiagnoseConnections { connection: page::check_name("connection", args.connection.as_ref())? })
    }
}

impl Operation for List {
    const NAME: &'static str = "list_suggestions";
    const TITLE: &'static str = "List suggestions";
    const SUMMARY: &'static str = "Lists what diagnoses of connections suggest: models that are gone, new or back, other base \
         URLs, ways of the key and dialects, each with what was seen and the change that accepting it makes.";
    const SCOPE: Scope = Scope::ReadConnections;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/suggestions");
    const COMMAND: (&'static str, &'static str) = ("suggestions", "list");
    const EXAMPLE: &'static str = r#"{"connection": "groq-2", "state": "open"}"#;
    type Args = ListSuggestions;
    type Result = SuggestionPage;

    fn check(args: ListSuggestions) -> Result<ListSuggestions, Invalid> {
        let limit = page::check(args.cursor.as_ref(), args.limit)?;
        let connection = page::check_name("connection", args.connection.as_ref())?;
        Ok(ListSuggestions { connection, limit: Some(limit), ..args })
    }
}

impl Operation for Accept {
    const NAME: &'static str = "accept_suggestion";
    const TITLE: &'static str = "Accept a suggestion";
    const SUMMARY: &'static str = "Does what an open suggestion says, as if the definition were changed by hand: it is checked, \
         in force when this is answered, and can be taken back with undo_change. What the file declares cannot be changed here.";
    const SCOPE: Scope = Scope::WriteConnections;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: false };
    const ROUTE: Route = Route::new(Method::Post, "/api/suggestions/{suggestion}/accept");
    const COMMAND: (&'static str, &'static str) = ("suggestions", "accept");
    const EXAMPLE: &'static str = r#"{"suggestion": "sug_066864637f4335d7"}"#;
    type Args = NameSuggestion;
    type Result = SuggestionView;

    fn check(args: NameSuggestion) -> Result<NameSuggestion, Invalid> {
        check_name(&args)
    }
}

impl Operation for Dismiss {
    const NAME: &'static str = "dismiss_suggestion";
    const TITLE: &'static str = "Dismiss a suggestion";
    const SUMMARY: &'static str = "Lets an open suggestion be. It is not made again while diagnoses see the same; once they have \
         not, it may come again.";
    const SCOPE: Scope = Scope::WriteConnections;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: false };
    const ROUTE: Route = Route::new(Method::Post, "/api/suggestions/{suggestion}/dismiss");
    const COMMAND: (&'static str, &'static str) = ("suggestions", "dismiss");
    const EXAMPLE: &'static str = r#"{"suggestion": "sug_066864637f4335d7"}"#;
    type Args = NameSuggestion;
    type Result = SuggestionView;

    fn check(args: NameSuggestion) -> Result<NameSuggestion, Invalid> {
        check_name(&args)
    }
}
