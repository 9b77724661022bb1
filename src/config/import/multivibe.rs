//! `accounts.json` of MultiVibe: accounts with keys become connections, aliases aliases. Its ChatGPT accounts are logins
//! with a vendor's client id, and are not taken over; its variables are read by the hub itself when it starts.

use std::collections::HashMap;

use super::{
    Input,
    account::{Account, Model, literal},
    draft::{Draft, Meant},
    note_empty,
    part::Part,
    trees, written_variables,
};
use crate::config::mask::shown;

/// Variables that the hub reads as MultiVibe does.
const SAME: [&str; 10] = [
    "PORT",
    "ADMIN_TOKEN",
    "OAUTH_CLIENT_ID",
    "OAUTH_AUTHORIZATION_URL",
    "OAUTH_TOKEN_URL",
    "OAUTH_SCOPE",
    "OAUTH_REDIRECT_URI",
    "CHATGPT_BASE_URL",
    "UPSTREAM_PATH",
    "PROXY_MODELS",
];

/// What targets can lead to: models that connections list, and connections by their provider.
#[derive(Default)]
struct Known {
    listed: Vec<(String, String)>,
    by_id: HashMap<String, String>,
    by_provider: HashMap<String, String>,
}

pub(super) fn read(inputs: &[Input], draft: &mut Draft<'_>) {
    note_empty(inputs, draft);
    for variable in written_variables(inputs) {
        if SAME.contains(&variable.name.as_str()) {
            let message = format!("{} is a variable of the hub, too", variable.name);
            draft.note(&variable.place, message, "set it where the hub is started: docs/accounts.md");
        }
    }
    for root in trees(inputs) {
        let mut known = Known::default();
        for item in root.get("accounts").into_iter().flat_map(Part::items) {
            account(item, &mut known, draft);
        }
        for item in root.get("modelAliases").into_iter().flat_map(Part::items) {
            alias(item, &known, draft);
        }
        if let Some(keys) = root.get("proxyApiKeys").filter(|keys| keys.items().next().is_some()) {
            let names: Vec<String> =
                keys.items().filter_map(|key| key.text_at("application")).map(shown).take(20).collect();
            let message = format!(
                "keys of callers are not carried over ({}): the hub makes the texts of its keys",
                names.join(", ")
            );
            draft.note(keys.place(), message, "make one for each client: `trivium keys create NAME`");
        }
        if let Some(settings) = root.get("settings").filter(|settings| settings.entries().next().is_some()) {
            draft.note(
                settings.place(),
                "`settings` are not carried over",
                "docs/configuration.md says what can be set",
            );
        }
    }
}

fn account(item: Part<'_>, known: &mut Known, draft: &mut Draft<'_>) {
    let place = item.place();
    let provider = item.text_at("provider").unwrap_or("openai");
    let word = if provider == "ai-sdk" { item.text_at("sdkProvider").unwrap_or(provider) } else { provider };
    let theirs = item.text_at("id").unwrap_or_default();
    if item.truth_at("enabled") == Some(false) {
        let message = format!("an account of {} is switched off and left out", shown(word));
        draft.note(place, message, "switch it on, and import again");
        return;
    }
    let logged_in = item.first(&["refreshToken", "chatgptAccountId", "oidcClientId"]).is_some();
    if logged_in || (item.get("multivibeCloud").and_then(Part::truth) == Some(true)) {
        let message = format!(
            "an account of {} is a login, and its tokens belong to another client id than yours",
            shown(word)
        );
        let remedy =
            "use an API key, or an `oauth` connection with a client id of your own: docs/accounts.md";
        draft.note(place, message, remedy);
        return;
    }
    let url = item.text_at("baseUrl");
    let mut made = match (draft.meant(word), url) {
        (Meant::Provider(row), url) => {
            let own = row
                .endpoints
                .values()
                .any(|own| Some(own.as_str()) == url.map(|url| url.trim_end_matches('/')));
            let base_url = url.filter(|_| !own).map(literal);
            Account { provider: row.id.clone(), base_url, ..Account::default() }
        }
        (Meant::Nothing, Some(url)) => {
            let base_url = Some(literal(url));
            Account { provider: "openai-compatible".to_owned(), base_url, ..Account::default() }
        }
        (Meant::Refused { message, remedy }, _) => {
            draft.note(place, format!("an account is left out: {message}"), remedy);
            return;
        }
        (Meant::Nothing, None) => {
            let message =
                format!("an account is left out: nothing is known of {}, and it has no URL", shown(word));
            draft.note(place, message, "make an `openai-compatible` connection with its URL");
            return;
        }
    };
    made.key = item.first(&["opencodeApiKey", "accessToken"]).and_then(Part::text).map(literal);
    made.priority = item.number_at("priority").filter(|priority| priority.abs() < 1e6).map(whole);
    made.concurrent = item.get("capacityProfile").and_then(|profile| profile.count_at("maxConcurrent"));
    for model in item.get("sdkModels").map(Part::texts).unwrap_or_default() {
        made.serve(Model::new(model));
    }
    let row = draft.catalogue.get(&made.provider);
    let listed: Vec<String> = match (made.models.is_empty(), row) {
        (true, Some(row)) => row.models.clone(),
        _ => made.models.iter().map(|model| model.id.clone()).collect(),
    };
    let wished = draft.numbered(&made.provider);
    let id = draft.account(&wished, made, place);
    known.listed.extend(listed.into_iter().map(|model| (model, id.clone())));
    known.by_id.insert(theirs.to_owned(), id.clone());
    known.by_provider.entry(word.to_owned()).or_insert(id);
}

#[expect(clippy::cast_possible_truncation, reason = "within a million, as was looked at")]
const fn whole(number: f64) -> i64 {
    number as i64
}

/// An alias with targets, or the later form with rules and candidates.
fn alias(item: Part<'_>, known: &Known, draft: &mut Draft<'_>) {
    let place = item.place();
    let Some(name) = item.text_at("id") else {
        draft.note(place, "an alias has no `id`", "give it one, and import again");
        return;
    };
    if item.truth_at("enabled") == Some(false) {
        draft.note(
            place,
            format!("the alias {} is switched off and left out", shown(name)),
            "switch it on, and import again",
        );
        return;
    }
    let rules: Vec<Part<'_>> = item.get("rules").into_iter().flat_map(Part::items).collect();
    if rules.iter().any(|rule| rule.first(&["match", "constraints", "cloudBudget"]).is_some()) {
        let message = format!(
            "the conditions of the alias {} are not carried over: its targets are asked in order",
            shown(name)
        );
        draft.note(place, message, "see docs/routing.md for what combos can do");
    }
    let plain = item.get("targets").map(Part::texts).unwrap_or_default();
    let plain = plain.into_iter().map(|model| (model, None));
    let of_rules = rules.iter().flat_map(|rule| rule.get("candidates").into_iter().flat_map(Part::items));
    let of_rules = of_rules.filter_map(|candidate| {
        let account = candidate
            .get("accountIds")
            .and_then(|ids| ids.texts().into_iter().find_map(|id| known.by_id.get(id)));
        let account = account.or_else(|| known.by_provider.get(candidate.text_at("provider")?));
        Some((candidate.text_at("model")?, account))
    });
    let mut targets: Vec<String> = Vec::new();
    for (model, account) in plain.chain(of_rules) {
        match target(model, account, known, draft) {
            Some(target) if targets.contains(&target) => {}
            Some(target) => targets.push(target),
            None => {
                let message = format!(
                    "the alias {} goes without {}, which no account that was taken over serves",
                    shown(name),
                    shown(model)
                );
                draft.note(place, message, "add an account for it, and then the target");
            }
        }
    }
    if targets.is_empty() {
        draft.note(
            place,
            format!("the alias {} is left out: none of its targets is served", shown(name)),
            "add accounts first",
        );
        return;
    }
    let name = draft.name(name, place);
    draft.alias(&name, &targets, item.text_at("description"), place);
}

/// The name under which a model is reached.
fn target(model: &str, account: Option<&String>, known: &Known, draft: &Draft<'_>) -> Option<String> {
    if known.listed.iter().any(|(listed, id)| listed == model && account.is_none_or(|account| account == id))
    {
        return Some(model.to_owned());
    }
    if let Some(id) = account {
        return Some(format!("{id}/{model}"));
    }
    // `provider/model`, or the only account that there is.
    let (prefix, rest) = model.split_once('/').unwrap_or(("", model));
    if let Meant::Provider(row) = draft.meant(prefix)
        && known.by_provider.contains_key(prefix)
    {
        return Some(format!("{}/{rest}", row.id));
    }
    let nodes: Vec<&String> =
        known.by_provider.iter().filter(|(word, _)| *word == "openai-compatible").map(|(_, id)| id).collect();
    match nodes.as_slice() {
        [id] if known.by_provider.len() == 1 => Some(format!("{id}/{model}")),
        _ => None,
    }
}
