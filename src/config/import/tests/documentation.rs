//! The files that `docs/migrating.md` shows are imported as it says.

use super::{super::SourceKind, definition, ids, import, loaded};

const DOC: &str = include_str!("../../../../docs/migrating.md");

/// The fenced blocks of a section, each with its language.
fn blocks(section: &str) -> Vec<(String, String)> {
    let text = DOC.split_once(section).unwrap().1;
    let text = text.split_once("\n## ").map_or(text, |(text, _)| text);
    let parts: Vec<&str> = text.split("```").collect();
    let inside = parts.iter().skip(1).step_by(2);
    inside
        .filter_map(|part| part.split_once('\n'))
        .map(|(word, text)| (word.to_owned(), text.to_owned()))
        .collect()
}

#[test]
fn the_files_that_it_shows_are_imported() {
    let mut seen = Vec::new();
    for (word, text) in blocks("## Importing a configuration\n") {
        let name = match word.as_str() {
            "yaml" => "config.yaml",
            "json" => "export.json",
            "dotenv" => ".env",
            _ => continue,
        };
        let imported = import(&[(name, &text)]);
        loaded(
            &imported,
            &[("LITELLM_MASTER_KEY", "sk-1234-5678"), ("OPENAI_API_KEY", "sk-1"), ("GROQ_API_KEY", "gsk_1")],
        );
        assert!(!ids(&imported, "providers").is_empty(), "{text}");
        if imported.kind == SourceKind::LiteLlm {
            assert_eq!(definition(&imported, "combos", "smart-pool")["strategy"], "weighted");
            assert_eq!(definition(&imported, "combos", "smart")["steps"][0], "combo/smart-pool");
            assert_eq!(ids(&imported, "aliases"), ["house"]);
        }
        seen.push(imported.kind);
    }
    for kind in SourceKind::ALL.into_iter().filter(|kind| *kind != SourceKind::OmniRoute) {
        assert!(seen.contains(&kind), "no example of {kind:?}");
    }
}

#[test]
fn every_kind_is_named() {
    for kind in SourceKind::ALL {
        assert!(DOC.contains(&format!("`{}`", kind.as_str())) && DOC.contains(kind.name()), "{kind:?}");
    }
}
