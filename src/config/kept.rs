//! What is asked of a change of a definition before secrets of the earlier one stay in it: that they go where they were given
//! for, and that no mask is taken for a value. Whoever may change connections may not read their keys, neither here nor at a
//! server of their own.

use serde_json::{Map as Json, Value as JsonValue};
use url::Url;

use super::mask::REDACTED;

type Definition = Json<String, JsonValue>;

/// What belongs together: secrets, and the keys that say where they are sent. All in one mapping.
struct Guarded {
    /// Where the mapping is within the definition of a connection; empty for the definition itself.
    within: &'static str,
    secret: &'static str,
    moved: fn(old: &Definition, new: &Definition) -> Option<&'static str>,
}

/// Keys go to the base URL, and the secret of an application to the login server. Tokens that somebody logged in for are
/// bound to both by the login itself.
const GUARDED: [Guarded; 2] = [
    Guarded { within: "", secret: "api_key", moved: requests_moved },
    Guarded { within: "oauth", secret: "client_secret", moved: login_moved },
];

/// Why a connection's secrets cannot stay as they are, if they cannot. `given` is what was asked for, `new` what it comes to.
#[must_use]
pub fn moved_secret(given: &Definition, old: &Definition, new: &Definition) -> Option<String> {
    GUARDED.iter().find_map(|Guarded { within, secret, moved }| {
        let empty = Definition::new();
        let part = |whole: &'_ Definition| match *within {
            "" => whole.clone(),
            name => whole.get(name).and_then(JsonValue::as_object).unwrap_or(&empty).clone(),
        };
        let (asked, before, after) = (part(given), part(old), part(new));
        let kept = after.get(*secret).filter(|value| before.get(*secret) == Some(value))?;
        if asked.get(*secret) == Some(kept) {
            return None;
        }
        // A new proxy may see all of it.
        let changed = moved(&before, &after).or_else(|| proxy_moved(old, new))?;
        let dot = if within.is_empty() { "" } else { "." };
        Some(format!(
            "changes `{changed}`, and `{within}{dot}{secret}` was given for another place: give it again, or take it away with \
             `null`"
        ))
    })
}

/// The first place at which a definition says `[redacted]` and there is nothing to put there.
#[must_use]
pub fn unknown_mask(given: &Definition, new: &Definition) -> Option<String> {
    given.iter().find_map(|(name, value)| {
        if name == REDACTED {
            return Some(name.clone());
        }
        let inner = mask_in(value, new.get(name)?)?;
        Some(format!("{name}{inner}"))
    })
}

fn mask_in(given: &JsonValue, new: &JsonValue) -> Option<String> {
    match (given, new) {
        (JsonValue::String(given), JsonValue::String(new)) => {
            (given == REDACTED && new == REDACTED).then(String::new)
        }
        (JsonValue::Object(given), JsonValue::Object(new)) => {
            unknown_mask(given, new).map(|inner| format!(".{inner}"))
        }
        (JsonValue::Array(given), JsonValue::Array(new)) => {
            let mut pairs = given.iter().zip(new).enumerate();
            pairs.find_map(|(at, (given, new))| Some(format!("[{at}]{}", mask_in(given, new)?)))
        }
        _ => None,
    }
}

/// A base URL leads where it says; without one it is the provider and the account's part of its URLs.
fn requests_moved(old: &Definition, new: &Definition) -> Option<&'static str> {
    match (text(old, "base_url"), text(new, "base_url")) {
        (Some(old), Some(new)) => (!is_same_place(old, new)).then_some("base_url"),
        (None, None) => ["type", "variables"].into_iter().find(|name| old.get(*name) != new.get(*name)),
        _ => Some("base_url"),
    }
}

fn login_moved(old: &Definition, new: &Definition) -> Option<&'static str> {
    match (text(old, "token_url"), text(new, "token_url")) {
        (Some(old), Some(new)) => (!is_same_place(old, new)).then_some("token_url"),
        (None, None) => (old.get("preset") != new.get("preset")).then_some("preset"),
        _ => Some("token_url"),
    }
}

/// To go without a proxy is no new place.
fn proxy_moved(old: &Definition, new: &Definition) -> Option<&'static str> {
    let (old, new) = (text(old, "proxy"), text(new, "proxy")?);
    (old != Some(new) && new != "direct").then_some("proxy")
}

fn text<'a>(definition: &'a Definition, name: &str) -> Option<&'a str> {
    definition.get(name).and_then(JsonValue::as_str)
}

/// The same host and port, and no less encrypted.
fn is_same_place(old: &str, new: &str) -> bool {
    let (Ok(old_url), Ok(new_url)) = (Url::parse(old.trim()), Url::parse(new.trim())) else {
        return old == new;
    };
    let encrypts = old_url.scheme() == "http" && new_url.scheme() == "https";
    let defaults = old_url.port().is_none() && new_url.port().is_none();
    old_url.host() == new_url.host() && (old_url.origin() == new_url.origin() || (encrypts && defaults))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use serde_json::json;

    use super::*;

    fn object(value: &JsonValue) -> Definition {
        value.as_object().unwrap().clone()
    }

    /// What is said of changing `old` by putting `changes` over it.
    fn said(old: &JsonValue, changes: &JsonValue) -> Option<String> {
        let (old, given) = (object(old), object(changes));
        let mut new = old.clone();
        for (name, value) in given.clone() {
            match (new.get_mut(&name), value) {
                (Some(JsonValue::Object(inner)), JsonValue::Object(more)) => inner.extend(more),
                (_, value) => drop(new.insert(name, value)),
            }
        }
        new.retain(|_, value| !value.is_null());
        moved_secret(&given, &old, &new)
    }

    #[test]
    fn a_key_goes_to_no_place_that_it_was_not_given_for() {
        let old = json!({"type": "openai-compatible", "base_url": "https://a.test/v1", "api_key": "k"});
        for changes in [
            json!({"base_url": "https://evil.test/v1"}),
            json!({"base_url": "https://a.test:8443/v1"}),
            json!({"base_url": "http://a.test/v1"}),
            json!({"base_url": "https://a.test.evil.test/v1"}),
            json!({"base_url": "no URL"}),
            json!({"base_url": null}),
            json!({"proxy": "http://evil.test:3128"}),
        ] {
            let said = said(&old, &changes).unwrap();
            assert!(said.contains("`api_key`"), "{said}");
        }
        for changes in [
            json!({"base_url": "https://a.test/other"}),
            json!({"base_url": "https://evil.test/v1", "api_key": "new"}),
            json!({"base_url": "https://evil.test/v1", "api_key": "k"}),
            json!({"base_url": "https://evil.test/v1", "api_key": null}),
            json!({"type": "anthropic-compatible"}),
            json!({"priority": 1}),
            json!({"proxy": "direct"}),
        ] {
            assert_eq!(said(&old, &changes), None, "{changes}");
        }
        let plain = json!({"base_url": "http://a.test/v1", "api_key": "k"});
        assert_eq!(said(&plain, &json!({"base_url": "https://a.test/v1"})), None);
    }

    #[test]
    fn a_mask_does_not_name_a_key() {
        let old = object(&json!({"base_url": "https://a.test/v1", "api_key": "k"}));
        let given = object(&json!({"base_url": "https://evil.test/v1", "api_key": REDACTED}));
        let new = object(&json!({"base_url": "https://evil.test/v1", "api_key": "k"}));
        assert!(moved_secret(&given, &old, &new).is_some());
    }

    #[test]
    fn without_a_base_url_the_provider_and_its_variables_are_the_place() {
        let old = json!({"type": "cloudflare", "variables": {"account_id": "1"}, "api_key": "k"});
        assert!(said(&old, &json!({"type": "groq"})).unwrap().contains("`type`"));
        assert!(said(&old, &json!({"variables": {"account_id": "2"}})).unwrap().contains("`variables`"));
        assert!(said(&old, &json!({"base_url": "https://evil.test/v1"})).unwrap().contains("`base_url`"));
    }

    #[test]
    fn the_secret_of_an_application_stays_at_its_login_server() {
        let old = json!({
            "base_url": "https://a.test/v1", "oauth": {"client_secret": "s", "token_url": "https://login.test/token"},
        });
        let moved = said(&old, &json!({"oauth": {"token_url": "https://evil.test/token"}})).unwrap();
        assert!(moved.contains("`oauth.client_secret`"), "{moved}");
        assert!(said(&old, &json!({"proxy": "http://evil.test:3128"})).is_some());
        assert_eq!(said(&old, &json!({"base_url": "https://b.test/v1"})), None);
    }

    #[test]
    fn a_mask_that_stands_for_nothing_is_found() {
        let given = object(&json!({"a": [{"tags": ["x", REDACTED]}], "b": {"key": REDACTED}}));
        let put_back = object(&json!({"a": [{"tags": ["x", "y"]}], "b": {"key": "k"}}));
        assert_eq!(unknown_mask(&given, &put_back), None);
        assert_eq!(unknown_mask(&given, &given).as_deref(), Some("a[0].tags[1]"));
        let only = object(&json!({"b": {"key": REDACTED}}));
        assert_eq!(unknown_mask(&only, &only).as_deref(), Some("b.key"));
        let name = object(&json!({"variables": {REDACTED: "x"}}));
        assert_eq!(unknown_mask(&name, &name).as_deref(), Some("variables.[redacted]"));
    }
}
