//! Operations on the keys with which callers prove who they are. All times are milliseconds since the Unix
//! epoch in fields that end in `_at`. A key's text is answered once, when it is made, and never again.

mod change;
mod policy;

use std::fmt;

pub use change::{Get, GetKey, MAX_REASON_CHARS, Update, UpdateKey};
pub use policy::{Day, KeyPolicy, PolicyField, Schedule};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope, Scopes};

/// What every key's text starts with.
pub const KEY_TEXT_PREFIX: &str = "tvm_";
/// What every key's id starts with.
pub const KEY_ID_PREFIX: &str = "key_";
/// Longest name of a key, in characters.
pub const MAX_NAME_CHARS: usize = 64;
/// Longest time for which a key can be made: ten years. Whoever wants more wants a key without an end.
pub const MAX_EXPIRES_IN_SECONDS: u64 = 10 * 366 * 24 * 60 * 60;
/// Longest time for which a rotated key may go on: 90 days.
pub const MAX_GRACE_SECONDS: u64 = 90 * 24 * 60 * 60;
/// Keys on a page when nothing was said.
pub const DEFAULT_PAGE: u32 = 100;
/// Most keys on a page.
pub const MAX_PAGE: u32 = 1000;

/// Makes a key.
#[derive(Debug, Clone, Copy)]
pub struct Create;

/// Lists keys.
#[derive(Debug, Clone, Copy)]
pub struct List;

/// Ends a key at once.
#[derive(Debug, Clone, Copy)]
pub struct Revoke;

/// Gives a key a new text.
#[derive(Debug, Clone, Copy)]
pub struct Rotate;

/// The key to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// Name for people: 1 to 64 characters, unique among the keys that are alive.
    pub name: String,
    /// What the key may do. The caller must hold each of these scopes itself.
    #[serde(default = "client_scopes")]
    pub scopes: Vec<Scope>,
    /// Seconds until the key ends by itself; without it the key has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_seconds: Option<u64>,
    /// What holds for it beside its scopes.
    #[serde(default, skip_serializing_if = "KeyPolicy::is_empty")]
    pub policy: KeyPolicy,
}

/// Which page of keys to list, oldest key first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListKeys {
    /// `next_cursor` of the page before; without it the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Most keys on the page, 1 to 1000; 100 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The key to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeKey {
    /// The key's id, or its name. By name, an older text that still has its grace after a rotation ends too.
    pub key: String,
}

/// The key that gets a new text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// The key's id, or its name.
    pub key: String,
    /// Seconds for which the old text is still accepted; 0 (the default) ends it at once.
    #[serde(default)]
    pub grace_seconds: u64,
}

/// A key as it may be shown: never its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeyView {
    /// Identifier that never changes and is never used again.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// The first characters of the key's text, for telling keys apart.
    pub prefix: String,
    /// What the key may do.
    pub scopes: Vec<Scope>,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at: i64,
    /// When it ends or ended by itself, in milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// When it was revoked, in milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<i64>,
    /// When it was last accepted, in milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<i64>,
    /// Rises with every change; for `update_key`.
    #[serde(default)]
    pub version: u64,
    /// Whether it is accepted, as far as an operator decides that.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Why it is not, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What holds for it beside its scopes.
    #[serde(default, skip_serializing_if = "KeyPolicy::is_empty")]
    pub policy: KeyPolicy,
}

/// A new key with its text, which is shown this once.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CreatedKey {
    /// The key.
    pub key: KeyView,
    /// Its text. The hub keeps only a hash: whoever loses it makes or rotates a key.
    pub secret: String,
}

/// Some keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeyPage {
    /// The keys of this page, oldest first, ended ones included.
    pub keys: Vec<KeyView>,
    /// For the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The keys that were ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RevokedKeys {
    /// One key, or also the older texts of the same name that still had their grace.
    pub keys: Vec<KeyView>,
}

impl fmt::Debug for CreatedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedKey").field("key", &self.key).field("secret", &"[redacted]").finish()
    }
}

impl Operation for Create {
    const NAME: &'static str = "create_key";
    const TITLE: &'static str = "Create a key";
    const SUMMARY: &'static str = "Makes a key for a client of the hub and answers its text, which is shown this \
         once. A caller can only give scopes that it holds itself.";
    const SCOPE: Scope = Scope::WriteKeys;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: false };
    const ROUTE: Route = Route::new(Method::Post, "/api/keys").creates();
    const COMMAND: (&'static str, &'static str) = ("keys", "create");
    const EXAMPLE: &'static str = r#"{"name": "laptop", "scopes": ["execute:completions", "read:models"]}"#;
    type Args = CreateKey;
    type Result = CreatedKey;

    fn check(args: CreateKey) -> Result<CreateKey, Invalid> {
        if args.scopes.is_empty() {
            return Err(Invalid::new("scopes", "must not be empty: a key without scopes could do nothing"));
        }
        if let Some(seconds) = args.expires_in_seconds
            && !(1..=MAX_EXPIRES_IN_SECONDS).contains(&seconds)
        {
            return Err(Invalid::new(
                "expires_in_seconds",
                format!("must be between 1 and {MAX_EXPIRES_IN_SECONDS}, or absent for a key without an end"),
            ));
        }
        let scopes = args.scopes.into_iter().collect::<Scopes>().iter().collect();
        Ok(CreateKey { name: name(&args.name)?, scopes, policy: args.policy.check()?, ..args })
    }
}

impl Operation for List {
    const NAME: &'static str = "list_keys";
    const TITLE: &'static str = "List keys";
    const SUMMARY: &'static str = "Lists the keys of the hub, oldest first, with their scopes, when they end or \
         ended, and when they were last used. Never shows a key's text.";
    const SCOPE: Scope = Scope::ReadKeys;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/keys");
    const COMMAND: (&'static str, &'static str) = ("keys", "list");
    const EXAMPLE: &'static str = r#"{"limit": 20}"#;
    type Args = ListKeys;
    type Result = KeyPage;

    fn check(args: ListKeys) -> Result<ListKeys, Invalid> {
        let limit = args.limit.unwrap_or(DEFAULT_PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Invalid::new("limit", format!("must be between 1 and {MAX_PAGE}")));
        }
        if let Some(cursor) = &args.cursor
            && !is_key_id(cursor)
        {
            return Err(Invalid::new("cursor", "must be the next_cursor of an earlier page"));
        }
        Ok(ListKeys { limit: Some(limit), ..args })
    }
}

impl Operation for Revoke {
    const NAME: &'static str = "revoke_key";
    const TITLE: &'static str = "Revoke a key";
    const SUMMARY: &'static str = "Ends a key, given by id or name. It is refused from the moment of the answer. \
         This cannot be undone.";
    const SCOPE: Scope = Scope::WriteKeys;
    const HINTS: Hints = Hints { read_only: false, destructive: true, idempotent: true };
    const ROUTE: Route = Route::new(Method::Delete, "/api/keys/{key}");
    const COMMAND: (&'static str, &'static str) = ("keys", "revoke");
    const EXAMPLE: &'static str = r#"{"key": "laptop"}"#;
    type Args = RevokeKey;
    type Result = RevokedKeys;

    fn check(args: RevokeKey) -> Result<RevokeKey, Invalid> {
        Ok(RevokeKey { key: selector(&args.key)? })
    }
}

impl Operation for Rotate {
    const NAME: &'static str = "rotate_key";
    const TITLE: &'static str = "Rotate a key";
    const SUMMARY: &'static str = "Makes a new key with the name, scopes, policy and lifetime of the given one and answers \
         its text, which is shown this once. The old text ends at once, or after grace_seconds.";
    const SCOPE: Scope = Scope::WriteKeys;
    const HINTS: Hints = Hints { read_only: false, destructive: true, idempotent: false };
    const ROUTE: Route = Route::new(Method::Post, "/api/keys/{key}/rotate");
    const COMMAND: (&'static str, &'static str) = ("keys", "rotate");
    const EXAMPLE: &'static str = r#"{"key": "laptop", "grace_seconds": 3600}"#;
    type Args = RotateKey;
    type Result = CreatedKey;

    fn check(args: RotateKey) -> Result<RotateKey, Invalid> {
        if args.grace_seconds > MAX_GRACE_SECONDS {
            return Err(Invalid::new(
                "grace_seconds",
                format!("must be at most {MAX_GRACE_SECONDS} (90 days)"),
            ));
        }
        Ok(RotateKey { key: selector(&args.key)?, ..args })
    }
}

/// Whether a text has the form of a key's id: `key_` and 32 hexadecimal digits.
#[must_use]
pub fn is_key_id(text: &str) -> bool {
    text.strip_prefix(KEY_ID_PREFIX).is_some_and(|digits| {
        digits.len() == 32 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

const fn yes() -> bool {
    true
}

fn client_scopes() -> Vec<Scope> {
    Scopes::client().iter().collect()
}

/// A new key's name. It can be confused neither with an id nor with a key's text, which somebody may
/// paste into the wrong field and which must not be kept.
fn name(text: &str) -> Result<String, Invalid> {
    let name = named("name", text)?;
    if is_key_id(&name) {
        return Err(Invalid::new("name", "must not look like a key's id"));
    }
    Ok(name)
}

fn selector(text: &str) -> Result<String, Invalid> {
    named("key", text)
}

fn named(field: &'static str, text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_NAME_CHARS {
        return Err(Invalid::new(field, format!("must have 1 to {MAX_NAME_CHARS} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(Invalid::new(field, "must not contain control characters"));
    }
    if text.starts_with(KEY_TEXT_PREFIX) {
        return Err(Invalid::new(field, "starts like a key's text; give a name that is not secret"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(name: &str) -> CreateKey {
        let policy = KeyPolicy::default();
        CreateKey { name: name.to_owned(), scopes: client_scopes(), expires_in_seconds: None, policy }
    }

    #[test]
    fn names_are_trimmed() {
        assert_eq!(Create::check(create("  laptop ")).map(|args| args.name), Ok("laptop".to_owned()));
    }

    #[test]
    fn names_that_cannot_be_told_apart_or_kept_are_refused() {
        let id = format!("{KEY_ID_PREFIX}{}", "0".repeat(32));
        for bad in ["", "   ", "a\nb", "tvm_abc", &"x".repeat(65), &id] {
            assert_eq!(Create::check(create(bad)).map_err(|invalid| invalid.field), Err("name"), "{bad:?}");
        }
        assert!(Create::check(create(&"ü".repeat(64))).is_ok(), "characters count, not bytes");
        assert!(Revoke::check(RevokeKey { key: id }).is_ok(), "an id selects a key");
    }

    #[test]
    fn scopes_are_needed_and_come_out_once_each() {
        let none = CreateKey { scopes: Vec::new(), ..create("a") };
        assert_eq!(Create::check(none).map_err(|invalid| invalid.field), Err("scopes"));
        let twice = CreateKey { scopes: vec![Scope::ReadModels, Scope::ReadModels], ..create("a") };
        assert_eq!(Create::check(twice).map(|args| args.scopes), Ok(vec![Scope::ReadModels]));
    }

    #[test]
    fn numbers_have_bounds() {
        let expiring = |seconds| CreateKey { expires_in_seconds: Some(seconds), ..create("a") };
        assert!(Create::check(expiring(0)).is_err());
        assert!(Create::check(expiring(u64::MAX)).is_err());
        assert!(Create::check(expiring(1)).is_ok());
        let rotate = |grace_seconds| RotateKey { key: "a".to_owned(), grace_seconds };
        assert!(Rotate::check(rotate(0)).is_ok());
        assert!(Rotate::check(rotate(MAX_GRACE_SECONDS + 1)).is_err());
        let list = |limit| ListKeys { cursor: None, limit };
        assert_eq!(List::check(list(None)).map(|args| args.limit), Ok(Some(DEFAULT_PAGE)));
        assert!(List::check(list(Some(0))).is_err());
        assert!(List::check(list(Some(MAX_PAGE + 1))).is_err());
        assert!(List::check(ListKeys { cursor: Some("x".to_owned()), limit: None }).is_err());
    }

    #[test]
    fn a_secret_does_not_print() {
        let key = KeyView {
            id: "key_1".to_owned(),
            name: "a".to_owned(),
            prefix: "tvm_ab".to_owned(),
            scopes: Vec::new(),
            created_at: 0,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
            version: 1,
            enabled: true,
            reason: None,
            policy: KeyPolicy::default(),
        };
        let made = CreatedKey { key, secret: "tvm_canary".to_owned() };
        assert!(!format!("{made:?}").contains("canary"));
    }
}
