//! All definitions in one answer, and the hash by which a change of any of them is seen. With secrets they are only had
//! encrypted, by who may have them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use operations::{
    Invalid, Scope,
    bundle::{Bundle, BundleContents, GetBundle},
    documents::{NOUNS, Noun},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Definition, Documents};
use crate::{
    auth::hmac,
    engine::caller::Caller,
    envelope::{EnvelopeError, Recipient},
    observe::events,
    ops::{OpError, error::require},
};

/// Sections that are about this machine, and of no use to another.
const OWN: [&str; 5] = ["server.", "auth.", "log.", "store.", "backups."];
/// Callers whose last bundle is remembered; all are forgotten when there are more.
const CALLERS: usize = 64;

type Sections = BTreeMap<String, BTreeMap<String, Definition>>;

impl Documents {
    /// Every definition that is in force, secrets masked; and with them, encrypted to a recipient.
    ///
    /// # Errors
    /// [`OpError::Forbidden`] for who may not have secrets and names a recipient.
    pub fn bundle(&self, caller: &Caller, args: GetBundle) -> Result<Bundle, OpError> {
        let sections = self.sections(false);
        let program = env!("CARGO_PKG_VERSION").to_owned();
        let Some(recipient) = args.recipient else {
            let etag = hex(&Sha256::digest(canonical(&sections)));
            return Ok(Bundle { etag, program, sections, sealed: None });
        };
        require(caller, Scope::ExportSecrets)?;
        let to = Recipient::parse(&recipient).map_err(refused)?;
        let contents = BundleContents { sections: self.sections(true) };
        // With a key of this process, so that nobody can try out what a short secret may be.
        let told = format!("{recipient} {}", canonical(&contents.sections));
        let etag = hex(&hmac(&self.bundles.key, told.as_bytes()));
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(&contents).unwrap_or_default());
        let sealed = to.seal(&plain).map_err(refused)?;
        self.bundles.told(caller, &recipient, &etag);
        Ok(Bundle { etag, program, sections, sealed: Some(sealed) })
    }

    fn sections(&self, whole: bool) -> Sections {
        let own = |noun: &Noun, id: &str| OWN.iter().any(|own| is_setting_of(noun.section, id, own));
        let mut sections = Sections::new();
        for noun in &NOUNS {
            let items: BTreeMap<String, Definition> = if whole {
                self.whole(noun).filter(|(id, _)| !own(noun, id)).collect()
            } else {
                let in_force = self.views(noun).filter(|view| view.set_aside.is_none());
                in_force.filter(|view| !own(noun, &view.id)).map(|view| (view.id, view.definition)).collect()
            };
            sections.insert(noun.section.to_owned(), items);
        }
        sections
    }

    /// Those in force with their secrets.
    fn whole<'a>(&'a self, noun: &'static Noun) -> impl Iterator<Item = (String, Definition)> + 'a {
        let (declared, aside) = (self.configuration.declared(), self.configuration.set_aside());
        let of_file: Vec<_> = declared
            .iter()
            .filter(|item| item.section == noun.section)
            .map(|item| (item.id.clone(), item.whole.clone()))
            .collect();
        let made = self.living().into_iter().filter(move |document| {
            let is_aside = aside.iter().any(|one| one.section == document.section && one.id == document.id);
            &*document.section == noun.section && !is_aside
        });
        of_file
            .into_iter()
            .chain(made.map(|document| (document.id.to_string(), document.definition.unwrap_or_default())))
    }
}

/// What is remembered of bundles.
pub(super) struct Bundles {
    key: [u8; 32],
    last: Mutex<BTreeMap<Arc<str>, String>>,
}

impl Default for Bundles {
    fn default() -> Self {
        Self { key: rand::random(), last: Mutex::default() }
    }
}

impl Bundles {
    /// Notes in the log that secrets were given away, once for each change of them.
    fn told(&self, caller: &Caller, recipient: &str, etag: &str) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.get(&caller.id).is_some_and(|known| known == etag) {
            return;
        }
        if last.len() >= CALLERS {
            last.clear();
        }
        last.insert(Arc::clone(&caller.id), etag.to_owned());
        events::secrets_exported(&caller.id, recipient);
    }
}

fn refused(error: EnvelopeError) -> OpError {
    match error {
        EnvelopeError::Recipient => Invalid::new("recipient", error.to_string()).into(),
        error => OpError::Store(Box::new(error)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn canonical(sections: &Sections) -> String {
    sorted(serde_json::to_value(sections).unwrap_or_default()).to_string()
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
