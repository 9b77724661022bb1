//! `config.yaml` of LiteLLM's proxy: deployments become connections and their models, groups of deployments become combos
//! and aliases, and a group's fallbacks the steps behind it.

mod deployment;
mod groups;
mod names;

use self::{deployment::Deployments, groups::Groups};
use super::{
    Input,
    account::{literal, reference},
    draft::Draft,
    note_empty,
    part::Part,
    trees, written_variables,
};
use crate::config::mask::shown;

/// Sections that are read here.
const SECTIONS: [&str; 6] = [
    "model_list",
    "router_settings",
    "litellm_settings",
    "general_settings",
    "environment_variables",
    "credential_list",
];

/// Keys below the sections that mean something here, or that nobody misses.
const KNOWN: [&str; 15] = [
    "routing_strategy",
    "model_group_alias",
    "fallbacks",
    "default_fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "cooldown_time",
    "master_key",
    "set_verbose",
    "json_logs",
    "drop_params",
    "modify_params",
    "enable_pre_call_checks",
    "telemetry",
    "turn_off_message_logging",
];

/// Keys whose place here is worth naming.
const ELSEWHERE: [(&str, &str); 13] = [
    ("database_url", "the hub keeps its own store; `store.url` names a PostgreSQL"),
    ("num_retries", "other accounts are tried by themselves; `resilience.retries` asks the same one again"),
    ("timeout", "see the section `timeouts`"),
    ("request_timeout", "see the section `timeouts`"),
    ("stream_timeout", "see the section `timeouts`"),
    ("cache", "see the section `cache`: exact answers, off until switched on"),
    ("cache_params", "see the section `cache`: exact answers, off until switched on"),
    ("success_callback", "docs/observability.md: metrics, spans, single requests and webhooks"),
    ("failure_callback", "docs/observability.md: metrics, spans, single requests and webhooks"),
    ("callbacks", "docs/observability.md: metrics, spans, single requests and webhooks"),
    ("max_budget", "see the section `budgets`"),
    ("budget_duration", "see the section `budgets`"),
    ("include", "name the other files behind this one: `trivium import litellm FILE FILE`"),
];

pub(super) fn read(inputs: &[Input], draft: &mut Draft<'_>) {
    note_empty(inputs, draft);
    for variable in written_variables(inputs) {
        draft.variable(&variable.name, &variable.value);
    }
    let roots: Vec<Part<'_>> = trees(inputs).collect();
    for root in &roots {
        top(*root, draft);
    }
    let mut deployments = Deployments::new(&roots);
    for item in roots.iter().filter_map(|root| root.get("model_list")).flat_map(Part::items) {
        deployments.read(item, draft);
    }
    let found = deployments.done(draft);
    let groups = Groups::new(found, settings(&roots, "routing_strategy").next().and_then(Part::text));
    let groups =
        settings(&roots, "fallbacks").fold(groups, |groups, part| groups.with_fallbacks(part, draft));
    let groups =
        ["context_window_fallbacks", "content_policy_fallbacks"].iter().fold(groups, |groups, name| {
            settings(&roots, name).fold(groups, |groups, part| {
                let message = format!("`{name}` become fallbacks for every failure");
                draft.note(
                    part.place(),
                    message,
                    "targets whose window is too small are passed over by themselves",
                );
                groups.with_fallbacks(part, draft)
            })
        });
    let defaults = settings(&roots, "default_fallbacks").flat_map(Part::texts).map(str::to_owned).collect();
    let groups = groups.with_default(defaults);
    groups.write(draft);
    for (key, part) in settings(&roots, "model_group_alias").flat_map(Part::entries) {
        let target = part.text().or_else(|| part.text_at("model"));
        let Some(target) = target.and_then(|target| groups.target(target)) else {
            let message = format!("the alias {} leads to no group", shown(&key.name));
            draft.note(&key.origin, message, "correct it, and import again");
            continue;
        };
        let name = draft.name(&key.name, &key.origin);
        draft.alias(&name, &[target], None, &key.origin);
    }
    if groups.takes_turns() {
        let place = roots.first().map_or(crate::config::Origin::Default, |root| root.place().clone());
        draft.setting("routing.default_strategy", groups.between_accounts(), &place);
    }
}

/// A key of `router_settings` or `litellm_settings`, which share some.
fn settings<'a>(roots: &[Part<'a>], name: &str) -> impl Iterator<Item = Part<'a>> {
    let sections = ["router_settings", "litellm_settings"];
    let found: Vec<Part<'a>> = roots
        .iter()
        .flat_map(|root| sections.iter().filter_map(|section| root.get(section)?.get(name)))
        .collect();
    found.into_iter()
}

/// What is not about models.
fn top(root: Part<'_>, draft: &mut Draft<'_>) {
    if root.get("model_list").is_none_or(|list| !list.is_list()) {
        draft.note(root.place(), "there is no list `model_list`", "see that this is the right file");
    }
    for (key, part) in root.entries() {
        if !SECTIONS.contains(&key.name.as_str()) {
            elsewhere(&key.name, &key.origin, draft);
        } else if key.name.ends_with("_settings") {
            for (key, _) in part.entries().filter(|(key, _)| !KNOWN.contains(&key.name.as_str())) {
                elsewhere(&key.name, &key.origin, draft);
            }
        }
    }
    for (key, value) in root.get("environment_variables").into_iter().flat_map(Part::entries) {
        if let Some(value) = value.text() {
            draft.variable(&key.name, value);
        }
        let message =
            format!("the variable {} is set in this file, and the hub's file sets none", shown(&key.name));
        draft.note(&key.origin, message, "set it where the hub is started");
    }
    if let Some(general) = root.get("general_settings")
        && let Some(key) = general.get("master_key")
        && let Some(text) = key.text()
    {
        draft.setting("auth.api_key", value(text), key.place());
        let message = "`master_key` becomes `auth.api_key`, a key with all rights; keys that were made with it are not in this file";
        draft.note(key.place(), message, "make one for each client: `trivium keys create NAME`");
    }
    if let Some(seconds) = ["router_settings", "litellm_settings"]
        .iter()
        .find_map(|section| root.get(section)?.get("cooldown_time"))
        && let Some(number) = seconds.number()
    {
        draft.setting("routing.retry_after_seconds", number, seconds.place());
    }
}

fn elsewhere(name: &str, place: &crate::config::Origin, draft: &mut Draft<'_>) {
    let remedy = ELSEWHERE
        .iter()
        .find(|(known, _)| *known == name)
        .map_or("docs/configuration.md says what can be set", |(_, remedy)| remedy);
    draft.note(place, format!("{} is not carried over", shown(name)), remedy);
}

/// A text as our file writes it: `os.environ/NAME` is a variable.
fn value(text: &str) -> String {
    match text.strip_prefix("os.environ/").map(reference) {
        Some(Some(reference)) => reference,
        _ => literal(text),
    }
}
