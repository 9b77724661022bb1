//! Which skill a message is for. In this order: the one that `skillId` names, in the metadata of the message or of the request;
//! the one that the task began with; the one whose id the text begins with; and else smart routing. Which of these it was is
//! told.

use operations::Definition;

use super::{ALL, Kind, SECRET, Skill, operations_for};
use crate::{engine::caller::Caller, ops::tasks::Work};

/// Most operations that a refusal names.
const NAMED: usize = 200;

/// What a message is for.
pub(super) enum Chosen {
    /// A skill of the hub, and by what it was chosen.
    Hub(&'static Skill, &'static str),
    /// An operation.
    Operation(&'static Definition),
    /// Nothing that there is.
    Unknown(String),
}

impl Chosen {
    /// The skill's id, and by what it was chosen.
    pub(super) fn told(&self) -> (&str, &'static str) {
        match self {
            Self::Hub(skill, by) => (skill.id, by),
            Self::Operation(definition) => (definition.name, "skillId"),
            Self::Unknown(name) => (name, "skillId"),
        }
    }
}

/// The skill that the work is for.
pub(super) fn skill(work: &Work) -> Chosen {
    if let Some(named) = work.request.skill() {
        return named_by(named, "skillId");
    }
    if let Some(before) = earlier(work) {
        return named_by(&before, "task");
    }
    let text = work.request.message.parts.iter().find_map(|part| part.as_text()).unwrap_or_default();
    if let Some(skill) = begins_with(text) {
        return Chosen::Hub(skill, "text");
    }
    Chosen::Hub(default(), "default")
}

/// The words of a refusal: what there is instead.
pub(super) fn unknown(name: &str, caller: &Caller) -> String {
    if SECRET.contains(&name) {
        return format!(
            "`{name}` takes or shows a secret, and what is said in a task is kept: ask for it over the management API, MCP or \
             the command line."
        );
    }
    let name: String = name.chars().filter(|it| !it.is_control()).take(64).collect();
    let skills: Vec<&str> = ALL.iter().map(|skill| skill.id).collect();
    let operations: Vec<&str> =
        operations_for(caller).take(NAMED).map(|definition| definition.name).collect();
    format!(
        "There is no skill `{name}`. The skills are {}; the operations that you may have done are {}.",
        skills.join(", "),
        if operations.is_empty() { "none".to_owned() } else { operations.join(", ") }
    )
}

/// What the task began with, if this message goes on with one: what its first messages say, or what was noted of it.
fn earlier(work: &Work) -> Option<String> {
    let noted =
        |metadata: &a2a::model::Metadata| Some(metadata.as_ref()?.get("skillId")?.as_str()?.to_owned());
    noted(&work.task.metadata)
        .or_else(|| work.task.history.iter().find_map(|message| noted(&message.metadata)))
}

fn named_by(name: &str, by: &'static str) -> Chosen {
    if let Some(skill) = ALL.iter().find(|skill| skill.id == name) {
        return Chosen::Hub(skill, by);
    }
    let told = Definition::named(name).filter(|definition| !SECRET.contains(&definition.name));
    told.map_or_else(|| Chosen::Unknown(name.to_owned()), Chosen::Operation)
}

/// The skill whose id a text begins with, as a word of its own: `quota-management`, `/quota-management`, or with a colon behind.
fn begins_with(text: &str) -> Option<&'static Skill> {
    let text = text.trim_start().trim_start_matches('/');
    ALL.iter().find(|skill| {
        text.strip_prefix(skill.id)
            .is_some_and(|rest| rest.chars().next().is_none_or(|next| next.is_whitespace() || next == ':'))
    })
}

fn default() -> &'static Skill {
    const ROUTING: &Skill = &ALL[0];
    const { assert!(matches!(ROUTING.kind, Kind::Routing)) };
    ROUTING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_a_skill_only_where_it_begins_with_it() {
        let found = |text| begins_with(text).map(|skill| skill.id);
        for text in ["quota-management", " /quota-management now", "quota-management: how much?"] {
            assert_eq!(found(text), Some("quota-management"), "{text}");
        }
        for text in ["what is quota-management?", "quota-managements", "the cost of capital", ""] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_of_skills_or_of_operations() {
        assert_eq!(named_by("health-report", "skillId").told(), ("health-report", "skillId"));
        assert!(matches!(named_by("get_health", "skillId"), Chosen::Operation(_)));
        assert!(matches!(named_by("make-coffee", "skillId"), Chosen::Unknown(_)));
        assert!(matches!(named_by("create_key", "skillId"), Chosen::Unknown(_)));
    }

    #[test]
    fn what_takes_or_shows_a_secret_is_no_skill() {
        let takes = ["code", "definition", "changes"];
        let can_hold = |definition: &Definition| {
            let args = definition.args_schema().to_string();
            let shows = definition.result_schema().to_string().contains("\"secret\":");
            let scope = definition.scope.as_str();
            let takes = takes.iter().any(|field| args.contains(&format!("\"{field}\":")));
            shows || takes && (scope == "write:connections" || scope == "write:settings")
        };
        let found = Definition::all().iter().filter(|definition| can_hold(definition));
        let missing: Vec<_> =
            found.map(|definition| definition.name).filter(|name| !SECRET.contains(name)).collect();
        assert_eq!(missing, [""; 0]);
        assert!(SECRET.iter().all(|name| Definition::named(name).is_some()));
    }
}
