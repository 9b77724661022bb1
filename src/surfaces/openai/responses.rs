//! `POST /v1/responses` and what belongs to it.

use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use openai::responses;

use crate::{
    engine::ports::Task,
    surfaces::{
        api::{Api, Question, not_a_request},
        front::Ids,
    },
};

pub(super) async fn create(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    api.serve(ids, request, async |visit| {
        let facts = responses::scan(&visit.body).map_err(|error| not_a_request(&error))?;
        api.answer(&visit, Question::new(Task::Generate, visit.body.clone(), facts)).await
    })
    .await
}
