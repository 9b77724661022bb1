//! Keeps what a client wants kept: the whole response where the hub made it, and where it is where a provider has it.

use std::sync::{Arc, OnceLock};

use async_stream::stream;
use bytes::Bytes;
use canon::{Dialect, scan as pick, sse};
use futures_util::StreamExt;
use openai::responses;
use serde_json::{Value, value::RawValue};

use super::wants_kept;
use crate::{
    engine::{
        caller::Caller,
        pipeline::{Piece, Pieces, Served},
        refusal::Refusal,
    },
    observe::events,
    ops::responses::{Kept, Responses},
    surfaces::api::{Api, Question, Visit, not_understood},
};

/// What is to be kept of one request.
pub(super) struct Keep {
    responses: Arc<Responses>,
    caller: Caller,
    /// Whether the client wants it.
    wanted: bool,
    /// What the hub keeps, where it does: the request's own input, and what it goes on from.
    here: Option<(Vec<Value>, Option<String>)>,
}

impl Keep {
    /// What a request wants kept, and whether the hub can.
    pub(super) fn of(api: &Api, visit: &Visit, question: &Question) -> Result<Self, Refusal> {
        let wanted = wants_kept(&visit.body)?;
        let here = if wanted && question.keeps {
            let input = responses::input_items(&visit.body).map_err(|error| not_understood(&error))?;
            let previous = responses::scan(&visit.body).ok().and_then(|facts| facts.continues);
            Some((input, previous))
        } else {
            None
        };
        Ok(Self { responses: Arc::clone(&api.responses), caller: visit.caller.clone(), wanted, here })
    }

    /// Keeps a unary answer. It is kept before it is given, so that nobody can ask for it too early.
    pub(super) async fn whole(mut self, body: &Bytes, served: &OnceLock<Served>) {
        let Some(served) = served.get().filter(|_| self.wanted) else { return };
        if served.dialect == Dialect::Responses {
            if let Some(id) = id_of(body) {
                self.locate(&id, served);
            }
            return;
        }
        if let Ok(response) = serde_json::from_slice(body) {
            self.keep(response).await;
        }
    }

    /// The same pieces, kept on their way: where a response is as soon as its id is seen, the whole response before
    /// its last event goes out.
    pub(super) fn stream(mut self, mut pieces: Pieces, served: Arc<OnceLock<Served>>) -> Pieces {
        if !self.wanted {
            return pieces;
        }
        Box::pin(stream! {
            let mut splitter = sse::Splitter::default();
            let mut located = false;
            while let Some(piece) = pieces.next().await {
                if let (Piece::Bytes(bytes), Some(served)) = (&piece, served.get()) {
                    let native = served.dialect == Dialect::Responses;
                    if !native || !located {
                        splitter.push(bytes.clone());
                    }
                    while let Some(event) = splitter.next_event() {
                        if native && !located {
                            located = self.note(&event, served);
                        } else if let Some(response) = responses::completed_response(&event).filter(|_| !native) {
                            self.keep(response).await;
                        }
                    }
                }
                yield piece;
            }
        })
    }

    /// Notes where a response is, if this event names it.
    fn note(&self, event: &[u8], served: &Served) -> bool {
        let Some(data) = sse::data(event) else { return false };
        let response = pick::text(&data).and_then(|text| pick::fields(text, ["response"]));
        let Ok([Some(response)]) = response else { return false };
        let Some(id) = id_of(response.get().as_bytes()) else { return false };
        self.locate(&id, served);
        true
    }

    fn locate(&self, id: &str, served: &Served) {
        self.responses.locate(&self.caller, id, &served.connection, served.fingerprint);
    }

    async fn keep(&mut self, response: Value) {
        let Some((input, previous)) = self.here.take() else { return };
        let Some(id) = response.get("id").and_then(Value::as_str).map(str::to_owned) else { return };
        let kept = Kept { id, previous, input, response };
        // The client paid for the answer: that it could not be kept is no reason to take it away.
        if let Err(error) = self.responses.keep(&self.caller, kept).await {
            events::response_not_kept(&error.to_string());
        }
    }
}

/// The id of a response object.
fn id_of(object: &[u8]) -> Option<String> {
    let [id] = pick::text(object).and_then(|text| pick::fields(text, ["id"])).ok()?;
    serde_json::from_str(id.map(RawValue::get)?).ok()
}
