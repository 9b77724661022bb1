//! `GET …/models` and `GET …/models/{id}`: what can be asked for, in the shape that the client's SDK reads. The same
//! paths serve three of them; the headers that only one vendor's SDKs send tell them apart.

use axum::{
    Extension, Json, Router,
    extract::{Path, Request, State, rejection::PathRejection},
    response::{IntoResponse, Response},
    routing::get,
};
use canon::{Dialect, MODEL_LIMIT};
use openai::models::{Model, ModelList};
use operations::Scope;

use super::{api::Api, front::Ids, path, render};
use crate::engine::{caller::Caller, code::Code, need::Need, pipeline::Snapshot, policy, refusal::Refusal};

/// Who owns the virtual models.
const OWNER: &str = "trivium";

pub(super) fn routes(api: &Api) -> Router {
    let routes = Router::new().route("/models", get(list)).route("/models/{*id}", get(one));
    Router::new()
        .nest("/v1", routes.clone())
        .nest("/v1beta", routes.clone())
        .merge(routes)
        .with_state(api.clone())
}

async fn list(State(api): State<Api>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    let caller = match may_read(&api, &request) {
        Ok(caller) => caller,
        Err(refusal) => return render::refusal(&refusal, &ids, false),
    };
    let snapshot = api.engine.snapshot();
    let virtuals = snapshot.directory.virtuals().map(|id| (id, OWNER));
    let all = virtuals.chain(snapshot.directory.models());
    let open = all.filter(|(id, _)| api.engine.is_open_to(&caller, &snapshot, id));
    many(ids.dialect, open, seconds(&snapshot))
}

async fn one(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let found = may_read(&api, &request).and_then(|caller| {
        let id = path::text(id)?;
        // Gemini's SDKs ask for a resource's name.
        let id = id.strip_prefix("models/").map_or_else(|| id.clone(), str::to_owned);
        let owner = owner(&api, &caller, &id)?;
        Ok(single(ids.dialect, &id, &owner, seconds(&api.engine.snapshot())))
    });
    found.unwrap_or_else(|refusal| render::refusal(&refusal, &ids, false))
}

/// Who serves a model, if anybody does.
fn owner(api: &Api, caller: &Caller, id: &str) -> Result<String, Refusal> {
    let snapshot = api.engine.snapshot();
    if snapshot.directory.virtuals().any(|known| known == id) && api.engine.is_open_to(caller, &snapshot, id)
    {
        return Ok(OWNER.to_owned());
    }
    if id.len() > MODEL_LIMIT {
        let text = format!("A model's name has at most {MODEL_LIMIT} bytes.");
        return Err(Refusal::new(Code::InvalidParameter, text).about("model"));
    }
    // What can be asked for exists, whether it is listed or not: `groq/some-new-model`.
    let plan = api.engine.simulate(caller, id, Dialect::Chat, &Need::default())?;
    let target = plan.targets.first().or_else(|| plan.skipped.first().map(|skip| &skip.target));
    Ok(target.map_or(OWNER, |target| target.connection.provider.id.as_str()).to_owned())
}

fn many<'a>(dialect: Dialect, models: impl Iterator<Item = (&'a str, &'a str)>, created: i64) -> Response {
    match dialect {
        Dialect::Chat | Dialect::Responses => {
            let models = models.map(|(id, owner)| Model::new(id, created, owner));
            Json(ModelList::new(models.collect())).into_response()
        }
        Dialect::Messages => {
            let models = models.map(|(id, _)| anthropic::models::Model::new(id, id, created));
            Json(anthropic::models::ModelList::new(models.collect())).into_response()
        }
        Dialect::Gemini => {
            let models = models.map(|(id, _)| gemini::models::Model::new(id));
            Json(gemini::models::ModelList::new(models.collect())).into_response()
        }
    }
}

fn single(dialect: Dialect, id: &str, owner: &str, created: i64) -> Response {
    match dialect {
        Dialect::Chat | Dialect::Responses => Json(Model::new(id, created, owner)).into_response(),
        Dialect::Messages => Json(anthropic::models::Model::new(id, id, created)).into_response(),
        Dialect::Gemini => Json(gemini::models::Model::new(id)).into_response(),
    }
}

fn may_read(api: &Api, request: &Request) -> Result<Caller, Refusal> {
    let caller = api.identify.caller(request)?;
    policy::require(&caller, Scope::ReadModels).map(|()| caller)
}

fn seconds(snapshot: &Snapshot) -> i64 {
    snapshot.loaded_at / 1000
}
