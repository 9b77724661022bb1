//! Looking at one key, and changing it: what it may do, how long, and what its policy says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KeyPolicy, KeyView, PolicyField, selector};
use crate::{Hints, Invalid, Method, Operation, Route, Scope, Scopes};

/// Longest reason for which a key is disabled, in characters.
pub const MAX_REASON_CHARS: usize = 200;

/// Shows a key.
#[derive(Debug, Clone, Copy)]
pub struct Get;

/// Changes a key.
#[derive(Debug, Clone, Copy)]
pub struct Update;

/// The key to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetKey {
    /// The key's id, or its name.
    pub key: String,
}

/// What is to become different of a key. What is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateKey {
    /// The key's id, or its name.
    pub key: String,
    /// The `version` that the change is based on: where the key has another by now, nothing is changed. Without it the
    /// change is made whatever was changed before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Whether the key is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Why it is not, for the people who use it: at most 200 characters. Goes with `enabled: false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the key may do instead. The caller must hold each of these scopes itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<Scope>>,
    /// When it ends, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// Takes the end away.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub never_expires: bool,
    /// The parts of the policy that are to be different.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<KeyPolicy>,
    /// The parts of the policy that are to be taken away, before `policy` is applied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clear: Vec<PolicyField>,
}

impl Operation for Get {
    const NAME: &'static str = "get_key";
    const TITLE: &'static str = "Show a key";
    const SUMMARY: &'static str = "Shows a key, given by id or name, with its policy: when and from where it may be \
         used, which models, providers and connections it may use, and its limits. Never shows its text.";
    const SCOPE: Scope = Scope::ReadKeys;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/keys/{key}");
    const COMMAND: (&'static str, &'static str) = ("keys", "show");
    const EXAMPLE: &'static str = r#"{"key": "laptop"}"#;
    type Args = GetKey;
    type Result = KeyView;

    fn check(args: GetKey) -> Result<GetKey, Invalid> {
        Ok(GetKey { key: selector(&args.key)? })
    }
}

impl Operation for Update {
    const NAME: &'static str = "update_key";
    const TITLE: &'static str = "Change a key";
    const SUMMARY: &'static str = "Changes a key, given by id or name: disables or enables it, its end, scopes and \
         policy. What is left out stays. Give the version that get_key told to be sure that nobody changed it in \
         between. In force from the moment of the answer.";
    const SCOPE: Scope = Scope::WriteKeys;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Patch, "/api/keys/{key}").guarded();
    const COMMAND: (&'static str, &'static str) = ("keys", "set");
    const EXAMPLE: &'static str = r#"{"key": "laptop", "policy": {"requests_per_minute": 60}}"#;
    type Args = UpdateKey;
    type Result = KeyView;

    fn check(args: UpdateKey) -> Result<UpdateKey, Invalid> {
        let reason = args.reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        if let Some(reason) = &reason {
            if args.enabled != Some(false) {
                return Err(Invalid::new("reason", "goes with `enabled: false` alone"));
            }
            if reason.chars().count() > MAX_REASON_CHARS || reason.chars().any(char::is_control) {
                let wanted =
                    format!("must have at most {MAX_REASON_CHARS} characters, none of them a control");
                return Err(Invalid::new("reason", wanted));
            }
        }
        if args.never_expires && args.expires_at.is_some() {
            return Err(Invalid::new("never_expires", "does not go with `expires_at`"));
        }
        if args.expires_at.is_some_and(|end| end <= 0) {
            return Err(Invalid::new("expires_at", "must be a time in milliseconds since the Unix epoch"));
        }
        if args.scopes.as_ref().is_some_and(Vec::is_empty) {
            return Err(Invalid::new("scopes", "must not be empty: to stop a key, disable it"));
        }
        let scopes = args.scopes.map(|scopes| scopes.into_iter().collect::<Scopes>().iter().collect());
        let policy = args.policy.map(KeyPolicy::check).transpose()?;
        Ok(UpdateKey { key: selector(&args.key)?, reason, scopes, policy, ..args })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_is_refused() {
        let base = || UpdateKey { key: "a".into(), ..UpdateKey::default() };
        let field = |args| Update::check(args).err().map(|invalid| invalid.field);
        assert_eq!(field(base()), None);
        assert_eq!(field(UpdateKey { reason: Some("x".into()), ..base() }), Some("reason"));
        let banned = UpdateKey { reason: Some("x".into()), enabled: Some(false), ..base() };
        assert_eq!(field(banned), None);
        assert_eq!(field(UpdateKey { scopes: Some(vec![]), ..base() }), Some("scopes"));
        let both = UpdateKey { never_expires: true, expires_at: Some(1), ..base() };
        assert_eq!(field(both), Some("never_expires"));
        assert_eq!(field(UpdateKey { expires_at: Some(0), ..base() }), Some("expires_at"));
        assert_eq!(field(UpdateKey { key: String::new(), ..base() }), Some("key"));
    }
}
