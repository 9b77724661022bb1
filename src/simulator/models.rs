//! The list of models, and one of them.

use axum::body::Body;
use axum::http::Response;
use serde::Serialize;

use super::problem::{Problem, json_response};

/// What `/models` shows when the script has no list.
const OWN: [&str; 2] = ["sim-large", "sim-small"];

/// When the simulator's models were made (Unix seconds, the beginning of 2026).
const CREATED: u64 = 1_767_225_600;

#[derive(Serialize)]
struct Model<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Model<'a>>,
}

fn model(id: &str) -> Model<'_> {
    Model { id, object: "model", created: CREATED, owned_by: "simulator" }
}

/// All models.
pub(super) fn list(models: Option<&[String]>) -> Response<Body> {
    let data = match models {
        Some(models) => models.iter().map(|id| model(id)).collect(),
        None => OWN.map(model).into(),
    };
    json_response(200, serde_json::to_string(&List { object: "list", data }).unwrap_or_default())
}

/// One model; without a list every model is there.
pub(super) fn one(id: &str, models: Option<&[String]>) -> Result<Response<Body>, Problem> {
    known(id, models)?;
    Ok(json_response(200, serde_json::to_string(&model(id)).unwrap_or_default()))
}

/// Refuses a model that is not on the list.
pub(super) fn known(id: &str, models: Option<&[String]>) -> Result<(), Problem> {
    if models.is_none_or(|models| models.iter().any(|known| known == id)) {
        return Ok(());
    }
    Err(Problem::new(
        404,
        format!("The model `{id}` does not exist or you do not have access to it."),
        "invalid_request_error",
        None,
        Some("model_not_found"),
    ))
}
