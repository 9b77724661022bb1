//! `GET /v1/responses` as a WebSocket: responses one after the other, each as the events that it would stream. What
//! the client wants nobody to keep is remembered for as long as the socket is open, so that it can be gone on from.

mod create;
mod frame;
mod job;
mod memory;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use canon::Dialect;
use http::HeaderMap;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use super::FORWARDED;
use crate::{
    engine::{code::Code, refusal::Refusal},
    surfaces::{
        api::Api,
        front::Ids,
        socket::{Credentials, Line, Protocol, admit, refused},
    },
};
use job::Job;
use memory::Memory;

/// Requests that may wait for the one that runs. Together they take no more than one message may.
const WAITING: usize = 16;

/// What the socket itself is asked for by, which is nothing for a provider.
const OWN_FEATURE: &str = "responses_websockets";

pub(in super::super) async fn open(
    State(api): State<Api>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    begin(&api, &ids, request).unwrap_or_else(|refusal| refused(&refusal, &ids))
}

fn begin(api: &Api, ids: &Ids, request: Request) -> Result<Response, Refusal> {
    let limits = &api.engine.snapshot().settings.limits;
    if !limits.responses_websocket {
        let text = "Responses are served over HTTP alone here: `server.responses_websocket` is off.";
        return Err(Refusal::new(Code::WsUpgradeRequired, text));
    }
    let (opening, credentials) = admit(request, &api.identify)?;
    let session = Session {
        api: api.clone(),
        credentials,
        client: ids.client.clone(),
        headers: forwarded(opening.headers()),
        memory: Arc::default(),
        runs: false,
        waiting: VecDeque::new(),
        waiting_bytes: 0,
    };
    Ok(opening.open(limits.body_bytes, session))
}

/// The headers that a provider should see.
fn forwarded(headers: &HeaderMap) -> HeaderMap {
    let values = headers.get_all(&FORWARDED).iter();
    let others = values.filter(|value| !value.to_str().is_ok_and(|text| text.contains(OWN_FEATURE)));
    others.map(|value| (FORWARDED, value.clone())).collect()
}

/// What is known of a socket.
struct Session {
    api: Api,
    credentials: Credentials,
    /// The client's own id of the request that became the socket.
    client: Option<String>,
    headers: HeaderMap,
    memory: Arc<Mutex<Memory>>,
    /// Whether a response is being made.
    runs: bool,
    waiting: VecDeque<Asked>,
    waiting_bytes: usize,
}

/// A request that waits.
struct Asked {
    text: Utf8Bytes,
    lane: Option<String>,
}

impl Session {
    /// The ids of the next request.
    fn ids(&self) -> Ids {
        let own = format!("req_{}", Uuid::now_v7().simple()).into();
        Ids { own, client: self.client.clone(), dialect: Dialect::Responses, broke: None }
    }

    fn complain(&self, refusal: &Refusal, lane: Option<&str>, line: &mut Line) {
        line.say(frame::error(refusal, &self.ids(), false, lane));
    }

    fn enqueue(&mut self, asked: Asked, line: &mut Line) {
        let limit = self.api.engine.snapshot().settings.limits.body_bytes;
        let bytes = self.waiting_bytes.saturating_add(asked.text.len());
        if self.runs && (self.waiting.len() >= WAITING || bytes > limit) {
            let text = "As many requests wait on this socket for the one that runs as may.";
            let refusal = Refusal::new(Code::WsTooManyRequests, text);
            return self.complain(&refusal, asked.lane.as_deref(), line);
        }
        self.waiting_bytes = bytes;
        self.waiting.push_back(asked);
        if !self.runs {
            self.next(line);
        }
    }

    /// Begins the next response, unless none waits.
    fn next(&mut self, line: &mut Line) {
        self.runs = false;
        while let Some(asked) = self.waiting.pop_front() {
            self.waiting_bytes = self.waiting_bytes.saturating_sub(asked.text.len());
            // A key may have been revoked since the socket was opened.
            match self.credentials.caller(&self.api.identify) {
                Ok(caller) => {
                    let job = Job {
                        api: self.api.clone(),
                        caller,
                        ids: self.ids(),
                        headers: self.headers.clone(),
                        memory: Arc::clone(&self.memory),
                        text: asked.text,
                        lane: asked.lane,
                    };
                    self.runs = true;
                    return line.start(job.run(line.queue()));
                }
                Err(refusal) => self.complain(&refusal, asked.lane.as_deref(), line),
            }
        }
    }
}

impl Protocol for Session {
    fn text(&mut self, text: Utf8Bytes, line: &mut Line) {
        match frame::read(&text) {
            Ok(frame::Asked::Response { lane }) => self.enqueue(Asked { text, lane }, line),
            Ok(frame::Asked::Nothing) => {}
            Err(refusal) => self.complain(&refusal, None, line),
        }
    }

    fn binary(&mut self, line: &mut Line) {
        let refusal = Refusal::new(Code::InvalidJson, "The frame is binary; frames here are JSON texts.");
        self.complain(&refusal, None, line);
    }

    fn ended(&mut self, line: &mut Line) {
        self.next(line);
    }
}
