//! `POST /v1/chat/completions`, and the two payloads that pass through beside it: legacy completions and embeddings.

use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use canon::{Facts, ScanError};
use openai::{chat, completions, embeddings};

use crate::{
    engine::ports::Task,
    surfaces::{
        api::{Api, Question, not_a_request},
        front::Ids,
    },
};

pub(super) async fn complete(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    pass(&api, ids, request, Task::Generate, chat::scan).await
}

pub(super) async fn complete_text(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    pass(&api, ids, request, Task::Complete, completions::scan).await
}

pub(super) async fn embed(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    pass(&api, ids, request, Task::Embed, embeddings::scan).await
}

async fn pass(
    api: &Api,
    ids: Ids,
    request: Request,
    task: Task,
    scan: fn(&[u8]) -> Result<Facts, ScanError>,
) -> Response {
    api.serve(ids, request, async |visit| {
        let body: Bytes = visit.body.clone();
        let facts = scan(&body).map_err(|error| not_a_request(&error))?;
        api.answer(&visit, Question::new(task, body, facts)).await
    })
    .await
}
