//! Whose things a caller sees: usage, requests, sessions and budgets belong to the caller that they are of. Who may see the
//! other callers (`read:keys`) sees what is theirs too; everybody else sees its own, whatever it asks for. The rule is
//! said here once, for every operation that tells of what belongs to somebody.

use operations::Scope;
use serde_json::Value;

use super::{OpError, ports::Definition};
use crate::engine::{
    caller::Caller,
    settings::{Budget, Scope as For},
};

/// The caller that is asked about: `None` for all of them. Who may not see others is told of itself, and refused where it
/// names another; whether there is such a one is not told.
pub(super) fn only(caller: &Caller, named: Option<String>) -> Result<Option<String>, OpError> {
    if caller.sees_others() {
        return Ok(named);
    }
    match named {
        Some(named) if *named != *caller.id => Err(OpError::Forbidden { scope: Scope::ReadKeys }),
        _ => Ok(Some(caller.id.to_string())),
    }
}

/// Whether a caller sees what belongs to `owner`, a caller's id. What it does not see is not there for it.
pub(super) fn sees(caller: &Caller, owner: &str) -> bool {
    caller.sees_others() || *owner == *caller.id
}

/// Whether a caller sees a budget: one that counts it among others is its own business too.
pub(super) fn sees_budget(caller: &Caller, budget: &Budget) -> bool {
    match &budget.scope {
        For::Caller(name) => caller.sees_others() || is_meant(caller, name),
        For::All | For::EachCaller | For::Tier(_) | For::Provider(_) => true,
    }
}

/// The same by what a budget's definition says.
pub(super) fn sees_definition(caller: &Caller, definition: &Definition) -> bool {
    let Some(whose) = definition.get("for").and_then(Value::as_str) else { return true };
    if caller.sees_others() || matches!(whose, "all" | "*") {
        return true;
    }
    match whose.split_once(':') {
        Some(("tier" | "provider", _)) => true,
        Some(("key", name)) => is_meant(caller, name),
        _ => is_meant(caller, whose),
    }
}

fn is_meant(caller: &Caller, name: &str) -> bool {
    *name == *caller.id || *name == *caller.name
}
