//! `${NAME}` and `${NAME:-default}` in the file's text; `$$` is a dollar sign. Whether a variable that is
//! not set is an error or a warning is decided by whoever reads the value.

use super::{
    env::Env,
    mask::{REDACTED, looks_secret},
    node::{Node, Scalar, Value},
    problem::Problems,
};

/// Fills in every scalar of the tree.
pub(super) fn interpolate(node: &mut Node, path: &str, env: &Env, problems: &mut Problems) {
    match &mut node.value {
        Value::Scalar(scalar) => {
            if let Err(why) = fill(scalar, env) {
                problems.error(
                    path,
                    &node.origin,
                    why,
                    "write `${NAME}` or `${NAME:-default}`, and `$$` for a dollar sign",
                );
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                interpolate(item, &format!("{path}[{index}]"), env, problems);
            }
        }
        Value::Map(map) => {
            for (key, value) in &mut map.entries {
                let path = if path.is_empty() { key.name.clone() } else { format!("{path}.{}", key.name) };
                interpolate(value, &path, env, problems);
            }
        }
    }
}

fn fill(scalar: &mut Scalar, env: &Env) -> Result<(), String> {
    if !scalar.text.contains('$') {
        return Ok(());
    }
    let mut text = String::with_capacity(scalar.text.len());
    let mut missing = Vec::new();
    let mut rest = scalar.text.as_str();
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            text.push('$');
            rest = after;
        } else if let Some(inside) = rest.strip_prefix('{') {
            let end = inside.find('}').ok_or("`${` is not closed")?;
            expand(&inside[..end], env, &mut text, &mut missing)?;
            rest = &inside[end + 1..];
        } else {
            text.push('$');
        }
    }
    text.push_str(rest);
    scalar.text = text;
    scalar.missing = missing;
    Ok(())
}

fn expand(inside: &str, env: &Env, text: &mut String, missing: &mut Vec<String>) -> Result<(), String> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let well_formed = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !well_formed {
        return Err("`${…}` does not hold the name of an environment variable".to_owned());
    }
    match (env.get(name), default) {
        (Some(value), None) => text.push_str(value),
        // As in a shell, `:-` also stands in for a variable that is set and empty.
        (Some(value), Some(_)) if !value.is_empty() => text.push_str(value),
        (_, Some(default)) => text.push_str(default),
        // Somebody may have put the key itself between the braces.
        (None, None) if looks_secret(name) => missing.push(REDACTED.to_owned()),
        (None, None) => missing.push(name.to_owned()),
    }
    Ok(())
}
