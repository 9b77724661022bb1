//! How a socket ends: why, what the client is told, and how long it may take to hear it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::{
    Error, Message,
    error::ProtocolError,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::line::{Incoming, Outgoing};

/// How long a client may take to hear that the socket is over, and to say so too.
const PATIENCE: Duration = Duration::from_secs(5);

/// The same when the hub's own patience is over.
const LAST_MOMENT: Duration = Duration::from_millis(200);

/// How much is read and thrown away of a client that still sends. One that sends too much is to learn why, and
/// a connection that is closed with bytes unread takes the last words with it.
const UNREAD: u64 = 16 * 1024 * 1024;

/// Why a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The connection is no more.
    Gone,
    /// The client has closed it.
    Left,
    /// The client has not been heard of for too long.
    Silent,
    /// The hub stops, and everything has been answered.
    Drained,
    /// The hub stops, and does not wait any longer.
    Cut,
    /// A message is too large.
    TooLarge,
    /// A text is not UTF-8.
    NotText,
    /// The bytes are no WebSocket.
    Malformed,
}

impl End {
    /// What an error of reading means.
    pub(super) const fn of(error: &Error) -> Self {
        match error {
            Error::Capacity(_) => Self::TooLarge,
            Error::Utf8(_) => Self::NotText,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Gone,
            Error::Protocol(_) => Self::Malformed,
            _ => Self::Gone,
        }
    }

    /// How long the parting may take.
    pub(super) const fn patience(self) -> Duration {
        match self {
            Self::Cut => LAST_MOMENT,
            _ => PATIENCE,
        }
    }

    const fn words(self) -> (CloseCode, &'static str) {
        match self {
            Self::Gone | Self::Left => (CloseCode::Normal, ""),
            Self::Silent => (CloseCode::Policy, "no sign of life"),
            Self::Drained | Self::Cut => (CloseCode::Away, "the hub is shutting down"),
            Self::TooLarge => (CloseCode::Size, "the message is too large"),
            Self::NotText => (CloseCode::Invalid, "the text is not UTF-8"),
            Self::Malformed => (CloseCode::Protocol, "the bytes are no WebSocket frames"),
        }
    }

    /// Whether what the client sends can still be read as frames.
    const fn is_readable(self) -> bool {
        !matches!(self, Self::TooLarge | Self::NotText | Self::Malformed)
    }
}

/// Tells the client why, and waits for it to close its side.
pub(super) async fn part(end: End, mut sink: Outgoing, mut stream: Incoming) {
    let (code, reason) = end.words();
    let close = CloseFrame { code, reason: reason.into() };
    if sink.send(Message::Close(Some(close))).await.is_err() {
        return;
    }
    if end.is_readable() {
        return read_out(&mut stream).await;
    }
    let Ok(socket) = stream.reunite(sink) else { return };
    let mut raw = socket.into_inner();
    if raw.shutdown().await.is_ok() {
        drop(tokio::io::copy(&mut raw.take(UNREAD), &mut tokio::io::sink()).await);
    }
}

/// Reads until the client has closed its side. This also sends the answer to its own goodbye.
pub(super) async fn read_out(stream: &mut Incoming) {
    while let Some(Ok(_)) = stream.next().await {}
}
