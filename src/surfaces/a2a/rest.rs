//! HTTP+JSON: the same operations of 1.0 as paths, with HTTP's own statuses. No envelope, so what fails is told in the body of
//! the status.

use a2a::{Code, Failure, Version, rest};
use axum::{
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    super::front::Ids,
    REST,
    door::{Closed, Door, Entered, allow, json},
    parts, stream,
};

const JSON: &str = "application/json";

/// A request below the address.
pub(super) async fn enter(State(door): State<Door>, ids: axum::Extension<Ids>, request: Request) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let answer = |entered| async {
        let path = uri.path().strip_prefix(REST).unwrap_or_default();
        match rest::route(method.as_str(), path) {
            Ok(route) => {
                call(&door, entered, &route, uri.query()).await.unwrap_or_else(|failure| failed(&failure))
            }
            Err(nothing) => {
                let (status, body, methods) = nothing.to_http();
                let mut response = json(status, JSON, body.to_string());
                if let Some(methods) = methods {
                    allow(&mut response, &methods);
                }
                response
            }
        }
    };
    door.enter(&ids, request, closed, answer).await
}

async fn call(
    door: &Door,
    entered: Entered,
    route: &rest::Route,
    query: Option<&str>,
) -> Result<Response, Failure> {
    // The address says the version; a client that says nothing means that one.
    if let Some(said) = entered.version(query)
        && Version::of_header(Some(&*said))? != Version::V1
    {
        return Err(Failure::new(Code::VersionNotSupported, "This address speaks A2A 1.0"));
    }
    if !entered.is_json() {
        let words = format!("The body must be of the type `{}` or `{JSON}`", rest::CONTENT_TYPE);
        return Err(Failure::new(Code::ContentTypeNotSupported, words));
    }
    let kind = entered.answered_in();
    let params = parts::checked(rest::request(route, query, body(&entered.body)?)?.params)?;
    if params.operation().is_streaming() {
        let events = door.agent.stream(&entered.visitor, Version::V1, params).await?;
        return Ok(entered.standing(stream::response(events, door.keep_alive, rest::event)));
    }
    let reply = door.agent.answer(&entered.visitor, Version::V1, params).await?;
    Ok(json(200, kind, rest::reply(&reply).to_string()))
}

fn body(bytes: &Bytes) -> Result<Option<Value>, Failure> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let read = serde_json::from_slice(bytes);
    read.map(Some).map_err(|error| Failure::new(Code::Parse, format!("{}: {error}", Code::Parse.words())))
}

fn failed(failure: &Failure) -> Response {
    let (status, body) = rest::error(failure);
    json(status, JSON, body.to_string())
}

fn closed(why: &Closed) -> Bytes {
    let (status, reason) = match why {
        Closed::Off => (503, "a2a_disabled"),
        Closed::Refused(refusal) => (refusal.status(), refusal.code.as_str()),
    };
    let word = match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        413 | 400 | 408 => "INVALID_ARGUMENT",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    };
    let info =
        json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "trivium"});
    let error = json!({"code": status, "status": word, "message": why.words(), "details": [info]});
    json!({ "error": error }).to_string().into()
}
