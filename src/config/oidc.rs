//! The keys `oidc_…` of the section `auth`: an OpenID provider at which operators may log in, and whom of its people the hub takes.

use url::Url;

use super::{
    auth::{is_safe, text},
    effective::Sink,
    fields::{Fields, Written},
    mask::shown,
    origin::Origin,
    providers::address::is_local,
    schema::Key,
};
use crate::engine::settings::{Oidc, Secret};

pub(super) const ISSUER: Key =
    Key::new("oidc_issuer", "a URL with https, or of this machine", "https://id.example.net");
pub(super) const CLIENT_ID: Key = Key::new("oidc_client_id", "the id of your application", "trivium");
pub(super) const CLIENT_SECRET: Key =
    Key::new("oidc_client_secret", "a secret as text", "${OIDC_CLIENT_SECRET:-s3}").secret();
pub(super) const SCOPES: Key = Key::new("oidc_scopes", "a list of words", "[openid, email, profile]");
pub(super) const EMAILS: Key = Key::new("oidc_allowed_emails", "a list of addresses", "[ann@example.net]");
pub(super) const DOMAINS: Key = Key::new("oidc_allowed_domains", "a list of domains", "[example.net]");
pub(super) const GROUPS: Key = Key::new("oidc_allowed_groups", "a list of groups", "[hub-admins]");
pub(super) const GROUPS_CLAIM: Key = Key::new("oidc_groups_claim", "a claim or a JSON pointer", "groups");

const DEFAULT_SCOPES: [&str; 2] = ["openid", "email"];
const DEFAULT_CLAIM: &str = "groups";

/// The provider, if enough is said of it; what is missing is warned of, and nobody can log in there until it is said.
pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Option<Oidc> {
    let issuer = text(fields, &ISSUER, sink);
    let client_id = text(fields, &CLIENT_ID, sink);
    let client_secret = secret(fields, sink);
    let scopes = scopes(fields, sink);
    let emails =
        list(fields, &EMAILS, sink, |text| text.split_once('@').is_some_and(|(_, host)| is_name(host)));
    let domains = list(fields, &DOMAINS, sink, is_name);
    let groups = list(fields, &GROUPS, sink, |text| !text.is_empty());
    let lower = |all: Vec<String>| all.into_iter().map(|one| one.to_lowercase()).collect();
    let claim = fields.text(sink, &GROUPS_CLAIM).filter(|written| !written.value.is_empty());
    let claim = claim.unwrap_or(Written { value: DEFAULT_CLAIM.to_owned(), origin: Origin::Default });
    sink.holds(fields.path_of(&GROUPS_CLAIM), &GROUPS_CLAIM, claim.value.as_str(), claim.origin);
    let given = issuer.as_ref().or(client_id.as_ref())?.origin.clone();
    if let Some(Written { value, origin }) = issuer.as_ref().filter(|issuer| !is_usable(&issuer.value)) {
        let message = format!("expected {}, found {}", ISSUER.kind, shown(value));
        let remedy = "write an https URL without a query, as the provider's discovery document says it";
        sink.problems.error(&fields.path_of(&ISSUER), origin, message, remedy);
        return None;
    }
    let path = fields.path_of(&ISSUER);
    let (Some(issuer), Some(client_id)) = (issuer, client_id) else {
        let message = "nobody can log in at the provider: `oidc_issuer` and `oidc_client_id` belong together";
        sink.problems.warning(&path, &given, message, "write both of them");
        return None;
    };
    if emails.is_empty() && domains.is_empty() && groups.is_empty() {
        let message = "nobody can log in at the provider: it is not said who of its people is let in";
        let remedy = "write `oidc_allowed_emails`, `oidc_allowed_domains` or `oidc_allowed_groups`";
        sink.problems.warning(&path, &given, message, remedy);
        return None;
    }
    Some(Oidc {
        issuer: issuer.value,
        client_id: client_id.value,
        client_secret,
        scopes: scopes.into(),
        emails: lower(emails),
        domains: lower(domains),
        groups: groups.into(),
        groups_claim: claim.value.into(),
    })
}

/// Encrypted, or within a network that nobody else is in.
fn is_usable(issuer: &str) -> bool {
    Url::parse(issuer).is_ok_and(|url| {
        let local = url.scheme() == "http" && url.host_str().is_some_and(is_local);
        (is_safe(issuer) || local)
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(['@', '/', ' ', '*'])
}

fn scopes(fields: &Fields<'_>, sink: &mut Sink) -> Vec<String> {
    let written = fields.texts(sink, &SCOPES);
    let origin = fields.node(&SCOPES).map_or(Origin::Default, |node| node.origin.clone());
    let mut scopes: Vec<String> = match written {
        Some(all) => all.iter().flat_map(|one| one.value.split_whitespace().map(str::to_owned)).collect(),
        None => DEFAULT_SCOPES.map(str::to_owned).to_vec(),
    };
    if !scopes.iter().any(|scope| scope == "openid") {
        scopes.insert(0, "openid".to_owned());
    }
    sink.holds(fields.path_of(&SCOPES), &SCOPES, format!("[{}]", scopes.join(", ")), origin);
    scopes
}

fn list(fields: &Fields<'_>, key: &Key, sink: &mut Sink, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let path = fields.path_of(key);
    let mut all = Vec::new();
    for Written { value, origin } in fields.texts(sink, key).unwrap_or_default() {
        if fits(&value) {
            all.push(value);
        } else {
            let message = format!("{} is none of {}", shown(&value), key.kind);
            let remedy = format!("write for example `{}: {}`", key.name, key.example);
            sink.problems.error(&path, &origin, message, remedy);
        }
    }
    let origin = fields.node(key).map_or(Origin::Default, |node| node.origin.clone());
    sink.holds(path, key, format!("[{}]", all.join(", ")), origin);
    all
}

fn secret(fields: &Fields<'_>, sink: &mut Sink) -> Option<Secret> {
    let path = fields.path_of(&CLIENT_SECRET);
    let Some(Written { value, origin }) =
        fields.text(sink, &CLIENT_SECRET).filter(|text| !text.value.is_empty())
    else {
        sink.holds_not(path, Origin::Default);
        return None;
    };
    sink.holds(path, &CLIENT_SECRET, "", origin);
    Some(Secret::new(value))
}
