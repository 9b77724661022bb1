//! Chat completions (`POST /v1/chat/completions`). Without translation: what a request asks for, the few edits that a
//! passed-through body may undergo, and what the pieces of an answer mean. With translation: requests and answers to
//! and from the canonical form, in one piece and streamed.

mod answer;
mod calls;
mod citation;
mod edit;
mod finish;
mod kept;
mod media;
mod request;
mod scan;
mod stream;
mod target;
mod thinking;
mod unary;

pub use answer::{Decoder, Encoder, decode_answer, encode_answer};
pub use edit::{Changes, apply};
pub use request::decode;
pub use scan::scan;
pub use stream::{DONE, read_event};
pub use target::encode;
pub use unary::read_unary;

#[cfg(test)]
mod tests;

/// The path below a base URL.
pub const PATH: &str = "/chat/completions";
