//! The provider as the network shows it: its discovery document, its keys, and tokens for a code. What it says is remembered for
//! a while; who may log in is not decided here.

use std::sync::{Arc, Mutex, PoisonError};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, header};
use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::OidcError;
use crate::{
    auth::{fetch, signed},
    engine::settings::{Oidc as Settings, Secret},
    outbound::Transport,
};

/// Where providers keep their discovery document, below the issuer (OpenID Connect Discovery 1.0).
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// How long it is good, with the keys, in milliseconds.
const FRESH: i64 = 15 * 60 * 1000;
/// After this it is looked at again for a key that is not known.
const PAUSE: i64 = 60 * 1000;
/// Of what a provider says for a refusal, in characters.
const WORDS: usize = 200;

/// What a provider says of itself.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Discovered {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default)]
    userinfo_endpoint: Option<String>,
}

/// The same with its keys.
pub(super) struct Known {
    pub(super) discovered: Discovered,
    pub(super) keys: JwkSet,
    had_at: i64,
}

/// What came for a code.
#[derive(Deserialize)]
pub(super) struct Issued {
    pub(super) id_token: String,
    access_token: String,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// The way to one provider.
pub(super) struct Provider {
    transport: Arc<dyn Transport>,
    known: Mutex<Option<Arc<Known>>>,
}

impl Provider {
    pub(super) fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, known: Mutex::default() }
    }

    /// What is known of it, looked up if that is old.
    pub(super) async fn known(&self, settings: &Settings, now: i64) -> Result<Arc<Known>, OidcError> {
        self.known_since(settings, now, FRESH).await
    }

    /// The same, where a token names a key that is not among those that are known.
    pub(super) async fn renewed(&self, settings: &Settings, now: i64) -> Result<Arc<Known>, OidcError> {
        self.known_since(settings, now, PAUSE).await
    }

    async fn known_since(&self, settings: &Settings, now: i64, live: i64) -> Result<Arc<Known>, OidcError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| (0..live).contains(&now.saturating_sub(known.had_at))) {
            return Ok(known);
        }
        let found = Arc::new(self.discover(settings, now).await?);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&found));
        Ok(found)
    }

    async fn discover(&self, settings: &Settings, now: i64) -> Result<Known, OidcError> {
        let url = format!("{}{DISCOVERY}", settings.issuer.trim_end_matches('/'));
        let failed = |why: String| OidcError::Unavailable(format!("{url}: {why}"));
        let document = fetch::get(&*self.transport, &url).await.map_err(failed)?;
        let discovered: Discovered = serde_json::from_slice(&document)
            .map_err(|error| failed(format!("it is no discovery document ({error})")))?;
        if discovered.issuer != *settings.issuer {
            let other: String = discovered.issuer.chars().filter(|c| !c.is_control()).take(WORDS).collect();
            return Err(failed(format!(
                "it is the document of `{other}`, which is not the issuer of the settings"
            )));
        }
        for url in [&discovered.authorization_endpoint, &discovered.token_endpoint, &discovered.jwks_uri] {
            if !is_as_safe(url, &settings.issuer) {
                return Err(failed("an address in it is no https URL".to_owned()));
            }
        }
        let keys = fetch::get(&*self.transport, &discovered.jwks_uri).await;
        let keys = keys.and_then(|body| signed::key_set(&body));
        let keys = keys.map_err(|why| OidcError::Unavailable(format!("{}: {why}", discovered.jwks_uri)))?;
        Ok(Known { discovered, keys, had_at: now })
    }

    /// Tokens for a code that a browser brought.
    pub(super) async fn redeem(
        &self,
        settings: &Settings,
        discovered: &Discovered,
        code: (&str, &Secret),
        redirect_url: &str,
    ) -> Result<Issued, OidcError> {
        let request = token_request(settings, discovered, code, redirect_url)?;
        let answer = fetch::ask(&*self.transport, request).await.map_err(OidcError::Unavailable)?;
        if answer.status().is_success() {
            // What it says is not shown: it may be a token in the wrong place.
            return serde_json::from_slice(answer.body())
                .map_err(|_| OidcError::Unavailable("its answer to the code has no ID token".to_owned()));
        }
        match serde_json::from_slice::<Refused>(answer.body()) {
            Ok(refused) if !answer.status().is_server_error() => {
                Err(OidcError::Refused(tame(&refused.error, &refused.error_description)))
            }
            _ => Err(OidcError::Unavailable(format!("it answered the code with {}", answer.status()))),
        }
    }

    /// What the provider tells of a person beside the ID token, where it has a place for that.
    pub(super) async fn told(
        &self,
        settings: &Settings,
        discovered: &Discovered,
        issued: &Issued,
    ) -> Result<Map<String, Value>, OidcError> {
        let Some(url) = discovered.userinfo_endpoint.as_ref().filter(|url| is_as_safe(url, &settings.issuer))
        else {
            return Ok(Map::new());
        };
        let request =
            Request::get(url).header(header::AUTHORIZATION, format!("Bearer {}", issued.access_token));
        let request = request.body(Bytes::new()).map_err(|error| unsendable(&error))?;
        let answer = fetch::ask(&*self.transport, request).await.map_err(OidcError::Unavailable)?;
        // One that is signed or encrypted is not asked for, and not read.
        Ok(serde_json::from_slice(answer.body())
            .ok()
            .filter(|_| answer.status().is_success())
            .unwrap_or_default())
    }
}

/// Asks for the tokens of a code, with what proves that it is the same who began.
fn token_request(
    settings: &Settings,
    discovered: &Discovered,
    (code, verifier): (&str, &Secret),
    redirect_url: &str,
) -> Result<Request<Bytes>, OidcError> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", redirect_url)
        .append_pair("code_verifier", verifier.expose());
    let mut request = Request::post(&discovered.token_endpoint)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    match &settings.client_secret {
        Some(secret) if !discovered.wants_secret_in_body() => {
            request = request.header(header::AUTHORIZATION, basic(&settings.client_id, secret));
        }
        secret => {
            form.append_pair("client_id", &settings.client_id);
            if let Some(secret) = secret {
                form.append_pair("client_secret", secret.expose());
            }
        }
    }
    request.body(Bytes::from(form.finish())).map_err(|error| unsendable(&error))
}

impl Discovered {
    /// Basic authentication is what holds where nothing is said (RFC 8414).
    fn wants_secret_in_body(&self) -> bool {
        let methods = &self.token_endpoint_auth_methods_supported;
        let has = |name: &str| methods.iter().any(|method| method == name);
        !methods.is_empty() && !has("client_secret_basic") && has("client_secret_post")
    }
}

/// Encrypted, unless the operator trusts the issuer without that.
fn is_as_safe(url: &str, issuer: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    url.scheme() == "https" || url.scheme() == "http" && issuer.starts_with("http://")
}

/// RFC 6749, 2.3.1: both parts are encoded as in a form first.
fn basic(id: &str, secret: &Secret) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret.expose()))))
}

/// A provider's words, short, on one line, and without anything that looks like a token.
pub(super) fn tame(code: &str, words: &str) -> String {
    let text = if words.is_empty() { code.to_owned() } else { format!("{code} ({words})") };
    let words = text.split_whitespace().map(|word| if word.len() > 40 { "[…]" } else { word });
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(WORDS).collect()
}

fn unsendable(error: &http::Error) -> OidcError {
    OidcError::Unavailable(format!("an address or the secret cannot be sent: {error}"))
}
