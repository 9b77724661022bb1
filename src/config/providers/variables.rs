//! The parts of a provider's URL that belong to the account, such as Cloudflare's `account_id`.

use std::collections::BTreeMap;

use super::VARIABLES;
use crate::{
    config::{
        effective::Sink,
        fields::{Fields, items_of, mismatch},
        node::{Node, Value},
        schema::nearest,
    },
    engine::settings::Provider,
};

/// The user's values by name.
pub(super) fn read(fields: &Fields<'_>, provider: &Provider, sink: &mut Sink) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let Some(node) = fields.node(&VARIABLES) else { return values };
    let path = fields.path_of(&VARIABLES);
    let Value::Map(map) = &node.value else {
        mismatch(sink, &path, &VARIABLES, node);
        return values;
    };
    for (key, value) in &map.entries {
        let path = format!("{path}.{}", key.name);
        if !provider.variables.contains(&key.name) {
            let known = provider.variables.iter().map(String::as_str);
            let remedy = match nearest(&key.name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None if provider.variables.is_empty() => format!("`{}` has none; remove it", provider.id),
                None => format!("`{}` has: {}", provider.id, provider.variables.join(", ")),
            };
            let message = format!("`{}` has no variable of this name", provider.id);
            sink.problems.error(&path, &key.origin, message, remedy);
        } else if let Some(text) = value_of(&path, &key.name, value, sink) {
            values.insert(key.name.clone(), text);
        }
    }
    values
}

/// Reports variables that the provider's URLs need and the user did not give; whether there are any.
pub(super) fn report_lacking(
    fields: &Fields<'_>,
    provider: &Provider,
    values: &BTreeMap<String, String>,
    sink: &mut Sink,
) -> bool {
    let mut lacking = false;
    for name in provider.variables.iter().filter(|name| !values.contains_key(*name)) {
        lacking = true;
        let message = format!("`{}` needs the variable `{name}`, which is part of its URL", provider.id);
        let remedy = format!("write `variables: {{{name}: …}}` with the value of your account");
        sink.problems.error(
            &format!("{}.{name}", fields.path_of(&VARIABLES)),
            fields.origin(),
            message,
            remedy,
        );
    }
    lacking
}

/// A value becomes part of a URL, so it must not change where that leads. Dots stand for a host's
/// sake (`{host}`), never for a folder's.
fn value_of(path: &str, name: &str, node: &Node, sink: &mut Sink) -> Option<String> {
    let written = items_of(sink, path, &VARIABLES, std::slice::from_ref(node)).pop()?;
    let harmless = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let edges = |c: char| c.is_ascii_alphanumeric();
    let fits = written.value.chars().all(harmless)
        && written.value.starts_with(edges)
        && written.value.ends_with(edges)
        && !written.value.contains("..");
    if !fits {
        let message = format!("the variable `{name}` is part of a URL, and its value cannot be");
        let remedy = "use letters, digits and, between them, `.`, `-` and `_`: no `https://`, no slash";
        sink.problems.error(path, &written.origin, message, remedy);
        return None;
    }
    sink.holds_named(path.to_owned(), name, &written.value, written.origin);
    Some(written.value)
}
