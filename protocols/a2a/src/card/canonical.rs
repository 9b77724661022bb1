//! What a signature of a card is over (specification, 8.4.1).

use serde_json::Value;

use super::{Card, jcs, v1};

/// The card of 1.0 without its signatures, as RFC 8785 writes it. Fields that hold a default are left out where protobuf
/// leaves them out: `Card` is serialized so.
#[must_use]
pub fn canonical(card: &Card) -> String {
    jcs::write(&unsigned(card))
}

/// The same without anything that is empty: texts, lists, objects, and what is empty without those. That is what the SDKs for
/// Python and JavaScript check a signature over (1.3.0). The one for Python also escapes what is not ASCII: a card for all
/// of them says nothing that is not.
#[must_use]
pub fn canonical_without_empty(card: &Card) -> String {
    let mut card = unsigned(card);
    clear(&mut card);
    jcs::write(&card)
}

fn unsigned(card: &Card) -> Value {
    let mut card = v1(card);
    if let Some(card) = card.as_object_mut() {
        card.remove("signatures");
    }
    card
}

/// Takes out what is empty; says whether nothing is left.
fn clear(value: &mut Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => {
            values.retain_mut(|value| !clear(value));
            values.is_empty()
        }
        Value::Object(fields) => {
            fields.retain(|_, value| !clear(value));
            fields.is_empty()
        }
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_empty_goes_and_what_then_is_empty_too() {
        let mut value = json!({"a": "", "b": [{}, {"c": [""]}], "d": {"e": {"f": null}}, "g": false, "h": 0, "i": ["x", ""]});
        assert!(!clear(&mut value));
        assert_eq!(value, json!({"g": false, "h": 0, "i": ["x"]}));
    }
}
