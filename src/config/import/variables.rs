//! Keys of providers in variables: each row of the catalogue names its own. A number behind the name, an `S`, and commas
//! in the value mean several accounts.

use super::{
    account::{Account, literal, reference},
    draft::Draft,
};
use crate::{
    config::{origin::Origin, providers::key::is_placeholder},
    engine::settings::Provider,
};

/// Variables that are set for other reasons as often as for this one.
const ELSEWHERE: [&str; 8] = [
    "GITHUB_TOKEN",
    "GITLAB_TOKEN",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "CLOUDFLARE_API_TOKEN",
    "CLOUDFLARE_API_KEY",
    "DIGITALOCEAN_ACCESS_TOKEN",
    "SCW_SECRET_KEY",
    "HF_TOKEN",
];

/// Of the providers that share a variable, the one whose usual key is in it.
const USUAL: [(&str, &str); 6] = [
    ("ZAI_API_KEY", "zai"),
    ("ARK_API_KEY", "volcengine"),
    ("OPENCODE_API_KEY", "opencode-zen"),
    ("XIAOMI_API_KEY", "xiaomi"),
    ("STEPFUN_API_KEY", "stepfun"),
    ("MINIMAX_API_KEY", "minimax"),
];

/// URLs that clients are pointed elsewhere with; the key beside them is then a key of that place.
const POINTERS: [(&str, &[&str]); 3] = [
    ("openai", &["OPENAI_BASE_URL", "OPENAI_API_BASE"]),
    ("anthropic", &["ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"]),
    ("gemini", &["GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL"]),
];

/// A variable of the source.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    pub(super) place: &'a Origin,
}

/// A key that was found, as the file writes it.
pub(super) struct Found<'a> {
    pub(super) row: &'a Provider,
    pub(super) key: String,
    pub(super) place: Origin,
}

/// The keys among variables, in the order of the catalogue. Says what was found and cannot be used.
pub(super) fn keys<'a>(given: &[Given<'_>], draft: &mut Draft<'a>) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    let mut taken: Vec<&str> = Vec::new();
    for row in draft.catalogue.providers() {
        for name in &row.env {
            if !is_usual(draft, row, name) {
                continue;
            }
            for one in given.iter().filter(|one| is_of(one.name, name) && !one.value.trim().is_empty()) {
                if taken.contains(&one.name) {
                    continue;
                }
                taken.push(one.name);
                if let Some(why) = unusable(one, row, given, draft) {
                    draft.note(one.place, why.0, why.1);
                    continue;
                }
                found.extend(split(one, draft).into_iter().map(|key| Found {
                    row,
                    key,
                    place: one.place.clone(),
                }));
            }
        }
    }
    found
}

/// Adds an account for each key, in the order in which they are.
pub(super) fn accounts(given: &[Given<'_>], draft: &mut Draft<'_>) {
    for Found { row, key, place } in keys(given, draft) {
        let account = Account { provider: row.id.clone(), key: Some(key), ..Account::default() };
        let id = draft.numbered(&row.id);
        draft.account(&id, account, &place);
    }
}

/// Whether this is the provider to which a key in the variable belongs, where several name it.
fn is_usual(draft: &Draft<'_>, row: &Provider, name: &str) -> bool {
    if let Some((_, usual)) = USUAL.iter().find(|(shared, _)| *shared == name) {
        return row.id == *usual;
    }
    let mut rows = draft.catalogue.providers().iter().filter(|other| other.env.iter().any(|one| one == name));
    rows.next().is_none_or(|first| first.id == row.id)
}

/// Whether a variable is the one of that name, or a further one of its kind.
fn is_of(variable: &str, name: &str) -> bool {
    let Some(rest) = variable.strip_prefix(name) else { return false };
    let digits = rest.strip_prefix('_').unwrap_or(rest);
    rest.is_empty()
        || rest == "S"
        || ((1..=3).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit()))
}

/// Why a key makes no account, and what to do.
fn unusable(
    one: &Given<'_>,
    row: &Provider,
    given: &[Given<'_>],
    draft: &Draft<'_>,
) -> Option<(String, String)> {
    let name = one.name;
    if ELSEWHERE.iter().any(|other| is_of(name, other)) {
        let message = format!("{name} is set, and may well be for something else than {}", row.name);
        let remedy = format!("if it is, add `{{type: {}, api_key: \"${{{name}}}\"}}`", row.id);
        return Some((message, remedy));
    }
    if is_placeholder(one.value) {
        let message = format!("{name} holds a placeholder");
        return Some((message, "put a key there, and import again".to_owned()));
    }
    if !draft.speaks(row) || row.needs_base_url() || !row.variables.is_empty() {
        let message = format!("{name} is a key of {}, which needs more than a key", row.name);
        return Some((message, "docs/providers.md says what".to_owned()));
    }
    let pointers = POINTERS.iter().find(|(id, _)| *id == row.id).map_or(&[][..], |(_, names)| names);
    let set = given.iter().find(|other| pointers.contains(&other.name) && !other.value.trim().is_empty())?;
    let message =
        format!("{} is set, so that {name} may be a key of another server, or of this hub", set.name);
    let remedy = format!("unset it if the key is one of {}, and import again", row.name);
    Some((message, remedy))
}

/// The keys of one variable: a reference to it, or its parts, which no reference can name.
fn split(one: &Given<'_>, draft: &mut Draft<'_>) -> Vec<String> {
    let parts: Vec<&str> =
        one.value.split([',', '\n', ';']).map(str::trim).filter(|part| !part.is_empty()).collect();
    if let ([_], Some(reference)) = (parts.as_slice(), reference(one.name)) {
        return vec![reference];
    }
    let message = format!("{} holds {} keys, which become keys as they are written", one.name, parts.len());
    let remedy = "to keep them out of the file, set a variable for each, such as NAME_2";
    draft.note(one.place, message, remedy);
    parts.into_iter().map(literal).collect()
}
