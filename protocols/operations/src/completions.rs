//! Operations that ask models. They cost what requests of the model API cost, and pass what those pass: the key's policy, its
//! budgets and limits, the planner, and a receipt. Amounts are US dollars in fields that end in `_usd`; what is not known is
//! absent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Hints, Invalid, Method, Operation, Route, Scope, page,
    routing::{Attempt, LeftOut},
};

/// Most messages of a conversation.
const MAX_MESSAGES: usize = 1000;
/// Longest conversation, in bytes of text: more is for the model API.
pub const MAX_TEXT: usize = 256 * 1024;
/// Longest prompt of a test, in characters.
const MAX_PROMPT: usize = 500;
/// Most money for one request, in US dollars.
const MAX_USD: f64 = 1_000_000.0;
/// Most tokens of an answer.
const MAX_TOKENS: u64 = 1_000_000;
/// Asks, spends money, and gives another answer each time.
const ASKS: Hints = Hints { read_only: false, destructive: false, idempotent: false };

/// Has a conversation answered.
#[derive(Debug, Clone, Copy)]
pub struct RouteRequest;

/// Tries every target of a combo.
#[derive(Debug, Clone, Copy)]
pub struct TestCombo;

/// What is to be answered, and how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteRequestArgs {
    /// The model, combo or `auto…` as a client would name it. May be left out where a combo is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The conversation, oldest first.
    pub messages: Vec<ChatMessage>,
    /// The combo that is asked in place of the model, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combo: Option<String>,
    /// The most that this request may be expected to cost, in US dollars. Targets that are dearer, or whose price is not known,
    /// are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<f64>,
    /// What it is about, for strategies that look at that; found out from the words when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<WorkKind>,
    /// The most tokens that the answer may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Whether the answer is reported piece by piece while it comes, where the caller listens for progress. It is answered as a
    /// whole in the end all the same.
    #[serde(default)]
    pub stream: bool,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Speaker,
    /// What is said.
    pub content: String,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// Whoever made the application.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
}

/// Kinds of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WorkKind {
    /// Writing programs.
    Coding,
    /// Looking over what others wrote.
    Review,
    /// Thinking out what to do.
    Planning,
    /// Making sense of data.
    Analysis,
    /// Finding out why a program fails.
    Debugging,
    /// Describing what there is.
    Documentation,
}

/// An answer, and how it came about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoutedAnswer {
    /// The id of the request that was made: for `explain_route` and `get_trace`.
    pub request_id: String,
    /// What was answered.
    pub response: SpokenAnswer,
    /// Who answered, and why.
    pub routing: RoutedBy,
}

/// What was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpokenAnswer {
    /// The text.
    pub content: String,
    /// The model, as it calls itself.
    pub model: String,
    /// Why the answer ended: `stop`, `length`, or another word of the provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// Tokens, where known.
    pub tokens: TokenCounts,
}

/// Tokens, where known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenCounts {
    /// Of the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<u64>,
    /// Of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
}

/// Who answered, and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoutedBy {
    /// The provider's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The connection's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The combo that was asked, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combo: Option<String>,
    /// What was tried, in order; the last one answered. The words of failures are shown to callers with `read:health`.
    pub attempts: Vec<Attempt>,
    /// How many targets failed before one answered.
    pub fallbacks_triggered: u64,
    /// What it cost; `null` where that is not known.
    pub cost_usd: Option<f64>,
    /// Whether the cost is by estimated tokens.
    pub cost_estimated: bool,
    /// How the answer was come by without asking a provider: cached or joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reused: Option<String>,
    /// Milliseconds from the beginning to the end.
    pub latency_ms: u32,
    /// The decision in a few words.
    pub explanation: String,
}

/// The combo to test.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestComboArgs {
    /// The combo's id.
    pub name: String,
    /// What is asked, at most 500 characters; a short greeting when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The most tokens of each answer, 1 to 1000; 16 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Only says who would be asked, and asks nobody.
    #[serde(default)]
    pub dry_run: bool,
}

/// How the targets of a combo did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComboTest {
    /// The combo.
    pub combo: String,
    /// Whether nobody was asked.
    pub dry_run: bool,
    /// Those that were, or would be, asked: in the order in which a request would try them.
    pub targets: Vec<TargetTest>,
    /// Those that are out of use now and were not asked.
    pub left_out: Vec<LeftOut>,
    /// Targets beyond the first 32, which were not asked.
    pub omitted: u64,
    /// Who answered soonest, as `connection/model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fastest: Option<String>,
    /// Whose answer cost least, of those whose cost is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cheapest: Option<String>,
}

/// How one target did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetTest {
    /// The connection's id.
    pub connection: String,
    /// The model as the provider knows it.
    pub model: String,
    /// Whether it answered; absent where it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<bool>,
    /// The request's id, for `explain_route`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Milliseconds until the answer was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u32>,
    /// What the answer cost, or would cost at most; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Why it did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<TargetError>,
}

/// Why a target did not answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetError {
    /// The public error code.
    pub code: String,
    /// In words.
    pub message: String,
}

impl Operation for RouteRequest {
    const NAME: &'static str = "route_request";
    const TITLE: &'static str = "Ask a model";
    const SUMMARY: &'static str = "Has a conversation answered by a model, combo or `auto`, as the model API would: with the \
         caller's policy, budgets, limits and a receipt. Spends money. Tells the answer, who gave it, what was tried before, \
         and what it cost.";
    const SCOPE: Scope = Scope::ExecuteCompletions;
    const HINTS: Hints = ASKS;
    const ROUTE: Route = Route::new(Method::Post, "/api/routing/request");
    const COMMAND: (&'static str, &'static str) = ("routing", "request");
    const EXAMPLE: &'static str =
        r#"{"model": "llama-3.3-70b-versatile", "messages": [{"role": "user", "content": "Say hello."}]}"#;
    const ENDS_WITH_CALLER: bool = true;
    const WORDS: &'static [&'static str] = &["messages"];
    type Args = RouteRequestArgs;
    type Result = RoutedAnswer;

    fn check(args: RouteRequestArgs) -> Result<RouteRequestArgs, Invalid> {
        let model = page::check_name("model", args.model.as_ref())?;
        let combo = page::check_name("combo", args.combo.as_ref())?;
        if model.is_none() && combo.is_none() {
            return Err(Invalid::new("model", "or `combo` must be named"));
        }
        check_messages(&args.messages)?;
        if args.budget.is_some_and(|most| !(most > 0.0 && most <= MAX_USD)) {
            return Err(Invalid::new("budget", "must be an amount in US dollars, more than 0"));
        }
        if args.max_tokens.is_some_and(|most| !(1..=MAX_TOKENS).contains(&most)) {
            return Err(Invalid::new("max_tokens", format!("must be from 1 to {MAX_TOKENS}")));
        }
        Ok(RouteRequestArgs { model, combo, ..args })
    }
}

impl Operation for TestCombo {
    const NAME: &'static str = "test_combo";
    const TITLE: &'static str = "Try every target of a combo";
    const SUMMARY: &'static str = "Puts a short prompt to each target of a combo, once, with the caller's policy, budgets, \
         limits and a receipt for each. Spends money: `dry_run` says before who would be asked, and what that may cost.";
    const SCOPE: Scope = Scope::ExecuteCompletions;
    const HINTS: Hints = ASKS;
    const ROUTE: Route = Route::new(Method::Post, "/api/routing/test-combo");
    const COMMAND: (&'static str, &'static str) = ("combos", "test");
    const EXAMPLE: &'static str = r#"{"name": "coding", "dry_run": true}"#;
    const ENDS_WITH_CALLER: bool = true;
    const WORDS: &'static [&'static str] = &["prompt"];
    type Args = TestComboArgs;
    type Result = ComboTest;

    fn check(args: TestComboArgs) -> Result<TestComboArgs, Invalid> {
        let name = page::check_required("name", &args.name)?;
        if args.prompt.as_ref().is_some_and(|prompt| !(1..=MAX_PROMPT).contains(&prompt.chars().count())) {
            return Err(Invalid::new("prompt", format!("must have 1 to {MAX_PROMPT} characters")));
        }
        if args.max_tokens.is_some_and(|most| !(1..=1000).contains(&most)) {
            return Err(Invalid::new("max_tokens", "must be from 1 to 1000"));
        }
        Ok(TestComboArgs { name, ..args })
    }
}

/// Whether messages make a conversation that is not too long.
pub(crate) fn check_messages(messages: &[ChatMessage]) -> Result<(), Invalid> {
    if !(1..=MAX_MESSAGES).contains(&messages.len()) {
        return Err(Invalid::new("messages", format!("must be 1 to {MAX_MESSAGES} messages")));
    }
    if messages.iter().map(|message| message.content.len()).sum::<usize>() > MAX_TEXT {
        return Err(Invalid::new("messages", format!("must hold at most {MAX_TEXT} bytes of text")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_whom_it_asks_and_says_something() {
        let hello = ChatMessage { role: Speaker::User, content: "hello".to_owned() };
        let args = |model: Option<&str>, combo: Option<&str>, messages| RouteRequestArgs {
            model: model.map(str::to_owned),
            combo: combo.map(str::to_owned),
            messages,
            ..RouteRequestArgs::default()
        };
        assert!(RouteRequest::check(args(Some(" m "), None, vec![hello.clone()])).is_ok());
        assert!(RouteRequest::check(args(None, Some("c"), vec![hello.clone()])).is_ok());
        let of = |args| RouteRequest::check(args).map_err(|wrong| wrong.field);
        assert_eq!(of(args(None, None, vec![hello.clone()])), Err("model"));
        assert_eq!(of(args(Some("m"), None, Vec::new())), Err("messages"));
        let long = ChatMessage { content: "x".repeat(MAX_TEXT + 1), role: Speaker::User };
        assert_eq!(of(args(Some("m"), None, vec![long])), Err("messages"));
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let budget =
                RouteRequestArgs { budget: Some(wrong), ..args(Some("m"), None, vec![hello.clone()]) };
            assert_eq!(of(budget), Err("budget"), "{wrong}");
        }
    }
}
