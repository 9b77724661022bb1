//! Translation: requests, answers and streams, into canon and out of it.

use anthropic::messages;
use canon::{Answer, AnswerError, Asked, DecodeError, Dialect, Encoded, Event, Losses, Target, Turn};
use gemini::generate;
use openai::{chat, responses};

/// Decodes a client's request.
///
/// # Errors
/// When the body is not a request of the dialect.
pub fn decode(dialect: Dialect, body: &[u8]) -> Result<Turn, DecodeError> {
    match dialect {
        Dialect::Chat => chat::decode(body),
        Dialect::Responses => responses::decode(body),
        Dialect::Messages => messages::decode(body),
        Dialect::Gemini => generate::decode(body),
    }
}

/// Encodes a request for a provider.
#[must_use]
pub fn encode(dialect: Dialect, turn: &Turn, target: &Target<'_>) -> Encoded {
    match dialect {
        Dialect::Chat => chat::encode(turn, target),
        Dialect::Responses => responses::encode(turn, target),
        Dialect::Messages => messages::encode(turn, target),
        Dialect::Gemini => generate::encode(turn, target),
    }
}

/// Decodes a provider's unary answer.
///
/// # Errors
/// When the body is not an answer of the dialect.
pub fn decode_answer(dialect: Dialect, body: &[u8]) -> Result<Answer, AnswerError> {
    match dialect {
        Dialect::Chat => chat::decode_answer(body),
        Dialect::Responses => responses::decode_answer(body),
        Dialect::Messages => messages::decode_answer(body),
        Dialect::Gemini => generate::decode_answer(body),
    }
}

/// Encodes a unary answer for a client.
#[must_use]
pub fn encode_answer(dialect: Dialect, answer: Answer, asked: &Asked) -> Encoded {
    match dialect {
        Dialect::Chat => chat::encode_answer(answer, asked),
        Dialect::Responses => responses::encode_answer(answer, asked),
        Dialect::Messages => messages::encode_answer(answer, asked),
        Dialect::Gemini => generate::encode_answer(answer, asked),
    }
}

/// Decodes a provider's stream.
#[derive(Debug)]
pub struct Decoder(Reads);

#[derive(Debug)]
enum Reads {
    Chat(Box<chat::Decoder>),
    Responses(Box<responses::Decoder>),
    Messages(Box<messages::Decoder>),
    Gemini(Box<generate::Decoder>),
}

impl Decoder {
    /// A decoder for a stream in `dialect`.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self(match dialect {
            Dialect::Chat => Reads::Chat(Box::default()),
            Dialect::Responses => Reads::Responses(Box::default()),
            Dialect::Messages => Reads::Messages(Box::default()),
            Dialect::Gemini => Reads::Gemini(Box::default()),
        })
    }

    /// Takes one event.
    ///
    /// # Errors
    /// When it reports an error, or is no event of the dialect.
    pub fn push(&mut self, event: &[u8], events: &mut Vec<Event>) -> Result<(), AnswerError> {
        match &mut self.0 {
            Reads::Chat(decoder) => decoder.push(event, events),
            Reads::Responses(decoder) => decoder.push(event, events),
            Reads::Messages(decoder) => decoder.push(event, events),
            Reads::Gemini(decoder) => decoder.push(event, events),
        }
    }

    /// Takes the end of the stream.
    ///
    /// # Errors
    /// When it came before the answer's end.
    pub fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), AnswerError> {
        match &mut self.0 {
            Reads::Chat(decoder) => decoder.finish(events),
            Reads::Responses(decoder) => decoder.finish(events),
            Reads::Messages(decoder) => decoder.finish(events),
            Reads::Gemini(decoder) => decoder.finish(events),
        }
    }
}

/// Encodes a stream for a client.
#[derive(Debug)]
pub struct Encoder(Writes);

#[derive(Debug)]
enum Writes {
    Chat(Box<chat::Encoder>),
    Responses(Box<responses::Encoder>),
    Messages(Box<messages::Encoder>),
    Gemini(Box<generate::Encoder>),
}

impl Encoder {
    /// An encoder for a client of `dialect`.
    #[must_use]
    pub fn new(dialect: Dialect, asked: Asked) -> Self {
        Self(match dialect {
            Dialect::Chat => Writes::Chat(Box::new(chat::Encoder::new(asked))),
            Dialect::Responses => Writes::Responses(Box::new(responses::Encoder::new(asked))),
            Dialect::Messages => Writes::Messages(Box::new(messages::Encoder::new(asked))),
            Dialect::Gemini => Writes::Gemini(Box::new(generate::Encoder::new(asked))),
        })
    }

    /// Takes one event and appends what the client gets.
    pub fn push(&mut self, event: Event, bytes: &mut Vec<u8>) {
        match &mut self.0 {
            Writes::Chat(encoder) => encoder.push(event, bytes),
            Writes::Responses(encoder) => encoder.push(event, bytes),
            Writes::Messages(encoder) => encoder.push(event, bytes),
            Writes::Gemini(encoder) => encoder.push(event, bytes),
        }
    }

    /// What could not be said so far.
    #[must_use]
    pub fn losses(&self) -> &Losses {
        match &self.0 {
            Writes::Chat(encoder) => encoder.losses(),
            Writes::Responses(encoder) => encoder.losses(),
            Writes::Messages(encoder) => encoder.losses(),
            Writes::Gemini(encoder) => encoder.losses(),
        }
    }
}
