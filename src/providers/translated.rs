//! A provider that speaks another dialect than the client: the request is decoded and encoded anew, and so is the
//! answer, event by event. What cannot be said is declared.

mod estimate;
mod summary;
mod unsigned;

use bytes::Bytes;
use canon::{
    AnswerError, Asked, DecodeError, Delta, Dialect, Edit, Encoded, Event, Frame, Kind, Losses, Mark,
    Opening, Target, Turn, Usage,
};
use dialects::{Decoder, Encoder};
use http::StatusCode;
use serde_json::json;

use self::{estimate::Estimate, summary::Summary, unsigned::Unsigned};
use super::{
    Providers,
    answer::{self, Reader, garbage, reported, unary_fault, unfinished},
    limits, maker, media, request, shape,
};
use crate::engine::{
    fault::{Fault, FaultKind, PassedOn},
    ports::{Answer, Call},
};

/// Sends a call and reads the head of the answer.
pub(super) async fn send(providers: &Providers, call: Call) -> Result<Answer, Fault> {
    let (client, spoken) = (call.request.dialect, call.target.dialect);
    let mut turn = decode(&call)?;
    let shaped = shape::turn(&call, &mut turn);
    if media::needs_inlining(spoken) {
        media::inline(&mut turn, &*providers.fetch, &media::Limits::default())
            .await
            .map_err(|error| Fault::new(FaultKind::InvalidRequest, DecodeError::from(error).to_string()))?;
    }
    let compacts = client == Dialect::Responses && openai::responses::compaction::untriggered(&mut turn);
    let maker = maker::name(&call.target);
    let target = Target {
        model: &call.target.model,
        source: client,
        maker: &maker,
        quirks: maker::quirks(&call.target),
        max_output: maker::max_output(&call.target),
    };
    let Encoded { body, mut losses } = dialects::encode(spoken, &turn, &target);
    if compacts {
        losses.changed("compaction_trigger");
    }
    let mut asked = Asked::of(&turn);
    // It may hold megabytes of media, and waiting for the provider takes long.
    drop(turn);
    let answer = request::send(providers, &call, body.into()).await?;
    let readings = limits::told(answer.headers(), providers.clock.now());
    (asked.id, asked.now) = (call.id.to_string(), providers.clock.now() / 1000);
    if client == Dialect::Responses && !call.request.keeps {
        // Nobody keeps this answer, and it must not say otherwise.
        asked.echo.insert("store".to_owned(), false.into());
    }
    if client == Dialect::Responses
        && let Some(previous) = &call.request.facts.continues
    {
        asked.echo.insert("previous_response_id".to_owned(), previous.as_str().into());
    }
    let unsigned = Unsigned::new(client, &maker);
    let estimate = Estimate::new(client, call.request.body.clone());
    let reader = Translated {
        spoken,
        client,
        decoder: Decoder::new(spoken),
        encoder: Encoder::new(client, asked.clone()),
        asked,
        maker,
        events: Vec::new(),
        content: false,
        unsigned,
        estimate,
        estimated: false,
        summary: compacts.then(|| Summary::new(&call.id)),
    };
    let mut edits = vec![Edit::Translated];
    edits.extend(shaped);
    let frames = answer::frames(answer, call.request.facts.stream, reader, &call.target.connection)?;
    Ok(Answer { frames, edits, losses, readings })
}

/// What the client asks for. The scan has seen the body, but not all of it: what no codec understands is the
/// client's to correct, whatever target there is.
fn decode(call: &Call) -> Result<Turn, Fault> {
    let facts = &call.request.facts;
    let mut turn = dialects::decode(call.request.dialect, &call.request.body)
        .map_err(|error| Fault::new(FaultKind::InvalidRequest, error.to_string()))?;
    refuse_what_is_kept_elsewhere(call.request.dialect, &turn)?;
    if call.request.dialect == Dialect::Gemini {
        turn = turn.without_seams();
    }
    // The scan's word holds: Gemini says both outside of the body.
    turn.stream = facts.stream;
    if turn.model.is_empty() {
        turn.model.clone_from(&facts.model);
    }
    Ok(turn)
}

/// What only a provider of the client's dialect keeps, and a request goes on from: no other can.
fn refuse_what_is_kept_elsewhere(client: Dialect, turn: &Turn) -> Result<(), Fault> {
    let names = |name: &&str| turn.rest.fields.get(*name).is_some_and(|value| !value.is_null());
    match client {
        Dialect::Messages if names(&"thread") => Err(no_threads()),
        Dialect::Responses => match ["conversation", "prompt"].iter().find(|name| names(name)) {
            Some(name) => Err(Fault::new(
                FaultKind::InvalidRequest,
                format!(
                    "`{name}` names something that OpenAI keeps, and the model is served by a provider of another dialect."
                ),
            )),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// A conversation that the client believes to be kept at its provider: what it sends is only the next message of it.
/// Its SDK sends the whole when it is told so in these words.
fn no_threads() -> Fault {
    let text = "threads are kept by providers of Anthropic's dialect only";
    let body = json!({"type": "error", "error": {
        "type": "invalid_request_error",
        "message": format!("The model is served by a provider of another dialect, and {text}. Send the whole conversation without `thread`."),
        "details": {"error_code": "thread_unsupported_request", "unsupported": ["thread"]},
    }});
    let mut fault = Fault::new(FaultKind::InvalidRequest, text).with_status(StatusCode::BAD_REQUEST);
    fault.answer =
        Some(Box::new(PassedOn { status: StatusCode::BAD_REQUEST, body: body.to_string().into() }));
    fault
}

/// Decodes what arrives and encodes it for the client.
struct Translated {
    spoken: Dialect,
    client: Dialect,
    decoder: Decoder,
    encoder: Encoder,
    asked: Asked,
    /// Who makes the signatures in this answer.
    maker: String,
    /// Events of the decoder, kept to be used again.
    events: Vec<Event>,
    /// Whether anything came that a client would call an answer.
    content: bool,
    /// Thoughts that are open and have no signature yet.
    unsigned: Unsigned,
    /// The usage, if the provider gives none.
    estimate: Estimate,
    /// Whether the client was given an estimated usage.
    estimated: bool,
    /// The summary that the client gets, where it asks for a compaction.
    summary: Option<Summary>,
}

impl Translated {
    /// The frame of the events that have been decoded.
    fn frame(&mut self) -> Result<Frame, Fault> {
        let mut unseen = Mark::Empty;
        if let Some(summary) = &mut self.summary {
            for event in std::mem::take(&mut self.events) {
                if matches!(event, Event::Delta { .. }) {
                    // It goes no further, and has its price all the same.
                    let _ = self.estimate.watch(&event);
                }
                unseen = stronger(unseen, summary.take(event, &mut self.events)?);
            }
            self.content |= unseen != Mark::Empty;
        }
        let mut frame = self.encoded();
        frame.mark = stronger(frame.mark, unseen);
        Ok(frame)
    }

    /// Encodes the events.
    fn encoded(&mut self) -> Frame {
        let mut bytes = Vec::new();
        let mut mark = Mark::Empty;
        let mut usage: Option<Usage> = None;
        for mut event in std::mem::take(&mut self.events) {
            if let Event::Usage(counted) = event {
                usage = Some(usage.unwrap_or_default().merged(counted));
            }
            mark = stronger(mark, mark_of(&event));
            event.sign(&self.maker);
            if let Some(signature) = self.unsigned.watch(&event) {
                self.encoder.push(signature, &mut bytes);
            }
            if let Some(estimate) = self.estimate.watch(&event) {
                self.estimated = true;
                self.encoder.push(Event::Usage(estimate), &mut bytes);
            }
            self.encoder.push(event, &mut bytes);
        }
        self.content |= mark != Mark::Empty;
        let losses = (mark == Mark::End).then(|| self.encoder.losses().clone());
        Frame { bytes: bytes.into(), mark, usage, losses: self.told(losses) }
    }

    /// What was lost, in the form of a frame, with the word that the usage is an estimate.
    fn told(&self, losses: Option<Losses>) -> Option<Box<Losses>> {
        let mut losses = losses?;
        if self.estimated {
            losses.changed("usage");
        }
        (!losses.is_empty()).then(|| Box::new(losses))
    }
}

impl Reader for Translated {
    fn event(&mut self, event: Bytes) -> Result<Frame, Fault> {
        match self.decoder.push(&event, &mut self.events) {
            Ok(()) => {}
            Err(AnswerError::Reported(said)) => return Err(reported(&event, &said)),
            Err(AnswerError::Garbage) => return Err(garbage()),
            Err(AnswerError::Empty) => return Err(unfinished(self.content)),
        }
        let frame = self.frame()?;
        if frame.mark == Mark::End && !self.content {
            return Err(unfinished(false));
        }
        Ok(frame)
    }

    fn end(&mut self, broken: Option<Fault>) -> Result<Frame, Fault> {
        if self.decoder.finish(&mut self.events).is_err() {
            return Err(broken.unwrap_or_else(|| unfinished(self.content)));
        }
        let mut frame = self.frame()?;
        frame.mark = Mark::End;
        Ok(frame)
    }

    fn whole(&mut self, body: Bytes) -> Result<Frame, Fault> {
        let mut answer = dialects::decode_answer(self.spoken, &body).map_err(|error| match error {
            AnswerError::Empty => unary_fault(&canon::UnaryError::Empty),
            AnswerError::Garbage => unary_fault(&canon::UnaryError::NotAnAnswer),
            AnswerError::Reported(said) => unary_fault(&canon::UnaryError::Reported(said)),
        })?;
        for block in &mut answer.blocks {
            if let Kind::Thinking(thinking) = &mut block.kind {
                self.unsigned.mark(thinking);
            }
        }
        answer.sign(&self.maker);
        let usage = answer.usage;
        self.estimated = usage.is_none();
        answer.usage = usage.or_else(|| Some(self.estimate.of(&answer)));
        if let Some(summary) = self.summary.take() {
            summary.replace(&mut answer)?;
        }
        let Encoded { body, losses } = dialects::encode_answer(self.client, answer, &self.asked);
        let losses = self.told(Some(losses));
        Ok(Frame { bytes: body.into(), mark: Mark::End, usage, losses })
    }
}

/// What an event means for holding back: whether a person would see it.
fn mark_of(event: &Event) -> Mark {
    match event {
        Event::End => Mark::End,
        Event::Stop { .. } | Event::Open { block: Opening::ToolCall { .. } | Opening::Whole(_), .. } => {
            Mark::Content
        }
        Event::Delta { delta: Delta::Text(text), .. } if text.is_empty() => Mark::Empty,
        Event::Delta { .. } => Mark::Content,
        Event::Start { .. } | Event::Open { .. } | Event::Close { .. } | Event::Usage(_) => Mark::Empty,
    }
}

fn stronger(one: Mark, other: Mark) -> Mark {
    match (one, other) {
        (Mark::End, _) | (_, Mark::End) => Mark::End,
        (Mark::Content, _) | (_, Mark::Content) => Mark::Content,
        (Mark::Empty, Mark::Empty) => Mark::Empty,
    }
}
