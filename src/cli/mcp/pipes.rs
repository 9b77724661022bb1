//! Standard input and output, each on a thread of its own: their reads and writes cannot be given up, and must not keep the
//! process when it wants to end.

use std::{
    io::{BufRead, Write, stdin, stdout},
    thread,
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::lines::{Piece, Splitter};

/// The longest message, in bytes.
pub(super) const LINE: usize = 16 * 1024 * 1024;

/// Messages that wait in either direction. When there are so many, whoever makes them waits.
const WAITING: usize = 4;

/// How long the client may take to read the last words.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the client says, until it closes its side.
pub(super) fn hear() -> mpsc::Receiver<Piece> {
    let (sender, receiver) = mpsc::channel(WAITING);
    thread::spawn(move || {
        let (mut input, mut splitter) = (stdin().lock(), Splitter::new(LINE));
        loop {
            // An input that breaks has ended.
            let bytes = input.fill_buf().unwrap_or_default();
            let is_end = bytes.is_empty();
            let (count, piece) = if is_end { (0, splitter.last()) } else { splitter.take(bytes) };
            input.consume(count);
            let gone = piece.is_some_and(|piece| sender.blocking_send(piece).is_err());
            if is_end || gone {
                return;
            }
        }
    });
    receiver
}

/// What is said to the client.
pub(super) struct Mouth {
    words: mpsc::Sender<Bytes>,
    said: oneshot::Receiver<()>,
}

impl Mouth {
    pub(super) fn open() -> Self {
        let (words, mut waiting) = mpsc::channel::<Bytes>(WAITING);
        let (done, said) = oneshot::channel();
        thread::spawn(move || {
            let mut output = stdout().lock();
            while let Some(line) = waiting.blocking_recv() {
                if output.write_all(&line).and_then(|()| output.flush()).is_err() {
                    return;
                }
            }
            // Whoever does not wait any more need not know.
            let _ = done.send(());
        });
        Self { words, said }
    }

    /// Says a line. False: the client does not listen any more.
    pub(super) async fn say(&self, line: Bytes) -> bool {
        self.words.send(line).await.is_ok()
    }

    /// Waits until everything is said, but not for ever.
    pub(super) async fn close(self) {
        drop(self.words);
        drop(tokio::time::timeout(PATIENCE, self.said).await);
    }
}
