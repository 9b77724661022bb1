//! Lines from one side to the other, for as long as there is a client: whatever becomes of hubs meanwhile.

use std::{
    pin::{Pin, pin},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncWriteExt, BufReader, ReadHalf, WriteHalf},
    sync::{Notify, mpsc},
};

use super::{
    lines::{self, Piece, Splitter},
    memory::{Memory, Sent, too_long},
    pipes::{self, Mouth},
    post::Post,
};
use crate::{app, outbound::Duplex};

/// The longest line of a hub: results have a limit of their own, well below.
const ANSWER: usize = 64 * 1024 * 1024;

/// Before another hub is asked, so that one that hangs up at once is not asked without a pause.
const PAUSE: Duration = Duration::from_millis(50);

/// How a relay to one hub ends.
enum End {
    /// The client has left, and has been told everything.
    Left,
    /// The process was told to stop.
    Stopped,
    /// The hub is gone.
    Lost,
}

/// What a conversation is, apart from the hub.
struct Talk<'a> {
    heard: mpsc::Receiver<Piece>,
    /// A line that was heard while there was no hub.
    stash: Option<Piece>,
    /// Whether the client has closed its side.
    closed: bool,
    mouth: &'a Mouth,
    memory: Mutex<Memory>,
    /// Told after each line of a hub.
    told: Notify,
    /// How long a client that has closed its side is answered what it still waits for.
    patience: Duration,
}

/// Relays until the client leaves or `stop` is done.
///
/// # Errors
/// When there is no hub and none can be started.
pub(super) async fn relay(post: &mut Post, stop: impl Future<Output = ()>) -> Result<(), String> {
    let mouth = Mouth::open();
    let mut talk = Talk {
        heard: pipes::hear(),
        stash: None,
        closed: false,
        mouth: &mouth,
        memory: Mutex::default(),
        told: Notify::new(),
        patience: post.patience(),
    };
    let result = talk.go_on(post, pin!(stop)).await;
    // On its own line, so that nobody speaks while the memory is locked.
    let abandoned = talk.memory().abandoned();
    for answer in abandoned {
        mouth.say(answer).await;
    }
    drop(talk);
    mouth.close().await;
    result
}

impl Talk<'_> {
    async fn go_on(
        &mut self,
        post: &mut Post,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(), String> {
        loop {
            let stream = tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                stream = self.find(post) => stream?,
            };
            let Some(stream) = stream else { return Ok(()) };
            match self.pump(stream, stop.as_mut()).await {
                End::Left | End::Stopped => return Ok(()),
                End::Lost => {}
            }
            app::relay_lost();
            let lost = self.memory().lost();
            for answer in lost {
                self.mouth.say(answer).await;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Finds a hub. `None`: the client leaves meanwhile and waits for nothing.
    async fn find(&mut self, post: &mut Post) -> Result<Option<Box<dyn Duplex>>, String> {
        let mut finding = pin!(post.attach());
        loop {
            if self.closed && self.stash.is_none() && self.memory().is_idle() {
                return Ok(None);
            }
            let listens = !self.closed && self.stash.is_none();
            tokio::select! {
                biased;
                stream = &mut finding => return stream.map(Some),
                piece = self.heard.recv(), if listens => match piece {
                    Some(piece) => self.stash = Some(piece),
                    None => self.closed = true,
                },
            }
        }
    }

    async fn pump(&mut self, stream: Box<dyn Duplex>, mut stop: Pin<&mut impl Future<Output = ()>>) -> End {
        let (read, write) = tokio::io::split(stream);
        let first = self.memory().again();
        let Self { heard, stash, closed, mouth, memory, told, patience } = self;
        let mut up = pin!(up(write, first, stash, heard, memory, mouth));
        let mut down = pin!(down(BufReader::new(read), memory, mouth, told));
        let mut sleeping = pin!(tokio::time::sleep(Duration::MAX));
        let mut up_ended = false;
        loop {
            if *closed && lock(memory).is_idle() {
                return End::Left;
            }
            tokio::select! {
                biased;
                () = &mut stop => return End::Stopped,
                said_all = &mut up, if !up_ended => {
                    up_ended = true;
                    if said_all {
                        *closed = true;
                        sleeping.set(tokio::time::sleep(*patience));
                    }
                }
                end = &mut down => return end,
                () = told.notified(), if *closed => {}
                () = &mut sleeping, if *closed => return End::Left,
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.memory)
    }
}

fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From the client to the hub. True: the client has closed its side; false: the hub or the client does not listen.
async fn up(
    mut hub: WriteHalf<Box<dyn Duplex>>,
    first: Vec<Bytes>,
    stash: &mut Option<Piece>,
    heard: &mut mpsc::Receiver<Piece>,
    memory: &Mutex<Memory>,
    mouth: &Mouth,
) -> bool {
    for line in first {
        if hub.write_all(&line).await.is_err() {
            return false;
        }
    }
    loop {
        let piece = match stash.take() {
            Some(piece) => Some(piece),
            None => heard.recv().await,
        };
        let answer = match piece {
            None => return true,
            Some(Piece::TooLong) => too_long(),
            Some(Piece::Line(line)) if line.trim_ascii().is_empty() => continue,
            Some(Piece::Line(line)) => {
                let sent = lock(memory).sent(&line);
                match sent {
                    Sent::Answer(answer) => answer,
                    Sent::Pass => {
                        if hub.write_all(&line).await.is_err() {
                            return false;
                        }
                        continue;
                    }
                }
            }
        };
        if !mouth.say(answer).await {
            return false;
        }
    }
}

/// From the hub to the client.
async fn down(
    mut hub: BufReader<ReadHalf<Box<dyn Duplex>>>,
    memory: &Mutex<Memory>,
    mouth: &Mouth,
    told: &Notify,
) -> End {
    let mut splitter = Splitter::new(ANSWER);
    while let Some(Piece::Line(line)) = lines::next(&mut hub, &mut splitter).await {
        let is_for_client = lock(memory).heard(&line);
        if is_for_client && !mouth.say(line).await {
            return End::Left;
        }
        told.notify_one();
    }
    End::Lost
}
