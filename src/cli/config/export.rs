//! `trivium config export`: the file's definitions and those made over the API as one file. Secrets are variables in it.

use std::{collections::BTreeSet, process::ExitCode};

use operations::documents::Owner;
use serde_json::{Map, Value};

use super::made::{Made, all};
use crate::{
    cli::{
        Common,
        output::{note, say},
        place::at_place,
    },
    config::{REDACTED, SETTINGS, identity, yaml_text},
};

pub(super) fn run(common: &Common) -> ExitCode {
    at_place(common, async |place| {
        let (text, variables) = export(&all(place).await?);
        say(text.trim_end());
        if !variables.is_empty() {
            note("Secrets are not exported. Set these variables for whoever reads the file:");
            variables.iter().for_each(|name| note(&format!("  {name}")));
        }
        Ok(())
    })
}

/// The YAML, and the names of the variables that stand where secrets were.
fn export(made: &[Made]) -> (String, BTreeSet<String>) {
    let mut root: Map<String, Value> = Map::new();
    let mut variables = BTreeSet::new();
    for one in made {
        let (section, id) = (one.noun.section, one.view.id.as_str());
        // What the machine's environment and flags say is not the file's to say on another machine.
        let passing = one
            .view
            .place
            .as_deref()
            .is_some_and(|place| place.starts_with("environment variable") || place.starts_with("flag "));
        if passing || one.view.set_aside.is_some() {
            note(&format!(
                "left out: `{id}` of {section}, which is {}",
                if passing { "not the file's" } else { "not in force" }
            ));
            continue;
        }
        let literal = one.view.owner == Owner::Api;
        let mut definition = Map::new();
        for (name, value) in &one.view.definition {
            let path = if section == SETTINGS { id.to_owned() } else { format!("{id}_{name}") };
            definition.insert(name.clone(), portable(value, &path, literal, &mut variables));
        }
        place_in(&mut root, section, id, definition);
    }
    (yaml_text(&root), variables)
}

pub(super) fn place_in(
    root: &mut Map<String, Value>,
    section: &str,
    id: &str,
    definition: Map<String, Value>,
) {
    if section == SETTINGS {
        let Some((section, key)) = id.split_once('.') else { return };
        let there = root.entry(section).or_insert_with(|| Value::Object(Map::new()));
        if let (Some(there), Some(value)) = (there.as_object_mut(), definition.get("value")) {
            there.insert(key.to_owned(), value.clone());
        }
        return;
    }
    if section == "aliases" {
        let there = root.entry(section).or_insert_with(|| Value::Object(Map::new()));
        if let Some(there) = there.as_object_mut() {
            there.insert(id.to_owned(), Value::Object(definition));
        }
        return;
    }
    let there = root.entry(section).or_insert_with(|| Value::Array(Vec::new()));
    let Some(there) = there.as_array_mut() else { return };
    let mut item = Map::new();
    // An entry that the file left without an id has its place as one.
    if identity(section, &definition).is_none() && !id.starts_with('#') {
        item.insert("id".to_owned(), id.into());
    }
    item.extend(definition);
    there.push(Value::Object(item));
}

/// The value with variables for secrets. A dollar sign in what was made over the API means itself.
fn portable(value: &Value, path: &str, literal: bool, variables: &mut BTreeSet<String>) -> Value {
    match value {
        Value::String(text) if text == REDACTED => {
            let name = variable(path, variables);
            let reference = format!("${{{name}}}");
            variables.insert(name);
            reference.into()
        }
        Value::String(text) if literal => text.replace('$', "$$").into(),
        Value::Array(items) => {
            items.iter().map(|item| portable(item, path, literal, variables)).collect::<Vec<_>>().into()
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                (name.clone(), portable(value, &format!("{path}_{name}"), literal, variables))
            });
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

/// A name that no other secret has.
fn variable(path: &str, taken: &BTreeSet<String>) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let mut name: String = path.chars().map(plain).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    let numbered = (2..).map(|number: u32| format!("{name}_{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(name)
}
