//! What was made over the management API, as one more layer of the configuration: merged into what the file says before
//! anything is read, so that one language is checked in one place. What the file declares wins, and is never changed here.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use serde_json::{Map as Json, Value as JsonValue};

use super::{
    combos,
    layers::Overlay,
    mask::{REDACTED, is_secret_name, looks_issued, looks_secret},
    node::{Key, Map, Node, Scalar, Value},
    origin::Origin,
    parse::parse,
    problem::{Problem, Problems, Severity},
    schema,
};

/// A definition that was made over the API.
#[derive(Clone, PartialEq)]
pub struct Managed {
    /// The section that it belongs to, or [`SETTINGS`].
    pub section: Arc<str>,
    /// Its id.
    pub id: Arc<str>,
    /// What it says, without the id.
    pub definition: Json<String, JsonValue>,
}

impl std::fmt::Debug for Managed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}`", self.section, self.id)
    }
}

/// What a file, the environment or a flag declares, for people to see beside it. Secrets are masked.
#[derive(Clone, PartialEq)]
pub struct Declared {
    /// The section that it belongs to, or [`SETTINGS`].
    pub section: &'static str,
    /// Its id.
    pub id: String,
    /// What it says, without the id.
    pub definition: Json<String, JsonValue>,
    /// The same with variables filled in and secrets as they are. Not to be shown.
    pub whole: Json<String, JsonValue>,
    /// Where it says so.
    pub place: Origin,
}

impl std::fmt::Debug for Declared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}` {:?}", self.section, self.id, self.definition)
    }
}

/// A definition that is not in force, because it contradicts what the file says by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The section that it belongs to, or [`SETTINGS`].
    pub section: Arc<str>,
    /// Its id.
    pub id: Arc<str>,
    /// Why.
    pub reason: String,
}

/// The pseudo-section of single keys of the other sections.
pub const SETTINGS: &str = "settings";

/// Sections whose definitions can be made over the API, and how the file writes them.
pub(super) const SECTIONS: [(&str, Form); 6] = [
    ("providers", Form::List { named: true }),
    ("combos", Form::List { named: true }),
    ("budgets", Form::List { named: true }),
    ("prices", Form::List { named: false }),
    ("map", Form::List { named: false }),
    ("aliases", Form::Mapping),
];

/// Sections that are fixed when the hub starts, in whole or for the most part; `limits` within `server` is not.
pub(super) const FIXED: [&str; 5] = ["server", "auth", "log", "store", "backups"];

/// How a section writes its entries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A list; the entries may have a key `id`.
    List { named: bool },
    /// A mapping of names.
    Mapping,
}

/// Puts the definitions behind what the file says.
pub(super) fn merge(root: &mut Map, managed: &[Managed], overlay: &Overlay, problems: &mut Problems) {
    for one in managed {
        let origin = Origin::Managed { section: Arc::clone(&one.section), id: Arc::clone(&one.id) };
        if &*one.section == SETTINGS {
            merge_setting(root, one, &origin, overlay, problems);
            continue;
        }
        let Some((section, form)) = SECTIONS.iter().find(|(section, _)| **section == *one.section) else {
            let message = format!("there is no section `{}`", one.section);
            problems.error(&one.section, &origin, message, "delete it");
            continue;
        };
        let entry = entry(one, *form, &origin);
        match (form, section_of(root, section, *form, &origin)) {
            (Form::List { .. }, Some(Value::List(items))) => items.push(entry),
            (Form::Mapping, Some(Value::Map(map))) => {
                if let Some(first) = map.key(&one.id) {
                    let message = format!("`{}` is declared in {}", one.id, first.origin);
                    problems.error(section, &origin, message, "choose another name, or change it there");
                } else {
                    let key = Key { name: one.id.to_string(), origin: origin.clone() };
                    map.entries.push((key, entry));
                }
            }
            // The file's own mistake is reported by whoever reads the section.
            _ => {}
        }
    }
}

/// A key of a section. What the file, the environment or a flag says about it wins.
fn merge_setting(root: &mut Map, one: &Managed, origin: &Origin, overlay: &Overlay, problems: &mut Problems) {
    let path = &*one.id;
    let known = schema::overridable().find(|(known, _)| known == path);
    let split = path.split_once('.');
    let (Some((_, key)), Some((section, name))) = (known, split) else {
        let known: Vec<String> = schema::overridable().map(|(path, _)| path).collect();
        let near = schema::nearest(path, known.iter().map(String::as_str));
        let remedy = near.map_or_else(
            || "docs/configuration.md lists the settings".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        problems.error(path, origin, "there is no such setting", remedy);
        return;
    };
    if FIXED.contains(&section) || key.secret {
        let remedy = "set it in the configuration file or in the environment, and restart the hub";
        problems.error(path, origin, "this is fixed when the hub starts", remedy);
        return;
    }
    let value = one.definition.get("value").filter(|_| one.definition.len() == 1);
    let Some(value) = value else {
        let remedy = format!("write for example `{{\"value\": {}}}`", key.example);
        problems.error(path, origin, "expected an object with `value` alone", remedy);
        return;
    };
    let first = overlay.get(path).map(|node| &node.origin);
    let Some(Value::Map(map)) = section_of(root, section, Form::Mapping, origin) else { return };
    if let Some(first) = first.or_else(|| map.get(name).map(|node| &node.origin)) {
        let message = format!("it is set in {first}");
        problems.error(path, origin, message, "change it there, or take it out there first");
        return;
    }
    let key = Key { name: name.to_owned(), origin: origin.clone() };
    map.entries.push((key, json_node(value, origin)));
}

/// The section as it is written, made if it is not.
fn section_of<'a>(root: &'a mut Map, name: &str, form: Form, origin: &Origin) -> Option<&'a mut Value> {
    if root.get(name).is_none_or(Node::is_null) {
        root.entries.retain(|(key, _)| key.name != name);
        let value = match form {
            Form::List { .. } => Value::List(Vec::new()),
            Form::Mapping => Value::Map(Map::default()),
        };
        let key = Key { name: name.to_owned(), origin: origin.clone() };
        root.entries.push((key, Node { value, origin: origin.clone() }));
    }
    root.entries.iter_mut().find(|(key, _)| key.name == name).map(|(_, node)| &mut node.value)
}

fn entry(one: &Managed, form: Form, origin: &Origin) -> Node {
    let mut entries = Vec::with_capacity(one.definition.len() + 1);
    if form == (Form::List { named: true }) {
        let key = Key { name: "id".to_owned(), origin: origin.clone() };
        let scalar = Scalar { text: one.id.to_string(), plain: false, missing: Vec::new() };
        entries.push((key, Node { value: Value::Scalar(scalar), origin: origin.clone() }));
    }
    for (name, value) in &one.definition {
        entries.push((Key { name: name.clone(), origin: origin.clone() }, json_node(value, origin)));
    }
    Node { value: Value::Map(Map { entries }), origin: origin.clone() }
}

/// JSON as what was written. Texts stay texts: `${…}` means nothing here, or whoever may write definitions could read
/// the hub's environment.
pub(super) fn json_node(value: &JsonValue, origin: &Origin) -> Node {
    let scalar = |text: String, plain: bool| Value::Scalar(Scalar { text, plain, missing: Vec::new() });
    let value = match value {
        JsonValue::Null => scalar(String::new(), true),
        JsonValue::Bool(truth) => scalar(truth.to_string(), true),
        JsonValue::Number(number) => scalar(number.to_string(), true),
        JsonValue::String(text) => scalar(text.clone(), false),
        JsonValue::Array(items) => Value::List(items.iter().map(|item| json_node(item, origin)).collect()),
        JsonValue::Object(fields) => {
            let entry = |(name, value): (&String, &JsonValue)| {
                (Key { name: name.clone(), origin: origin.clone() }, json_node(value, origin))
            };
            Value::Map(Map { entries: fields.iter().map(entry).collect() })
        }
    };
    Node { value, origin: origin.clone() }
}

/// How a value is read; the name is that of its key.
type Reading = fn(&str, &Node) -> JsonValue;

/// What the file declares, by section and id. To be called before variables are filled in, so that their names are shown.
pub(super) fn declared(root: Option<&Node>, overlay: &Overlay) -> Vec<Declared> {
    declared_by(root, overlay, json)
}

/// Adds what the same entries say with variables filled in. To be called after that was done.
pub(super) fn add_whole(declared: &mut [Declared], root: Option<&Node>, overlay: &Overlay) {
    let filled = declared_by(root, overlay, |_, node| bare(node));
    for (one, filled) in declared.iter_mut().zip(filled) {
        one.whole = filled.definition;
        one.whole.retain(|_, value| !value.is_null());
    }
}

/// In an order that filling in variables does not change.
fn declared_by(root: Option<&Node>, overlay: &Overlay, read: Reading) -> Vec<Declared> {
    let mut all = Vec::new();
    let empty = Map::default();
    let map = match root.map(|root| &root.value) {
        Some(Value::Map(map)) => map,
        _ => &empty,
    };
    for (section, _) in SECTIONS {
        match map.get(section).map(|node| &node.value) {
            Some(Value::List(items)) => {
                all.extend(items.iter().enumerate().map(|(index, item)| listed(section, index, item, read)));
            }
            Some(Value::Map(names)) => {
                all.extend(names.entries.iter().map(|(key, node)| named(section, key, node, read)));
            }
            _ => {}
        }
    }
    for (path, key) in schema::overridable() {
        let Some((section, name)) = path.split_once('.') else { continue };
        let written = map.get(section).and_then(|node| match &node.value {
            Value::Map(map) => map.get(name),
            _ => None,
        });
        let Some(node) = overlay.get(&path).or(written) else { continue };
        // The name of a secret setting does not always say that it is one.
        let value = read(if key.secret { "secret" } else { name }, node);
        let definition = [("value".to_owned(), value)].into_iter().collect();
        all.push(one(SETTINGS, path, definition, &node.origin));
    }
    all
}

fn listed(section: &'static str, index: usize, item: &Node, read: Reading) -> Declared {
    let mut definition = match read("", item) {
        JsonValue::Object(fields) => fields,
        other => [("value".to_owned(), other)].into_iter().collect(),
    };
    let id = match definition.shift_remove("id") {
        Some(JsonValue::String(id)) => id,
        Some(other) => other.to_string(),
        None => format!("#{}", index + 1),
    };
    one(section, id, definition, &item.origin)
}

fn one(section: &'static str, id: String, definition: Json<String, JsonValue>, place: &Origin) -> Declared {
    Declared { section, id, definition, whole: Json::new(), place: place.clone() }
}

/// An alias may be written short: as its targets alone.
fn named(section: &'static str, key: &Key, node: &Node, read: Reading) -> Declared {
    let definition = match read(combos::TARGETS_NAME, node) {
        JsonValue::Object(fields) => fields,
        short => [(combos::TARGETS_NAME.to_owned(), short)].into_iter().collect(),
    };
    one(section, key.name.clone(), definition, &key.origin)
}

fn json(name: &str, node: &Node) -> JsonValue {
    match &node.value {
        Value::Scalar(_) if is_secret_name(name) => hidden(node),
        Value::Scalar(scalar) => plain(name, scalar),
        Value::List(items) => items.iter().map(|item| json(name, item)).collect(),
        Value::Map(map) => {
            let entries = map.entries.iter();
            JsonValue::Object(entries.map(|(key, node)| (key.name.clone(), json(&key.name, node))).collect())
        }
    }
}

fn plain(name: &str, scalar: &Scalar) -> JsonValue {
    if scalar.is_null() {
        return JsonValue::Null;
    }
    if !scalar.plain {
        return masked_text(name, &scalar.text).into();
    }
    if scalar.is_boolean() {
        return scalar.text.eq_ignore_ascii_case("true").into();
    }
    let whole = scalar.text.parse::<i64>().map(JsonValue::from);
    whole
        .or_else(|_| scalar.text.parse::<f64>().map(JsonValue::from))
        .unwrap_or_else(|_| masked_text(name, &scalar.text).into())
}

/// A secret that comes from a variable is shown by the variable's name.
fn hidden(node: &Node) -> JsonValue {
    match &node.value {
        Value::Scalar(scalar) if is_variable(&scalar.text) => scalar.text.clone().into(),
        Value::Scalar(scalar) if scalar.is_null() => JsonValue::Null,
        _ => REDACTED.into(),
    }
}

fn is_variable(text: &str) -> bool {
    let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    // Somebody may have written the key itself between the braces.
    let name = name.filter(|name| !looks_secret(name));
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

/// Keys whose texts are names of models and the like. `Qwen3-235B-A22B-Instruct-2507` is no secret, and somebody who
/// writes back what was shown means that model.
const NAMES: [&str; 9] = ["id", "models", "model", "steps", "targets", "to", "match", "for", "fallback"];

fn masked_text(name: &str, text: &str) -> String {
    let secret = if NAMES.contains(&name) { looks_issued(text) } else { looks_secret(text) };
    if secret { REDACTED.to_owned() } else { text.to_owned() }
}

/// YAML, and so JSON too, as a value; for definitions that come from people. Nothing is masked.
///
/// # Errors
/// What is wrong with the text.
pub fn yaml_value(text: &str) -> Result<JsonValue, String> {
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    let mut problems = Problems::default();
    let root = parse(text, &Arc::from(Path::new("(definition)")), &mut problems);
    let wrong = problems.into_sorted(text).into_iter().find(|problem| problem.severity == Severity::Error);
    match (root, wrong) {
        (_, Some(problem)) => Err(format!("{} ({})", problem.message, problem.remedy)),
        (Some(root), None) => Ok(bare(&root)),
        (None, None) => Ok(JsonValue::Null),
    }
}

/// A node as it was written.
pub(super) fn bare(node: &Node) -> JsonValue {
    match &node.value {
        Value::Scalar(scalar) if scalar.is_null() => JsonValue::Null,
        Value::Scalar(scalar) if scalar.is_boolean() => scalar.text.eq_ignore_ascii_case("true").into(),
        Value::Scalar(scalar) => {
            let number = scalar.plain.then(|| serde_json::from_str::<serde_json::Number>(&scalar.text).ok());
            number.flatten().map_or_else(|| scalar.text.clone().into(), JsonValue::Number)
        }
        Value::List(items) => items.iter().map(bare).collect(),
        Value::Map(map) => {
            JsonValue::Object(map.entries.iter().map(|(key, node)| (key.name.clone(), bare(node))).collect())
        }
    }
}

/// The definition without what people must not see.
#[must_use]
pub fn masked(definition: &Json<String, JsonValue>) -> Json<String, JsonValue> {
    let shown = |(name, value): (&String, &JsonValue)| {
        // Somebody wrote a key where its name belongs.
        if looks_issued(name) {
            (REDACTED.to_owned(), REDACTED.into())
        } else {
            (name.clone(), mask(name, value))
        }
    };
    definition.iter().map(shown).collect()
}

fn mask(name: &str, value: &JsonValue) -> JsonValue {
    match value {
        // Not what the language says: whoever wrote it may have meant a secret all the same.
        JsonValue::Object(_) if is_secret_name(name) => REDACTED.into(),
        JsonValue::Object(fields) => JsonValue::Object(masked(fields)),
        JsonValue::Array(items) => items.iter().map(|item| mask(name, item)).collect(),
        JsonValue::Null => JsonValue::Null,
        JsonValue::String(text) if !is_secret_name(name) => masked_text(name, text).into(),
        JsonValue::Bool(_) | JsonValue::Number(_) if !is_secret_name(name) => value.clone(),
        _ => REDACTED.into(),
    }
}

/// Puts secrets that `new` leaves out, or names as they were shown, in from `old`. `null` takes one away.
#[must_use]
pub fn with_kept_secrets(
    new: Json<String, JsonValue>,
    old: &Json<String, JsonValue>,
) -> Json<String, JsonValue> {
    let mut kept = new;
    for (name, value) in old {
        match (kept.get_mut(name), value) {
            (Some(JsonValue::Object(new)), JsonValue::Object(old)) => {
                *new = with_kept_secrets(std::mem::take(new), old);
            }
            (Some(given), JsonValue::String(_)) if *given == REDACTED => *given = value.clone(),
            (None, JsonValue::String(_)) if is_secret_name(name) => {
                kept.insert(name.clone(), value.clone());
            }
            _ => {}
        }
    }
    kept.retain(|_, value| !value.is_null());
    kept
}

/// Those of `managed` that some error is about, with the first one's words.
pub(super) fn blamed(problems: &[Problem], managed: &[Managed]) -> Vec<SetAside> {
    let mut seen = BTreeSet::new();
    let mut blamed = Vec::new();
    for problem in problems.iter().filter(|problem| problem.severity == Severity::Error) {
        let Origin::Managed { section, id } = &problem.origin else { continue };
        let known = managed.iter().any(|one| one.section == *section && one.id == *id);
        if known && seen.insert((Arc::clone(section), Arc::clone(id))) {
            let reason = format!("{}; {}", problem.message, problem.remedy);
            blamed.push(SetAside { section: Arc::clone(section), id: Arc::clone(id), reason });
        }
    }
    blamed
}
