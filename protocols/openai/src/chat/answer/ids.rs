//! The ids that answers have here.

use canon::Asked;

/// What ids of answers begin with.
const PREFIX: &str = "chatcmpl-";

/// The id of an answer: the provider's where it has the form of this dialect, else one that is made of the request's.
pub(super) fn answer(id: String, asked: &Asked) -> String {
    if asked.id.is_empty() || id.starts_with(PREFIX) { id } else { [PREFIX, &asked.id].concat() }
}
