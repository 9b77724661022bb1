//! Refusals as answers: the one place where a code of the table becomes an error in the shape of the client's dialect.

mod details;
mod rate;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use canon::{Asked, Dialect};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

pub(super) use self::{details::whole_seconds, rate::rate};

use self::details::Details;
use super::front::Ids;
use crate::engine::refusal::Refusal;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An error answer. `topology` says whether the caller may see which connections there are.
pub(super) fn refusal(refusal: &Refusal, ids: &Ids, topology: bool) -> Response {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(body(refusal, ids, topology)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    if let Some(wait) = refusal.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    if let Some(told) = &refusal.rate {
        rate(headers, told);
    }
    if refusal.status() == 401 {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if matches!(refusal.status(), 401 | 403 | 404) {
        // What OpenAI's and Anthropic's clients go by. Without it Claude Code repeats a request with a wrong key ten
        // times over three minutes before it says so.
        headers.insert(HeaderName::from_static("x-should-retry"), HeaderValue::from_static("false"));
    }
    if let Some(attempts) = u64::try_from(refusal.attempts.len()).ok().filter(|&attempts| attempts > 0) {
        headers.insert(HeaderName::from_static("x-gateway-attempts"), HeaderValue::from(attempts));
    }
    response
}

/// The event that tells in a stream that its answer broke. `sent` is how many events went before it, for the
/// dialect that numbers them.
pub(super) fn event(refusal: &Refusal, ids: &Ids, topology: bool, sent: u64) -> Bytes {
    let message = message(refusal);
    match ids.dialect {
        Dialect::Responses if refusal.passed_on.is_none() => {
            let code = refusal.code.as_str();
            let asked = Asked { id: ids.own.to_string(), ..Asked::default() };
            return openai::responses::failed(&asked, sent, code, &message).into();
        }
        Dialect::Messages if refusal.passed_on.is_none() => {
            return messages_error(refusal, ids, topology, &message).event().into();
        }
        Dialect::Chat | Dialect::Responses | Dialect::Messages | Dialect::Gemini => {}
    }
    let body = body(refusal, ids, topology);
    let read = serde_json::from_slice::<serde_json::Value>(&body);
    let name = match (ids.dialect, &read) {
        (Dialect::Messages, _) => "event: error\n".to_owned(),
        (Dialect::Responses, Ok(read)) => {
            format!("event: {}\n", read.get("type").and_then(serde_json::Value::as_str).unwrap_or("error"))
        }
        _ => String::new(),
    };
    // A provider's own words may be spread over several lines, which would end the event.
    let one_line = read.and_then(|value| serde_json::to_vec(&value));
    // Google itself writes an error bare between the events. Its SDKs take both; bare, those for JavaScript miss it where
    // it comes together with what went before.
    [name.as_bytes(), b"data: ", one_line.as_deref().unwrap_or(&body), b"\n\n"].concat().into()
}

/// The body alone.
pub(super) fn body(refusal: &Refusal, ids: &Ids, topology: bool) -> Bytes {
    if let Some(answer) = &refusal.passed_on {
        return answer.body.clone();
    }
    let message = message(refusal);
    match ids.dialect {
        Dialect::Chat | Dialect::Responses => written(&openai::fault::ErrorBody {
            error: openai::fault::ErrorObject {
                message: &message,
                kind: openai::fault::kind_of(refusal.status()),
                param: refusal.param,
                code: refusal.code.as_str(),
                details: Details::of(refusal, ids, topology),
            },
        }),
        Dialect::Messages => written(&messages_error(refusal, ids, topology, &message)),
        Dialect::Gemini => written(&gemini::fault::ErrorBody {
            error: gemini::fault::ErrorObject {
                code: refusal.status(),
                message: &message,
                status: gemini::fault::status_of(refusal.status()),
                details: Waiting::of(refusal, Coded::of(refusal, ids, topology)),
            },
        }),
    }
}

/// The hub's code among the details, where the dialect has no field for it.
#[derive(Serialize)]
struct Coded<'a> {
    reason: &'a str,
    #[serde(flatten)]
    details: Details<'a>,
}

impl<'a> Coded<'a> {
    fn of(refusal: &'a Refusal, ids: &'a Ids, topology: bool) -> Self {
        Self { reason: refusal.code.as_str(), details: Details::of(refusal, ids, topology) }
    }
}

/// When to come back, in the place where Google's clients look for it.
#[derive(Serialize)]
struct Waiting<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<[RetryInfo; 1]>,
    #[serde(flatten)]
    coded: Coded<'a>,
}

#[derive(Serialize)]
struct RetryInfo {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(rename = "retryDelay")]
    delay: String,
}

impl<'a> Waiting<'a> {
    fn of(refusal: &Refusal, coded: Coded<'a>) -> Self {
        let info = |wait| RetryInfo {
            kind: "type.googleapis.com/google.rpc.RetryInfo",
            delay: format!("{}s", whole_seconds(wait)),
        };
        Self { details: refusal.retry_after.map(|wait| [info(wait)]), coded }
    }
}

fn messages_error<'a>(
    refusal: &'a Refusal,
    ids: &'a Ids,
    topology: bool,
    message: &'a str,
) -> anthropic::fault::ErrorBody<'a, Coded<'a>> {
    let details = Coded::of(refusal, ids, topology);
    anthropic::fault::ErrorBody::new(refusal.status(), message, details, Some(&ids.own))
}

/// What happened, why, and what to do next.
fn message(refusal: &Refusal) -> String {
    match refusal.code.remedy() {
        "" => refusal.message.to_string(),
        remedy => format!("{} {remedy}", refusal.message),
    }
}

/// Strings and numbers always serialise; the fallback is for the type's sake.
fn written(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).unwrap_or_else(|_| br#"{"error":{}}"#.to_vec()).into()
}
