//! Token counts: the provider's where it can count, else an estimate that says so.

use axum::response::{IntoResponse, Response};
use canon::{DecodeError, Turn, tokens};
use http::{HeaderName, HeaderValue};
use operations::Scope;
use serde::Serialize;

use super::api::{Api, Question, Visit, not_understood};
use crate::engine::{code::Code, need::Need, policy, refusal::Refusal};

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
    policy::require(&visit.caller, Scope::ExecuteCompletions)?;
    let mut ticket = None;
    if somebody_counts(api, visit, &question)? {
        let refusal = match api.answer(visit, question).await {
            Ok(response) => return Ok(response),
            Err(refusal) => refusal,
        };
        if !can_be_estimated(&refusal) {
            return Err(refusal);
        }
    } else {
        // An estimate is counted as a request of its caller, too.
        let model = &question.facts.model;
        ticket = api.engine.let_in_again(&visit.caller, model, visit.ids.dialect, false)?;
    }
    let turn = turn().map_err(|error| not_understood(&error))?;
    let mut response = axum::Json(write(tokens::in_turn(&turn))).into_response();
    drop(ticket);
    response.headers_mut().insert(COUNT, HeaderValue::from_static("estimate"));
    Ok(response)
}

/// Whether any target of the model speaks the client's dialect: an estimate is no request, and has no receipt.
fn somebody_counts(api: &Api, visit: &Visit, question: &Question) -> Result<bool, Refusal> {
    let plan =
        api.engine.simulate(&visit.caller, &question.facts.model, visit.ids.dialect, &Need::default())?;
    Ok(plan.targets.iter().any(|target| target.dialect == visit.ids.dialect))
}

/// Whether a refusal says that nobody can count now, and not that the request is wrong, or its caller over its limits.
fn can_be_estimated(refusal: &Refusal) -> bool {
    refusal.rate.is_none()
        && matches!(
            refusal.code,
            Code::NotSupported
                | Code::ModelNotFound
                | Code::AllCoolingDown
                | Code::AllFailed
                | Code::RateLimited
                | Code::DeadlineExceeded
        )
}
