//! Operations on the hub as an agent of A2A: how it is, and the tasks that other agents have begun. A task is its owner's
//! alone; who may see other keys (`read:keys`) sees everybody's. Times are milliseconds since the Unix epoch in fields that
//! end in `_at`. Tasks and events are in the words of A2A 1.0.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Hints, Invalid, Method, Operation, Route, Scope, page, traces::check_range};

/// Tasks, events or dead letters on a page when nothing was said.
pub const DEFAULT_PAGE: u32 = 50;
/// Most of them on a page.
const MAX_PAGE: u32 = 500;
/// Most messages of a history that can be asked for by number.
const MAX_HISTORY: u32 = 1_000_000;

const LOOKS: Hints = Hints { read_only: true, destructive: false, idempotent: true };

/// Tells how the agent is.
#[derive(Debug, Clone, Copy)]
pub struct Status;

/// Lists tasks.
#[derive(Debug, Clone, Copy)]
pub struct List;

/// Tells everything of one task.
#[derive(Debug, Clone, Copy)]
pub struct Get;

/// Ends a task.
#[derive(Debug, Clone, Copy)]
pub struct Cancel;

/// Lists what webhooks were not told.
#[derive(Debug, Clone, Copy)]
pub struct DeadLetters;

/// Nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetA2aStatus {}

/// How the agent is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct A2aStatus {
    /// Whether it answers (`a2a.enabled`).
    pub enabled: bool,
    /// The path of the hub at which it is asked.
    pub endpoint: String,
    /// The versions of the protocol that it speaks.
    pub protocol_versions: Vec<String>,
    /// What it can do beside the operations, each of which is a skill by its name.
    pub skills: Vec<SkillView>,
    /// Whether webhooks are told of tasks (`a2a.push`).
    pub push: bool,
    /// Streams of all callers that are open.
    pub active_streams: u64,
    /// Tasks of all callers that are worked on.
    pub running: u64,
    /// When something last happened to a task that the caller sees, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_task_at: Option<i64>,
    /// How many tasks the caller sees in each state that has any.
    pub tasks: BTreeMap<String, u64>,
    /// What is told to webhooks of those tasks.
    pub pushes: Pushes,
}

/// A skill in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkillView {
    /// What clients ask for.
    pub id: String,
    /// For people.
    pub name: String,
}

/// How far webhooks were told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pushes {
    /// Webhooks that have not been told of everything yet.
    pub waiting: u64,
    /// Events of which a webhook was not told, however often it was tried (`list_push_dead_letters`).
    pub dead: u64,
}

/// A state of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TaskState {
    /// Nobody works on it yet.
    Submitted,
    /// Somebody does.
    Working,
    /// It waits for a message of its client.
    InputRequired,
    /// It waits until its client has logged in somewhere.
    AuthRequired,
    /// It is done.
    Completed,
    /// Its client ended it. OmniRoute writes it with two `l`.
    #[serde(alias = "cancelled")]
    Canceled,
    /// It went wrong.
    Failed,
    /// It was not taken.
    Rejected,
}

impl TaskState {
    /// The state as a word of the protocol.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Working => "working",
            Self::InputRequired => "input-required",
            Self::AuthRequired => "auth-required",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
        }
    }
}

/// Which tasks to list, the one with the newest status first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTasks {
    /// `next_cursor` of the page before; without it the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Most tasks on the page, 1 to 500; 50 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only those in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<TaskState>,
    /// Only those of this conversation: the id of a context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Only those for which this skill was asked by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// Only those of this caller, by its id. Others than oneself need `read:keys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Only those with a status of that time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_at: Option<i64>,
}

/// Some tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskPage {
    /// Those of this page.
    pub tasks: Vec<TaskView>,
    /// How many there are on all pages.
    pub total: u64,
    /// For the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A task without what was said in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskView {
    /// Its id.
    pub id: String,
    /// The conversation that it belongs to.
    pub context: String,
    /// Its state: submitted, working, input-required, auth-required, completed, canceled, failed or rejected.
    pub state: String,
    /// The skill that was asked for by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// Whose it is: the caller's id.
    pub owner: String,
    /// When it was made.
    pub created_at: i64,
    /// When it got its status.
    pub status_at: i64,
    /// How many events it has.
    pub events: u64,
    /// How many bytes those have.
    pub bytes: u64,
}

/// Which task to tell of, and how much.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTask {
    /// Its id.
    pub id: String,
    /// Only the last messages of its history, so many; all when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<u32>,
    /// Only the events behind this number: `next_after` of the answer before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Most events, 1 to 500; 50 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Everything that is kept of a task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskDetail {
    /// It in a few words.
    #[serde(flatten)]
    pub summary: TaskView,
    /// The task as A2A 1.0 writes it, with its history and its artifacts.
    pub task: Value,
    /// What happened to it, the oldest first. Fewer than asked for where they are large.
    pub log: Vec<TaskEvent>,
    /// For the events behind these; absent where there are none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_after: Option<u64>,
}

/// Something that happened to a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskEvent {
    /// Its number, from 1, without gaps. Streams carry it as the id of their events.
    pub seq: u64,
    /// When it was written down.
    pub at: i64,
    /// What it is about: task, message, status or artifact.
    pub kind: String,
    /// What streams and webhooks are told, as A2A 1.0 writes it.
    pub event: Value,
}

/// The task to end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelTask {
    /// Its id.
    pub id: String,
}

/// Which dead letters to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDeadLetters {
    /// `next_cursor` of the page before; without it the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
    /// Most of them on the page, 1 to 500; 50 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only those of this caller's tasks, by its id. Others than oneself need `read:keys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// Some dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetterPage {
    /// Those of this page, newest first. The hub keeps the last thousand.
    pub letters: Vec<DeadLetterView>,
    /// For the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<u64>,
}

/// Something that a webhook was not told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetterView {
    /// Its number; grows.
    pub number: u64,
    /// When it was given up.
    pub at: i64,
    /// Whose task it is: the caller's id.
    pub owner: String,
    /// The task. It may be gone by now.
    pub task: String,
    /// The webhook's id within the task.
    pub webhook: String,
    /// The number of the event.
    pub seq: u64,
    /// The host of the webhook. What else is in its address may be a secret.
    pub host: String,
    /// How often it was tried.
    pub tries: u32,
    /// What was wrong the last time.
    pub why: String,
}

impl Operation for Status {
    const NAME: &'static str = "get_a2a_status";
    const TITLE: &'static str = "Get the A2A agent's status";
    const SUMMARY: &'static str = "Tells whether the hub answers as an agent of A2A, in which versions and with which \
         skills, its open streams, how many tasks are in which state, and how far webhooks were told of them.";
    const SCOPE: Scope = Scope::ReadTasks;
    const HINTS: Hints = LOOKS;
    const ROUTE: Route = Route::new(Method::Get, "/api/a2a/status");
    const COMMAND: (&'static str, &'static str) = ("a2a", "status");
    const EXAMPLE: &'static str = "{}";
    type Args = GetA2aStatus;
    type Result = A2aStatus;

    fn check(args: GetA2aStatus) -> Result<GetA2aStatus, Invalid> {
        Ok(args)
    }
}

impl Operation for List {
    const NAME: &'static str = "list_tasks";
    const TITLE: &'static str = "List tasks of agents";
    const SUMMARY: &'static str = "Lists the tasks that agents have begun over A2A, the one with the newest status first, by \
         state, context, skill, owner and time. Without what was said in them.";
    const SCOPE: Scope = Scope::ReadTasks;
    const HINTS: Hints = LOOKS;
    const ROUTE: Route = Route::new(Method::Get, "/api/a2a/tasks");
    const COMMAND: (&'static str, &'static str) = ("a2a", "list");
    const EXAMPLE: &'static str = r#"{"state": "input-required", "limit": 20}"#;
    type Args = ListTasks;
    type Result = TaskPage;

    fn check(args: ListTasks) -> Result<ListTasks, Invalid> {
        check_range(args.since_at, None)?;
        Ok(ListTasks {
            limit: Some(check_limit(args.limit)?),
            context: page::check_name("context", args.context.as_ref())?,
            skill: page::check_name("skill", args.skill.as_ref())?,
            owner: page::check_name("owner", args.owner.as_ref())?,
            cursor: page::check_name("cursor", args.cursor.as_ref())?,
            ..args
        })
    }
}

impl Operation for Get {
    const NAME: &'static str = "get_task";
    const TITLE: &'static str = "Get a task of an agent";
    const SUMMARY: &'static str = "Tells everything of one task: its status, history and artifacts as A2A 1.0 writes them, \
         and its events with their numbers.";
    const SCOPE: Scope = Scope::ReadTasks;
    const HINTS: Hints = LOOKS;
    const ROUTE: Route = Route::new(Method::Get, "/api/a2a/tasks/{id}");
    const COMMAND: (&'static str, &'static str) = ("a2a", "get");
    const EXAMPLE: &'static str = r#"{"id": "0193e2a4-7c1b-7d3e-9f40-5b6a7c8d9e0f"}"#;
    type Args = GetTask;
    type Result = TaskDetail;

    fn check(args: GetTask) -> Result<GetTask, Invalid> {
        if args.history.is_some_and(|most| most > MAX_HISTORY) {
            return Err(Invalid::new("history", format!("must be at most {MAX_HISTORY}")));
        }
        if args.after.is_some_and(|after| i64::try_from(after).is_err()) {
            return Err(Invalid::new("after", "must be the number of an event"));
        }
        let id = page::check_required("id", &args.id)?;
        Ok(GetTask { id, limit: Some(check_limit(args.limit)?), ..args })
    }
}

impl Operation for Cancel {
    const NAME: &'static str = "cancel_task";
    const TITLE: &'static str = "Cancel a task of an agent";
    const SUMMARY: &'static str = "Ends a task that is not over: first that is written down, then the work on it is dropped, \
         with the requests to models that it has made. Streams and webhooks are told.";
    const SCOPE: Scope = Scope::WriteTasks;
    const HINTS: Hints = Hints { read_only: false, destructive: true, idempotent: false };
    const ROUTE: Route = Route::new(Method::Post, "/api/a2a/tasks/{id}/cancel");
    const COMMAND: (&'static str, &'static str) = ("a2a", "cancel");
    const EXAMPLE: &'static str = r#"{"id": "0193e2a4-7c1b-7d3e-9f40-5b6a7c8d9e0f"}"#;
    type Args = CancelTask;
    type Result = TaskView;

    fn check(args: CancelTask) -> Result<CancelTask, Invalid> {
        Ok(CancelTask { id: page::check_required("id", &args.id)? })
    }
}

impl Operation for DeadLetters {
    const NAME: &'static str = "list_push_dead_letters";
    const TITLE: &'static str = "List what webhooks were not told";
    const SUMMARY: &'static str = "Lists the events of tasks of which a webhook was not told, however often it was tried, \
         newest first: which host, and what was wrong the last time.";
    const SCOPE: Scope = Scope::ReadTasks;
    const HINTS: Hints = LOOKS;
    const ROUTE: Route = Route::new(Method::Get, "/api/a2a/push/dead_letters");
    const COMMAND: (&'static str, &'static str) = ("a2a", "dead-letters");
    const EXAMPLE: &'static str = r#"{"limit": 20}"#;
    type Args = ListDeadLetters;
    type Result = DeadLetterPage;

    fn check(args: ListDeadLetters) -> Result<ListDeadLetters, Invalid> {
        if args.cursor.is_some_and(|cursor| i64::try_from(cursor).is_err()) {
            return Err(Invalid::new("cursor", "must be `next_cursor` of a page"));
        }
        let owner = page::check_name("owner", args.owner.as_ref())?;
        Ok(ListDeadLetters { limit: Some(check_limit(args.limit)?), owner, ..args })
    }
}

fn check_limit(limit: Option<u32>) -> Result<u32, Invalid> {
    let limit = limit.unwrap_or(DEFAULT_PAGE);
    if (1..=MAX_PAGE).contains(&limit) {
        return Ok(limit);
    }
    Err(Invalid::new("limit", format!("must be between 1 and {MAX_PAGE}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_the_words_that_are_written() {
        use TaskState::{
            AuthRequired, Canceled, Completed, Failed, InputRequired, Rejected, Submitted, Working,
        };
        for state in [Submitted, Working, InputRequired, AuthRequired, Completed, Canceled, Failed, Rejected]
        {
            assert_eq!(serde_json::to_value(state).ok(), Some(state.as_str().into()));
        }
        assert_eq!(serde_json::from_str("\"cancelled\"").ok(), Some(Canceled));
    }

    #[test]
    fn arguments_have_bounds() {
        let list = |args: ListTasks| List::check(args).map_err(|invalid| invalid.field);
        assert_eq!(list(ListTasks::default()).map(|args| args.limit), Ok(Some(DEFAULT_PAGE)));
        assert_eq!(list(ListTasks { limit: Some(501), ..ListTasks::default() }), Err("limit"));
        assert_eq!(list(ListTasks { since_at: Some(-1), ..ListTasks::default() }), Err("since_at"));
        assert_eq!(list(ListTasks { owner: Some("a\0".into()), ..ListTasks::default() }), Err("owner"));
        let get = |id: &str, after| {
            let args = GetTask { id: id.to_owned(), after, ..GetTask::default() };
            Get::check(args).map_err(|invalid| invalid.field)
        };
        assert_eq!(get(" t ", Some(3)).map(|args| args.id), Ok("t".to_owned()));
        assert_eq!((get(" ", None), get("t", Some(u64::MAX))), (Err("id"), Err("after")));
        let letters = |cursor, limit| {
            let args = ListDeadLetters { cursor, limit, owner: None };
            DeadLetters::check(args).map_err(|invalid| invalid.field)
        };
        assert_eq!((letters(Some(u64::MAX), None), letters(None, Some(0))), (Err("cursor"), Err("limit")));
    }
}
