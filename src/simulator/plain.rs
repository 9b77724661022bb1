//! What is answered at once and costs nothing: models, counts of tokens, stored responses.

use axum::body::Body;
use axum::http::Response;
use serde_json::json;

use super::fault::Fault;
use super::gemini::GenerateRequest;
use super::messages::MessagesRequest;
use super::problem::{Problem, json_response};
use super::receive::{Visit, unknown_url};
use super::responses::{ResponsesRequest, stored};
use super::route::{Count, Route};
use super::script::Behaviour;
use super::speech::{Context, Speech as _};
use super::{Simulator, models};

impl Simulator {
    /// Answers what no limit counts.
    pub(super) fn at_once(&self, visit: &Visit, body: &[u8]) -> Result<Response<Body>, Problem> {
        let (key, behaviour) = self.known_key(&visit.parts, visit.voice)?;
        if let Some(code) = always_refused(&behaviour)
            && (matches!(code, 401 | 403) || matches!(visit.route, Route::Count(_)))
        {
            return Err(Problem::of_status(code, visit.voice));
        }
        let script = self.world.script();
        let models = script.models.as_deref();
        match &visit.route {
            Route::Models => Ok(models::list(visit.voice, models)),
            Route::Model(id) => models::one(id, visit.voice, models),
            Route::Count(count) => self.counted(count, body, &key, &behaviour, visit),
            Route::Stored { id, wanted } => {
                let ascending = visit.parts.uri.query().is_some_and(|query| query.contains("order=asc"));
                let mut memory = self.world.memory();
                let answer = stored::answer(&mut memory, &key, id, *wanted, &visit.parts.method, ascending)?;
                Ok(json_response(200, answer.to_string()))
            }
            _ => Err(unknown_url(&visit.parts)),
        }
    }

    fn counted(
        &self,
        count: &Count,
        body: &[u8],
        key: &str,
        behaviour: &Behaviour,
        visit: &Visit,
    ) -> Result<Response<Body>, Problem> {
        let context = Context { key, behaviour, betas: visit.betas(), memory: &self.world.memory };
        let answer = match count {
            Count::Messages => {
                let read = MessagesRequest::read_to_count(body, &context)?;
                json!({"input_tokens": read.ask().prompt_tokens()})
            }
            Count::Gemini(model) => {
                let read = GenerateRequest::read_to_count(body, model, &context)?;
                let tokens = read.ask().prompt_tokens();
                let details = json!([{"modality": "TEXT", "tokenCount": tokens}]);
                json!({"totalTokens": tokens, "promptTokensDetails": details})
            }
            Count::Responses => {
                let read = ResponsesRequest::read(body, &context)?;
                json!({"object": "response.input_tokens", "input_tokens": read.ask().prompt_tokens()})
            }
        };
        Ok(json_response(200, answer.to_string()))
    }
}

/// The status with which a key is refused from the first request to the last.
fn always_refused(behaviour: &Behaviour) -> Option<u16> {
    behaviour.faults.iter().filter(|rule| rule.is_constant()).find_map(|rule| match rule.fault {
        Fault::Status { code, .. } => Some(code),
        _ => None,
    })
}
