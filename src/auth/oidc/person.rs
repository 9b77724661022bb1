//! Who an ID token speaks of, and whether the hub takes them: by an address or a domain that the provider has verified, or by a
//! group.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::OidcError;
use crate::{
    auth::signed::{LEEWAY, whole},
    engine::settings::Oidc as Settings,
};

/// Longest name and longest address, in bytes.
const LONGEST: usize = 254;

/// Somebody who has proved at the provider who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The account at the provider.
    pub subject: Arc<str>,
    /// Name for people: the verified address, else the account.
    pub name: Arc<str>,
    /// Whether they may manage this hub.
    pub admitted: bool,
}

/// Checks what the signature does not prove: that the token was made for this login, now.
pub(super) fn check(
    claims: &Map<String, Value>,
    settings: &Settings,
    nonce: &str,
    now: i64,
) -> Result<(), OidcError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let seconds = |name: &str| claims.get(name).and_then(Value::as_f64).map(whole);
    let now = now / 1000;
    if seconds("exp").is_none_or(|end| end.saturating_add(LEEWAY) <= now) {
        return Err(OidcError::token("has ended"));
    }
    if seconds("nbf").is_some_and(|begin| begin.saturating_sub(LEEWAY) > now) {
        return Err(OidcError::token("is not good yet: is the clock right?"));
    }
    if text("nonce") != Some(nonce) {
        return Err(OidcError::token("belongs to another login"));
    }
    // One for several applications says for which it was issued (OpenID Connect Core 1.0, 3.1.3.7).
    let several = claims.get("aud").and_then(Value::as_array).is_some_and(|all| all.len() > 1);
    match text("azp") {
        Some(party) if party != &*settings.client_id => Err(OidcError::token("is for another application")),
        None if several => Err(OidcError::token("is for several applications, and does not say for which")),
        _ => Ok(()),
    }
}

/// Whether it is to be asked what else the provider knows: the settings look at something that the ID token lacks.
pub(super) fn lacks(claims: &Map<String, Value>, settings: &Settings) -> bool {
    let by_address = !settings.emails.is_empty() || !settings.domains.is_empty();
    by_address && !claims.contains_key("email")
        || !settings.groups.is_empty() && found(claims, &settings.groups_claim).is_none()
}

/// Who it is. `told` counts where the token itself says nothing.
pub(super) fn person(
    mut claims: Map<String, Value>,
    told: Map<String, Value>,
    settings: &Settings,
) -> Result<Person, OidcError> {
    let subject: Arc<str> = claims
        .get("sub")
        .and_then(Value::as_str)
        .filter(|text| is_name(text))
        .ok_or_else(|| OidcError::token("names no account"))?
        .into();
    // What is told of somebody else is no concern of this login. An address and its proof go together.
    if told.get("sub").and_then(Value::as_str) == Some(&*subject) {
        let has_address = claims.contains_key("email");
        for (name, value) in told {
            if !(has_address && name == "email_verified") {
                claims.entry(name).or_insert(value);
            }
        }
    }
    let address = verified_address(&claims);
    let domain = address.as_deref().and_then(|address| address.rsplit_once('@')).map(|(_, domain)| domain);
    let is_among =
        |all: &[String], one: Option<&str>| one.is_some_and(|one| all.iter().any(|all| all == one));
    let admitted = is_among(&settings.emails, address.as_deref())
        || is_among(&settings.domains, domain)
        || groups(&claims, &settings.groups_claim)
            .iter()
            .any(|group| is_among(&settings.groups, Some(group)));
    let name = address.map_or_else(|| Arc::clone(&subject), Arc::from);
    Ok(Person { subject, name, admitted })
}

/// The address in lower case, if the provider says that it is the person's. Some write `true` as text.
fn verified_address(claims: &Map<String, Value>) -> Option<String> {
    let verified = match claims.get("email_verified")? {
        Value::Bool(verified) => *verified,
        Value::String(word) => word == "true",
        _ => false,
    };
    let address = claims.get("email")?.as_str().filter(|text| verified && is_name(text))?;
    Some(address.to_lowercase())
}

/// A list of texts, or one text.
fn groups<'a>(claims: &'a Map<String, Value>, claim: &str) -> Vec<&'a str> {
    match found(claims, claim) {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    }
}

/// A claim by its name, or by JSON pointer where it lies deeper.
fn found<'a>(claims: &'a Map<String, Value>, claim: &str) -> Option<&'a Value> {
    let Some(path) = claim.strip_prefix('/') else { return claims.get(claim) };
    let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let outer = claims.get(&first.replace("~1", "/").replace("~0", "~"))?;
    rest.map_or(Some(outer), |rest| outer.pointer(&format!("/{rest}")))
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests;
