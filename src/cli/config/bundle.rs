//! `trivium config bundle-key` and `open`: bundles with secrets, which other hubs and scripts take along.

use std::{path::Path, process::ExitCode};

use serde_json::{Map, Value};

use super::export::place_in;
use crate::{
    app,
    cli::output::{fail, note, say},
    config::{Source, yaml_text},
};

/// Makes an identity, and prints to whom others encrypt.
pub(super) fn make_key(file: &Path) -> ExitCode {
    match app::make_identity(file) {
        Ok(recipient) => {
            note(&format!(
                "The identity is in {}: whoever has it can open what is encrypted to",
                file.display()
            ));
            say(&recipient);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error.to_string()),
    }
}

/// Prints what is in a bundle as a file in the language of the configuration file, with its secrets.
pub(super) fn open(bundle: &Path, identity: &Path) -> ExitCode {
    match text_of(bundle, identity) {
        Ok(text) => {
            say(text.trim_end());
            ExitCode::SUCCESS
        }
        Err(text) => fail(&text),
    }
}

/// What a file or an opened bundle is to be read from.
pub(super) fn source(file: &Path, identity: Option<&Path>) -> Result<Source, ExitCode> {
    let Some(identity) = identity else { return Ok(Source::File(file.to_owned())) };
    let text = text_of(file, identity).map_err(|text| fail(&text))?;
    Ok(Source::Text { name: file.display().to_string(), text })
}

fn text_of(bundle: &Path, identity: &Path) -> Result<String, String> {
    let contents = app::open_bundle(bundle, identity).map_err(|error| error.to_string())?;
    let mut root = Map::new();
    for (section, items) in contents.sections {
        for (id, definition) in items {
            let definition = definition.into_iter().map(|(name, value)| (name, literal(value))).collect();
            place_in(&mut root, &section, &id, definition);
        }
    }
    Ok(yaml_text(&root))
}

/// A dollar sign in what was read stands for itself.
fn literal(value: Value) -> Value {
    match value {
        Value::String(text) => text.replace('$', "$$").into(),
        Value::Array(items) => items.into_iter().map(literal).collect(),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, literal(value))).collect())
        }
        other => other,
    }
}
