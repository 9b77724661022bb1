//! The list of all operations. A new one is a line here, and is then on every surface.

use crate::{
    Definition, accounts, affinity, audit, backups, bundle, cache, checks, completions, diagnosis,
    documents::NOUNS, health, keys, mcp, models, oauth, prices, providers, quotas, reports, routing, search,
    sessions, spending, steering, tasks, traces, usage, webhooks,
};

/// What is not about documents.
const SINGLE: [Definition; 76] = [
    Definition::of::<keys::Create>(),
    Definition::of::<keys::List>(),
    Definition::of::<keys::Get>(),
    Definition::of::<keys::Update>(),
    Definition::of::<keys::Revoke>(),
    Definition::of::<keys::Rotate>(),
    Definition::of::<sessions::List>(),
    Definition::of::<sessions::Revoke>(),
    Definition::of::<oauth::Start>(),
    Definition::of::<oauth::Finish>(),
    Definition::of::<oauth::Status>(),
    Definition::of::<oauth::Logout>(),
    Definition::of::<oauth::List>(),
    Definition::of::<routing::Simulate>(),
    Definition::of::<routing::Explain>(),
    Definition::of::<usage::Get>(),
    Definition::of::<prices::List>(),
    Definition::of::<prices::SyncNow>(),
    Definition::of::<webhooks::Test>(),
    Definition::of::<traces::List>(),
    Definition::of::<traces::Get>(),
    Definition::of::<audit::List>(),
    Definition::of::<audit::Verify>(),
    Definition::of::<audit::Undo>(),
    Definition::of::<backups::Create>(),
    Definition::of::<backups::List>(),
    Definition::of::<backups::Verify>(),
    Definition::of::<backups::Delete>(),
    Definition::of::<bundle::Get>(),
    Definition::of::<health::Get>(),
    Definition::of::<health::Reset>(),
    Definition::of::<quotas::List>(),
    Definition::of::<spending::Status>(),
    Definition::of::<spending::Reset>(),
    Definition::of::<models::List>(),
    Definition::of::<models::Hide>(),
    Definition::of::<models::Show>(),
    Definition::of::<accounts::Test>(),
    Definition::of::<accounts::Discover>(),
    Definition::of::<accounts::Accept>(),
    Definition::of::<diagnosis::Diagnose>(),
    Definition::of::<diagnosis::List>(),
    Definition::of::<diagnosis::Accept>(),
    Definition::of::<diagnosis::Dismiss>(),
    Definition::of::<providers::List>(),
    Definition::of::<cache::Stats>(),
    Definition::of::<cache::Clear>(),
    Definition::of::<affinity::List>(),
    Definition::of::<affinity::Forget>(),
    Definition::of::<completions::RouteRequest>(),
    Definition::of::<completions::TestCombo>(),
    Definition::of::<steering::SwitchCombo>(),
    Definition::of::<steering::SetStrategy>(),
    Definition::of::<steering::SetResilience>(),
    Definition::of::<steering::SetGuard>(),
    Definition::of::<reports::Cost>(),
    Definition::of::<reports::Snapshot>(),
    Definition::of::<reports::Combos>(),
    Definition::of::<reports::Providers>(),
    Definition::of::<reports::Errors>(),
    Definition::of::<reports::Best>(),
    Definition::of::<checks::Policy>(),
    Definition::of::<checks::Tokens>(),
    Definition::of::<checks::Configuration>(),
    Definition::of::<checks::Database>(),
    Definition::of::<search::Web>(),
    Definition::of::<mcp::Status>(),
    Definition::of::<mcp::Tools>(),
    Definition::of::<mcp::Calls>(),
    Definition::of::<mcp::Stats>(),
    Definition::of::<mcp::Verify>(),
    Definition::of::<tasks::Status>(),
    Definition::of::<tasks::List>(),
    Definition::of::<tasks::Get>(),
    Definition::of::<tasks::Cancel>(),
    Definition::of::<tasks::DeadLetters>(),
];

/// How many operations a noun has.
const EACH: usize = NOUNS[0].operations.len();

/// Every operation.
pub(crate) const ALL: &[Definition] = &joined();

const fn joined() -> [Definition; SINGLE.len() + NOUNS.len() * EACH] {
    let mut all = [SINGLE[0]; SINGLE.len() + NOUNS.len() * EACH];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < SINGLE.len() {
            SINGLE[at]
        } else {
            let rest = at - SINGLE.len();
            NOUNS[rest / EACH].operations[rest % EACH]
        };
        at += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use std::collections::HashSet;

    use super::*;
    use crate::Scope;

    #[test]
    fn names_routes_and_commands_are_unique() {
        let names: HashSet<_> = ALL.iter().map(|definition| definition.name).collect();
        let routes: HashSet<_> =
            ALL.iter().map(|definition| (definition.route.method, definition.route.path)).collect();
        let commands: HashSet<_> = ALL.iter().map(|definition| definition.command).collect();
        assert_eq!((names.len(), routes.len(), commands.len()), (ALL.len(), ALL.len(), ALL.len()));
    }

    #[test]
    fn names_fit_what_tools_may_be_called() {
        for definition in ALL {
            let mut bytes = definition.name.bytes();
            let fits = bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
            assert!(fits && definition.name.len() < 40, "{}", definition.name);
        }
    }

    #[test]
    fn examples_are_arguments() {
        for definition in ALL {
            let example: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(definition.example).expect(definition.name);
            let schema = definition.args_schema();
            let known =
                |name: &String| schema.pointer("/properties").is_some_and(|all| all.get(name).is_some());
            assert!(example.keys().all(known), "{}: an argument that there is not", definition.name);
            let required = schema.get("required").and_then(|all| all.as_array()).cloned().unwrap_or_default();
            for name in required {
                let name = name.as_str().unwrap_or_default();
                assert!(example.contains_key(name), "{}: {name} is missing", definition.name);
            }
            let parameters: Vec<_> = definition.route.parameters().collect();
            for name in parameters.iter().copied().chain(definition.route.body) {
                assert!(known(&name.to_owned()), "{}: {name} is no argument", definition.name);
            }
        }
    }

    #[test]
    fn what_only_looks_needs_no_right_to_write() {
        for definition in ALL.iter().filter(|definition| definition.hints.read_only) {
            assert!(!definition.scope.as_str().starts_with("write:"), "{}", definition.name);
            assert!(!definition.hints.destructive, "{}", definition.name);
        }
        assert_ne!(Scope::ReadAudit, Scope::ReadBackups);
    }
}
