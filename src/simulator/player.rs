//! Plays an answer: a list of steps becomes the body of a response, and the ticket learns how it ended.

use std::collections::VecDeque;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;

use super::log::Outcome;
use super::ticket::Ticket;

/// The script closed the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the simulator cut the connection, as its script says")]
pub struct ConnectionCut;

/// One thing that a body does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing, for so long.
    Wait(Duration),
    /// Sends bytes.
    Send(Kind, Bytes),
    /// Lets what was sent leave before anything follows.
    Flush,
    /// Nothing, until the client leaves.
    Hang,
    /// Breaks the connection.
    Cut,
}

/// What the bytes of a step are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A comment line.
    Comment,
    /// The chunk that names the role.
    Role,
    /// A piece of text or of a tool call.
    Content,
    /// A chunk with a finish reason.
    Finish,
    /// The chunk with the usage.
    Usage,
    /// `[DONE]`.
    Done,
    /// Anything else.
    Other,
}

/// A body that does these steps.
pub(super) fn play(steps: Vec<Step>, mut ticket: Ticket) -> Body {
    let mut steps = VecDeque::from(steps);
    Body::from_stream(async_stream::stream! {
        while let Some(step) = steps.pop_front() {
            match step {
                Step::Wait(time) => tokio::time::sleep(time).await,
                Step::Flush => tokio::task::yield_now().await,
                Step::Hang => std::future::pending().await,
                Step::Cut => {
                    ticket.finish(Outcome::Cut);
                    yield Err(ConnectionCut);
                    return;
                }
                Step::Send(kind, bytes) => {
                    if kind == Kind::Content {
                        ticket.chunk();
                    }
                    if is_all_there_is(kind, &steps) {
                        ticket.finish(Outcome::Complete);
                    }
                    yield Ok(bytes);
                }
            }
        }
        ticket.finish(Outcome::Complete);
    })
}

/// Whether a client that hangs up after these bytes has the whole answer. Many hang up on `[DONE]` without reading to
/// the end of the body.
fn is_all_there_is(kind: Kind, rest: &VecDeque<Step>) -> bool {
    rest.iter().all(|step| match step {
        Step::Flush => true,
        Step::Send(Kind::Done, _) => kind == Kind::Done,
        _ => false,
    })
}
