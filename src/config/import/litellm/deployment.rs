//! Entries of `model_list`. Those that share provider, key and URL are one account here.

use serde_json::{Map as Json, Value as JsonValue, json};

use super::{
    super::{
        account::{Account, Model, is_reference},
        draft::Draft,
        part::Part,
    },
    names::{NODE, Named, named},
    value,
};
use crate::config::{Origin, mask::shown};

/// One deployment with the account that it became.
pub(super) struct Deployment {
    /// The name that clients ask for.
    pub(super) name: String,
    /// The model as its provider spells it.
    pub(super) model: String,
    /// The id of its connection.
    pub(super) connection: String,
    /// It stands for all models of its provider.
    pub(super) any: bool,
    pub(super) weight: Option<u64>,
    pub(super) order: Option<u64>,
    pub(super) place: Origin,
}

/// What is read of `litellm_params`; the rest is told.
const READ: [&str; 18] = [
    "model",
    "api_key",
    "api_base",
    "base_url",
    "custom_llm_provider",
    "litellm_credential_name",
    "weight",
    "order",
    "rpm",
    "tpm",
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
    "use_in_pass_through",
    "drop_params",
    "api_version",
    "tags",
];

/// What models do here.
const MODES: [&str; 5] = ["chat", "completion", "responses", "embedding", ""];

/// Most limits that an account can have.
const MOST_LIMITS: usize = 32;

struct Bundle {
    account: Account,
    any: bool,
    place: Origin,
}

/// Deployments while they are read.
pub(super) struct Deployments<'a> {
    credentials: Vec<Part<'a>>,
    bundles: Vec<Bundle>,
    read: Vec<(Deployment, usize)>,
}

impl<'a> Deployments<'a> {
    pub(super) fn new(roots: &[Part<'a>]) -> Self {
        let lists = roots.iter().filter_map(|root| root.get("credential_list"));
        Self { credentials: lists.flat_map(Part::items).collect(), bundles: Vec::new(), read: Vec::new() }
    }

    /// Reads one, or says why it cannot be taken over.
    pub(super) fn read(&mut self, item: Part<'_>, draft: &mut Draft<'_>) {
        let place = item.place();
        let params = item.get("litellm_params").filter(|params| params.is_map());
        let (Some(name), Some(params)) = (item.text_at("model_name"), params) else {
            let remedy = "write `model_name`, and `model` below `litellm_params`";
            draft.note(place, "this entry of `model_list` is not whole", remedy);
            return;
        };
        let Some(written) = params.text_at("model") else {
            draft.note(place, format!("{} names no `model`", shown(name)), "write it below `litellm_params`");
            return;
        };
        let info = item.get("model_info");
        let mode = info.and_then(|info| info.text_at("mode")).unwrap_or_default();
        if !MODES.contains(&mode) {
            let message = format!("{} is left out: the hub serves no {}", shown(name), shown(mode));
            draft.note(place, message, "ask its provider directly");
            return;
        }
        let credential = self.credential(params);
        let at = |key: &str| params.text_at(key).or_else(|| credential?.text_at(key));
        let url = at("api_base").or_else(|| at("base_url"));
        let named = match named(written, params.text_at("custom_llm_provider"), url.is_some(), draft) {
            Ok(named) => named,
            Err((why, remedy)) => {
                draft.note(place, format!("{} is left out: {why}", shown(name)), remedy);
                return;
            }
        };
        unread(params, name, draft);
        let any = named.model == "*";
        let account = account(&named, url, at("api_key"), params, draft);
        let bundle = self.bundle(account, any, place);
        let model = named.model.to_owned();
        if let Some(bundle) = self.bundles.get_mut(bundle).filter(|_| !any) {
            limits(&mut bundle.account, &model, item, params, draft);
            bundle.account.serve(Model { id: model.clone(), about: about(params, info) });
        }
        let weight = params
            .count_at("weight")
            .or_else(|| rate(item, params, "rpm"))
            .map(|weight| weight.min(1_000_000));
        let order = params.count_at("order");
        let (name, place) = (name.to_owned(), place.clone());
        let deployment = Deployment { name, model, connection: String::new(), any, weight, order, place };
        self.read.push((deployment, bundle));
    }

    /// The accounts as connections, and the deployments with their ids.
    pub(super) fn done(self, draft: &mut Draft<'_>) -> Vec<Deployment> {
        let ids: Vec<String> = self
            .bundles
            .into_iter()
            .map(|Bundle { account, place, .. }| {
                let id = draft.numbered(word(&account));
                draft.account(&id, account, &place)
            })
            .collect();
        let named = self.read.into_iter().filter_map(|(deployment, bundle)| {
            let connection = ids.get(bundle)?.clone();
            Some(Deployment { connection, ..deployment })
        });
        named.collect()
    }

    fn credential(&self, params: Part<'_>) -> Option<Part<'a>> {
        let name = params.text_at("litellm_credential_name")?;
        let found = self.credentials.iter().find(|one| one.text_at("credential_name") == Some(name))?;
        found.get("credential_values")
    }

    /// The account that this is, which may be there.
    fn bundle(&mut self, account: Account, any: bool, place: &Origin) -> usize {
        let same = |bundle: &Bundle| {
            let own = &bundle.account;
            bundle.any == any
                && own.provider == account.provider
                && own.key == account.key
                && own.base_url == account.base_url
                && own.variable == account.variable
        };
        if let Some(known) = self.bundles.iter().position(same) {
            return known;
        }
        self.bundles.push(Bundle { account, any, place: place.clone() });
        self.bundles.len() - 1
    }
}

/// What connections of this account are called by.
fn word(account: &Account) -> &str {
    if account.provider == NODE { "node" } else { &account.provider }
}

fn account(
    named: &Named<'_>,
    url: Option<&str>,
    key: Option<&str>,
    params: Part<'_>,
    draft: &mut Draft<'_>,
) -> Account {
    let mut account = Account { provider: named.provider.clone(), ..Account::default() };
    account.key = key.map(value).or_else(|| super::reference(named.variable.as_deref()?));
    let Some(url) = url else { return account };
    let written = value(url);
    match account.provider.as_str() {
        "azure" => azure(&mut account, url, &written, params, draft),
        "ollama" | "anthropic" => account.base_url = Some(with_version(&written)),
        _ => account.base_url = Some(written),
    }
    account
}

/// Azure's URL belongs to the resource, and its present API has no version in it.
fn azure(account: &mut Account, url: &str, written: &str, params: Part<'_>, draft: &mut Draft<'_>) {
    let host = url.strip_prefix("https://").map(|rest| rest.split('/').next().unwrap_or_default());
    match host.and_then(|host| host.strip_suffix(".openai.azure.com")) {
        Some(resource) => account.variable = Some(("resource", resource.to_owned())),
        None => account.base_url = Some(format!("{}/openai/v1", written.trim_end_matches('/'))),
    }
    if let Some(version) = params.get("api_version") {
        let remedy =
            "test it with `trivium connections test`: a resource without that API needs a server between";
        draft.note(version.place(), "Azure is asked by its API without versions, `/openai/v1`", remedy);
    }
}

/// A URL with the `/v1` that LiteLLM adds by itself.
fn with_version(url: &str) -> String {
    let url = url.trim_end_matches('/');
    let bare = url.split_once("://").is_some_and(|(_, rest)| !rest.contains('/')) || is_reference(url);
    if bare { format!("{url}/v1") } else { url.to_owned() }
}

/// A limit may stand beside `litellm_params` or in it.
fn rate(item: Part<'_>, params: Part<'_>, name: &str) -> Option<u64> {
    params.count_at(name).or_else(|| item.count_at(name))
}

fn limits(account: &mut Account, model: &str, item: Part<'_>, params: Part<'_>, draft: &mut Draft<'_>) {
    for (theirs, ours) in [("rpm", "requests"), ("tpm", "tokens")] {
        let Some(most) = rate(item, params, theirs) else { continue };
        if account.limits.len() >= MOST_LIMITS {
            let message = format!("`{theirs}` of {} is left out", shown(model));
            draft.note(item.place(), message, format!("an account can have {MOST_LIMITS} limits"));
            continue;
        }
        account.limits.push(json!({"per": "minute", ours: most, "model": super::literal(model)}));
    }
}

/// What is said of the model.
fn about(params: Part<'_>, info: Option<Part<'_>>) -> Json<String, JsonValue> {
    let mut about = Json::new();
    let said = |name: &str| info.and_then(|info| info.get(name));
    for (theirs, ours, most) in
        [("max_input_tokens", "context", 1_000_000_000), ("max_output_tokens", "max_output", 10_000_000)]
    {
        let count = info.and_then(|info| info.count_at(theirs)).filter(|count| *count <= most);
        about.extend(count.map(|count| (ours.to_owned(), count.into())));
    }
    for (theirs, ours) in [
        ("supports_function_calling", "tools"),
        ("supports_vision", "vision"),
        ("supports_response_schema", "structured"),
        ("supports_reasoning", "reasoning"),
    ] {
        let truth = said(theirs).and_then(Part::truth);
        about.extend(truth.map(|truth| (ours.to_owned(), truth.into())));
    }
    let cost = |name: &str| params.number_at(name).or_else(|| info?.number_at(name)).and_then(per_million);
    if let (Some(input), Some(output)) = (cost("input_cost_per_token"), cost("output_cost_per_token")) {
        let mut price = json!({"input": input, "output": output});
        for (theirs, ours) in [
            ("cache_read_input_token_cost", "cache_read"),
            ("cache_creation_input_token_cost", "cache_write"),
        ] {
            if let (Some(amount), Some(price)) = (cost(theirs), price.as_object_mut()) {
                price.insert(ours.to_owned(), amount.into());
            }
        }
        about.insert("price".to_owned(), price);
    }
    about
}

/// Dollars for a million tokens, without what floating point leaves behind.
fn per_million(dollars: f64) -> Option<f64> {
    let million = (dollars * 1e15).round() / 1e9;
    (0.0..=1e6).contains(&million).then_some(million)
}

/// Says which parameters are not carried over.
fn unread(params: Part<'_>, name: &str, draft: &mut Draft<'_>) {
    let names: Vec<String> = params
        .entries()
        .filter(|(key, _)| !READ.contains(&key.name.as_str()))
        .map(|(key, _)| shown(&key.name))
        .take(20)
        .collect();
    if !names.is_empty() {
        let message = format!("not carried over for {}: {}", shown(name), names.join(", "));
        draft.note(
            params.place(),
            message,
            "let clients send what they need; docs/configuration.md says what can be set",
        );
    }
}
