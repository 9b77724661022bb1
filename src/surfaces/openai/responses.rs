//! `POST /v1/responses` and what belongs to it: the responses that are kept, at a provider or here.

mod compact;
mod keep;
mod kept;
mod socket;

pub(super) use compact::compact;
pub(super) use kept::{cancel, delete, input_items, retrieve};
pub(super) use socket::open;

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use canon::{Dialect, Facts, scan as pick};
use http::{HeaderMap, HeaderName};
use openai::responses;
use serde_json::json;

use crate::{
    engine::{code::Code, need::Need, pipeline::Keeper, ports::Task, refusal::Refusal},
    ops::responses::Found,
    surfaces::{
        api::{Api, Question, Visit, not_a_request, not_understood},
        counting,
        delivery::{self, Form},
        front::Ids,
        operation::refused,
    },
};

/// Says which unfinished features of the API a client means.
const FORWARDED: HeaderName = HeaderName::from_static("openai-beta");

pub(super) async fn create(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    api.serve(ids, request, async |visit| respond(&api, visit).await).await
}

/// A request that is ready to be asked.
struct Prepared {
    question: Question,
    keep: keep::Keep,
}

async fn prepare(api: &Api, visit: &Visit) -> Result<Prepared, Refusal> {
    let mut question = question(api, visit).await?;
    question.keeps = api.responses.keeps() && wants_kept(&visit.body)?;
    let keep = keep::Keep::of(api, visit, &question)?;
    Ok(Prepared { question, keep })
}

pub(super) async fn input_tokens(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    api.serve(ids, request, async |visit| {
        let mut question = question(&api, &visit).await?;
        question.task = Task::CountTokens;
        question.facts.stream = false;
        let body = question.body.clone();
        let count = |input_tokens| json!({"object": "response.input_tokens", "input_tokens": input_tokens});
        counting::answer(&api, &visit, question, || responses::decode(&body), count).await
    })
    .await
}

async fn respond(api: &Api, visit: Visit) -> Result<Response, Refusal> {
    let Prepared { question, keep } = prepare(api, &visit).await?;
    let stream = question.facts.stream;
    let (reply, headers) = api.ask(&visit, question).await?;
    let (served, topology) = (reply.served, visit.topology());
    let mut response = if stream {
        let pieces = keep.stream(reply.pieces, served);
        delivery::streamed(pieces, visit.ids, topology, Form::Events)
    } else {
        let whole = delivery::whole(reply.pieces).await?;
        keep.whole(&whole, &served).await;
        delivery::json(Body::from(whole))
    };
    response.headers_mut().extend(headers);
    Ok(response)
}

/// The request, and where it has to go if it goes on from an earlier response.
async fn question(api: &Api, visit: &Visit) -> Result<Question, Refusal> {
    let facts = scan(&visit.body)?;
    let Some(previous) = facts.continues.clone() else {
        return Ok(asked(visit, visit.body.clone(), facts, None));
    };
    let found = api.responses.find(&visit.caller, &previous).await.map_err(|error| refused(&error))?;
    match found {
        // The hub has the conversation: it is put in place of its name, so that any target can go on.
        Some(Found::Here(_)) => {
            // Before the work of putting it together: whether anybody could go on from it.
            api.engine.simulate(&visit.caller, &facts.model, Dialect::Responses, &Need::default())?;
            let earlier = api.responses.chain(&visit.caller, &previous).await;
            let earlier = earlier.map_err(|error| refused(&error))?.unwrap_or_default();
            let body =
                responses::with_history(&visit.body, earlier).map_err(|error| not_understood(&error))?;
            // The answer says what it went on from, though the request that goes out does not.
            let facts = Facts { continues: Some(previous), ..scan(&body)? };
            Ok(asked(visit, body.into(), facts, None))
        }
        Some(Found::At(pin)) => Ok(asked(visit, visit.body.clone(), facts, Some(pin))),
        None => {
            let text = format!("The response `{previous}` is not known here, or not yours.");
            Err(Refusal::new(Code::PreviousResponseNotFound, text).about("previous_response_id"))
        }
    }
}

fn asked(visit: &Visit, body: Bytes, facts: Facts, pin: Option<Keeper>) -> Question {
    let mut headers = HeaderMap::new();
    if let Some(value) = visit.parts.headers.get(&FORWARDED) {
        headers.insert(FORWARDED, value.clone());
    }
    Question { headers, pin, ..Question::new(Task::Generate, body, facts) }
}

fn scan(body: &[u8]) -> Result<Facts, Refusal> {
    responses::scan(body).map_err(|error| not_a_request(&error))
}

/// Whether the client wants the response kept. It does unless it says otherwise.
fn wants_kept(body: &[u8]) -> Result<bool, Refusal> {
    let store = pick::text(body).and_then(|text| pick::fields(text, ["store"]));
    let [store] = store.map_err(|error| not_a_request(&error))?;
    Ok(store.is_none_or(|raw| raw.get() != "false"))
}
