//! The life of a socket: one that reads, one that writes, a task per request, and how it all ends.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use canon::Dialect;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use uuid::Uuid;

use super::{
    QUEUE,
    door::Credentials,
    ending::{End, part, read_out},
    frame::{self, Asked, Names},
    pulse::{Beat, Pulse},
    request::{Job, Running},
    upgrade::Socket,
};
use crate::{
    engine::{code::Code, refusal::Refusal},
    surfaces::{api::Api, front::Ids, stay::Stay},
};

/// Frames that are put into the system's buffer before it is flushed.
const BATCH: usize = 16;

/// Answers to frames (not to requests) that wait for the queue. A client that makes more of them than it reads is
/// not read any more.
const OWED: usize = 64;

pub(super) type Outgoing = SplitSink<Socket, Message>;
pub(super) type Incoming = SplitStream<Socket>;

/// Talks with the client until one of the two has enough, or the hub stops.
pub(super) async fn run(socket: Socket, api: Api, credentials: Credentials, ids: Ids, mut stay: Stay) {
    let (sink, mut stream) = socket.split();
    let (queue, frames) = mpsc::channel(QUEUE);
    let ping = Arc::new(Notify::new());
    let mut writing = std::pin::pin!(write(sink, frames, Arc::clone(&ping)));
    let mut session = Session {
        api,
        credentials,
        ids,
        queue,
        ping,
        owed: VecDeque::new(),
        running: Arc::default(),
        requests: JoinSet::new(),
    };
    let mut server = stay.clone();
    let end = tokio::select! {
        biased;
        () = server.cut() => End::Cut,
        _ = &mut writing => End::Gone,
        end = session.converse(&mut stream, &mut stay) => end,
    };
    // What still runs has nobody to run for. It writes its receipts before the server is told that all is over.
    session.requests.shutdown().await;
    drop(session);
    match end {
        End::Gone => {}
        End::Left => drop(timeout(end.patience(), read_out(&mut stream)).await),
        _ => {
            let sink = tokio::select! {
                biased;
                sink = &mut writing => sink,
                // Answers that were waited for are also waited for until they are read.
                () = server.cut(), if end == End::Drained => None,
                () = sleep(end.patience()), if end != End::Drained => None,
            };
            if let Some(sink) = sink {
                drop(timeout(end.patience(), part(end, sink, stream)).await);
            }
        }
    }
}

/// Writes what is in the queue until nobody can add to it; pings go first. Gives the sink back for the last word,
/// unless the client is gone.
async fn write(
    mut sink: Outgoing,
    mut frames: mpsc::Receiver<Message>,
    ping: Arc<Notify>,
) -> Option<Outgoing> {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            biased;
            () = ping.notified() => batch.push(Message::Ping(Bytes::new())),
            count = frames.recv_many(&mut batch, BATCH) => {
                if count == 0 {
                    return Some(sink);
                }
            }
        }
        for message in batch.drain(..) {
            sink.feed(message).await.ok()?;
        }
        sink.flush().await.ok()?;
    }
}

/// The reading side of a socket.
struct Session {
    api: Api,
    credentials: Credentials,
    /// The ids of the HTTP request that became the socket.
    ids: Ids,
    queue: mpsc::Sender<Message>,
    ping: Arc<Notify>,
    owed: VecDeque<Message>,
    running: Arc<Running>,
    requests: JoinSet<()>,
}

impl Session {
    /// Reads frames and starts requests. Never waits for the client to read: cancels must get through to a full queue.
    async fn converse(&mut self, stream: &mut Incoming, stay: &mut Stay) -> End {
        let queue = self.queue.clone();
        let mut draining = false;
        let mut pulse = Pulse::new(Instant::now());
        loop {
            if draining && self.requests.is_empty() && self.owed.is_empty() {
                return End::Drained;
            }
            tokio::select! {
                biased;
                () = stay.draining(), if !draining => draining = true,
                Some(_) = self.requests.join_next() => {}
                room = queue.reserve(), if !self.owed.is_empty() => match (room, self.owed.pop_front()) {
                    (Ok(room), Some(message)) => room.send(message),
                    _ => return End::Gone,
                },
                () = sleep_until(pulse.next()) => match pulse.beat(Instant::now()) {
                    Beat::Wait => {}
                    Beat::Ask => self.ping.notify_one(),
                    Beat::Gone => return End::Silent,
                },
                message = stream.next(), if self.owed.len() < OWED => {
                    pulse.heard(Instant::now());
                    if let Some(end) = self.take(message) {
                        return end;
                    }
                }
            }
        }
    }

    fn take(&mut self, message: Option<Result<Message, Error>>) -> Option<End> {
        match message {
            Some(Ok(Message::Text(text))) => self.frame(text),
            Some(Ok(Message::Binary(_))) => {
                let refusal = frame::invalid("The frame is binary; frames here are JSON texts.");
                self.owed.push_back(frame::complaint(&refusal, &self.ids));
            }
            // The library answers pings itself.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Ok(Message::Close(_))) => return Some(End::Left),
            Some(Err(error)) => return Some(End::of(&error)),
            None => return Some(End::Gone),
        }
        None
    }

    fn frame(&mut self, text: Utf8Bytes) {
        match frame::read(text) {
            Ok(Asked::Answer { id, payload }) => self.start(id, payload),
            Ok(Asked::Cancel { id }) => self.running.cancel(&id),
            Ok(Asked::Ping) => self.owed.push_back(frame::pong()),
            Err(refusal) => self.owed.push_back(frame::complaint(&refusal, &self.ids)),
        }
    }

    fn start(&mut self, id: String, payload: Bytes) {
        let own = format!("req_{}", Uuid::now_v7().simple()).into();
        let ids = Ids { own, client: Some(id), dialect: Dialect::Chat };
        match self.admit(&ids, payload) {
            Ok(job) => drop(self.requests.spawn(job.run())),
            Err(refusal) => {
                let names = Names { id: ids.client.as_deref().unwrap_or_default(), request_id: &ids.own };
                self.owed.push_back(frame::error(names, &refusal, &ids, false));
            }
        }
    }

    /// What HTTP asks before a body is looked at, it asks for each request of a socket anew.
    fn admit(&self, ids: &Ids, payload: Bytes) -> Result<Job, Refusal> {
        let caller = self.credentials.caller(&self.api.identify)?;
        let limit = self.api.engine.snapshot().settings.limits.body_bytes;
        if payload.len() > limit {
            let text = format!("The payload is larger than {limit} bytes, which is the limit here.");
            return Err(Refusal::new(Code::BodyTooLarge, text));
        }
        let place = self.running.enter(ids.client.as_deref().unwrap_or_default())?;
        Ok(Job { api: self.api.clone(), ids: ids.clone(), caller, payload, queue: self.queue.clone(), place })
    }
}
