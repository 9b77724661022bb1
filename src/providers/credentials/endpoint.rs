//! The login server's endpoints, asked through the one door to the network. Only OAuth's own words are read here; what
//! becomes of them is decided elsewhere. Nothing that a server sent is quoted but its words for a refusal.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::{HeaderValue, header::USER_AGENT};
use http_body_util::{BodyExt, Limited};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    DeviceAuthorizationUrl, EndpointNotSet, EndpointSet, ErrorResponse, ExtraTokenFields, HttpRequest,
    HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope,
    StandardDeviceAuthorizationResponse, StandardErrorResponse, StandardRevocableToken,
    StandardTokenResponse, TokenResponse, TokenUrl,
    basic::{
        BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
    },
};
use serde::{Deserialize, Serialize};

use super::super::via;
use crate::{
    engine::settings::{ClientAuth, Connection, OAuth, Secret},
    ops::ports::oauth::{Authorization, GrantError},
    outbound::Transport,
};

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);
/// From the call to the last byte.
const PATIENCE: Duration = Duration::from_secs(30);
/// Answers hold a few tokens, or a few keys.
const ANSWER_LIMIT: usize = 512 * 1024;
/// Of what a server says for a refusal, in characters.
const WORDS: usize = 200;
/// The hub names itself honestly.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("trivium/", env!("CARGO_PKG_VERSION")));

/// What the token endpoint gave.
pub(super) struct Issued {
    pub(super) access: Secret,
    pub(super) refresh: Option<Secret>,
    pub(super) expires_in: Option<Duration>,
    pub(super) scopes: Option<String>,
    pub(super) id_token: Option<Secret>,
}

/// What OpenID Connect adds to a token answer.
#[derive(Deserialize, Serialize)]
struct Extra {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl ExtraTokenFields for Extra {}

type Answer = StandardTokenResponse<Extra, BasicTokenType>;

/// A client of a login server, with or without the URLs to authorize and of devices.
type Application<Auth = EndpointNotSet, Device = EndpointNotSet> = Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    Auth,
    Device,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The way to the login server of a connection: through the same proxy as everything else for it.
pub(super) struct Door {
    transport: Arc<dyn Transport>,
    connection: Arc<Connection>,
}

/// Why there is no answer of a login server.
#[derive(Debug, thiserror::Error)]
pub(super) enum DoorError {
    #[error("{0}")]
    Transport(#[from] crate::outbound::TransportError),
    #[error("no answer within {} s", PATIENCE.as_secs())]
    TimedOut,
    #[error("its answer broke or is too large")]
    Body,
    #[error("it answered with status {0}")]
    Status(u16),
}

impl Door {
    pub(super) const fn new(transport: Arc<dyn Transport>, connection: Arc<Connection>) -> Self {
        Self { transport, connection }
    }

    /// Asks, and reads the whole answer. A server that is in trouble gave none.
    pub(super) async fn ask(
        &self,
        mut request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, DoorError> {
        request.headers_mut().insert(USER_AGENT, AGENT);
        via::mark(&mut request, &self.connection);
        let asking = async {
            let (parts, body) = self.transport.call(request, CONNECT).await?.into_parts();
            let body = Limited::new(body, ANSWER_LIMIT).collect().await.map_err(|_| DoorError::Body)?;
            Ok::<_, DoorError>(http::Response::from_parts(parts, body.to_bytes()))
        };
        let answer = tokio::time::timeout(PATIENCE, asking).await.map_err(|_| DoorError::TimedOut)??;
        let status = answer.status();
        if status.is_server_error() || status == http::StatusCode::TOO_MANY_REQUESTS {
            return Err(DoorError::Status(status.as_u16()));
        }
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for Door {
    type Error = DoorError;
    type Future = BoxFuture<'c, Result<HttpResponse, DoorError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move { Ok(self.ask(request.map(Bytes::from)).await?.map(|body| body.to_vec())) })
    }
}

/// Where a browser is to go, and what proves that it came back to who sent it.
pub(super) fn authorization(oauth: &OAuth, redirect_url: &str) -> Result<Authorization, GrantError> {
    let url = oauth.authorization_url.clone().ok_or_else(|| lacking("authorization_url"))?;
    let client = application_of(oauth)?
        .set_auth_uri(AuthUrl::new(url).map_err(|_| lacking("authorization_url"))?)
        .set_redirect_uri(RedirectUrl::new(redirect_url.to_owned()).map_err(|_| lacking("redirect_url"))?);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let nonce = CsrfToken::new_random();
    let mut request = client
        .authorize_url(CsrfToken::new_random)
        .set_pkce_challenge(challenge)
        .add_scopes(oauth.scopes.iter().cloned().map(Scope::new));
    if oauth.scopes.iter().any(|scope| scope == "openid") {
        request = request.add_extra_param("nonce", nonce.secret());
    }
    for (name, value) in &oauth.parameters {
        request = request.add_extra_param(name, value);
    }
    let (url, state) = request.url();
    Ok(Authorization {
        url: url.into(),
        state: Secret::new(state.into_secret()),
        verifier: Secret::new(verifier.into_secret()),
        nonce: Secret::new(nonce.into_secret()),
    })
}

/// Tokens for a code that a browser brought.
pub(super) async fn exchange(
    door: &Door,
    oauth: &OAuth,
    redirect_url: &str,
    (code, verifier): (Secret, &Secret),
) -> Result<Issued, GrantError> {
    let client = application_of(oauth)?
        .set_redirect_uri(RedirectUrl::new(redirect_url.to_owned()).map_err(|_| lacking("redirect_url"))?);
    let request = client
        .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
    issued(request.request_async(door).await)
}

/// New tokens for a refresh token.
pub(super) async fn refresh(door: &Door, oauth: &OAuth, token: &Secret) -> Result<Issued, GrantError> {
    let client = application_of(oauth)?;
    let token = RefreshToken::new(token.expose().to_owned());
    issued(client.exchange_refresh_token(&token).request_async(door).await)
}

/// Tokens for the application itself.
pub(super) async fn application(door: &Door, oauth: &OAuth) -> Result<Issued, GrantError> {
    let client = application_of(oauth)?;
    let mut request =
        client.exchange_client_credentials().add_scopes(oauth.scopes.iter().cloned().map(Scope::new));
    for (name, value) in &oauth.parameters {
        request = request.add_extra_param(name, value);
    }
    issued(request.request_async(door).await)
}

/// A code to be typed on another device.
pub(super) async fn device(
    door: &Door,
    oauth: &OAuth,
) -> Result<StandardDeviceAuthorizationResponse, GrantError> {
    let client = with_devices(oauth)?;
    let mut request = client.exchange_device_code().add_scopes(oauth.scopes.iter().cloned().map(Scope::new));
    for (name, value) in &oauth.parameters {
        request = request.add_extra_param(name, value);
    }
    request.request_async(door).await.map_err(refused)
}

/// Waits until somebody typed the code, or its time is over.
pub(super) async fn device_tokens(
    door: &Door,
    oauth: &OAuth,
    details: &StandardDeviceAuthorizationResponse,
) -> Result<Issued, GrantError> {
    let client = with_devices(oauth)?;
    let request = client.exchange_device_access_token(details);
    let waiting = request.request_async(door, tokio::time::sleep, Some(details.expires_in()));
    // The wait is counted on the runtime's clock as well, which tests can move.
    match tokio::time::timeout(details.expires_in(), waiting).await {
        Ok(answer) => issued(answer),
        Err(_) => Err(GrantError::Refused {
            code: "expired_token".to_owned(),
            message: "nobody typed the code in time".to_owned(),
        }),
    }
}

fn application_of(oauth: &OAuth) -> Result<Application, GrantError> {
    let auth = match oauth.client_auth {
        ClientAuth::Basic => AuthType::BasicAuth,
        ClientAuth::Body => AuthType::RequestBody,
    };
    let client = Client::new(ClientId::new(oauth.client_id.clone()))
        .set_auth_type(auth)
        .set_token_uri(TokenUrl::new(oauth.token_url.clone()).map_err(|_| lacking("token_url"))?);
    Ok(match &oauth.client_secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
        None => client,
    })
}

fn with_devices(oauth: &OAuth) -> Result<Application<EndpointNotSet, EndpointSet>, GrantError> {
    let url = oauth.device_url.clone().ok_or_else(|| lacking("device_url"))?;
    let url = DeviceAuthorizationUrl::new(url).map_err(|_| lacking("device_url"))?;
    Ok(application_of(oauth)?.set_device_authorization_url(url))
}

fn lacking(key: &str) -> GrantError {
    GrantError::Settings(format!("the connection's `oauth.{key}` is missing or cannot be used"))
}

fn issued<E: ErrorResponse + Worded + 'static>(
    answer: Result<Answer, RequestTokenError<DoorError, E>>,
) -> Result<Issued, GrantError> {
    let answer = answer.map_err(refused)?;
    let scopes =
        answer.scopes().map(|all| all.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "));
    Ok(Issued {
        access: Secret::new(answer.access_token().secret().clone()),
        refresh: answer.refresh_token().map(|token| Secret::new(token.secret().clone())),
        expires_in: answer.expires_in(),
        scopes,
        id_token: answer.extra_fields().id_token.clone().map(Secret::new),
    })
}

/// An error in OAuth's words.
trait Worded {
    fn code(&self) -> String;
    fn description(&self) -> &str;
}

impl<T: oauth2::ErrorResponseType + fmt::Display + 'static> Worded for StandardErrorResponse<T> {
    fn code(&self) -> String {
        self.error().to_string()
    }

    fn description(&self) -> &str {
        self.error_description().map_or("", String::as_str)
    }
}

fn refused<E: ErrorResponse + Worded + 'static>(error: RequestTokenError<DoorError, E>) -> GrantError {
    match error {
        RequestTokenError::ServerResponse(said) => {
            let code = tame(&said.code());
            match code.as_str() {
                "temporarily_unavailable" | "server_error" | "slow_down" => GrantError::Unavailable(code),
                _ => GrantError::Refused { message: tame(said.description()), code },
            }
        }
        RequestTokenError::Request(error) => GrantError::Unavailable(error.to_string()),
        // What it says is not shown: it may be a token in the wrong place.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            GrantError::Unavailable("its answer is not one of OAuth".to_owned())
        }
    }
}

/// A server's words, short, on one line, and without anything that looks like a token.
fn tame(text: &str) -> String {
    let words = text.split_whitespace().map(|word| if word.len() > 40 { "[…]" } else { word });
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(WORDS).collect()
}
