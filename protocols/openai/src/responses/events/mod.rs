//! Answers that stream: typed events, read and written.

mod call;
mod decoder;
mod encoder;
mod item_state;
mod message;
mod reasoning;
mod wire;

pub use decoder::Decoder;
pub use encoder::Encoder;

use canon::Asked;

use super::answer::{Head, State, object};

/// The event that ends a stream of which nothing was sent yet, or which passed through: no state is needed for it.
/// `sequence` is the number of the next event.
#[must_use]
pub fn failed(asked: &Asked, sequence: u64, code: &str, message: &str) -> Vec<u8> {
    let head = Head::new(asked, "", String::new(), None);
    let response = object(asked, &head, &State::Failed(code, message), Vec::new(), None);
    let mut out = Vec::new();
    let mut wire = wire::Wire::from(sequence);
    wire.emit("response.failed", wire::fields([("response", response)]), &mut out);
    out
}
