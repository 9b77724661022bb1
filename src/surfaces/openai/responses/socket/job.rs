//! One response of a socket, from its request to its last event.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use canon::{
    Asked, Dialect, Event, Stop as Reason, Usage,
    sse::{self, Splitter},
};
use futures_util::StreamExt;
use http::{HeaderMap, Request};
use openai::responses;
use operations::Scope;
use serde_json::{Value, value::RawValue};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::{
    super::{Prepared, prepare, wants_kept},
    create::{self, Create},
    frame,
    memory::{Before, Memory},
};
use crate::{
    engine::{
        caller::Caller,
        code::Code,
        need::Need,
        pipeline::{Piece, Pieces, Served},
        policy,
        refusal::Refusal,
    },
    surfaces::{
        api::{Api, Visit, not_understood},
        front::Ids,
        render,
    },
};

/// A request that is let in.
pub(super) struct Job {
    pub(super) api: Api,
    pub(super) caller: Caller,
    pub(super) ids: Ids,
    pub(super) headers: HeaderMap,
    pub(super) memory: Arc<Mutex<Memory>>,
    pub(super) text: Utf8Bytes,
    pub(super) lane: Option<String>,
}

/// What ends the work on a request early.
enum Stop {
    Refused(Box<Refusal>),
    /// The socket is gone, and with it whoever would read on.
    Gone,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// Where the events of a response go.
struct Outlet {
    queue: mpsc::Sender<Message>,
    ids: Ids,
    lane: Option<String>,
    topology: bool,
    /// Events that went out.
    sent: u64,
}

impl Job {
    /// Works on the request until its last event is in the queue.
    pub(super) async fn run(self, queue: mpsc::Sender<Message>) {
        let mut outlet = Outlet {
            queue,
            ids: self.ids.clone(),
            lane: self.lane.clone(),
            topology: self.caller.may(Scope::ReadHealth),
            sent: 0,
        };
        if let Err(Stop::Refused(refusal)) = self.answer(&mut outlet).await {
            let error = frame::error(&refusal, &outlet.ids, outlet.topology, outlet.lane.as_deref());
            drop(outlet.queue.send(error).await);
        }
    }

    async fn answer(self, outlet: &mut Outlet) -> Result<(), Stop> {
        let Self { api, caller, ids, headers, memory, text, lane: _ } = self;
        let Create { body, previous, warm_up } = create::read(&text)?;
        drop(text);
        // The items that are this request's own.
        let input = responses::input_items(&body).map_err(|error| not_understood(&error))?;
        let (body, here) = recalled(&memory, body, previous.as_deref())?;
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.headers = headers;
        let visit = Visit { caller, ids, parts, body: body.into() };
        let Prepared { question, keep } = prepare(&api, &visit).await?;
        let (before, input) = match previous {
            Some(previous) if here => (Before::Here(previous), input),
            Some(previous) if question.pin.is_some() => (Before::Elsewhere(previous), input),
            // The hub had it, and has put it in place of its name.
            Some(_) => {
                let whole = responses::input_items(&question.body).map_err(|error| not_understood(&error))?;
                (Before::Nothing, whole)
            }
            None => (Before::Nothing, input),
        };
        let mut recall = Recall { memory, before, items: input, output: Vec::new(), keeper: Keeper::Nobody };
        if warm_up {
            let pieces = nothing(&api, &visit, &question.body)?;
            return outlet.relay(pieces, &OnceLock::new(), recall).await;
        }
        if wants_kept(&visit.body)? {
            recall.keeper = if question.keeps { Keeper::Somebody } else { Keeper::Provider };
        }
        let (reply, _) = api.ask(&visit, question).await?;
        let pieces = keep.stream(reply.pieces, Arc::clone(&reply.served));
        outlet.relay(pieces, &reply.served, recall).await
    }
}

/// The body with the conversation that the socket remembers, and whether it remembers one.
fn recalled(
    memory: &Mutex<Memory>,
    body: Vec<u8>,
    previous: Option<&str>,
) -> Result<(Vec<u8>, bool), Refusal> {
    let Some(previous) = previous else { return Ok((body, false)) };
    let history = {
        let memory = locked(memory);
        if !memory.holds(previous) {
            return Ok((body, false));
        }
        memory.history(previous)
    };
    let history = history.ok_or_else(|| {
        let text = format!("The conversation before the response `{previous}` is not remembered any more.");
        Refusal::new(Code::PreviousResponseNotFound, text).about("previous_response_id")
    })?;
    let body = responses::continued(&body, history.items, history.from.as_deref());
    Ok((body.map_err(|error| not_understood(&error))?, true))
}

/// The answer to a request that wants none, but may be gone on from. No provider is asked.
fn nothing(api: &Api, visit: &Visit, body: &[u8]) -> Result<Pieces, Refusal> {
    policy::require(&visit.caller, Scope::ExecuteCompletions)?;
    let turn = responses::decode(body).map_err(|error| not_understood(&error))?;
    // Held until the answer is written: it counts as a request of its caller.
    let _counted = api.engine.let_in_again(&visit.caller, &turn.model, Dialect::Responses, false)?;
    api.engine.simulate(&visit.caller, &turn.model, Dialect::Responses, &Need::default())?;
    let now = api.engine.clock().now() / 1000;
    let mut encoder =
        responses::Encoder::new(Asked { id: visit.ids.own.to_string(), now, ..Asked::of(&turn) });
    let mut bytes = Vec::new();
    for event in [
        Event::Start { id: String::new(), model: String::new(), created: None },
        Event::Usage(Usage::default()),
        Event::Stop { stop: Reason::End, sequence: None },
        Event::End,
    ] {
        encoder.push(event, &mut bytes);
    }
    Ok(futures_util::stream::iter([Piece::Bytes(bytes.into())]).boxed())
}

impl Outlet {
    /// Passes a response on, event by event.
    async fn relay(
        &mut self,
        mut pieces: Pieces,
        served: &OnceLock<Served>,
        mut recall: Recall,
    ) -> Result<(), Stop> {
        let mut events = Splitter::default();
        while let Some(piece) = pieces.next().await {
            match piece {
                Piece::Bytes(bytes) => events.push(bytes),
                // The socket has signs of life of its own.
                Piece::KeepAlive => {}
                Piece::Broke(refusal) if self.sent == 0 => return Err(Stop::Refused(refusal)),
                Piece::Broke(refusal) => {
                    // What was begun of an event is lost with its rest.
                    events = Splitter::default();
                    events.push(render::event(&refusal, &self.ids, self.topology, self.sent));
                }
            }
            while let Some(event) = events.next_event() {
                self.event(&event, served, &mut recall).await?;
            }
        }
        match events.rest() {
            Some(event) => self.event(&event, served, &mut recall).await,
            None => Ok(()),
        }
    }

    /// Passes on one event, once there is room for it. The last one is remembered before it is told.
    async fn event(
        &mut self,
        event: &Bytes,
        served: &OnceLock<Served>,
        recall: &mut Recall,
    ) -> Result<(), Stop> {
        let Some(data) = sse::data(event) else { return Ok(()) };
        if matches!(data.trim_ascii(), b"" | b"[DONE]") {
            return Ok(());
        }
        let json: &RawValue = serde_json::from_slice(&data).map_err(|error| {
            Refusal::new(Code::StreamInterrupted, format!("The answer broke off: it is no JSON ({error})."))
        })?;
        recall.note(event, json.get(), served.get());
        self.sent += 1;
        let message = frame::event(json.get(), self.lane.as_deref());
        self.queue.send(message).await.map_err(|_| Stop::Gone)
    }
}

/// Who keeps a response when it is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeper {
    /// Nobody but the socket.
    Nobody,
    /// Its provider, if that speaks the dialect; else nobody.
    Provider,
    /// Its provider, or the hub.
    Somebody,
}

/// What is to be remembered of a response.
struct Recall {
    memory: Arc<Mutex<Memory>>,
    before: Before,
    /// Its input.
    items: Vec<Value>,
    /// The items that are complete: some providers do not repeat them at the end.
    output: Vec<Value>,
    keeper: Keeper,
}

impl Recall {
    fn note(&mut self, event: &[u8], data: &str, served: Option<&Served>) {
        let native = served.is_some_and(|served| served.dialect == Dialect::Responses);
        let kept = match self.keeper {
            Keeper::Nobody => false,
            Keeper::Provider => native,
            Keeper::Somebody => true,
        };
        if kept {
            return;
        }
        if let Some(item) = responses::completed_item(data.as_bytes()) {
            self.output.push(item);
        } else if let Some(mut response) = responses::completed_response(event) {
            let Some(id) = response.get("id").and_then(Value::as_str).map(str::to_owned) else { return };
            let mut output = match response.get_mut("output").map(Value::take) {
                Some(Value::Array(items)) if !items.is_empty() => items,
                _ => std::mem::take(&mut self.output),
            };
            if native {
                output = responses::unkept(output);
            }
            let mut items = std::mem::take(&mut self.items);
            items.append(&mut output);
            let before = std::mem::replace(&mut self.before, Before::Nothing);
            locked(&self.memory).remember(id, before, items);
        }
    }
}

fn locked(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}
