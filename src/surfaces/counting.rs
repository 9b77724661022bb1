//! Token counts: the provider's where it can count, else an estimate that says so.

use axum::response::{IntoResponse, Response};
use canon::{DecodeError, Turn, tokens};
use http::{HeaderName, HeaderValue};
use serde::Serialize;

use super::api::{Api, Question, Visit, not_understood};
use crate::engine::{code::Code, refusal::Refusal};

/// Says that a count was estimated.
const COUNT: HeaderName = HeaderName::from_static("x-trivium-token-count");

/// Has `question` counted. Where nobody can, the tokens of `turn` are estimated and put into an answer by `write`.
pub(super) async fn answer<Answer: Serialize>(
    api: &Api,
    visit: &Visit,
    question: Question,
    turn: impl FnOnce() -> Result<Turn, DecodeError>,
    write: impl FnOnce(u64) -> Answer,
) -> Result<Response, Refusal> {
    let refusal = match api.answer(visit, question).await {
        Ok(response) => return Ok(response),
        Err(refusal) => refusal,
    };
    if !can_be_estimated(&refusal) {
        return Err(refusal);
    }
    let turn = turn().map_err(|error| not_understood(&error))?;
    let mut response = axum::Json(write(tokens::in_turn(&turn))).into_response();
    response.headers_mut().insert(COUNT, HeaderValue::from_static("estimate"));
    Ok(response)
}

/// Whether a refusal says that nobody can count now, and not that the request is wrong.
fn can_be_estimated(refusal: &Refusal) -> bool {
    match refusal.code {
        Code::NotSupported
        | Code::AllCoolingDown
        | Code::AllFailed
        | Code::RateLimited
        | Code::DeadlineExceeded => true,
        // The provider does not know this way of asking.
        Code::UpstreamRefused => matches!(refusal.status(), 404 | 405 | 501),
        _ => false,
    }
}
