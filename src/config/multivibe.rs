//! The environment of MultiVibe: its login at OpenAI, as the connection that it stands for. Only whoever sets
//! `OAUTH_CLIENT_ID` has it; no id is built in.

use std::borrow::Cow;

use super::{
    env::Env,
    node::{Key, Map, Node, Value},
    origin::Origin,
};

const CLIENT_ID: &str = "OAUTH_CLIENT_ID";
const MODELS: &str = "PROXY_MODELS";
const BASE_URL: &str = "CHATGPT_BASE_URL";
const PATH: &str = "UPSTREAM_PATH";

/// The id of the connection.
const ID: &str = "multivibe-oauth";

/// MultiVibe's own defaults.
const DEFAULT_BASE_URL: &str = "https://chatgpt.com";
const DEFAULT_PATH: &str = "/backend-api/codex/responses";
const DEFAULT_MODELS: &str = "gpt-5.3-codex,gpt-5.2-codex,gpt-5-codex";

/// Its variables, and the keys of `oauth` that they are.
const LOGIN: [(&str, &str); 4] = [
    ("OAUTH_AUTHORIZATION_URL", "authorization_url"),
    ("OAUTH_TOKEN_URL", "token_url"),
    ("OAUTH_SCOPE", "scopes"),
    ("OAUTH_REDIRECT_URI", "redirect_url"),
];

/// The list of providers, with MultiVibe's behind those that were written.
pub(super) fn with_login<'a>(written: Option<&'a Node>, env: &Env) -> Option<Cow<'a, Node>> {
    let Some(entry) = entry(env) else { return written.map(Cow::Borrowed) };
    let mut list = match written.filter(|node| !node.is_null()) {
        Some(node) => node.clone(),
        None => Node { value: Value::List(Vec::new()), origin: entry.origin.clone() },
    };
    // Something else than a list is reported by whoever reads it.
    if let Value::List(items) = &mut list.value {
        items.push(entry);
    }
    Some(Cow::Owned(list))
}

fn entry(env: &Env) -> Option<Node> {
    let client = env.filled(CLIENT_ID)?;
    let mut login = vec![pair("preset", "chatgpt", CLIENT_ID), pair("client_id", client, CLIENT_ID)];
    for (variable, key) in LOGIN {
        let Some(value) = env.filled(variable) else { continue };
        login.push(match key {
            "scopes" => listed(key, value.split_whitespace(), variable),
            _ => pair(key, value, variable),
        });
    }
    let base = env.filled(BASE_URL).unwrap_or(DEFAULT_BASE_URL).trim_end_matches('/');
    let path = env.filled(PATH).unwrap_or(DEFAULT_PATH);
    // The dialect's own path is added by who sends.
    let path = path.trim_end_matches('/').trim_end_matches("/responses");
    let models = env.filled(MODELS).unwrap_or(DEFAULT_MODELS);
    let models = models.split(',').map(str::trim).filter(|model| !model.is_empty());
    let fields = vec![
        pair("id", ID, CLIENT_ID),
        pair("type", "responses-compatible", CLIENT_ID),
        pair("base_url", &format!("{base}{path}"), BASE_URL),
        listed("models", models, MODELS),
        pair("tier", "subscription", CLIENT_ID),
        (key("oauth", CLIENT_ID), mapping(login, CLIENT_ID)),
    ];
    Some(mapping(fields, CLIENT_ID))
}

fn key(name: &str, variable: &str) -> Key {
    Key { name: name.to_owned(), origin: Origin::Env(variable.to_owned()) }
}

fn pair(name: &str, value: &str, variable: &str) -> (Key, Node) {
    (key(name, variable), Node::text(value, Origin::Env(variable.to_owned())))
}

fn listed<'t>(name: &str, values: impl Iterator<Item = &'t str>, variable: &str) -> (Key, Node) {
    let origin = Origin::Env(variable.to_owned());
    let items = values.map(|value| Node::text(value, origin.clone())).collect();
    (key(name, variable), Node { value: Value::List(items), origin })
}

fn mapping(entries: Vec<(Key, Node)>, variable: &str) -> Node {
    Node { value: Value::Map(Map { entries }), origin: Origin::Env(variable.to_owned()) }
}
