//! Fields without a typed place: how a decoder puts them aside, and how an encoder of this dialect puts them back.

use canon::{Dialect, Fields, Losses, Rest};
use serde_json::{Map, Value};

pub(super) const CHAT: Dialect = Dialect::Chat;

/// The hint that holds fields which say nothing: nested nulls, and defaults that some clients always write.
const SILENT: &str = "$silent";

/// Hints on spelling, until the rest is made that they go into.
pub(super) type Hints = Vec<(&'static str, Value)>;

/// Leaves what is left of a nested object in the object that held it, under its own name.
pub(super) fn leave(outer: &mut Fields, name: &str, inner: Fields) {
    if !inner.is_empty() {
        outer.put(name, Value::Object(inner.into_map()));
    }
}

/// Makes a rest of what is left of an object, with hints.
pub(super) fn rest_of(fields: Fields, hints: Hints) -> Rest {
    if fields.is_empty() && hints.is_empty() {
        return Rest::default();
    }
    let (mut silent, mut spoken) = (Map::new(), Map::new());
    for (name, value) in fields.into_map() {
        let quiet = value.is_object() && says_nothing(&value);
        if quiet { &mut silent } else { &mut spoken }.insert(name, value);
    }
    let mut rest = Rest::new(CHAT, spoken);
    if !silent.is_empty() {
        rest.hint(CHAT, SILENT, silent);
    }
    for (name, value) in hints {
        rest.hint(CHAT, name, value);
    }
    rest
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().all(says_nothing),
        _ => false,
    }
}

/// Moves a field that only repeats the default to those that say nothing.
pub(super) fn hush(rest: &mut Rest, name: &str, default: &Value) {
    if rest.of(CHAT).and_then(|own| own.get(name)) != Some(default) {
        return;
    }
    let Some((name, value)) = rest.fields.shift_remove_entry(name) else { return };
    match rest.fields.entry(SILENT).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(silent) => drop(silent.insert(name, value)),
        _ => rest.dialect = Some(CHAT),
    }
}

/// Puts fields back that are this dialect's, into nested objects too; declares others lost.
pub(super) fn restore(rest: &Rest, object: &mut Map<String, Value>, losses: &mut Losses) {
    let Some(own) = rest.of(CHAT) else { return rest.lost(losses) };
    for (name, value) in own.iter().filter(|(name, _)| !name.starts_with('$')) {
        merge(object, name, value);
    }
    if let Some(Value::Object(silent)) = own.get(SILENT) {
        silent.iter().for_each(|(name, value)| merge(object, name, value));
    }
}

fn merge(object: &mut Map<String, Value>, name: &str, value: &Value) {
    match (object.get_mut(name), value) {
        (None, _) => drop(object.insert(name.to_owned(), value.clone())),
        (Some(Value::Object(there)), Value::Object(more)) => {
            more.iter().for_each(|(name, value)| merge(there, name, value));
        }
        _ => {}
    }
}

/// An object of these fields, in this order.
pub(super) fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The same, without those that have no value.
pub(super) fn some<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
