//! The list of models, and one of them, in each vendor's shape.

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};

use super::problem::{Problem, Voice, json_response};

/// What `/models` shows when the script has no list.
const OWN: [&str; 2] = ["sim-large", "sim-small"];

/// When the simulator's models were made (Unix seconds, the beginning of 2026).
const CREATED: u64 = 1_767_225_600;

/// The same moment in words.
const CREATED_AT: &str = "2026-01-01T00:00:00Z";

fn model(id: &str, voice: Voice) -> Value {
    match voice {
        Voice::Openai => json!({"id": id, "object": "model", "created": CREATED, "owned_by": "simulator"}),
        Voice::Anthropic => {
            json!({"type": "model", "id": id, "display_name": id, "created_at": CREATED_AT})
        }
        Voice::Gemini => json!({
            "name": format!("models/{id}"),
            "baseModelId": id,
            "version": "001",
            "displayName": id,
            "description": "A simulated model",
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "countTokens", "embedContent"],
        }),
    }
}

/// All models, on one page.
pub(super) fn list(voice: Voice, models: Option<&[String]>) -> Response<Body> {
    let ids: Vec<&str> = match models {
        Some(models) => models.iter().map(String::as_str).collect(),
        None => OWN.into(),
    };
    let data: Vec<Value> = ids.iter().map(|id| model(id, voice)).collect();
    let list = match voice {
        Voice::Openai => json!({"object": "list", "data": data}),
        Voice::Anthropic => {
            json!({"data": data, "has_more": false, "first_id": ids.first(), "last_id": ids.last()})
        }
        Voice::Gemini => json!({"models": data}),
    };
    json_response(200, list.to_string())
}

/// One model; without a list every model is there.
pub(super) fn one(id: &str, voice: Voice, models: Option<&[String]>) -> Result<Response<Body>, Problem> {
    known(id, voice, models)?;
    Ok(json_response(200, model(id, voice).to_string()))
}

/// Refuses a model that is not on the list.
pub(super) fn known(id: &str, voice: Voice, models: Option<&[String]>) -> Result<(), Problem> {
    if models.is_none_or(|models| models.iter().any(|known| known == id)) {
        return Ok(());
    }
    let message = match voice {
        Voice::Openai => format!("The model `{id}` does not exist or you do not have access to it."),
        Voice::Anthropic => format!("model: {id}"),
        Voice::Gemini => format!(
            "models/{id} is not found for API version v1beta, or is not supported for generateContent. Call \
             ListModels to see the list of available models and their supported methods."
        ),
    };
    Err(Problem::new(404, message, "invalid_request_error", None, Some("model_not_found")))
}
