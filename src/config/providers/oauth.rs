//! The block `oauth` of a connection: how its owner logs in where there is no key to paste.

use std::{collections::BTreeMap, time::Duration};

use url::Url;

use super::{OAUTH, address};
use crate::{
    config::{
        effective::Sink,
        fields::{Fields, Written, items_of, mismatch},
        fingerprint::digest,
        layers::Overlay,
        node::Value,
        origin::Origin,
        schema::{Key, Section},
    },
    engine::settings::{ClientAuth, Flow, OAuth, Secret},
};

const FLOW: Key = Key::new("flow", "`code`, `device` or `client-credentials`", "code");
const PRESET: Key = Key::new("preset", "`chatgpt`", "chatgpt");
const CLIENT_ID: Key = Key::new("client_id", "the id of your application", "my-application");
const CLIENT_SECRET: Key = Key::new("client_secret", "a secret as text", "${OAUTH_CLIENT_SECRET}").secret();
const CLIENT_AUTH: Key = Key::new("client_auth", "`basic` or `body`", "basic");
const AUTHORIZATION_URL: Key =
    Key::new("authorization_url", "an https URL", "https://login.example.com/authorize");
const TOKEN_URL: Key = Key::new("token_url", "an https URL", "https://login.example.com/token");
const DEVICE_URL: Key = Key::new("device_url", "an https URL", "https://login.example.com/device");
const REDIRECT_URL: Key = Key::new("redirect_url", "a URL", "http://localhost:1455/auth/callback");
const SCOPES: Key = Key::new("scopes", "a list of words", "[openid, offline_access]");
const PARAMETERS: Key =
    Key::new("parameters", "a mapping of names to texts", "{audience: https://api.example.com}");
const ISSUER: Key = Key::new("issuer", "a URL", "https://login.example.com");
const JWKS_URL: Key = Key::new("jwks_url", "an https URL", "https://login.example.com/jwks");
const WORKSPACE_CLAIM: Key = Key::new("workspace_claim", "a claim or a JSON pointer", "org_id");
const LEAD: Key = Key::new("refresh_lead_seconds", "seconds from 0 to 2592000 (30 days)", "300");

static LOGIN: Section = Section {
    name: "oauth",
    keys: &[
        FLOW,
        PRESET,
        CLIENT_ID,
        CLIENT_SECRET,
        CLIENT_AUTH,
        AUTHORIZATION_URL,
        TOKEN_URL,
        DEVICE_URL,
        REDIRECT_URL,
        SCOPES,
        PARAMETERS,
        ISSUER,
        JWKS_URL,
        WORKSPACE_CLAIM,
        LEAD,
    ],
};

/// Five minutes, as most clients do.
const DEFAULT_LEAD: Duration = Duration::from_secs(300);
const MONTH: f64 = 2_592_000.0;

/// What OAuth itself says; a parameter of such a name would contradict it.
const TAKEN: [&str; 13] = [
    "client_id",
    "client_secret",
    "redirect_uri",
    "response_type",
    "state",
    "nonce",
    "scope",
    "grant_type",
    "code",
    "code_verifier",
    "code_challenge",
    "code_challenge_method",
    "refresh_token",
];

/// What is known of a login server, so that nobody has to look it up. Never an application's id.
#[derive(Default)]
struct Preset {
    authorization_url: Option<&'static str>,
    token_url: Option<&'static str>,
    redirect_url: Option<&'static str>,
    scopes: &'static [&'static str],
    issuer: Option<&'static str>,
    workspace_claim: Option<&'static str>,
    lead: Option<Duration>,
    notice: Option<&'static str>,
}

/// Endpoints as OpenAI's open-source command line uses them; tokens are renewed five days ahead, as it does.
const CHATGPT: Preset = Preset {
    authorization_url: Some("https://auth.openai.com/oauth/authorize"),
    token_url: Some("https://auth.openai.com/oauth/token"),
    redirect_url: Some("http://localhost:1455/auth/callback"),
    scopes: &["openid", "profile", "email", "offline_access"],
    issuer: Some("https://auth.openai.com"),
    workspace_claim: Some("/https:~1~1api.openai.com~1auth/chatgpt_account_id"),
    lead: Some(Duration::from_secs(5 * 24 * 60 * 60)),
    notice: Some(
        "OpenAI has not been found to permit other applications to use a ChatGPT subscription: read its terms before you log in",
    ),
};

/// Reads the block, [bound](bound) to nothing yet. `Err`: it is there and cannot be used; was reported.
pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Result<Option<OAuth>, ()> {
    let Some(node) = fields.node(&OAUTH) else { return Ok(None) };
    if !matches!(node.value, Value::Map(_)) {
        mismatch(sink, &fields.path_of(&OAUTH), &OAUTH, node);
        return Err(());
    }
    let overlay = Overlay::default();
    let block = Block { fields: Fields::open(&LOGIN, fields.path_of(&OAUTH), Some(node), &overlay, sink) };
    block.read(sink).map(Some).ok_or(())
}

/// The login as one for an account at this place: tokens are used nowhere else than where somebody logged in for.
pub(super) fn bound(oauth: OAuth, place: &[String]) -> OAuth {
    let mut parts = vec!["oauth", oauth.client_id.as_str(), oauth.token_url.as_str()];
    parts.extend(place.iter().map(String::as_str));
    let binding = digest(&parts);
    OAuth { binding, ..oauth }
}

/// The block while it is read.
struct Block<'a> {
    fields: Fields<'a>,
}

impl Block<'_> {
    fn read(&self, sink: &mut Sink) -> Option<OAuth> {
        let fields = &self.fields;
        let flow = fields.choice(sink, &FLOW, &Flow::ALL.map(|flow| (flow.as_str(), flow)), Flow::Code);
        let preset = self.preset(sink);
        let auth = [("basic", ClientAuth::Basic), ("body", ClientAuth::Body)];
        let client_auth = fields.choice(sink, &CLIENT_AUTH, &auth, ClientAuth::Basic);
        let client_id = self.required(&CLIENT_ID, sink);
        let client_secret = fields.text(sink, &CLIENT_SECRET).map(|Written { value, origin }| {
            sink.holds(fields.path_of(&CLIENT_SECRET), &CLIENT_SECRET, "", origin);
            Secret::new(value)
        });
        let authorization_url = self.url(&AUTHORIZATION_URL, preset.authorization_url, sink);
        let token_url = self.url(&TOKEN_URL, preset.token_url, sink);
        let device_url = self.url(&DEVICE_URL, None, sink);
        let redirect_url = self.url(&REDIRECT_URL, preset.redirect_url, sink);
        let jwks_url = self.url(&JWKS_URL, None, sink);
        let issuer = self.word(&ISSUER, preset.issuer, sink);
        let workspace_claim = self.word(&WORKSPACE_CLAIM, preset.workspace_claim, sink);
        let scopes = self.scopes(preset.scopes, sink);
        let parameters = self.parameters(sink);
        let lead = fields.seconds(sink, &LEAD, 0.0..=MONTH, preset.lead.unwrap_or(DEFAULT_LEAD));
        let token_url = self.needed(&TOKEN_URL, token_url?, sink);
        let (authorization_url, device_url) = (authorization_url?, device_url?);
        match flow {
            Flow::Code => drop(self.needed(&AUTHORIZATION_URL, authorization_url.clone(), sink)?),
            Flow::Device => drop(self.needed(&DEVICE_URL, device_url.clone(), sink)?),
            Flow::ClientCredentials if client_secret.is_none() => {
                self.missing(&CLIENT_SECRET, sink);
                return None;
            }
            Flow::ClientCredentials => {}
        }
        let (client_id, token_url) = (client_id?, token_url?);
        Some(OAuth {
            flow,
            client_id,
            client_secret,
            client_auth,
            authorization_url,
            token_url,
            device_url,
            redirect_url: redirect_url?,
            scopes,
            parameters: parameters?,
            issuer,
            jwks_url: jwks_url?,
            workspace_claim,
            lead,
            binding: 0,
        })
    }

    fn preset(&self, sink: &mut Sink) -> Preset {
        if self.fields.node(&PRESET).is_none() {
            return Preset::default();
        }
        // There is one so far; another word was reported.
        self.fields.choice(sink, &PRESET, &[("chatgpt", ())], ());
        if let Some(notice) = CHATGPT.notice {
            let path = self.fields.path_of(&PRESET);
            let remedy = "an API key of the vendor's platform is the clean way";
            sink.problems.warning(&path, self.fields.origin(), notice, remedy);
        }
        CHATGPT
    }

    fn required(&self, key: &Key, sink: &mut Sink) -> Option<String> {
        match self.word(key, None, sink) {
            Some(text) => Some(text),
            None => {
                if self.fields.node(key).is_none() {
                    self.missing(key, sink);
                }
                None
            }
        }
    }

    fn needed(&self, key: &Key, url: Option<String>, sink: &mut Sink) -> Option<String> {
        if url.is_none() {
            self.missing(key, sink);
        }
        url
    }

    fn missing(&self, key: &Key, sink: &mut Sink) {
        let message = format!("`{}` is missing, and this login needs it", key.name);
        let remedy = format!("write for example `{}: {}`", key.name, key.example);
        sink.problems.error(&self.fields.path_of(key), self.fields.origin(), message, remedy);
    }

    /// A text, or the preset's.
    fn word(&self, key: &Key, preset: Option<&str>, sink: &mut Sink) -> Option<String> {
        let (value, origin) = match self.fields.text(sink, key) {
            Some(Written { value, origin }) if !value.is_empty() => (value, origin),
            _ => (preset?.to_owned(), Origin::Catalogue),
        };
        sink.holds(self.fields.path_of(key), key, value.as_str(), origin);
        Some(value)
    }

    /// A URL, or the preset's; the outer `None` after a problem.
    #[expect(clippy::option_option, reason = "nothing written is fine, and something wrong is not")]
    fn url(&self, key: &Key, preset: Option<&str>, sink: &mut Sink) -> Option<Option<String>> {
        let Some(text) = self.word(key, preset, sink) else { return Some(None) };
        let origin = self.fields.node(key).map_or(Origin::Catalogue, |node| node.origin.clone());
        let problem = match Url::parse(&text) {
            Err(_) => ("this is not a URL", "write it in full, such as `https://login.example.com/token`"),
            Ok(url) if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() => {
                ("the URL is neither http nor https", "write `https://…`")
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                ("the URL has a user or a password in it", "use `client_id` and `client_secret`")
            }
            Ok(url) if url.scheme() == "http" && !url.host_str().is_some_and(address::is_local) => {
                ("tokens would travel unencrypted", "write `https://…`")
            }
            Ok(_) => return Some(Some(text)),
        };
        sink.problems.error(&self.fields.path_of(key), &origin, problem.0, problem.1);
        None
    }

    fn scopes(&self, preset: &[&str], sink: &mut Sink) -> Vec<String> {
        let Some(written) = self.fields.texts(sink, &SCOPES) else {
            return preset.iter().map(|scope| (*scope).to_owned()).collect();
        };
        let scopes = written.iter().flat_map(|one| one.value.split_whitespace().map(str::to_owned));
        let scopes: Vec<String> = scopes.collect();
        let origin = self.fields.node(&SCOPES).map_or(Origin::Default, |node| node.origin.clone());
        sink.holds(self.fields.path_of(&SCOPES), &SCOPES, format!("[{}]", scopes.join(", ")), origin);
        scopes
    }

    fn parameters(&self, sink: &mut Sink) -> Option<BTreeMap<String, String>> {
        let mut found = BTreeMap::new();
        let Some(node) = self.fields.node(&PARAMETERS) else { return Some(found) };
        let path = self.fields.path_of(&PARAMETERS);
        let Value::Map(map) = &node.value else {
            mismatch(sink, &path, &PARAMETERS, node);
            return None;
        };
        for (key, value) in &map.entries {
            let path = format!("{path}.{}", key.name);
            if TAKEN.contains(&key.name.as_str()) {
                let remedy = "remove it; the keys beside `parameters` say what can be chosen";
                let message = format!("`{}` is OAuth's own", key.name);
                sink.problems.error(&path, &key.origin, message, remedy);
                return None;
            }
            let text = items_of(sink, &path, &PARAMETERS, std::slice::from_ref(value)).pop()?;
            sink.holds_named(path, &key.name, &text.value, text.origin);
            found.insert(key.name.clone(), text.value);
        }
        Some(found)
    }
}
