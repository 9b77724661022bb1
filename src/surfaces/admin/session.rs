//! `/api/session`: logging in, who one is, logging out and changing the password. The operations on all sessions are
//! among the others, and logging in at a provider is in `provider`.
//! The cookie lives for as long as its session at most, is for this host alone, and no script can read it.

use axum::{
    Extension, Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use super::{Admin, BODY_LIMIT, parse};
use crate::{
    auth::csrf_of,
    engine::{
        caller::{Caller, CallerKind},
        code::Code,
        refusal::Refusal,
        settings::Secret,
    },
    ops::admin::{LoggedIn, LoginError, Origin},
    surfaces::{
        body,
        front::{Ids, Peer},
        identify::{COOKIE, is_same_origin},
        operation::refused,
        render,
    },
};

/// What somebody logs in with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    password: String,
}

/// A new password. Without one, the hub makes one.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Change {
    current: Option<String>,
    new: Option<String>,
}

/// What a page of the hub needs to know of its session.
#[derive(Serialize)]
struct Session<'a> {
    who: &'a str,
    /// To be sent as `x-csrf-token` with every change.
    csrf_token: String,
    expires_at: i64,
    must_change_password: bool,
}

/// A password that the hub made.
#[derive(Serialize)]
struct Made<'a> {
    password: Option<&'a str>,
}

pub(super) async fn log_in(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    let entered = async move {
        let address = admin.identify.arrive(&request)?;
        if !is_same_origin(request.headers(), admin.identify.hosts()) {
            return Err(Refusal::new(Code::CsrfFailed, "Only pages of this hub may log in."));
        }
        let secure = is_secure(request.headers());
        let origin = Origin { address, agent: agent(request.headers()) };
        let (parts, body) = request.into_parts();
        let Login { password } = parse(&body::read(&parts.headers, body, BODY_LIMIT).await?)?;
        let session =
            admin.login.log_in(Secret::new(password), origin).await.map_err(|error| denied(&error))?;
        Ok(begun(&session, secure))
    };
    entered.await.unwrap_or_else(|refusal| render::refusal(&refusal, &ids, false))
}

pub(super) async fn who(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    let told = admin.identify.visitor(&request).map(|(visitor, token)| {
        let session = Session {
            who: &visitor.caller.name,
            csrf_token: csrf_of(&token),
            expires_at: visitor.expires_at,
            must_change_password: visitor.must_change,
        };
        (StatusCode::OK, Json(session)).into_response()
    });
    told.unwrap_or_else(|refusal| render::refusal(&refusal, &ids, false))
}

pub(super) async fn log_out(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    let left = async move {
        let (visitor, _) = admin.identify.visitor(&request)?;
        let secure = is_secure(request.headers());
        admin.login.log_out(&visitor.caller).await.map_err(|error| refused(&error))?;
        let mut response = StatusCode::NO_CONTENT.into_response();
        response.headers_mut().insert(header::SET_COOKIE, cookie("", 0, secure));
        Ok(response)
    };
    left.await.unwrap_or_else(|refusal| render::refusal(&refusal, &ids, false))
}

/// Who has logged in gives the current password and a new one; a command of the hub's machine a new one, or none, and is
/// told one that has to be changed at the first login.
pub(super) async fn change_password(
    State(admin): State<Admin>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    let changed = async move {
        let caller: Caller = match admin.identify.visitor(&request) {
            Ok((visitor, _)) => visitor.caller,
            Err(no_session) => match admin.identify.caller(&request) {
                Ok(caller) if caller.kind == CallerKind::Local => caller,
                Ok(_) => {
                    return Err(Refusal::new(Code::InsufficientScope, "Passwords are no business of keys."));
                }
                Err(_) => return Err(no_session),
            },
        };
        let secure = is_secure(request.headers());
        let address = request.extensions().get::<Peer>().map(|peer| peer.0);
        let origin = Origin { address, agent: agent(request.headers()) };
        let (parts, body) = request.into_parts();
        let bytes = body::read(&parts.headers, body, BODY_LIMIT).await?;
        let Change { current, new } = if bytes.is_empty() { Change::default() } else { parse(&bytes)? };
        match (caller.kind, new) {
            (CallerKind::Local, None) => {
                let made = admin.login.reset_password(&caller).await.map_err(|error| refused(&error))?;
                Ok(Json(Made { password: Some(made.expose()) }).into_response())
            }
            (CallerKind::Local, Some(new)) => {
                let set = admin.login.set_password(&caller, Secret::new(new)).await;
                set.map_err(|error| refused(&error))?;
                Ok(Json(Made { password: None }).into_response())
            }
            (_, None) => {
                Err(Refusal::new(Code::MissingParameter, "The field `new` is missing.").about("new"))
            }
            (_, Some(new)) => {
                let changed =
                    admin.login.change_password(&caller, current.map(Secret::new), Secret::new(new), origin);
                Ok(begun(&changed.await.map_err(|error| denied(&error))?, secure))
            }
        }
    };
    changed.await.unwrap_or_else(|refusal| render::refusal(&refusal, &ids, false))
}

/// The answer that begins a session.
fn begun(session: &LoggedIn, secure: bool) -> Response {
    let token = session.token.expose();
    let body = Session {
        who: &session.who,
        csrf_token: csrf_of(token),
        expires_at: session.expires_at,
        must_change_password: session.must_change,
    };
    let mut response = (StatusCode::OK, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::SET_COOKIE, cookie(token, crate::auth::ABSOLUTE_MS / 1000, secure));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(super) fn cookie(token: &str, seconds: i64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    // Tokens are letters and digits: there is nothing in the text that a header could not have.
    let mut value = HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// Whether the page that asks came over TLS: browsers say so, whatever stands between. Over plain HTTP a cookie that wants
/// TLS would not be kept.
fn is_secure(headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    origin.is_some_and(|origin| origin.starts_with("https://"))
}

pub(super) fn agent(headers: &HeaderMap) -> Option<String> {
    headers.get(header::USER_AGENT)?.to_str().ok().map(str::to_owned)
}

pub(super) fn denied(error: &LoginError) -> Refusal {
    match error {
        LoginError::Wrong => Refusal::new(Code::LoginFailed, "The password is wrong, or none has been set."),
        LoginError::Throttled(wait) => {
            Refusal::new(Code::TooManyFailures, "Too many failed logins came from your address.")
                .retry_after(*wait)
        }
        LoginError::Busy => Refusal::new(Code::TooManyFailures, "Too many are logging in at the moment.")
            .retry_after(std::time::Duration::from_secs(1)),
        LoginError::Provider(error) => Refusal::new(Code::LoginFailed, sentence(&error.to_string())),
        LoginError::NotAdmitted(_) => Refusal::new(Code::InsufficientScope, sentence(&error.to_string())),
        LoginError::Operation(error) => refused(error),
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).chain(['.']).collect()
}
