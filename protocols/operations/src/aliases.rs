//! Names under which other programs know operations: prompts and scripts that were written for OmniRoute's tools go on working.
//! Plain data: which of its tools is which operation, and which of its arguments is called otherwise. What has no
//! counterpart is named with the reason, so that a caller can be told.

use serde_json::{Map, Value};

use crate::Definition;

/// One name of another program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias {
    /// The name there.
    pub name: &'static str,
    /// What it is here.
    pub meaning: Meaning,
    /// Arguments that are called otherwise here: the name there, and here. `""`: there is none, and it is left out.
    pub arguments: &'static [(&'static str, &'static str)],
}

/// What a name of another program is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// This operation.
    Operation(&'static str),
    /// Nothing, for this reason.
    Absent(&'static str),
}

/// In front of the names of OmniRoute's tools.
pub const PREFIX: &str = "omniroute_";

const MEMORY: Meaning = Meaning::Absent("this hub keeps no memories for callers");
const SKILLS: Meaning = Meaning::Absent("this hub runs no code for callers");
const SPACE: Meaning =
    Meaning::Absent("the hub shortens conversations by a combo's `compress`, and has no engines for it");
/// A combo is named, and not numbered.
const BY_NAME: &[(&str, &str)] = &[("comboId", "name")];
const BY_ID: &[(&str, &str)] = &[("apiKeyId", ""), ("sessionId", "")];

const fn operation(
    name: &'static str,
    target: &'static str,
    arguments: &'static [(&'static str, &'static str)],
) -> Alias {
    Alias { name, meaning: Meaning::Operation(target), arguments }
}

const fn absent(name: &'static str, meaning: Meaning) -> Alias {
    Alias { name, meaning, arguments: &[] }
}

/// Every alias: the 25 tools of version 3.6, and those beside and after them.
pub const ALIASES: &[Alias] = &[
    operation("omniroute_get_health", "get_health", &[]),
    operation("omniroute_list_combos", "list_combos", &[("includeMetrics", "")]),
    operation("omniroute_get_combo_metrics", "get_combo_metrics", BY_NAME),
    operation("omniroute_switch_combo", "switch_combo", BY_NAME),
    operation("omniroute_check_quota", "list_quotas", &[("connectionId", "connection")]),
    operation("omniroute_route_request", "route_request", &[("maxTokens", "max_tokens")]),
    operation("omniroute_cost_report", "cost_report", &[]),
    operation("omniroute_list_models_catalog", "list_models", &[]),
    operation(
        "omniroute_simulate_route",
        "simulate_route",
        &[("promptTokenEstimate", "prompt_tokens"), ("combo", "model")],
    ),
    operation(
        "omniroute_set_budget_guard",
        "set_budget_guard",
        &[("maxCost", "max_cost"), ("degradeToTier", "degrade_to_tier")],
    ),
    operation(
        "omniroute_set_routing_strategy",
        "set_routing_strategy",
        &[("comboId", "name"), ("autoRoutingStrategy", "auto_mode")],
    ),
    operation("omniroute_set_resilience_profile", "set_resilience_profile", &[]),
    operation("omniroute_test_combo", "test_combo", &[("comboId", "name"), ("testPrompt", "prompt")]),
    operation("omniroute_get_provider_metrics", "get_provider_metrics", &[]),
    operation(
        "omniroute_best_combo_for_task",
        "best_combo_for_task",
        &[
            ("taskType", "task_type"),
            ("budgetConstraint", "max_cost"),
            ("latencyConstraint", "max_latency_ms"),
        ],
    ),
    operation("omniroute_explain_route", "explain_route", &[("requestId", "request_id")]),
    operation("omniroute_get_session_snapshot", "get_session_snapshot", BY_ID),
    operation("omniroute_sync_pricing", "sync_pricing", &[("sources", ""), ("dryRun", "dry_run")]),
    absent("omniroute_memory_search", MEMORY),
    absent("omniroute_memory_add", MEMORY),
    absent("omniroute_memory_clear", MEMORY),
    absent("omniroute_skills_list", SKILLS),
    absent("omniroute_skills_enable", SKILLS),
    absent("omniroute_skills_execute", SKILLS),
    absent("omniroute_skills_executions", SKILLS),
    operation("omniroute_web_search", "web_search", &[("provider", "")]),
    absent("omniroute_web_fetch", Meaning::Absent("this hub fetches no pages for callers")),
    operation("omniroute_db_health_check", "db_health_check", &[("autoRepair", "repair")]),
    operation("omniroute_cache_stats", "cache_stats", &[]),
    operation("omniroute_cache_flush", "clear_cache", &[("signature", ""), ("model", "")]),
    absent("omniroute_compression_status", SPACE),
    absent("omniroute_compression_configure", SPACE),
    absent("omniroute_compression_set_engine", SPACE),
    absent("omniroute_compression_list_combos", SPACE),
    absent("omniroute_compression_combo_stats", SPACE),
];

impl Alias {
    /// The alias of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ALIASES.iter().find(|alias| alias.name == name)
    }

    /// The operation that it is, if there is one.
    #[must_use]
    pub fn definition(&self) -> Option<&'static Definition> {
        match self.meaning {
            Meaning::Operation(name) => Definition::named(name),
            Meaning::Absent(_) => None,
        }
    }

    /// Arguments as the operation calls them. One that is given under both names counts as it is given under the operation's,
    /// but for a combo, which is asked in the place of a model.
    #[must_use]
    pub fn translated(&self, args: Map<String, Value>) -> Map<String, Value> {
        let renamed =
            |name: &str| self.arguments.iter().find(|(there, _)| *there == name).map(|(_, here)| *here);
        let (mut own, mut others) = (Map::new(), Vec::new());
        for (name, value) in args {
            match renamed(&name) {
                None => drop(own.insert(name, value)),
                Some("") => {}
                Some(here) => others.push((name, here, value)),
            }
        }
        for (name, here, value) in others {
            if name == "combo" || !own.contains_key(here) {
                own.insert(here.to_owned(), value);
            }
        }
        own
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use std::collections::HashSet;

    use serde_json::json;

    use super::*;

    #[test]
    fn every_alias_leads_to_an_operation_that_has_its_arguments() {
        let names: HashSet<_> = ALIASES.iter().map(|alias| alias.name).collect();
        assert_eq!(names.len(), ALIASES.len());
        for alias in ALIASES {
            assert!(alias.name.starts_with(PREFIX), "{}", alias.name);
            let Meaning::Operation(target) = alias.meaning else { continue };
            let definition = alias.definition().expect(target);
            let schema = definition.args_schema();
            for (_, here) in alias.arguments.iter().filter(|(_, here)| !here.is_empty()) {
                let known = schema.pointer(&format!("/properties/{here}")).is_some();
                assert!(known, "{}: {target} has no argument {here}", alias.name);
            }
        }
    }

    #[test]
    fn arguments_get_the_names_that_they_have_here() {
        let translated = |name: &str, args: Value| {
            let alias = Alias::named(name).expect(name);
            Value::Object(alias.translated(args.as_object().cloned().unwrap_or_default()))
        };
        let test = translated("omniroute_test_combo", json!({"comboId": "c", "testPrompt": "hi"}));
        assert_eq!(test, json!({"name": "c", "prompt": "hi"}));
        let route = json!({"model": "m", "promptTokenEstimate": 5, "combo": "c"});
        assert_eq!(translated("omniroute_simulate_route", route), json!({"model": "c", "prompt_tokens": 5}));
        let snapshot = translated("omniroute_get_session_snapshot", json!({"apiKeyId": "another"}));
        assert_eq!(snapshot, json!({}), "who it is of is no argument");
        assert_eq!(
            translated("omniroute_switch_combo", json!({"comboId": "a", "name": "b"})),
            json!({"name": "b"})
        );
        assert_eq!(Alias::named("omniroute_fly"), None);
    }
}
