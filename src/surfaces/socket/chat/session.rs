//! One socket on which chat completions run: which frame begins what.

use std::sync::Arc;

use bytes::Bytes;
use canon::Dialect;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use super::{
    Credentials,
    frame::{self, Asked, Names},
    own_code,
    request::{Job, Running},
};
use crate::{
    engine::{code::Code, refusal::Refusal},
    surfaces::{
        api::Api,
        front::Ids,
        socket::{Line, Protocol},
    },
};

/// What is known of a socket.
pub(super) struct Session {
    api: Api,
    credentials: Credentials,
    /// The ids of the HTTP request that became the socket.
    ids: Ids,
    running: Arc<Running>,
}

impl Session {
    pub(super) fn new(api: Api, credentials: Credentials, ids: Ids) -> Self {
        Self { api, credentials, ids, running: Arc::default() }
    }

    fn start(&self, id: String, payload: Bytes, line: &mut Line) {
        let own = format!("req_{}", Uuid::now_v7().simple()).into();
        let ids = Ids { own, client: Some(id), dialect: Dialect::Chat, broke: None };
        match self.admit(&ids, payload, line) {
            Ok(job) => line.start(job.run()),
            Err(refusal) => {
                let names = Names { id: ids.client.as_deref().unwrap_or_default(), request_id: &ids.own };
                line.say(frame::error(names, &refusal, &ids, false));
            }
        }
    }

    /// What HTTP asks before a body is looked at, it asks for each request of a socket anew.
    fn admit(&self, ids: &Ids, payload: Bytes, line: &Line) -> Result<Job, Refusal> {
        let caller = self.credentials.caller(&self.api.identify).map_err(own_code)?;
        let limit = self.api.engine.snapshot().settings.limits.body_bytes;
        if payload.len() > limit {
            let text = format!("The payload is larger than {limit} bytes, which is the limit here.");
            return Err(Refusal::new(Code::BodyTooLarge, text));
        }
        let place = self.running.enter(ids.client.as_deref().unwrap_or_default())?;
        Ok(Job { api: self.api.clone(), ids: ids.clone(), caller, payload, queue: line.queue(), place })
    }
}

impl Protocol for Session {
    fn text(&mut self, text: Utf8Bytes, line: &mut Line) {
        match frame::read(text) {
            Ok(Asked::Answer { id, payload }) => self.start(id, payload, line),
            Ok(Asked::Cancel { id }) => self.running.cancel(&id),
            Ok(Asked::Ping) => line.say(frame::pong()),
            Err(refusal) => line.say(frame::complaint(&refusal, &self.ids)),
        }
    }

    fn binary(&mut self, line: &mut Line) {
        let refusal = frame::invalid("The frame is binary; frames here are JSON texts.");
        line.say(frame::complaint(&refusal, &self.ids));
    }
}
