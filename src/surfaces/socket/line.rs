//! The life of a socket: one that reads, one that writes, tasks for its requests, and how it all ends. What the
//! texts mean is the protocol's.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
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

use super::{
    QUEUE,
    ending::{End, part, read_out},
    pulse::{Beat, Pulse},
    upgrade::Socket,
};
use crate::surfaces::stay::Stay;

/// Frames that are put into the system's buffer before it is flushed.
const BATCH: usize = 16;

/// Answers to frames (not to requests) that wait for the queue. A client that makes more of them than it reads is
/// not read any more.
const OWED: usize = 64;

pub(super) type Outgoing = SplitSink<Socket, Message>;
pub(super) type Incoming = SplitStream<Socket>;

/// What is spoken on a socket. Nothing here may wait: what takes time is a task of the [`Line`].
pub(in super::super) trait Protocol: Send + 'static {
    /// A text came.
    fn text(&mut self, text: Utf8Bytes, line: &mut Line);
    /// A binary message came.
    fn binary(&mut self, line: &mut Line);
    /// A request has ended.
    fn ended(&mut self, _line: &mut Line) {}
}

/// The hub's end of a socket, as its protocol sees it.
pub(in super::super) struct Line {
    queue: mpsc::Sender<Message>,
    ping: Arc<Notify>,
    owed: VecDeque<Message>,
    requests: JoinSet<()>,
}

impl Line {
    /// Says something that belongs to no request, once there is room for it.
    pub(in super::super) fn say(&mut self, message: Message) {
        self.owed.push_back(message);
    }

    /// Works on a request. It ends with the socket.
    pub(in super::super) fn start(&mut self, request: impl Future<Output = ()> + Send + 'static) {
        self.requests.spawn(request);
    }

    /// Where a request puts its frames. It waits there for a client that reads slowly.
    pub(in super::super) fn queue(&self) -> mpsc::Sender<Message> {
        self.queue.clone()
    }
}

/// Talks with the client until one of the two has enough, or the hub stops.
pub(super) async fn run(socket: Socket, mut protocol: impl Protocol, mut stay: Stay) {
    let (sink, mut stream) = socket.split();
    let (queue, frames) = mpsc::channel(QUEUE);
    let ping = Arc::new(Notify::new());
    let mut writing = std::pin::pin!(write(sink, frames, Arc::clone(&ping)));
    let mut line = Line { queue, ping, owed: VecDeque::new(), requests: JoinSet::new() };
    let mut server = stay.clone();
    let end = tokio::select! {
        biased;
        () = server.cut() => End::Cut,
        _ = &mut writing => End::Gone,
        end = line.converse(&mut protocol, &mut stream, &mut stay) => end,
    };
    // What still runs has nobody to run for. It writes its receipts before the server is told that all is over.
    line.requests.shutdown().await;
    drop(protocol);
    drop(line);
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

impl Line {
    /// Reads messages. Never waits for the client to read: what it says must get through to a full queue.
    async fn converse(
        &mut self,
        protocol: &mut impl Protocol,
        stream: &mut Incoming,
        stay: &mut Stay,
    ) -> End {
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
                Some(_) = self.requests.join_next() => protocol.ended(self),
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
                    if let Some(end) = self.take(protocol, message) {
                        return end;
                    }
                }
            }
        }
    }

    fn take(&mut self, protocol: &mut impl Protocol, message: Option<Result<Message, Error>>) -> Option<End> {
        match message {
            Some(Ok(Message::Text(text))) => protocol.text(text, self),
            Some(Ok(Message::Binary(_))) => protocol.binary(self),
            // The library answers pings itself.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Ok(Message::Close(_))) => return Some(End::Left),
            Some(Err(error)) => return Some(End::of(&error)),
            None => return Some(End::Gone),
        }
        None
    }
}
