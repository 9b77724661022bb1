//! What a signature of a card is over (specification, 8.4.1).

use super::{Card, jcs, v1};

/// The card of 1.0 without its signatures, as RFC 8785 writes it. Fields that hold a default are left out where protobuf
/// leaves them out: `Card` is serialized so.
///
/// The Python SDK differs from the specification: it leaves out all that is empty (texts, lists and objects, required
/// ones too) and escapes what is not ASCII. A card that says something in each field, in ASCII, is the same to both.
#[must_use]
pub fn canonical(card: &Card) -> String {
    let mut card = v1(card);
    if let Some(card) = card.as_object_mut() {
        card.remove("signatures");
    }
    jcs::write(&card)
}
