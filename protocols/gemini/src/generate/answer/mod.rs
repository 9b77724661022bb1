//! Answers, to and from canon: whole ones, and streams.

mod decode;
mod decoder;
mod encode;
mod encoder;
mod grounding;
mod logprobs;
mod stop;

pub use decode::decode_answer;
pub use decoder::Decoder;
pub use encode::encode_answer;
pub use encoder::Encoder;
