//! Responses (`POST /v1/responses`): what a request asks for, what the pieces of an answer mean, and the way to and
//! from the canonical forms. What the hub remembers of earlier answers is read here and kept elsewhere.
//!
//! A conversation is a list of items here. What the model gave in a row is one canonical message, and the outputs of
//! tools in a row are another; hints in the rests tell where one item ends and the next begins.

mod answer;
pub mod compaction;
mod events;
mod foreign;
mod item;
mod request;
mod scan;
mod state;
mod stream;
mod unary;
mod usage;

pub use answer::{decode_answer, encode_answer};
pub use events::{Decoder, Encoder, failed};
pub use foreign::without_foreign_thoughts;
pub use request::{decode, encode};
pub use scan::scan;
pub use state::{
    completed_item, completed_response, continued, input_items, output_items, unkept, with_history,
};
pub use stream::read_event;
pub use unary::read_unary;

/// The path below a base URL.
pub const PATH: &str = "/responses";

/// The dialect of this module.
const OWN: canon::Dialect = canon::Dialect::Responses;

/// What the ids of thoughts begin with that were not given by a provider of this dialect. A provider would look for
/// thoughts without encrypted content by their id, and refuse the request when it finds none. So the ids say whose they
/// are in the word by which a body is known to hold foreign thoughts ([`canon::Signature::may_be_in`]).
const MADE_THOUGHTS: &str = "rs_trivium.";

/// The longest id of a call that providers take.
const CALL_ID_LIMIT: usize = 64;

#[cfg(test)]
mod tests;
