//! `trivium NOUN VERB`: a command for every operation that has none of its own, made from its definition. Arguments are
//! what the schema says: those of the path come without a name, the rest as `--name VALUE`, and objects as JSON, as YAML, or
//! from a file with `@FILE`.

use std::{collections::BTreeMap, process::ExitCode};

use clap::{Arg, ArgAction, ArgMatches, Command};
use operations::Definition;
use serde_json::{Map, Value};

use super::{
    Common,
    output::{bold, fail, print, say},
    place::at_place,
};
use crate::config::yaml_value;

/// Adds a command for every operation that `command` does not have yet.
pub(super) fn add_to(command: Command) -> Command {
    let mut nouns: BTreeMap<&'static str, Vec<&'static Definition>> = BTreeMap::new();
    for definition in Definition::all() {
        nouns.entry(definition.command.0).or_default().push(definition);
    }
    nouns.into_iter().fold(command, |command, (noun, definitions)| {
        let verbs: Vec<Command> = definitions
            .into_iter()
            .filter(|definition| !has(&command, definition.command))
            .map(verb)
            .collect();
        if verbs.is_empty() {
            return command;
        }
        if command.find_subcommand(hyphens(noun)).is_some() {
            return command.mut_subcommand(hyphens(noun), |there| there.subcommands(verbs));
        }
        let about = format!("Operations on {}", noun.replace('_', " "));
        let made = Command::new(hyphens(noun)).about(about).subcommand_required(true);
        command.subcommand(made.arg_required_else_help(true).subcommands(verbs))
    })
}

fn has(command: &Command, (noun, verb): (&str, &str)) -> bool {
    command.find_subcommand(hyphens(noun)).is_some_and(|noun| noun.find_subcommand(verb).is_some())
}

fn verb(definition: &'static Definition) -> Command {
    let schema = definition.args_schema();
    let command = Command::new(definition.command.1)
        .about(definition.title)
        .long_about(definition.summary)
        // Some operations take a version, which is the one that is meant there.
        .disable_version_flag(true);
    let command = command.arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON"));
    let parameters: Vec<_> = definition.route.parameters().collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().fold(command, |command, (name, schema)| {
        command.arg(argument(name, schema, parameters.contains(&name.as_str()), &required(definition, name)))
    })
}

/// Whether an operation cannot go without this argument.
fn required(definition: &Definition, name: &str) -> bool {
    let schema = definition.args_schema();
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|all| all.iter().any(|one| one == name))
}

fn argument(name: &str, schema: &Value, positional: bool, required: &bool) -> Arg {
    let help = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let help = help.split_once(". ").map_or(help, |(first, _)| first).trim_end_matches('.').to_owned();
    let arg = Arg::new(name.to_owned()).help(help).required(*required);
    if positional {
        return arg.value_name(name.to_ascii_uppercase());
    }
    let arg = arg.long(name.replace('_', "-"));
    match kind(schema) {
        "boolean" => arg.action(ArgAction::SetTrue).required(false),
        "array" => arg.action(ArgAction::Append).value_name("VALUE"),
        "object" => arg.value_name("JSON|@FILE"),
        "integer" | "number" => arg.value_name("NUMBER"),
        _ => arg.value_name("VALUE"),
    }
}

fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("string")
        }
        _ if schema.get("additionalProperties").is_some() => "object",
        _ => "string",
    }
}

/// The operation that was typed, if it is one that `own` has no command for.
pub(super) fn typed(own: &Command, matches: &ArgMatches) -> Option<&'static Definition> {
    let (noun, rest) = matches.subcommand()?;
    let (verb, _) = rest.subcommand()?;
    let mut all = Definition::all().iter();
    all.find(|one| hyphens(one.command.0) == noun && one.command.1 == verb)
        .filter(|one| !has(own, one.command))
}

/// Runs the operation that was typed.
pub(super) fn run(definition: &'static Definition, matches: &ArgMatches, common: &Common) -> ExitCode {
    let typed = matches.subcommand().and_then(|(_, rest)| rest.subcommand());
    let Some((_, typed)) = typed else { return fail("no command was given; see `trivium --help`") };
    let args = match arguments(definition, typed) {
        Ok(args) => args,
        Err(text) => return fail(&text),
    };
    let json = typed.get_flag("json");
    at_place(common, async |place| {
        let answer = place.call_by(definition, Value::Object(args)).await?;
        if json { print(&answer) } else { show(&answer) }
    })
}

fn hyphens(noun: &str) -> String {
    noun.replace('_', "-")
}

fn arguments(definition: &Definition, typed: &ArgMatches) -> Result<Map<String, Value>, String> {
    let schema = definition.args_schema();
    let mut args = Map::new();
    for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let kind = kind(schema);
        if kind == "boolean" {
            // What is not said is no, where it has to be said.
            let flag = typed.get_flag(name);
            if flag || required(definition, name) {
                args.insert(name.clone(), flag.into());
            }
            continue;
        }
        let Some(given) = typed.get_many::<String>(name) else { continue };
        let given: Vec<&str> = given.map(String::as_str).collect();
        let value = match (kind, given.as_slice()) {
            ("array", items) => items.iter().map(|text| item(name, text)).collect::<Result<Value, _>>()?,
            ("integer" | "number", [text]) => text
                .parse::<u64>()
                .map(Value::from)
                .or_else(|_| text.parse::<f64>().map(Value::from))
                .map_err(|_| format!("`{name}` must be a number"))?,
            ("object", [text]) => object(name, text)?,
            (_, [text]) => (*text).into(),
            _ => continue,
        };
        args.insert(name.clone(), value);
    }
    Ok(args)
}

/// One of several: a text, or an object where it begins like one.
fn item(name: &str, text: &str) -> Result<Value, String> {
    if text.trim_start().starts_with('{') { object(name, text) } else { Ok(text.into()) }
}

fn object(name: &str, text: &str) -> Result<Value, String> {
    let read = match text.strip_prefix('@') {
        Some("-") => std::io::read_to_string(std::io::stdin()),
        Some(file) => std::fs::read_to_string(file),
        None => Ok(text.to_owned()),
    };
    let text = read.map_err(|error| format!("`{name}` could not be read: {error}"))?;
    let value =
        yaml_value(&text).map_err(|problem| format!("`{name}` is neither JSON nor YAML: {problem}"))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(format!("`{name}` must be an object, such as {{\"enabled\": false}}"))
    }
}

/// Prints a list as a table, several lists each below its name, and anything else as lines.
fn show(answer: &Value) -> Result<(), String> {
    let list = answer.as_object().and_then(|fields| {
        let mut lists = fields.values().filter_map(Value::as_array);
        lists.next().filter(|_| lists.next().is_none())
    });
    match (list, answer) {
        (Some(items), _) if items.iter().all(Value::is_object) => {
            table(items);
            if let Some(next) = answer.get("next_cursor").filter(|next| !next.is_null()) {
                say(&format!("More: --cursor {}", cell(next)));
            }
        }
        (_, Value::Object(fields)) => {
            let is_list = |value: &Value| {
                value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_object))
            };
            let width = fields.keys().map(String::len).max().unwrap_or_default();
            for (name, value) in fields.iter().filter(|(_, value)| !is_list(value)) {
                say(&format!("{name:<width$}  {}", cell(value)));
            }
            for (name, value) in fields.iter().filter(|(_, value)| is_list(value)) {
                say(&format!("\n{}", bold(name)));
                table(value.as_array().map_or(&[], Vec::as_slice));
            }
        }
        (_, other) => return print(other),
    }
    Ok(())
}

/// Columns that the first of all rows have, short texts only.
fn table(items: &[Value]) {
    let mut columns: Vec<&str> = Vec::new();
    for name in items.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    if items.is_empty() {
        say("There are none.");
        return;
    }
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|item| columns.iter().map(|name| item.get(*name).map_or_else(String::new, cell)).collect())
        .collect();
    let width = |at: usize| {
        let longest = rows.iter().filter_map(|row| row.get(at)).map(|text| text.chars().count()).max();
        longest.unwrap_or_default().max(columns.get(at).map_or(0, |name| name.len()))
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(text, width)| format!("{text:<width$}")).collect();
        say(padded.join("  ").trim_end());
    };
    line(&mut columns.iter().copied());
    for row in &rows {
        line(&mut row.iter().map(String::as_str));
    }
}

/// A value in a few characters.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() <= 72 { text } else { text.chars().take(71).chain(['…']).collect() }
}
