//! A login server: codes with PKCE, device codes, client credentials and refresh tokens that are good once. Nobody is asked
//! anything: who comes to authorize has agreed, and device codes are approved by a call.
//!
//! Its access tokens are keys of the simulated provider for as long as they live. What it issued is in `ledger`, ID tokens
//! are made in `id_token`.

mod id_token;
mod ledger;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Simulator;
use super::problem::json_response;
use super::route::form_decoded;
use ledger::{Grant, Ledger};

/// What access tokens begin with.
pub(super) const TOKEN: &str = "oat_";

/// The error of RFC 6749 for a code or a refresh token that is worth nothing.
const INVALID_GRANT: &str = "invalid_grant";

/// How the login server behaves.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OAuthScript {
    /// How long access tokens live, in seconds.
    pub expires_in: u64,
    /// Whether refresh tokens are good once. A second use ends all tokens of the login.
    pub rotate: bool,
    /// Time before an answer of the token endpoint, in ms.
    pub delay_ms: u64,
    /// The secret that applications must show; without it none is looked at.
    pub client_secret: Option<String>,
    /// How often devices may ask, in seconds.
    pub interval: u64,
    /// What ID tokens say instead of the truth; `null`: not at all.
    pub claims: Map<String, Value>,
}

impl Default for OAuthScript {
    fn default() -> Self {
        Self {
            expires_in: 3600,
            rotate: true,
            delay_ms: 0,
            client_secret: None,
            interval: 5,
            claims: Map::new(),
        }
    }
}

/// What goes wrong at the token endpoint, once.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OAuthFault {
    /// This status, with a page of words.
    Status(u16),
    /// A refusal with this error of RFC 6749.
    Error(String),
    /// The tokens are issued, and the answer never comes.
    Lost,
}

/// How often the login server did what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OAuthStats {
    /// Visits to the authorization endpoint.
    pub authorizations: u64,
    /// Codes that became tokens.
    pub codes: u64,
    /// Refresh tokens that became tokens.
    pub refreshes: u64,
    /// Device codes that became tokens.
    pub devices: u64,
    /// Tokens for applications themselves.
    pub applications: u64,
    /// Requests to the token endpoint that were refused, those of waiting devices apart.
    pub refused: u64,
    /// Logins whose tokens were all ended because a refresh token came twice.
    pub revoked: u64,
}

/// An endpoint of the login server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Authorize,
    Token,
    Device,
    Approve,
    Keys,
    Discovery,
    UserInfo,
    Stats,
}

impl Endpoint {
    /// The endpoint at a path.
    pub(super) fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/oauth/authorize" => Self::Authorize,
            "/oauth/token" => Self::Token,
            "/oauth/device" => Self::Device,
            "/oauth/device/approve" => Self::Approve,
            "/oauth/jwks" => Self::Keys,
            "/oauth/userinfo" => Self::UserInfo,
            "/.well-known/openid-configuration" => Self::Discovery,
            "/oauth/stats" => Self::Stats,
            _ => return None,
        })
    }
}

/// The login server's memory.
#[derive(Default)]
pub(super) struct Desk {
    ledger: Ledger,
    faults: VecDeque<OAuthFault>,
    stats: OAuthStats,
}

/// The parameters of a request.
type Form = BTreeMap<String, String>;

/// A refusal in the words of RFC 6749.
struct Refused(u16, &'static str);

impl Simulator {
    /// How often the login server did what.
    #[must_use]
    pub fn oauth_stats(&self) -> OAuthStats {
        self.world.desk().stats
    }

    /// Lets the token endpoint fail once more, behind the failures that are still to come.
    pub fn oauth_fails(&self, fault: OAuthFault) {
        self.world.desk().faults.push_back(fault);
    }

    /// Ends an access token before its time, as a provider may.
    pub fn oauth_revokes(&self, access: &str) {
        self.world.desk().ledger.end(access);
    }

    /// Whether a key is an access token that lives; `None` if it is none at all.
    pub(super) fn is_live_token(&self, key: &str) -> Option<bool> {
        key.starts_with(TOKEN).then(|| self.world.desk().ledger.lives(key, self.world.clock.unix()))
    }

    /// Answers a request to the login server.
    pub(super) async fn login(&self, endpoint: Endpoint, parts: &Parts, body: &[u8]) -> Response<Body> {
        let mut form = form_decoded(parts.uri.query().unwrap_or(""));
        form.extend(form_decoded(&String::from_utf8_lossy(body)));
        match endpoint {
            Endpoint::Authorize => self.authorize(&form),
            Endpoint::Token => self.token(parts, &form).await,
            Endpoint::Device => self.device(parts, &form),
            Endpoint::Approve => {
                let code = form.get("user_code").map_or("", String::as_str);
                let known = self.world.desk().ledger.approve(code);
                json_response(if known { 200 } else { 404 }, json!({"approved": known}).to_string())
            }
            Endpoint::Keys => json_response(200, id_token::keys().to_string()),
            Endpoint::Discovery => {
                json_response(200, discovery(&format!("http://{}", host(parts))).to_string())
            }
            Endpoint::UserInfo => self.user_info(parts),
            Endpoint::Stats => {
                json_response(200, serde_json::to_string(&self.oauth_stats()).unwrap_or_default())
            }
        }
    }

    fn authorize(&self, form: &Form) -> Response<Body> {
        let text = |name: &str| form.get(name).cloned().unwrap_or_default();
        let fits = text("response_type") == "code"
            && text("code_challenge_method") == "S256"
            && !text("code_challenge").is_empty()
            && text("redirect_uri").contains("://");
        if !fits {
            return refused(&Refused(400, "invalid_request"));
        }
        let code = {
            let mut desk = self.world.desk();
            desk.stats.authorizations += 1;
            let grant = Grant::of(form);
            desk.ledger.code(grant, text("redirect_uri"), text("code_challenge"))
        };
        let joint = if text("redirect_uri").contains('?') { '&' } else { '?' };
        let state = form_encoded(&text("state"));
        let location = format!("{}{joint}code={code}&state={state}", text("redirect_uri"));
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::FOUND;
        if let Ok(location) = HeaderValue::from_str(&location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }

    /// Who an access token speaks for.
    fn user_info(&self, parts: &Parts) -> Response<Body> {
        let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let email = self.world.desk().ledger.email(token, self.world.clock.unix());
        match email {
            Some(email) => {
                let sub = format!("sub-{email}");
                json_response(200, json!({"sub": sub, "email": email, "email_verified": true}).to_string())
            }
            None => refused(&Refused(401, "invalid_token")),
        }
    }

    fn device(&self, parts: &Parts, form: &Form) -> Response<Body> {
        let script = self.world.script().oauth.clone();
        if let Err(error) = known_client(&script, parts, form) {
            return refused(&error);
        }
        let (device, user) = self.world.desk().ledger.device(Grant::of(form));
        let at = format!("http://{}/oauth/device/approve", host(parts));
        let answer = json!({
            "device_code": device, "user_code": user, "verification_uri": at,
            "verification_uri_complete": format!("{at}?user_code={user}"),
            "expires_in": 600, "interval": script.interval,
        });
        json_response(200, answer.to_string())
    }

    async fn token(&self, parts: &Parts, form: &Form) -> Response<Body> {
        let script = self.world.script().oauth.clone();
        tokio::time::sleep(Duration::from_millis(script.delay_ms)).await;
        let fault = self.world.desk().faults.pop_front();
        let issued = match &fault {
            Some(OAuthFault::Status(status)) => {
                let mut response = Response::new(Body::from("<html>An error occurred.</html>"));
                *response.status_mut() =
                    StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                return response;
            }
            Some(OAuthFault::Error(error)) => {
                self.world.desk().stats.refused += 1;
                return json_response(400, json!({"error": error}).to_string());
            }
            _ => {
                known_client(&script, parts, form).and_then(|client| self.issue(&script, parts, form, client))
            }
        };
        if fault == Some(OAuthFault::Lost) {
            std::future::pending::<()>().await;
        }
        match issued {
            Ok(answer) => json_response(200, answer.to_string()),
            Err(error) => {
                if !matches!(error.1, "authorization_pending" | "slow_down") {
                    self.world.desk().stats.refused += 1;
                }
                refused(&error)
            }
        }
    }

    fn issue(
        &self,
        script: &OAuthScript,
        parts: &Parts,
        form: &Form,
        client: String,
    ) -> Result<Value, Refused> {
        let text = |name: &str| form.get(name).map_or("", String::as_str);
        let now = self.world.clock.unix();
        let mut desk = self.world.desk();
        let Desk { ledger, stats, .. } = &mut *desk;
        let (mut grant, family) = match text("grant_type") {
            "authorization_code" => {
                let grant = ledger.redeem(text("code"), text("redirect_uri"), text("code_verifier"));
                stats.codes += u64::from(grant.is_some());
                (grant.ok_or(Refused(400, INVALID_GRANT))?, None)
            }
            "refresh_token" => match ledger.refresh(text("refresh_token"), script.rotate) {
                Ok((grant, family)) => {
                    stats.refreshes += 1;
                    (grant, Some(family))
                }
                Err(reused) => {
                    stats.revoked += u64::from(reused);
                    return Err(Refused(400, INVALID_GRANT));
                }
            },
            "urn:ietf:params:oauth:grant-type:device_code" => {
                let grant = ledger.poll(text("device_code")).map_err(|word| Refused(400, word))?;
                stats.devices += 1;
                (grant, None)
            }
            "client_credentials" => {
                stats.applications += 1;
                (Grant::of(form), None)
            }
            _ => return Err(Refused(400, "unsupported_grant_type")),
        };
        grant.client = client;
        let answer = ledger.issue(&grant, family, script, now);
        let refreshes = text("grant_type") != "client_credentials";
        let issuer = format!("http://{}", host(parts));
        Ok(id_token::with(answer, &grant, refreshes, (&issuer, &script.claims), now))
    }
}

/// The application that asks, if it may.
fn known_client(script: &OAuthScript, parts: &Parts, form: &Form) -> Result<String, Refused> {
    let basic = || {
        let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
        let text = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
        // Both parts are encoded as in a form first (RFC 6749, 2.3.1).
        let (id, secret) = text.split_once(':')?;
        let parts = form_decoded(&format!("id={id}&secret={secret}"));
        Some((parts.get("id")?.clone(), parts.get("secret").cloned()))
    };
    let posted = || Some((form.get("client_id")?.clone(), form.get("client_secret").cloned()));
    let (client, secret) = basic().or_else(posted).ok_or(Refused(401, "invalid_client"))?;
    if script.client_secret.is_some() && script.client_secret != secret {
        return Err(Refused(401, "invalid_client"));
    }
    Ok(client)
}

fn refused(error: &Refused) -> Response<Body> {
    json_response(error.0, json!({"error": error.1, "error_description": "as the script says"}).to_string())
}

/// What the server says of itself (OpenID Connect Discovery 1.0).
fn discovery(issuer: &str) -> Value {
    json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "token_endpoint": format!("{issuer}/oauth/token"), "jwks_uri": format!("{issuer}/oauth/jwks"),
        "userinfo_endpoint": format!("{issuer}/oauth/userinfo"), "response_types_supported": ["code"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["EdDSA"],
        "code_challenge_methods_supported": ["S256"],
    })
}

fn host(parts: &Parts) -> &str {
    let named = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    named.or_else(|| parts.uri.authority().map(|at| at.as_str())).unwrap_or("simulator.test")
}

fn form_encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
