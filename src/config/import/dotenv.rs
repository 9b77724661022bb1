//! Files of `NAME=value` lines. The hub reads none of them at its start; here they are only looked through for keys.

use std::{path::Path, sync::Arc};

use crate::config::origin::Origin;

/// A variable and the line that sets it. Its value may be a secret.
#[derive(Clone)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) place: Origin,
}

/// The variables of a file; `None` if it is something else. The last line of a name counts.
pub(super) fn read(text: &str, path: &Arc<Path>) -> Option<Vec<Variable>> {
    let mut variables: Vec<Variable> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=')?;
        let name = name.trim();
        if !is_name(name) {
            return None;
        }
        let place = Origin::File { path: Arc::clone(path), line: index + 1, column: 1 };
        variables.retain(|earlier| earlier.name != name);
        variables.push(Variable { name: name.to_owned(), value: unquoted(value.trim()), place });
    }
    (!variables.is_empty()).then_some(variables)
}

/// Whether a variable can be called so.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 128 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn unquoted(value: &str) -> String {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote)
            && let Some((inside, _)) = rest.split_once(quote)
        {
            return inside.to_owned();
        }
    }
    // A comment needs a space before it: keys may have a `#` in them.
    value.split_once(" #").map_or(value, |(value, _)| value.trim_end()).to_owned()
}
