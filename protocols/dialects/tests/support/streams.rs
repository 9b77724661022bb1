//! Streams as tests see them: whole ones in, whole ones out.

use canon::{Answer, AnswerError, Asked, Dialect, Event, Fold, Losses, sse::Splitter};
use dialects::{Decoder, Encoder};

/// The wire events of a stream, the last one with or without its blank line.
pub(crate) fn split(stream: &[u8]) -> Vec<bytes::Bytes> {
    let mut splitter = Splitter::default();
    splitter.push(bytes::Bytes::copy_from_slice(stream));
    let mut events: Vec<_> = std::iter::from_fn(|| splitter.next_event()).collect();
    events.extend(splitter.rest());
    events
}

/// What a provider's stream says.
pub(crate) fn decoded(dialect: Dialect, stream: &[u8]) -> Result<Vec<Event>, AnswerError> {
    let (mut decoder, mut events) = (Decoder::new(dialect), Vec::new());
    for event in split(stream) {
        decoder.push(&event, &mut events)?;
    }
    decoder.finish(&mut events)?;
    Ok(events)
}

/// The stream that a client gets, and what it does not say.
pub(crate) fn encoded(dialect: Dialect, events: Vec<Event>, asked: Asked) -> (Vec<u8>, Losses) {
    let (mut encoder, mut bytes) = (Encoder::new(dialect, asked), Vec::new());
    for event in events {
        encoder.push(event, &mut bytes);
    }
    (bytes, encoder.losses().clone())
}

/// The answer that events make.
pub(crate) fn folded(events: impl IntoIterator<Item = Event>) -> Answer {
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish()
}
