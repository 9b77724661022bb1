//! `POST /v1/responses/compact`: a conversation made shorter, by a provider that can, and else by the hub, which has
//! the model write a summary and says so.

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use canon::{Dialect, Facts};
use http::{HeaderName, HeaderValue};
use openai::responses::{self, compaction};

use super::{question, scan};
use crate::{
    engine::{caller::Caller, code::Code, need::Need, pipeline::Keeper, ports::Task, refusal::Refusal},
    surfaces::{
        api::{Api, Question, Visit, not_understood},
        delivery,
        front::Ids,
    },
};

/// Says who made a compaction that no provider made.
const MADE_BY: HeaderName = HeaderName::from_static("x-trivium-compaction");

pub(in super::super) async fn compact(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    api.serve(ids, request, async |visit| {
        let Question { body, facts, pin, headers, .. } = question(&api, &visit).await?;
        // There is nothing that would stream.
        let facts = Facts { stream: false, ..facts };
        if can_forward(&api, &visit.caller, &facts) {
            let pin = pin.clone();
            let forwarded = Question { pin, headers, ..Question::new(Task::Compact, body.clone(), facts) };
            match api.answer(&visit, forwarded).await {
                Err(refusal) if is_unknown_there(&refusal) => {}
                other => return other,
            }
        }
        summarise(&api, &visit, &body, pin).await
    })
    .await
}

/// Whether somebody who serves the model speaks the dialect, be it only later. What else there is to say of the model
/// is said when it is asked.
fn can_forward(api: &Api, caller: &Caller, facts: &Facts) -> bool {
    api.engine.simulate(caller, &facts.model, Dialect::Responses, &Need::default()).is_ok_and(|plan| {
        let skipped = plan.skipped.iter().map(|skip| &skip.target);
        plan.targets.iter().chain(skipped).any(|target| target.dialect == Dialect::Responses)
    })
}

/// Whether a provider has no such thing.
fn is_unknown_there(refusal: &Refusal) -> bool {
    refusal.code == Code::UpstreamRefused && matches!(refusal.upstream_status, Some(404 | 405))
        || refusal.code == Code::NotSupported
}

async fn summarise(api: &Api, visit: &Visit, body: &[u8], pin: Option<Keeper>) -> Result<Response, Refusal> {
    let input = responses::input_items(body).map_err(|error| not_understood(&error))?;
    let request: Bytes = compaction::in_other_words(body).map_err(|error| not_understood(&error))?.into();
    let facts = scan(&request)?;
    let question = Question { pin, ..Question::new(Task::Generate, request, facts) };
    let (reply, headers) = api.ask(visit, question).await?;
    let answer = delivery::whole(reply.pieces).await?;
    let object = compaction::object(input, &answer, &visit.ids.own).ok_or_else(|| {
        Refusal::new(Code::AllFailed, "The model was asked for a summary of the conversation and wrote none.")
    })?;
    let mut response = delivery::json(Body::from(object));
    response.headers_mut().extend(headers);
    response.headers_mut().insert(MADE_BY, HeaderValue::from_static("hub"));
    Ok(response)
}
