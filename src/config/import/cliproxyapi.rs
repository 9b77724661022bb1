//! `config.yaml` of CLIProxyAPI: its lists of keys become connections, their aliases aliases and combos. The files of its
//! `auth-dir` are logins of vendors' own applications, which are not taken over; what to do instead is said for each.

use std::collections::BTreeMap;

use serde_json::{Value as JsonValue, json};

use super::{
    Input,
    account::{Account, Model, literal},
    draft::{Draft, Meant, plain_id},
    note_empty,
    part::Part,
    trees, written_variables,
};
use crate::config::{Origin, mask::shown, providers::key::is_placeholder};

/// Its lists of keys, the provider of each, the type at another URL, and what we write behind such a URL.
const LISTS: [(&str, &str, &str, &str); 5] = [
    ("gemini-api-key", "gemini", "gemini-compatible", "/v1beta"),
    ("generative-language-api-key", "gemini", "gemini-compatible", "/v1beta"),
    ("claude-api-key", "anthropic", "anthropic-compatible", "/v1"),
    ("codex-api-key", "openai", "responses-compatible", ""),
    ("xai-api-key", "xai", "responses-compatible", ""),
];

/// URLs that are the vendors' own.
const OWN: [&str; 5] = [
    "https://generativelanguage.googleapis.com",
    "https://api.anthropic.com",
    "https://api.openai.com",
    "https://api.openai.com/v1",
    "https://api.x.ai/v1",
];

/// Keys at the top whose meaning is said elsewhere, or that mean nothing here.
const SILENT: [&str; 17] = [
    "host",
    "port",
    "debug",
    "tls",
    "auth-dir",
    "api-keys",
    "routing",
    "proxy-url",
    "openai-compatibility",
    "logging-to-file",
    "logs-max-total-size-mb",
    "error-logs-max-files",
    "usage-statistics-enabled",
    "request-log",
    "commercial-mode",
    "pprof",
    "request-retry",
];

/// Names that clients ask for, each with the models behind it and the connection of each.
type Aliases = BTreeMap<String, (Origin, Vec<(String, String)>)>;

pub(super) fn read(inputs: &[Input], draft: &mut Draft<'_>) {
    note_empty(inputs, draft);
    for variable in written_variables(inputs) {
        draft.variable(&variable.name, &variable.value);
    }
    for root in trees(inputs) {
        if root.get("type").is_some()
            && root.first(&["access_token", "refresh_token", "token", "api_key"]).is_some()
        {
            login(root, draft);
        } else {
            file(root, draft);
        }
    }
}

fn file(root: Part<'_>, draft: &mut Draft<'_>) {
    let mut aliases = Aliases::new();
    let proxy = root.text_at("proxy-url");
    for (list, provider, node, behind) in LISTS {
        for item in root.get(list).into_iter().flat_map(Part::items) {
            let Some(key) = item.text().or_else(|| item.text_at("api-key")) else {
                draft.note(
                    item.place(),
                    format!("an entry of `{list}` has no `api-key`"),
                    "write one, or remove the entry",
                );
                continue;
            };
            let account = keyed((provider, node, behind), item.text_at("base-url"));
            let found = Entry { item, key: Some(key), proxy, switched_off: false };
            add(&found, account, item, &mut aliases, draft);
        }
    }
    for provider in root.get("openai-compatibility").into_iter().flat_map(Part::items) {
        compatible(provider, proxy, &mut aliases, draft);
    }
    for (name, (place, targets)) in aliases {
        alias(&name, &place, &targets, draft);
    }
    top(root, draft);
}

/// One key, and where it was written.
struct Entry<'a> {
    item: Part<'a>,
    key: Option<&'a str>,
    proxy: Option<&'a str>,
    switched_off: bool,
}

/// An account at a vendor, or at a server that speaks the vendor's dialect.
fn keyed((provider, node, behind): (&str, &str, &str), url: Option<&str>) -> Account {
    let url = url.map(|url| url.trim_end_matches('/')).filter(|url| !OWN.contains(url));
    let base_url = url.map(|url| {
        let url = url.strip_suffix(behind).unwrap_or(url);
        literal(&format!("{url}{behind}"))
    });
    let provider = if base_url.is_some() { node } else { provider };
    Account { provider: provider.to_owned(), base_url, ..Account::default() }
}

/// A server of OpenAI's dialect with one or several keys.
fn compatible(provider: Part<'_>, proxy: Option<&str>, aliases: &mut Aliases, draft: &mut Draft<'_>) {
    let name = provider.text_at("name").unwrap_or("node");
    let Some(url) = provider.text_at("base-url") else {
        let message = format!("{} of `openai-compatibility` has no `base-url`", shown(name));
        draft.note(provider.place(), message, "write it, and import again");
        return;
    };
    let account = match draft.at_url(url) {
        Some(row) => Account { provider: row.id.clone(), ..Account::default() },
        None => Account {
            provider: "openai-compatible".to_owned(),
            base_url: Some(literal(url)),
            ..Account::default()
        },
    };
    let switched_off = provider.truth_at("disabled") == Some(true);
    let entries = provider.get("api-key-entries").or_else(|| provider.get("api-keys"));
    let mut keys: Vec<Entry<'_>> = entries
        .into_iter()
        .flat_map(Part::items)
        .map(|item| Entry { item, key: item.text().or_else(|| item.text_at("api-key")), proxy, switched_off })
        .collect();
    if keys.is_empty() {
        keys.push(Entry { item: provider, key: None, proxy, switched_off });
    }
    for entry in keys {
        add(&entry, account.clone(), provider, aliases, draft);
    }
}

/// Adds the account. `about` says its models and its prefix, which several keys may share.
fn add(
    entry: &Entry<'_>,
    mut account: Account,
    about: Part<'_>,
    aliases: &mut Aliases,
    draft: &mut Draft<'_>,
) {
    let place = entry.item.place();
    let wished =
        about.text_at("prefix").or_else(|| about.text_at("name")).and_then(|name| plain_id(name, "._-", 48));
    let wished = wished.unwrap_or_else(|| draft.numbered(&account.provider));
    if entry.switched_off {
        draft.note(
            place,
            format!("`{wished}` is switched off and left out"),
            "switch it on, and import again",
        );
        return;
    }
    account.key = entry.key.map(literal);
    let proxy = entry.item.text_at("proxy-url").or_else(|| about.text_at("proxy-url"));
    account.proxy =
        proxy.or(entry.proxy).map(|url| if url == "none" { "direct".to_owned() } else { literal(url) });
    let priority = about.number_at("priority");
    #[expect(clippy::cast_possible_truncation, reason = "within the range that is looked at")]
    let priority = priority.filter(|priority| priority.abs() < 1e5).map(|priority| priority as i64);
    // There the higher number goes first.
    account.priority = priority.map(|priority| 100_i64.saturating_sub(priority));
    let mut renamed = Vec::new();
    for model in about.get("models").into_iter().flat_map(Part::items) {
        let Some(name) = model.text().or_else(|| model.text_at("name")) else { continue };
        let mut served = Model::new(name);
        let window = model.count_at("max-context-length").filter(|window| *window <= 1_000_000_000);
        served.about.extend(window.map(|window| ("context".to_owned(), window.into())));
        account.serve(served);
        if let Some(alias) = model.text_at("alias").filter(|alias| *alias != name) {
            renamed.push((alias.to_owned(), name.to_owned(), model.place().clone()));
        }
    }
    let id = draft.account(&wished, account, place);
    for (alias, model, place) in renamed {
        aliases.entry(alias).or_insert_with(|| (place, Vec::new())).1.push((model, id.clone()));
    }
    for (name, remedy) in [
        ("headers", "the hub adds no headers of its own to requests"),
        ("excluded-models", "hide models with `trivium models hide`, or list those that are served"),
        ("weight", "for shares by weight make a combo with the strategy `weighted`"),
        ("cloak", "the hub does not pretend to be another program"),
        ("fingerprint-profile", "the hub does not pretend to be another program"),
        ("request-scoped-errors", "docs/resilience.md says how errors are told apart"),
    ] {
        if let Some(part) = entry.item.get(name).or_else(|| about.get(name)) {
            draft.note(part.place(), format!("`{name}` of `{id}` is not carried over"), remedy);
        }
    }
}

/// One target is an alias, several take turns.
fn alias(name: &str, place: &Origin, targets: &[(String, String)], draft: &mut Draft<'_>) {
    let name = draft.name(name, place);
    if let [(model, connection)] = targets {
        draft.alias(&name, &[format!("{connection}/{model}")], None, place);
        return;
    }
    let step =
        |(model, connection): &(String, String)| json!({"model": literal(model), "connection": connection});
    let steps: Vec<JsonValue> = targets.iter().map(step).collect();
    draft.combo(&name, "round-robin", steps, place);
}

/// What is not about single keys.
fn top(root: Part<'_>, draft: &mut Draft<'_>) {
    let routing = root.get("routing");
    let strategy = routing.and_then(|routing| routing.get("strategy"));
    let place = strategy.map_or(root.place(), Part::place);
    let ours = match strategy.and_then(Part::text) {
        Some("fill-first" | "fillfirst" | "ff") => "exhaust",
        // Its default.
        _ => "round-robin",
    };
    draft.setting("routing.default_strategy", ours, place);
    if let Some(affinity) = routing.and_then(|routing| routing.get("session-affinity")) {
        let on = affinity.truth() == Some(true);
        draft.setting("routing.affinity", if on { "session" } else { "off" }, affinity.place());
    }
    if let Some(keys) = root.get("api-keys") {
        let count = keys.items().filter_map(Part::text).filter(|key| !is_placeholder(key)).count();
        if count > 0 {
            let message =
                format!("{count} keys of callers are not carried over: the hub makes the texts of its keys");
            draft.note(keys.place(), message, "make one for each client: `trivium keys create NAME`");
        }
    }
    if let Some(folder) = root.get("auth-dir") {
        let message = "the logins in `auth-dir` are files of their own";
        draft.note(
            folder.place(),
            message,
            "name that folder behind this file to see what can be done about each",
        );
    }
    for item in root.get("vertex-api-key").into_iter().flat_map(Part::items) {
        draft.note(
            item.place(),
            "Vertex is not carried over",
            "use a `gemini` connection with a key of AI Studio",
        );
    }
    for (key, _) in root.entries() {
        let name = key.name.as_str();
        let read = LISTS.iter().any(|(list, ..)| *list == name)
            || SILENT.contains(&name)
            || name == "vertex-api-key";
        if !read {
            let message = format!("{} is not carried over", shown(name));
            draft.note(&key.origin, message, "docs/configuration.md says what can be set");
        }
    }
}

/// A login of the `auth-dir`.
fn login(root: Part<'_>, draft: &mut Draft<'_>) {
    let kind = root.text_at("type").unwrap_or_default();
    let (why, remedy) = match draft.meant(kind) {
        Meant::Refused { message, remedy } => (message, remedy),
        Meant::Provider(row) if kind != "gemini" => (
            format!(
                "its token belongs to another application than the hub, and {} is asked with keys",
                row.name
            ),
            format!("make a connection of the type `{}` with an API key", row.id),
        ),
        _ if kind == "gemini" => match draft.meant("gc") {
            Meant::Refused { message, remedy } => (message, remedy),
            _ => (String::new(), String::new()),
        },
        _ => (
            "its token belongs to another application than the hub".to_owned(),
            "make an `oauth` connection with a client id of your own: docs/accounts.md".to_owned(),
        ),
    };
    let message = format!("the login of the type {} is not carried over: {why}", shown(kind));
    draft.note(root.place(), message, remedy);
}
