//! That no column with something encrypted is forgotten.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::{collections::BTreeSet, fs, path::Path};

use super::*;

#[test]
fn every_column_of_the_schema_that_is_encrypted_is_known_here() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/migrations/sqlite"));
    let mut found = BTreeSet::new();
    for step in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(step.unwrap().path()).unwrap();
        let mut table = String::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
                table = rest.trim_end_matches(" (").to_owned();
            }
            let column = line.split_whitespace().next().unwrap_or_default();
            if column.starts_with("sealed") && line.contains("BLOB") {
                found.insert((table.clone(), column.to_owned()));
            }
        }
    }
    let known = ALL.iter().map(|one| (one.table.to_owned(), one.column.to_owned()));
    assert_eq!(found, known.collect());
}

#[test]
fn answers_that_end_by_themselves_are_no_serious_loss_unless_nothing_can_be_read() {
    let found =
        |rows, lost: &[&'static str]| Readable { rows, lost: lost.iter().map(|one| (*one, 1)).collect() };
    assert!(!found(0, &[]).is_serious() && !found(1, &["captures", "responses"]).is_serious());
    assert!(found(0, &["captures"]).is_serious() && found(9, &["oauth_credentials"]).is_serious());
}
