//! The simulator's own addresses: its log, its counts, and its script at run time. They need no key and are not logged.

use axum::body::Body;
use axum::http::{Method, Response};
use serde::{Deserialize, Serialize};

use super::Simulator;
use super::problem::{Problem, Voice, json_response};
use super::route::Route;
use super::script::Behaviour;

/// The body of `POST /__script`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replacement {
    /// The key; without it, the default is replaced.
    #[serde(default)]
    key: Option<String>,
    behaviour: Behaviour,
}

#[derive(Serialize)]
struct Done {
    ok: bool,
}

/// Answers a request to one of the simulator's own addresses.
pub(super) fn answer(simulator: &Simulator, route: &Route, method: &Method, body: &[u8]) -> Response<Body> {
    match route {
        Route::Log if method == Method::DELETE => {
            simulator.clear_log();
            json(&Done { ok: true })
        }
        Route::Log => json(&simulator.log()),
        Route::Stats => json(&simulator.stats()),
        _ => match serde_json::from_slice::<Replacement>(body) {
            Ok(Replacement { key, behaviour }) => {
                simulator.set_behaviour(key.as_deref(), behaviour);
                json(&Done { ok: true })
            }
            Err(error) => {
                Problem::invalid(format!("The script is not valid: {error}")).response(Voice::Openai)
            }
        },
    }
}

fn json<T: Serialize>(value: &T) -> Response<Body> {
    json_response(200, serde_json::to_string(value).unwrap_or_default())
}
