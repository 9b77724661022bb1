//! Messages (`POST /v1/messages`): what a request asks for and what the pieces of an answer mean where bytes pass
//! through, and the translation of requests and answers where they do not.

mod answer;
mod carrier;
mod decode;
mod encode;
mod foreign;
mod generation;
mod quoted;
mod scan;
mod stream;
mod tool_loop;
mod unary;

#[cfg(test)]
mod tests;

pub use answer::{Decoder, Encoder, decode_answer, encode_answer};
pub use decode::decode;
pub use encode::encode;
pub(crate) use encode::encode_object;
pub use foreign::without_foreign_thoughts;
pub use scan::scan;
pub use stream::read_event;
pub use unary::read_unary;

/// The path below a base URL.
pub const PATH: &str = "/messages";

/// The event that ends a stream.
pub const STOP: &[u8] = b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
