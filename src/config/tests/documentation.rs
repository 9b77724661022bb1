//! What the documentation says is what holds.

use super::{
    super::schema::{SECTIONS, overridable, variable},
    *,
};

const DOC: &str = include_str!("../../../docs/configuration.md");
const QUOTAS: &str = include_str!("../../../docs/quotas.md");
const ACCOUNTS: &str = include_str!("../../../docs/accounts.md");
const README: &str = include_str!("../../../README.md");
const EXAMPLE: &str = include_str!("../../../trivium.example.yaml");

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in DOC.lines().chain(README.lines()).chain(QUOTAS.lines()).chain(ACCOUNTS.lines()) {
        match &mut open {
            None if line == format!("```{language}") => open = Some(String::new()),
            Some(_) if line == "```" => blocks.extend(open.take()),
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
            None => {}
        }
    }
    blocks
}

#[test]
fn every_example_passes_the_check() {
    let yaml = blocks("yaml");
    assert!(yaml.len() >= 5);
    for block in yaml {
        accepted(&block);
    }
}

#[test]
fn the_example_file_is_a_good_start() {
    let loaded = accepted(EXAMPLE);
    let skipped = loaded.warnings.iter().filter(|one| one.message.contains("is skipped")).count();
    assert!(
        skipped > 0 && skipped + 1 == loaded.warnings.len(),
        "no keys, no surprises: {:#?}",
        loaded.warnings
    );
    let loaded = load_with(EXAMPLE, &[("GROQ_API_KEY", "gsk_1"), ("GROQ_API_KEY_2", "gsk_2")]).unwrap();
    assert_eq!(ids(&loaded)[..2], ["groq-1", "groq-2"]);
    let commented: String = EXAMPLE
        .lines()
        .map(|line| line.strip_prefix("#: ").or_else(|| line.strip_prefix("#:")).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    accepted(&commented);
}

#[test]
fn every_key_is_documented_with_its_default_and_its_variable() {
    for section in SECTIONS {
        assert!(DOC.contains(&format!("## `{}`", section.name)), "{}", section.name);
        for key in section.keys {
            assert!(DOC.contains(&format!("| `{}` |", key.name)), "{}.{}", section.name, key.name);
        }
    }
    for (path, key) in overridable() {
        assert!(DOC.contains(&format!("`{}`", variable(&path))), "{path}");
        assert!(key.short.is_none_or(|short| DOC.contains(&format!("`{short}`"))), "{path}");
    }
}

#[test]
fn documented_defaults_are_the_real_ones() {
    let loaded = accepted("");
    for (path, key) in overridable() {
        let row = DOC
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", key.name)) && line.contains(&variable(&path)))
            .expect(&path);
        let documented = row.split('|').nth(3).map(str::trim).expect(&path);
        let real =
            loaded.effective.iter().find(|one| one.path == path).map(|one| one.value.as_str()).expect(&path);
        if path != "store.data_dir" {
            assert_eq!(documented.trim_matches('`'), real, "{path}");
        }
    }
}

#[test]
fn examples_of_keys_are_valid() {
    for (path, key) in overridable() {
        let (section, name) = path.split_once('.').unwrap();
        let yaml = format!("{section}:\n  {name}: {}\n", key.example);
        load_with(&yaml, &[("API_KEY", "k1"), ("ADMIN_TOKEN", "t1")])
            .unwrap_or_else(|problems| panic!("{path}: {problems:?}"));
    }
}
