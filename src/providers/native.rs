//! A provider that speaks the client's dialect: the client's bytes go out with the edits of the closed list, and the
//! provider's bytes come back as they are.

use std::sync::Arc;

use anthropic::messages;
use bytes::Bytes;
use canon::{Dialect, Edit, Frame, Losses, Mark, Piece, Signature, UnaryError, patched, rename};
use gemini::generate;
use openai::{
    chat::{self, Changes},
    responses,
};

use super::{
    Providers,
    answer::{self, Reader, garbage, reported, unary_fault, unfinished},
    maker,
    makers::Makers,
    request, search,
    wire::{self, ReadEvent, ReadUnary},
};
use crate::engine::{
    fault::{Fault, FaultKind},
    ports::{Answer, Call, Task},
    settings::Quirk,
};

/// Sends a call and reads the head of the answer.
pub(super) async fn send(providers: &Providers, call: Call) -> Result<Answer, Fault> {
    let maker = maker::name(&call.target);
    let (body, edits) = edited(providers, &call, &maker);
    let answer = request::send(providers, &call, body).await?;
    let (dialect, task, facts) = (call.target.dialect, &call.request.task, &call.request.facts);
    let reader = Native {
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
    Ok(Answer { frames, edits, losses: Losses::default() })
}

/// The body with the edits that it needs, and their names. It is shared, not copied, when it needs none.
fn edited(providers: &Providers, call: &Call, maker: &str) -> (Bytes, Vec<Edit>) {
    let (body, facts, target) = (&call.request.body, &call.request.facts, &call.target);
    if let Some(searching) = search::in_own_form(call) {
        return (searching, vec![Edit::Model, Edit::WebSearch]);
    }
    if call.target.dialect == Dialect::Chat && call.request.task == Task::Generate {
        let include_usage = !target.connection.provider.quirks.contains(&Quirk::NoStreamOptions);
        return chat::apply(body, facts, Changes { model: &target.model, include_usage });
    }
    if matches!(call.request.task, Task::Kept { .. }) {
        return (body.clone(), Vec::new());
    }
    let mut edits = Vec::new();
    let patch = rename(facts, &target.model);
    edits.extend(patch.is_some().then_some(Edit::Model));
    let body = patched(body, patch.into_iter().collect());
    match own_thoughts_only(providers, call, &body, maker) {
        Some(own) => {
            edits.push(Edit::ForeignThoughts);
            (own.into(), edits)
        }
        None => (body, edits),
    }
}

/// The body without thoughts that other vendors signed, if it holds any.
fn own_thoughts_only(providers: &Providers, call: &Call, body: &[u8], maker: &str) -> Option<Vec<u8>> {
    let (dialect, makers) = (call.target.dialect, &providers.makers);
    let is_own = |signature: &Signature| makers.is_own(signature, maker);
    // Signatures that crossed dialects carry their maker's name, and those that passed through are remembered. A body
    // with neither passes as it is.
    let named = match dialect {
        Dialect::Chat => return None,
        Dialect::Gemini => generate::may_be_named(body),
        Dialect::Messages | Dialect::Responses => Signature::may_be_in(body),
    };
    if !named && !makers.any_foreign(dialect, body, maker) {
        return None;
    }
    match dialect {
        Dialect::Chat => None,
        Dialect::Responses => responses::without_foreign_thoughts(body, is_own),
        Dialect::Messages => messages::without_foreign_thoughts(body, is_own),
        Dialect::Gemini => generate::without_foreign_thoughts(body, is_own),
    }
}

/// Passes bytes through and looks at them on the way.
struct Native {
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
            Piece::Error(said) => Err(reported(&said)),
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
