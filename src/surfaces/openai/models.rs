//! `GET /v1/models` and `GET /v1/models/{id}`: what can be asked for.

use axum::{
    Extension, Json,
    extract::{Path, Request, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use canon::{Dialect, MODEL_LIMIT};
use openai::models::{Model, ModelList};
use operations::Scope;

use super::OpenAi;
use crate::{
    engine::{code::Code, pipeline::Snapshot, plan::VIRTUAL_MODELS, policy, refusal::Refusal},
    surfaces::{front::Ids, path, render},
};

/// Who owns the virtual models.
const OWNER: &str = "trivium";

pub(super) async fn list(
    State(api): State<OpenAi>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    if let Err(refusal) = may_read(&api, &request) {
        return render::refusal(&refusal, &ids, false);
    }
    let snapshot = api.engine.snapshot();
    let created = seconds(&snapshot);
    let virtuals = VIRTUAL_MODELS.iter().map(|id| Model::new(id, created, OWNER));
    let real = snapshot.directory.models().map(|(id, provider)| Model::new(id, created, provider));
    Json(ModelList::new(virtuals.chain(real).collect())).into_response()
}

pub(super) async fn one(
    State(api): State<OpenAi>,
    Extension(ids): Extension<Ids>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    match may_read(&api, &request).and_then(|()| find(&api, &path::text(id)?)) {
        Ok(response) => response,
        Err(refusal) => render::refusal(&refusal, &ids, false),
    }
}

fn find(api: &OpenAi, id: &str) -> Result<Response, Refusal> {
    let snapshot = api.engine.snapshot();
    let created = seconds(&snapshot);
    if VIRTUAL_MODELS.contains(&id) {
        return Ok(Json(Model::new(id, created, OWNER)).into_response());
    }
    if id.len() > MODEL_LIMIT {
        let text = format!("A model's name has at most {MODEL_LIMIT} bytes.");
        return Err(Refusal::new(Code::InvalidParameter, text).about("model"));
    }
    // What can be asked for exists, whether it is listed or not: `groq/some-new-model`.
    let plan = api.engine.simulate(id, Dialect::Chat)?;
    let target = plan.targets.first().or_else(|| plan.skipped.first().map(|skip| &skip.target));
    let owner = target.map_or(OWNER, |target| target.connection.provider.id.as_str());
    Ok(Json(Model::new(id, created, owner)).into_response())
}

fn may_read(api: &OpenAi, request: &Request) -> Result<(), Refusal> {
    policy::require(&api.identify.caller(request)?, Scope::ReadModels)
}

fn seconds(snapshot: &Snapshot) -> i64 {
    snapshot.loaded_at / 1000
}
