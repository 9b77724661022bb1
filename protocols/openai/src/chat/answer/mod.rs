//! What a model answers: `chat.completion` objects and streams of `chat.completion.chunk`s, read from providers and
//! written for clients.

mod chunk;
mod decode;
mod decoder;
mod encode;
mod encoder;
mod ids;
mod open_calls;
mod think;
mod written;

pub use decode::decode_answer;
pub use decoder::Decoder;
pub use encode::encode_answer;
pub use encoder::Encoder;
