//! `/api/session/oidc`: logging in at a provider, for browsers. It sends them there, and takes them back with a ticket in a
//! cookie that lives for as long as the login may take. It comes along when another site sends the browser here, as the
//! session's own cookie does not.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{RawQuery, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{
    Admin,
    session::{agent, cookie, denied},
};
use crate::{
    auth::ABSOLUTE_MS,
    engine::{code::Code, refusal::Refusal},
    ops::admin::{Origin, ProviderLogin},
    surfaces::{Handles, callback::page, front::Ids, identify::cookie_named},
};

/// The path that a provider sends browsers back to.
pub const OIDC_CALLBACK: &str = "/api/session/oidc/callback";

/// The cookie with the ticket, and for how long it is kept, in seconds.
const COOKIE: &str = "trivium_login";
const LIVES: u32 = 600;

/// The provider, and whether browsers reach the hub over TLS.
#[derive(Clone)]
pub(super) struct At {
    login: Arc<ProviderLogin>,
    secure: bool,
}

impl At {
    pub(super) fn of(handles: &Handles) -> Option<Self> {
        let login = handles.provider_login.clone()?;
        Some(Self { login, secure: handles.public_tls })
    }
}

/// Sends a browser to the provider.
pub(super) async fn begin(State(admin): State<Admin>, request: Request) -> Response {
    let arrived = arrive(&admin, &request);
    let begun = async move {
        let (at, origin) = arrived?;
        let begun = at.login.begin(&origin).await.map_err(|error| denied(&error))?;
        let mut response = StatusCode::SEE_OTHER.into_response();
        let headers = response.headers_mut();
        let location = HeaderValue::try_from(begun.url)
            .map_err(|_| Refusal::new(Code::Internal, "The provider's address cannot be sent."))?;
        headers.insert(header::LOCATION, location);
        headers.insert(header::SET_COOKIE, ticket(begun.ticket.expose(), LIVES, at.secure));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    };
    begun.await.unwrap_or_else(|refusal: Refusal| told(&refusal))
}

/// Takes a browser back.
pub(super) async fn come_back(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let arrived = arrive(&admin, &request);
    let kept = cookie_named(request.headers(), COOKIE).map(str::to_owned);
    let entered = async move {
        let (at, origin) = arrived?;
        let query = query.as_deref().unwrap_or_default();
        let session = at.login.come_back(kept.as_deref(), query, origin, Arc::clone(&ids.own)).await;
        let session = session.map_err(|error| denied(&error))?;
        let text = format!("This browser is logged in at the hub as {}.", session.who);
        let mut response = page(StatusCode::OK, "You are logged in", &text);
        let headers = response.headers_mut();
        headers.append(header::SET_COOKIE, cookie(session.token.expose(), ABSOLUTE_MS / 1000, at.secure));
        headers.append(header::SET_COOKIE, ticket("", 0, at.secure));
        Ok(response)
    };
    entered.await.unwrap_or_else(|refusal: Refusal| told(&refusal))
}

fn arrive(admin: &Admin, request: &Request) -> Result<(At, Origin), Refusal> {
    let address = admin.identify.arrive(request)?;
    let Some(at) = admin.provider.clone() else {
        let text = "The settings name no provider to log in at: see `auth.oidc_issuer`.";
        return Err(Refusal::new(Code::NotFound, text));
    };
    Ok((at, Origin { address, agent: agent(request.headers()) }))
}

fn ticket(text: &str, seconds: u32, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text =
        format!("{COOKIE}={text}; Path=/api/session/oidc; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    // Tickets are letters, digits, hyphens, underscores and points: nothing that a header could not have.
    let mut value = HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// A page, because a person reads it.
fn told(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = page(status, "The login did not succeed", &refusal.message);
    wait(response.headers_mut(), refusal);
    response
}

fn wait(headers: &mut HeaderMap, refusal: &Refusal) {
    if let Some(wait) = refusal.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
}
