//! The last step of every import: what was made is written as a file, and the file is loaded. What the loader refuses is
//! taken out, with its words as a note, until nothing is refused.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map as Json, Value as JsonValue, json};

use super::{ImportError, ImportedDocument, draft::Draft, first_error};
use crate::config::{
    Env, Overrides, SETTINGS, Source,
    load::Loader,
    problem::{Problem, Severity},
    yaml_text,
};

/// Taking something out can leave others without what they need. No honest file needs that often.
const MOST_ROUNDS: usize = 24;

const HEAD: &str = "# Written by `trivium import`. Check it with `trivium config check`.\n";

/// Sections in the order in which they are written; single settings come first.
const ORDER: [&str; 6] = ["providers", "combos", "aliases", "map", "prices", "budgets"];

/// Takes out what does not load.
pub(super) fn prove(draft: &mut Draft<'_>, loader: &Loader) -> Result<(), ImportError> {
    for _ in 0..MOST_ROUNDS {
        let (text, lines) = render(&draft.documents);
        let env = stand_in(&draft.documents, draft, loader.env());
        let strict = Loader::new(env, Overrides::default(), loader.catalogue().clone(), loader.spoken());
        let source = Source::Text { name: "(import)".to_owned(), text };
        match strict.load(&source) {
            Ok(loaded) => {
                tell(&loaded.warnings, &lines, draft);
                return Ok(());
            }
            Err(problems) => take_out(problems, &lines, draft)?,
        }
    }
    Err(ImportError::Unsound("what is in it leads from one thing to the next for too long".to_owned()))
}

/// Removes the documents that errors are about.
fn take_out(
    problems: Vec<Problem>,
    lines: &[(usize, usize)],
    draft: &mut Draft<'_>,
) -> Result<(), ImportError> {
    let mut bad = BTreeSet::new();
    for problem in problems.iter().filter(|problem| problem.severity == Severity::Error) {
        let Some(index) = blamed(problem, lines) else { continue };
        if bad.insert(index)
            && let Some(document) = draft.documents.get(index)
        {
            let message =
                format!("`{}` of {} is left out: {}", document.id, document.section, problem.message);
            let place = document.place.clone();
            draft.note(&place, message, problem.remedy.clone());
        }
    }
    if bad.is_empty() {
        return Err(ImportError::Unsound(first_error(problems).unwrap_or_default()));
    }
    let mut index = 0;
    draft.documents.retain(|_| {
        index += 1;
        !bad.contains(&(index - 1))
    });
    Ok(())
}

/// What is worth knowing of what loads.
fn tell(warnings: &[Problem], lines: &[(usize, usize)], draft: &mut Draft<'_>) {
    for warning in warnings.iter().filter(|one| one.severity == Severity::Warning) {
        let Some(document) = blamed(warning, lines).and_then(|index| draft.documents.get(index)) else {
            continue;
        };
        let place = document.place.clone();
        draft.note(&place, warning.message.clone(), warning.remedy.clone());
    }
}

/// The document in whose lines a problem is.
fn blamed(problem: &Problem, lines: &[(usize, usize)]) -> Option<usize> {
    let line = problem.origin.line()?;
    let before = lines.partition_point(|(start, _)| *start <= line);
    lines.get(before.checked_sub(1)?).map(|(_, index)| *index)
}

/// An environment in which every variable that is named has a value: the real one, or one that stands in for it.
fn stand_in(documents: &[ImportedDocument], draft: &Draft<'_>, env: &Env) -> Env {
    let mut found = BTreeMap::new();
    for document in documents {
        for (key, value) in &document.definition {
            names_in(key, value, &mut found);
        }
    }
    let vars = found.into_iter().map(|(name, is_url)| {
        let real = draft.known_variable(&name).or_else(|| env.filled(&name)).map(str::to_owned);
        let other = if is_url { "https://unset.invalid/v1" } else { "set-where-the-hub-starts" };
        (name, real.unwrap_or_else(|| other.to_owned()))
    });
    Env::new(vars, env.folders().clone())
}

/// The variables of a value, and whether each is a URL.
fn names_in(key: &str, value: &JsonValue, found: &mut BTreeMap<String, bool>) {
    match value {
        JsonValue::String(text) => {
            // A dollar sign that is doubled means itself.
            let text = text.replace("$$", "");
            for piece in text.split("${").skip(1) {
                let Some((name, _)) = piece.split_once('}') else { continue };
                let name = name.split_once(":-").map_or(name, |(name, _)| name);
                *found.entry(name.to_owned()).or_default() |= key.ends_with("url");
            }
        }
        JsonValue::Array(items) => items.iter().for_each(|item| names_in(key, item, found)),
        JsonValue::Object(fields) => fields.iter().for_each(|(key, value)| names_in(key, value, found)),
        _ => {}
    }
}

/// The file, and the line at which each document starts, by its index; ascending.
pub(super) fn render(documents: &[ImportedDocument]) -> (String, Vec<(usize, usize)>) {
    let mut page = Page { text: String::new(), line: 1, lines: Vec::new() };
    page.write(HEAD);
    settings(documents, &mut page);
    for section in ORDER {
        let all = documents.iter().enumerate().filter(|(_, document)| document.section == section);
        for (nth, (index, document)) in all.enumerate() {
            if nth == 0 {
                page.write(&format!("{section}:\n"));
            }
            page.add(index, &entry(section, document));
        }
    }
    (page.text, page.lines)
}

struct Page {
    text: String,
    /// The line that is written next.
    line: usize,
    lines: Vec<(usize, usize)>,
}

impl Page {
    /// Adds a document without the line that names its section.
    fn add(&mut self, index: usize, section: &Json<String, JsonValue>) {
        self.lines.push((self.line, index));
        let written = yaml_text(section);
        self.write(written.split_once('\n').map_or("", |(_, rest)| rest));
    }

    fn write(&mut self, text: &str) {
        self.text.push_str(text);
        self.line += text.matches('\n').count();
    }
}

/// Single keys, below the sections that they belong to.
fn settings(documents: &[ImportedDocument], page: &mut Page) {
    let mut sections: Vec<&str> = Vec::new();
    let all = || documents.iter().enumerate().filter(|(_, document)| document.section == SETTINGS);
    for (_, document) in all() {
        let section = document.id.split_once('.').map_or("", |(section, _)| section);
        if !sections.contains(&section) {
            sections.push(section);
        }
    }
    for section in sections {
        page.write(&format!("{section}:\n"));
        for (index, document) in all() {
            let Some((name, key)) = document.id.split_once('.').filter(|(name, _)| *name == section) else {
                continue;
            };
            let value = document.definition.get("value").cloned().unwrap_or_default();
            let wrapped = json!({name: {key: value}});
            page.add(index, wrapped.as_object().unwrap_or(&Json::new()));
        }
    }
}

/// A section with this document alone.
fn entry(section: &str, document: &ImportedDocument) -> Json<String, JsonValue> {
    let below = match section {
        "aliases" => json!({document.id.as_str(): document.definition}),
        "map" | "prices" => json!([document.definition]),
        _ => {
            let mut item = Json::new();
            item.insert("id".to_owned(), document.id.as_str().into());
            item.extend(document.definition.clone());
            json!([item])
        }
    };
    [(section.to_owned(), below)].into_iter().collect()
}
