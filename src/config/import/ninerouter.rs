//! A JSON export of 9router, or of OmniRoute, which has the same parts: connections with keys, nodes of one's own, combos,
//! aliases, prices. Logins are not taken over.

mod combos;

use std::collections::HashMap;

use serde_json::{Map as Json, Value as JsonValue};

use super::{
    Input,
    account::{Account, literal},
    draft::{Draft, Meant, plain_id},
    note_empty,
    part::Part,
    trees,
};
use crate::config::mask::shown;

/// Their names of providers, where ours differ.
const PROVIDERS: [(&str, &str); 6] = [
    ("ollama-local", "ollama"),
    ("glm", "glm"),
    ("kimi", "moonshot"),
    ("siliconflow", "siliconflow"),
    ("vertex", "vertex"),
    ("nvidia-nim", "nvidia"),
];

/// What combos and aliases can lead to.
#[derive(Default)]
struct Accounts {
    /// Our ids of the connections below a prefix of theirs.
    by_prefix: HashMap<String, Vec<String>>,
    /// Our ids by theirs.
    by_id: HashMap<String, String>,
}

pub(super) fn read(inputs: &[Input], draft: &mut Draft<'_>) {
    note_empty(inputs, draft);
    for root in trees(inputs) {
        let mut accounts = Accounts::default();
        let nodes: Vec<Part<'_>> = root.get("providerNodes").into_iter().flat_map(Part::items).collect();
        let pools: Vec<Part<'_>> = root.get("proxyPools").into_iter().flat_map(Part::items).collect();
        for item in root.get("providerConnections").into_iter().flat_map(Part::items) {
            connection(item, root, &nodes, &pools, &mut accounts, draft);
        }
        combos::read(root, &accounts, draft);
        prices(root, draft);
        rest(root, draft);
    }
}

fn connection(
    item: Part<'_>,
    root: Part<'_>,
    nodes: &[Part<'_>],
    pools: &[Part<'_>],
    accounts: &mut Accounts,
    draft: &mut Draft<'_>,
) {
    let place = item.place();
    let Some(provider) = item.text_at("provider") else {
        draft.note(place, "a connection names no `provider`", "export again, or write it");
        return;
    };
    let name = item.first(&["name", "displayName"]).and_then(Part::text);
    let told = name.filter(|name| !name.contains('@')).unwrap_or(provider);
    if item.truth_at("isActive") == Some(false) {
        draft.note(
            place,
            format!("{} is switched off and left out", shown(told)),
            "switch it on, and import again",
        );
        return;
    }
    let node = nodes.iter().find(|node| node.text_at("id") == Some(provider)).copied();
    let account = match node {
        Some(node) => of_node(node),
        None => of_provider(provider, item, draft),
    };
    let (mut account, prefixes) = match account {
        Ok(found) => found,
        Err((message, remedy)) => {
            draft.note(place, format!("{} is left out: {message}", shown(told)), remedy);
            return;
        }
    };
    let Some(key) = key(item, &account) else {
        let message =
            format!("{} is a login, and its tokens belong to another application than the hub", shown(told));
        let remedy =
            "use an API key, or an `oauth` connection with a client id of your own: docs/accounts.md";
        draft.note(place, message, remedy);
        return;
    };
    account.key = key;
    account.proxy = proxy(item, root, pools);
    account.priority = priority(item);
    let wished = match node {
        Some(_) => prefixes.first().and_then(|prefix| plain_id(prefix, "._-", 48)),
        None => name.and_then(|name| named(&account.provider, name)),
    };
    let wished = wished.unwrap_or_else(|| draft.numbered(&account.provider));
    let id = draft.account(&wished, account, place);
    if let Some(theirs) = item.text_at("id") {
        accounts.by_id.insert(theirs.to_owned(), id.clone());
    }
    for prefix in prefixes {
        accounts.by_prefix.entry(prefix).or_default().push(id.clone());
    }
}

type Wanted = Result<(Account, Vec<String>), (String, String)>;

/// A server that the user described, and the words that lead there.
fn of_node(node: Part<'_>) -> Wanted {
    let kind = match (node.text_at("type").unwrap_or_default(), node.text_at("apiType").unwrap_or_default()) {
        ("anthropic-compatible", _) => "anthropic-compatible",
        ("openai-compatible", "responses") => "responses-compatible",
        ("openai-compatible", _) => "openai-compatible",
        (other, _) => {
            let message = format!("the hub has no nodes of the type {}", shown(other));
            return Err((message, "see docs/providers.md for the types".to_owned()));
        }
    };
    let Some(url) = node.text_at("baseUrl") else {
        return Err(("its node has no `baseUrl`".to_owned(), "write it there, and export again".to_owned()));
    };
    let account = Account { provider: kind.to_owned(), base_url: Some(literal(url)), ..Account::default() };
    let words = [node.text_at("prefix"), node.text_at("id")];
    Ok((account, words.into_iter().flatten().map(str::to_owned).collect()))
}

/// An account at a provider of the catalogue, and the words that lead there.
fn of_provider(provider: &str, item: Part<'_>, draft: &Draft<'_>) -> Wanted {
    let ours = PROVIDERS.iter().find(|(theirs, _)| *theirs == provider).map_or(provider, |(_, ours)| ours);
    let specific = item.get("providerSpecificData");
    let url = specific.and_then(|specific| specific.text_at("baseUrl")).or_else(|| item.text_at("baseUrl"));
    match draft.meant(ours) {
        Meant::Provider(row) => {
            let own = row.endpoints.values().any(|own| Some(own.as_str()) == url);
            let account = Account {
                provider: row.id.clone(),
                base_url: url.filter(|_| !own).map(literal),
                ..Account::default()
            };
            let mut words: Vec<String> = row.prefixes.clone();
            words.extend([row.id.clone(), provider.to_owned()]);
            words.dedup();
            Ok((account, words))
        }
        Meant::Refused { message, remedy } => Err((message, remedy)),
        Meant::Nothing => match url {
            Some(url) => {
                let account = Account {
                    provider: "openai-compatible".to_owned(),
                    base_url: Some(literal(url)),
                    ..Account::default()
                };
                Ok((account, vec![provider.to_owned()]))
            }
            None => {
                let message =
                    format!("nothing is known of the provider {}, and it has no URL", shown(provider));
                let remedy = "make an `openai-compatible` connection with its URL, if it has one";
                Err((message, remedy.to_owned()))
            }
        },
    }
}

/// The key, or nothing where none is wanted; `None` for what is logged in to.
#[expect(clippy::option_option, reason = "no key and no account are two things")]
fn key(item: Part<'_>, account: &Account) -> Option<Option<String>> {
    let kind = item.text_at("authType").unwrap_or_default();
    if !matches!(kind, "apikey" | "api-key" | "api_key" | "none" | "free" | "") {
        return None;
    }
    match item.text_at("apiKey") {
        Some(key) => Some(Some(literal(key))),
        None if item.first(&["accessToken", "refreshToken"]).is_some() => None,
        None => Some(None).filter(|_| account.base_url.is_some() || !kind.is_empty()),
    }
}

fn proxy(item: Part<'_>, root: Part<'_>, pools: &[Part<'_>]) -> Option<String> {
    let specific = item.get("providerSpecificData");
    let own = specific.filter(|one| one.truth_at("connectionProxyEnabled") == Some(true));
    let pool = specific.and_then(|one| one.text_at("proxyPoolId"));
    let pooled = pool.and_then(|id| pools.iter().find(|pool| pool.text_at("id") == Some(id)));
    let all = root.get("settings").filter(|settings| settings.truth_at("outboundProxyEnabled") == Some(true));
    let url = own
        .and_then(|one| one.text_at("connectionProxyUrl"))
        .or_else(|| pooled?.text_at("proxyUrl"))
        .or_else(|| all?.text_at("outboundProxyUrl"));
    url.map(literal)
}

fn priority(item: Part<'_>) -> Option<i64> {
    let number = item.number_at("globalPriority").or_else(|| item.number_at("priority"))?;
    #[expect(clippy::cast_possible_truncation, reason = "within the range that was just looked at")]
    (number.abs() < 1e6).then_some(number as i64)
}

/// An id of the provider and the name that the user gave.
fn named(provider: &str, name: &str) -> Option<String> {
    // An address of a person is no name for an account that others see.
    let name = plain_id(&name.to_ascii_lowercase(), "._-", 40).filter(|_| !name.contains('@'))?;
    if name == provider {
        return None;
    }
    Some(if name.starts_with(provider) { name } else { format!("{provider}-{name}") })
}

/// `{provider: {model: {input, output, cached, reasoning, cache_creation}}}`, in dollars per million tokens.
fn prices(root: Part<'_>, draft: &mut Draft<'_>) {
    for (key, models) in root.get("pricing").into_iter().flat_map(Part::entries) {
        let Meant::Provider(row) = draft.meant(&key.name) else {
            let message = format!("prices of {} are left out", shown(&key.name));
            draft.note(&key.origin, message, "that provider is not one of the catalogue's");
            continue;
        };
        for (model, said) in models.entries() {
            let amount = |name: &str| said.number_at(name).filter(|amount| (0.0..=1e6).contains(amount));
            let (Some(input), Some(output)) = (amount("input"), amount("output")) else {
                let message = format!("the price of {} is left out", shown(&model.name));
                draft.note(&model.origin, message, "it needs `input` and `output`");
                continue;
            };
            let mut price: Json<String, JsonValue> = Json::new();
            price.insert("input".to_owned(), input.into());
            price.insert("output".to_owned(), output.into());
            for (theirs, ours) in
                [("cached", "cache_read"), ("cache_creation", "cache_write"), ("reasoning", "reasoning")]
            {
                price.extend(amount(theirs).map(|amount| (ours.to_owned(), amount.into())));
            }
            draft.price(&row.id, &model.name, price, &model.origin);
        }
    }
}

/// What is not carried over.
fn rest(root: Part<'_>, draft: &mut Draft<'_>) {
    if let Some(keys) = root.get("apiKeys") {
        let names: Vec<String> =
            keys.items().filter_map(|key| key.text_at("name")).map(shown).take(20).collect();
        let count = keys.items().count();
        if count > 0 {
            let message = format!(
                "{count} keys of callers are not carried over ({}): the hub makes the texts of its keys",
                names.join(", ")
            );
            draft.note(keys.place(), message, "make one for each client: `trivium keys create NAME`");
        }
    }
    if let Some(settings) = root.get("settings") {
        let strategy = settings.get("fallbackStrategy");
        if let Some(strategy) = strategy.filter(|one| one.text() == Some("round-robin")) {
            draft.setting("routing.default_strategy", "round-robin", strategy.place());
        }
        let message = "`settings` are not carried over, but for the strategy between accounts and the proxy";
        draft.note(settings.place(), message, "docs/configuration.md says what can be set");
    }
    for (name, remedy) in [
        ("disabledModels", "hide models with `trivium models hide`"),
        ("customModels", "a connection serves any model below its id, listed or not"),
        ("mitmAlias", "the hub does not step between programs and their servers; point them at it instead"),
        ("usageHistory", "usage starts anew; nothing of it is summed up"),
        ("domainBudgets", "see the section `budgets`"),
    ] {
        if let Some(part) =
            root.get(name).filter(|part| part.items().next().is_some() || part.entries().next().is_some())
        {
            draft.note(part.place(), format!("`{name}` is not carried over"), remedy);
        }
    }
}
