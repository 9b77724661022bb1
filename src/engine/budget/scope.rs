//! Whether a budget counts a request, and on whose account.

use std::sync::Arc;

use crate::engine::{caller::Caller, ports::Target, settings::Scope};

/// Whose account a request of `caller` to `target` is counted on; `None`: it is not counted. A budget with one account
/// calls its holder by the empty name.
pub(super) fn holder(scope: &Scope, caller: &Caller, target: &Target) -> Option<Arc<str>> {
    let counted = match scope {
        Scope::EachCaller => return Some(Arc::clone(&caller.id)),
        Scope::All => true,
        Scope::Caller(name) => *name == caller.id || *name == caller.name,
        Scope::Tier(tier) => *tier == target.connection.tier,
        Scope::Provider(provider) => **provider == *target.connection.provider.id,
    };
    counted.then(|| Arc::from(""))
}
