//! All definitions in one answer, and the hash by which a change of any of them is seen.

use std::collections::BTreeMap;

use operations::{bundle::Bundle, documents::NOUNS};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Documents;

/// Sections that are about this machine, and of no use to another.
const OWN: [&str; 5] = ["server.", "auth.", "log.", "store.", "backups."];

impl Documents {
    /// Every definition that is in force, secrets masked.
    #[must_use]
    pub fn bundle(&self) -> Bundle {
        let mut sections = BTreeMap::new();
        for noun in &NOUNS {
            let in_force = self.views(noun).filter(|view| view.set_aside.is_none());
            let shared =
                in_force.filter(|view| !OWN.iter().any(|own| is_setting_of(noun.section, &view.id, own)));
            let items: BTreeMap<_, _> = shared.map(|view| (view.id, view.definition)).collect();
            sections.insert(noun.section.to_owned(), items);
        }
        let canonical = sorted(serde_json::to_value(&sections).unwrap_or_default()).to_string();
        let digest = Sha256::digest(canonical);
        let etag = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Bundle { etag, program: env!("CARGO_PKG_VERSION").to_owned(), sections }
    }
}

fn is_setting_of(section: &str, id: &str, own: &str) -> bool {
    section == "settings" && id.starts_with(own)
}

/// The same value with the keys of every object in their order: two that are equal are then the same text.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> =
                fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_does_not_count() {
        let one = serde_json::json!({"b": [{"y": 1, "x": 2}], "a": null});
        let other = serde_json::json!({"a": null, "b": [{"x": 2, "y": 1}]});
        assert_eq!(sorted(one).to_string(), r#"{"a":null,"b":[{"x":2,"y":1}]}"#);
        assert_eq!(sorted(other).to_string(), r#"{"a":null,"b":[{"x":2,"y":1}]}"#);
    }
}
