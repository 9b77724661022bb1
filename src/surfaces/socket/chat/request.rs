//! One request of a socket, from its payload to its last frame. It runs as a task of its own; what it has to say
//! goes through the socket's queue, and when that is full it does not read on from the provider.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use bytes::Bytes;
use canon::{
    Dialect,
    sse::{self, Splitter},
};
use futures_util::StreamExt;
use http::HeaderMap;
use openai::chat::scan;
use operations::Scope;
use serde_json::value::RawValue;
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::Message;

use super::{
    REQUESTS,
    frame::{self, Names},
};
use crate::{
    engine::{
        caller::Caller,
        code::Code,
        pipeline::{Inbound, Piece, Pieces, Reply, Served},
        ports,
        refusal::Refusal,
        reuse::Freshness,
    },
    surfaces::{
        api::{Api, not_a_request},
        delivery::whole,
        front::Ids,
        shape, wishes,
    },
};

/// The requests that run on a socket, by the ids that the client gave them.
#[derive(Default)]
pub(super) struct Running(Mutex<HashMap<Arc<str>, Arc<Notify>>>);

/// A request's place among them, until it is dropped.
pub(super) struct Place {
    running: Arc<Running>,
    id: Arc<str>,
    cancel: Arc<Notify>,
}

impl Running {
    /// Takes a place for `id`.
    ///
    /// # Errors
    /// When that id has one, or there is none left.
    pub(super) fn enter(self: &Arc<Self>, id: &str) -> Result<Place, Refusal> {
        let mut running = self.lock();
        if running.contains_key(id) {
            let text = "A request with this id still runs on this socket; it goes on.";
            return Err(Refusal::new(Code::WsIdInUse, text));
        }
        if running.len() >= REQUESTS {
            let text = format!("{REQUESTS} requests run on this socket, which is the limit.");
            return Err(Refusal::new(Code::WsTooManyRequests, text));
        }
        let (id, cancel) = (Arc::<str>::from(id), Arc::new(Notify::new()));
        running.insert(Arc::clone(&id), Arc::clone(&cancel));
        Ok(Place { running: Arc::clone(self), id, cancel })
    }

    /// Cancels a request. One that has ended is not there any more: its end and the cancel have crossed.
    pub(super) fn cancel(&self, id: &str) {
        if let Some(cancel) = self.lock().get(id) {
            cancel.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.running.lock().remove(&self.id);
    }
}

/// A request that is let in.
pub(super) struct Job {
    pub(super) api: Api,
    pub(super) ids: Ids,
    pub(super) caller: Caller,
    pub(super) payload: Bytes,
    pub(super) queue: mpsc::Sender<Message>,
    pub(super) place: Place,
}

/// Where the frames of a request go.
struct Outlet<'a> {
    names: Names<'a>,
    queue: &'a mpsc::Sender<Message>,
}

/// The socket is gone, and with it whoever would read on.
struct Gone;

/// What ends the work on a request early.
enum Stop {
    Refused(Box<Refusal>),
    Gone,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl Job {
    /// Works on the request until its last frame is in the queue.
    pub(super) async fn run(self) {
        let Self { api, ids, caller, payload, queue, place } = self;
        let topology = caller.may(Scope::ReadHealth);
        let outlet = Outlet { names: Names { id: &place.id, request_id: &ids.own }, queue: &queue };
        let last = tokio::select! {
            biased;
            // This drops the answer, which stops the work at the provider and writes the receipt.
            () = place.cancel.notified() => frame::cancelled(outlet.names),
            answered = answer(&api, &ids, caller, payload, &outlet) => match answered {
                Ok(last) => last,
                Err(Stop::Refused(refusal)) => frame::error(outlet.names, &refusal, &ids, topology),
                Err(Stop::Gone) => return,
            },
        };
        let Ok(room) = queue.reserve().await else { return };
        // Before the client can know that the id is free, it is.
        drop(place);
        room.send(last);
    }
}

/// Answers the request. The last frame is the caller's to send.
async fn answer(
    api: &Api,
    ids: &Ids,
    caller: Caller,
    payload: Bytes,
    outlet: &Outlet<'_>,
) -> Result<Message, Stop> {
    let mut payload = payload;
    let mut facts = scan(&payload).map_err(|error| not_a_request(&error))?;
    let (session, wishes) = wishes::take(&HeaderMap::new(), &mut payload, &mut facts)?;
    let shaped = shape::rerouted(&api.engine.snapshot(), Dialect::Chat, &mut payload, &mut facts);
    let stream = facts.stream;
    let inbound = Inbound {
        trace: None,
        session,
        wishes,
        id: ids.own.to_string(),
        client_request_id: ids.client.clone(),
        caller,
        request: ports::Request {
            dialect: Dialect::Chat,
            task: ports::Task::Generate,
            body: payload,
            facts: Arc::new(facts),
            headers: HeaderMap::new(),
            searches: false,
            keeps: false,
            shaping: None,
        },
        pin: None,
        tag: None,
        keep_alive: api.keep_alive,
        freshness: Freshness::default(),
        shaped,
        ticket: None,
    };
    let Reply { served, pieces, .. } = api.engine.generate(inbound).await?;
    if stream {
        streamed(pieces, &served, outlet).await
    } else {
        let body = whole(pieces).await?;
        let body = json(&body)?;
        Ok(frame::complete(outlet.names, Some(body), frame::usage(body), served.get()))
    }
}

async fn streamed(
    mut pieces: Pieces,
    served: &OnceLock<Served>,
    outlet: &Outlet<'_>,
) -> Result<Message, Stop> {
    let mut events = Splitter::default();
    let mut usage = None;
    while let Some(piece) = pieces.next().await {
        match piece {
            Piece::Bytes(bytes) => events.push(bytes),
            // The socket has signs of life of its own.
            Piece::KeepAlive => {}
            Piece::Broke(refusal) => return Err(Stop::Refused(refusal)),
        }
        while let Some(event) = events.next_event() {
            outlet.event(&event, &mut usage).await?;
        }
    }
    if let Some(event) = events.rest() {
        outlet.event(&event, &mut usage).await?;
    }
    Ok(frame::complete(outlet.names, None, usage.as_deref(), served.get()))
}

impl Outlet<'_> {
    /// Passes on one event, once there is room for it.
    async fn event(&self, event: &[u8], usage: &mut Option<Box<RawValue>>) -> Result<(), Stop> {
        let Some(data) = sse::data(event) else { return Ok(()) };
        if matches!(data.trim_ascii(), b"" | b"[DONE]") {
            return Ok(());
        }
        let chunk = json(&data)?;
        if let Some(counts) = frame::usage(chunk) {
            *usage = Some(counts.to_owned());
        }
        let sent = self.queue.send(frame::chunk(self.names, chunk)).await;
        Ok(sent.map_err(|_| Gone)?)
    }
}

/// The bytes as JSON, so that no answer can break the frame that it stands in.
fn json(bytes: &[u8]) -> Result<&RawValue, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| {
        Refusal::new(Code::StreamInterrupted, format!("The answer broke off: it is no JSON ({error})."))
    })
}
