//! `POST /v1/messages` and `POST /v1/messages/count_tokens`.

use anthropic::{count_tokens as counter, messages};
use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use http::{HeaderMap, HeaderName};

use crate::{
    engine::ports::Task,
    surfaces::{
        api::{Api, Question, not_a_request},
        counting,
        front::Ids,
    },
};

/// Headers that say which version and which unfinished features of the API a client means.
const FORWARDED: [HeaderName; 2] =
    [HeaderName::from_static("anthropic-version"), HeaderName::from_static("anthropic-beta")];

pub(super) async fn create(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    api.serve(ids, request, async |visit| {
        let facts = messages::scan(&visit.body).map_err(|error| not_a_request(&error))?;
        let mut question = Question::new(Task::Generate, visit.body.clone(), facts);
        question.headers = forwarded(&visit.parts.headers);
        api.answer(&visit, question).await
    })
    .await
}

pub(super) async fn count_tokens(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    api.serve(ids, request, async |visit| {
        let facts = counter::scan(&visit.body).map_err(|error| not_a_request(&error))?;
        let mut question = Question::new(Task::CountTokens, visit.body.clone(), facts);
        question.headers = forwarded(&visit.parts.headers);
        let turn = || messages::decode(&visit.body);
        counting::answer(&api, &visit, question, turn, |input_tokens| counter::Count { input_tokens }).await
    })
    .await
}

fn forwarded(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for name in FORWARDED {
        for value in headers.get_all(&name) {
            kept.append(name.clone(), value.clone());
        }
    }
    kept
}
