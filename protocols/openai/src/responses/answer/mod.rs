//! Answers in one piece: the response object, read and written.

mod object;
mod read;
mod write;

pub(super) use object::{Head, State, is_foreign, object, stop_of};
pub use read::decode_answer;
pub use write::encode_answer;

/// On an answer that was a response object: its fields that mean nothing to other dialects, as they were written.
const SPELT: &str = "$response";
