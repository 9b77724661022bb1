//! Operations that look at one thing closely: what a key may ask, how long a text is, what the configuration says beside its
//! file, and whether the database is sound. Times are milliseconds since the Unix epoch in fields that end in `_at`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Hints, Invalid, Method, Operation, Route, Scope,
    completions::{ChatMessage, MAX_TEXT, check_messages},
    page,
    routing::LeftOut,
};

const LOOK: Hints = Hints { read_only: true, destructive: false, idempotent: true };

/// Says what a key may ask, and why not.
#[derive(Debug, Clone, Copy)]
pub struct Policy;

/// Says how many tokens a text has.
#[derive(Debug, Clone, Copy)]
pub struct Tokens;

/// Says what is in force beside the file.
#[derive(Debug, Clone, Copy)]
pub struct Configuration;

/// Looks at the database.
#[derive(Debug, Clone, Copy)]
pub struct Database;

/// The key, and what it would ask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewPolicyArgs {
    /// The key, by its id or name; the caller's own when nothing is said. Others need `read:keys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The model, combo or `auto…` as a client would name it.
    pub model: String,
}

/// What a key may ask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyPreview {
    /// The key's id.
    pub key: String,
    /// Its name.
    pub name: String,
    /// The model that is asked for.
    pub model: String,
    /// Whether a request would be let in now and have somewhere to go.
    pub allowed: bool,
    /// Everything that is checked, in the order in which it is; where it is not allowed, each reason.
    pub checks: Vec<PolicyCheck>,
    /// Who a request could go to, in order, as `provider/model`.
    pub targets: Vec<String>,
    /// Who it could not go to, and why; for callers with `read:health`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// One thing that is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyCheck {
    /// What: `key`, `entry` (disabled, address, hours; the address of the caller's own key alone), `scope`, `model`, `budget` or
    /// `rate`.
    pub check: String,
    /// Whether it lets the request pass.
    pub allowed: bool,
    /// The public error code, where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountTokensArgs {
    /// The model that it is for.
    pub model: String,
    /// A conversation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<ChatMessage>,
    /// In place of a conversation, a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// How long a text is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenEstimate {
    /// The model that it is for.
    pub model: String,
    /// Tokens of the prompt, about.
    pub tokens: u64,
    /// How that was found: `estimate`.
    pub method: String,
    /// What that means.
    pub note: String,
    /// The smallest context window among those who serve the model, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u64>,
}

/// Nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigDiffArgs {}

/// What is in force beside what the file says. Secrets are masked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigDiff {
    /// What was made over the API and is in force.
    pub managed: Vec<ConfigItem>,
    /// What was made over the API and is not in force, because it contradicts the file by now.
    pub set_aside: Vec<ConfigItem>,
    /// What the environment or a flag says, over the file.
    pub overrides: Vec<ConfigItem>,
}

/// One definition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigItem {
    /// The section that it belongs to; `settings` for single keys of the others.
    pub section: String,
    /// Its id.
    pub id: String,
    /// What it says.
    pub definition: Map<String, Value>,
    /// Where it comes from, or why it is not in force.
    pub note: String,
}

/// Whether to repair.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseCheckArgs {
    /// Rebuilds the indexes, refreshes what the planner of queries knows, and writes the log into the file. Needs
    /// `write:backups`. What is damaged beyond that comes back from a backup alone.
    #[serde(default)]
    pub repair: bool,
}

/// How the database is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DatabaseCheck {
    /// `sqlite`, `postgres` or `memory`.
    pub kind: String,
    /// Whether nothing wrong was found.
    pub sound: bool,
    /// What is damaged; at most 10 things.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damage: Vec<String>,
    /// Bytes of the database, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Bytes of the log beside it that are not written into it yet (SQLite).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_bytes: Option<u64>,
    /// The last step of the schema that it has.
    pub schema: i64,
    /// The last one that this program knows.
    pub latest: i64,
    /// Receipts that wait to be written.
    pub receipts_waiting: u64,
    /// Receipts that found no room since the start.
    pub receipts_dropped: u64,
    /// Whether it was repaired.
    pub repaired: bool,
}

impl Operation for Policy {
    const NAME: &'static str = "preview_policy";
    const TITLE: &'static str = "Say what a key may ask";
    const SUMMARY: &'static str = "Says whether a key may ask for a model now, with every reason against it (disabled, address, \
         hours, scope, model, budget, rate), and who a request would go to. Nothing is asked or counted.";
    const SCOPE: Scope = Scope::ReadModels;
    const HINTS: Hints = LOOK;
    const ROUTE: Route = Route::new(Method::Get, "/api/policy/preview");
    const COMMAND: (&'static str, &'static str) = ("keys", "preview");
    const EXAMPLE: &'static str = r#"{"model": "llama-3.3-70b-versatile"}"#;
    type Args = PreviewPolicyArgs;
    type Result = PolicyPreview;

    fn check(args: PreviewPolicyArgs) -> Result<PreviewPolicyArgs, Invalid> {
        let key = page::check_name("key", args.key.as_ref())?;
        Ok(PreviewPolicyArgs { key, model: page::check_required("model", &args.model)? })
    }
}

impl Operation for Tokens {
    const NAME: &'static str = "count_tokens";
    const TITLE: &'static str = "Say how long a text is";
    const SUMMARY: &'static str = "Says how many tokens a conversation or a text has, about, and how that was found. Nobody is \
         asked, and nothing is spent.";
    const SCOPE: Scope = Scope::ReadModels;
    const HINTS: Hints = LOOK;
    const ROUTE: Route = Route::new(Method::Post, "/api/tokens/count");
    const COMMAND: (&'static str, &'static str) = ("models", "tokens");
    const EXAMPLE: &'static str = r#"{"model": "llama-3.3-70b-versatile", "text": "How long is this?"}"#;
    const WORDS: &'static [&'static str] = &["messages", "text"];
    type Args = CountTokensArgs;
    type Result = TokenEstimate;

    fn check(args: CountTokensArgs) -> Result<CountTokensArgs, Invalid> {
        let model = page::check_required("model", &args.model)?;
        match &args.text {
            Some(_) if !args.messages.is_empty() => {
                return Err(Invalid::new("text", "must be left out where there are messages"));
            }
            Some(text) if text.len() > MAX_TEXT => {
                return Err(Invalid::new("text", format!("must be at most {MAX_TEXT} bytes long")));
            }
            Some(_) => {}
            None => check_messages(&args.messages)?,
        }
        Ok(CountTokensArgs { model, ..args })
    }
}

impl Operation for Configuration {
    const NAME: &'static str = "get_config_diff";
    const TITLE: &'static str = "Compare the configuration with its file";
    const SUMMARY: &'static str = "Says what is in force beside what the configuration file says: definitions that were made over \
         the API, those that were set aside, and what the environment and flags say. Secrets are masked.";
    const SCOPE: Scope = Scope::ReadSettings;
    const HINTS: Hints = LOOK;
    const ROUTE: Route = Route::new(Method::Get, "/api/configuration/diff");
    const COMMAND: (&'static str, &'static str) = ("settings", "diff");
    const EXAMPLE: &'static str = "{}";
    type Args = ConfigDiffArgs;
    type Result = ConfigDiff;

    fn check(args: ConfigDiffArgs) -> Result<ConfigDiffArgs, Invalid> {
        Ok(args)
    }
}

impl Operation for Database {
    const NAME: &'static str = "db_health_check";
    const TITLE: &'static str = "Look at the database";
    const SUMMARY: &'static str = "Says whether the database is sound, how large it is, which step its schema has, and what waits \
         to be written. With `repair` it also rebuilds indexes, which needs `write:backups`.";
    const SCOPE: Scope = Scope::ReadHealth;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Post, "/api/store/check");
    const COMMAND: (&'static str, &'static str) = ("backups", "check");
    const EXAMPLE: &'static str = "{}";
    type Args = DatabaseCheckArgs;
    type Result = DatabaseCheck;

    fn check(args: DatabaseCheckArgs) -> Result<DatabaseCheckArgs, Invalid> {
        Ok(args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_a_text_or_a_conversation() {
        let of = |text: Option<&str>, messages| {
            let args = CountTokensArgs { model: "m".to_owned(), messages, text: text.map(str::to_owned) };
            Tokens::check(args).map(drop).map_err(|wrong| wrong.field)
        };
        let hello = ChatMessage { role: crate::completions::Speaker::User, content: "hello".to_owned() };
        assert_eq!(of(Some("x"), Vec::new()), Ok(()));
        assert_eq!(of(None, vec![hello.clone()]), Ok(()));
        assert_eq!(of(None, Vec::new()), Err("messages"));
        assert_eq!(of(Some("x"), vec![hello]), Err("text"));
    }
}
