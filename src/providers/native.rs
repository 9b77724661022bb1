//! A provider that speaks the client's dialect: the client's bytes go out with the edits of the closed list, and the
//! provider's bytes come back as they are.

use std::sync::Arc;

use bytes::Bytes;
use canon::{Dialect, Frame, Mark, Piece, UnaryError};

use super::{
    Providers,
    answer::{self, Reader, garbage, reported, unary_fault, unfinished},
    edit::{self, Edited},
    limits, maker,
    makers::Makers,
    reported, request, shape,
    wire::{self, ReadEvent, ReadUnary},
};
use crate::engine::{
    fault::{Fault, FaultKind},
    ports::{Answer, Call},
    settings::Connection,
};

/// Sends a call and reads the head of the answer.
pub(super) async fn send(providers: &Providers, call: Call) -> Result<Answer, Fault> {
    let maker = maker::name(&call.target);
    let (call, shaped) = shape::native(&call, &maker).unwrap_or((call, Vec::new()));
    let Edited { body, mut edits, losses } = edit::edited(providers, &call, &maker);
    edits.extend(shaped);
    let answer = request::send(providers, &call, body).await?;
    let readings = limits::told(answer.headers(), providers.clock.now());
    let (dialect, task, facts) = (call.target.dialect, &call.request.task, &call.request.facts);
    let reader = Native {
        connection: Arc::clone(&call.target.connection),
        makers: Arc::clone(&providers.makers),
        maker,
        dialect,
        read_event: wire::read_event(dialect, task),
        read_unary: wire::read_unary(dialect, task),
        wants_usage: facts.wants_usage || dialect != Dialect::Chat,
        content: false,
        finished: false,
    };
    let frames = answer::frames(answer, facts.stream, reader, &call.target.connection)?;
    Ok(Answer { frames, edits, losses, readings })
}

/// Passes bytes through and looks at them on the way.
struct Native {
    connection: Arc<Connection>,
    makers: Arc<Makers>,
    maker: String,
    dialect: Dialect,
    read_event: ReadEvent,
    read_unary: ReadUnary,
    /// Whether the client wants the extra chunk with the usage.
    wants_usage: bool,
    /// Whether anything came that a client would call an answer.
    content: bool,
    /// Whether an event said why the answer finished.
    finished: bool,
}

impl Reader for Native {
    fn event(&mut self, event: Bytes) -> Result<Frame, Fault> {
        self.makers.note(self.dialect, &event, &self.maker);
        match (self.read_event)(&event) {
            Piece::Nothing => Ok(Frame::new(Bytes::new(), Mark::Empty, None)),
            Piece::Done if !self.content => Err(unfinished(false)),
            Piece::Done => Ok(Frame::new(event, Mark::End, None)),
            Piece::Error(said) => {
                let mut fault = reported(&event, &said);
                fault.answer = reported::event(self.dialect, &event, &self.connection).map(Box::new);
                Err(fault)
            }
            Piece::Garbage => Err(garbage()),
            Piece::Chunk { mark, usage, finished, usage_only } => {
                self.content |= mark == Mark::Content || finished;
                self.finished |= finished;
                if mark == Mark::End && !self.content {
                    return Err(unfinished(false));
                }
                let unasked = usage_only && !self.wants_usage;
                Ok(Frame::new(if unasked { Bytes::new() } else { event }, mark, usage))
            }
        }
    }

    /// A stream that said why it finished is complete; what is missing of its end is supplied, since clients wait
    /// for it.
    fn end(&mut self, broken: Option<Fault>) -> Result<Frame, Fault> {
        if self.finished {
            return Ok(Frame::new(Bytes::from_static(wire::missing_end(self.dialect)), Mark::End, None));
        }
        Err(broken.unwrap_or_else(|| unfinished(self.content)))
    }

    fn whole(&mut self, body: Bytes) -> Result<Frame, Fault> {
        self.makers.note(self.dialect, &body, &self.maker);
        match (self.read_unary)(&body) {
            Ok(usage) => Ok(Frame::new(body, Mark::End, usage)),
            Err(UnaryError::NotAnAnswer) if self.dialect == Dialect::Chat => {
                Err(Fault::new(FaultKind::Malformed, "the answer was not a chat completion in JSON"))
            }
            Err(error) => Err(unary_fault(&error)),
        }
    }
}

#[cfg(test)]
mod tests;
