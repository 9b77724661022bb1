//! Which tools are listed. A list of a hundred costs every conversation of an agent thousands of tokens, so that most
//! operations are found by searching unless they are wanted; rights are another matter.

use operations::Definition;

use crate::engine::settings::ToolProfile;

/// The tools by which an agent works: how the hub is, what it has, what is left, and asking it.
pub(super) const ESSENTIAL: [&str; 8] = [
    "get_health",
    "list_combos",
    "get_combo_metrics",
    "switch_combo",
    "list_quotas",
    "route_request",
    "cost_report",
    "list_models",
];

/// What agents ask beside that. The rest is what operators manage a hub by.
pub(super) const STANDARD: [&str; 27] = [
    "simulate_route",
    "set_budget_guard",
    "set_routing_strategy",
    "set_resilience_profile",
    "test_combo",
    "get_provider_metrics",
    "best_combo_for_task",
    "explain_route",
    "get_session_snapshot",
    "sync_pricing",
    "web_search",
    "cache_stats",
    "clear_cache",
    "db_health_check",
    "list_connections",
    "test_connection",
    "list_traces",
    "get_trace",
    "list_recent_errors",
    "reset_health",
    "preview_policy",
    "count_tokens",
    "list_keys",
    "get_config_diff",
    "get_usage",
    "budget_status",
    "undo_change",
];

/// Whether the profile lists a tool.
pub(super) fn lists(profile: ToolProfile, definition: &Definition) -> bool {
    match profile {
        ToolProfile::Essential => ESSENTIAL.contains(&definition.name),
        ToolProfile::Standard => ESSENTIAL.contains(&definition.name) || STANDARD.contains(&definition.name),
        ToolProfile::Full => true,
    }
}

/// The smallest profile that lists a tool of that name.
#[must_use]
pub fn profile_of(name: &str) -> ToolProfile {
    if ESSENTIAL.contains(&name) {
        ToolProfile::Essential
    } else if STANDARD.contains(&name) {
        ToolProfile::Standard
    } else {
        ToolProfile::Full
    }
}

/// The profile that a client asks for in the server's address: `?profile=essential`.
pub(super) fn wanted(query: Option<&str>) -> Option<ToolProfile> {
    let mut pairs = form_urlencoded::parse(query?.as_bytes());
    let (_, value) = pairs.find(|(name, _)| name == "profile")?;
    named(&value)
}

/// The profile of that name.
pub(super) fn named(name: &str) -> Option<ToolProfile> {
    [ToolProfile::Essential, ToolProfile::Standard, ToolProfile::Full]
        .into_iter()
        .find(|profile| profile.as_str() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_of_a_profile_is_there() {
        for name in ESSENTIAL.iter().chain(&STANDARD) {
            assert!(Definition::named(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_address_may_name_a_profile() {
        assert_eq!(wanted(Some("profile=essential")), Some(ToolProfile::Essential));
        assert_eq!(wanted(Some("a=b&profile=full")), Some(ToolProfile::Full));
        assert_eq!(wanted(Some("profile=other")), None);
        assert_eq!(wanted(None), None);
    }
}
