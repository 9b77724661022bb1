//! The files of `schemas/` say what the definitions say. `UPDATE_SCHEMAS=1 cargo test -p trivium-operations` writes them
//! anew; without it, a file that differs, is missing or is left over fails.
#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use operations::{Definition, openapi};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas")
}

/// The tools as agents see them.
fn tools() -> Value {
    let tool = |definition: &Definition| {
        json!({
            "name": definition.name,
            "title": definition.title,
            "description": definition.summary,
            "scope": definition.scope.as_str(),
            "readOnlyHint": definition.hints.read_only,
            "destructiveHint": definition.hints.destructive,
            "idempotentHint": definition.hints.idempotent,
            "inputSchema": definition.args_schema(),
            "outputSchema": definition.result_schema(),
        })
    };
    Definition::all().iter().map(tool).collect()
}

/// Every file by its path within the folder.
fn wanted() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut put = |name: String, content: &Value| {
        files.insert(name, format!("{}\n", serde_json::to_string_pretty(content).unwrap()));
    };
    put("openapi.json".to_owned(), &openapi::document(env!("CARGO_PKG_VERSION")));
    put("tools.json".to_owned(), &tools());
    for definition in Definition::all() {
        for (part, schema) in
            [("arguments", definition.args_schema()), ("result", definition.result_schema())]
        {
            let mut whole = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "title": format!("{}: {part}", definition.title),
            });
            for (name, value) in schema.as_object().unwrap() {
                whole.as_object_mut().unwrap().entry(name).or_insert_with(|| value.clone());
            }
            put(format!("operations/{}.{part}.json", definition.name), &whole);
        }
    }
    files
}

/// What is there, by its path within the folder.
fn there() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for part in ["", "operations"] {
        let Ok(entries) = fs::read_dir(folder().join(part)) else { continue };
        for entry in entries.map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            let name = Path::new(part).join(entry.file_name()).to_str().unwrap().to_owned();
            files.insert(name, fs::read_to_string(entry.path()).unwrap());
        }
    }
    files.retain(|name, _| name.ends_with(".json"));
    files
}

#[test]
fn the_files_say_what_the_definitions_say() {
    let wanted = wanted();
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        for name in there().keys().filter(|name| !wanted.contains_key(*name)) {
            fs::remove_file(folder().join(name)).unwrap();
        }
        fs::create_dir_all(folder().join("operations")).unwrap();
        for (name, text) in &wanted {
            fs::write(folder().join(name), text).unwrap();
        }
    }
    let there = there();
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&there), names(&wanted), "write them anew with UPDATE_SCHEMAS=1");
    for (name, text) in &wanted {
        assert_eq!(there[name], *text, "{name} is out of date: write it anew with UPDATE_SCHEMAS=1");
    }
}

#[test]
fn a_change_of_the_tools_is_in_the_changelog() {
    let digest = Sha256::digest(tools().to_string());
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let changelog = fs::read_to_string(folder().join("../CHANGELOG.md")).unwrap();
    let (_, newer) = changelog.split_once("## Unreleased").unwrap();
    // Without anything unreleased the tools are those of the last release.
    let newer =
        newer.split("\n## ").find(|part| part.contains("schemas/tools.json` is ")).unwrap_or_default();
    assert!(
        newer.contains(&format!("`schemas/tools.json` is `{digest}`")),
        "the tools have changed: say in CHANGELOG.md, under Unreleased, which and how, and that `schemas/tools.json` is `{digest}`"
    );
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = openapi::document("1");
    let text = document.to_string();
    let mut references = 0;
    for part in text.split("\"$ref\":\"").skip(1) {
        let at = part.split('"').next().unwrap();
        assert!(document.pointer(at.trim_start_matches('#')).is_some(), "{at}");
        references += 1;
    }
    assert!(references > Definition::all().len());
}
