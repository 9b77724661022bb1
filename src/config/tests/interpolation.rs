//! `${NAME}` in the file.

use super::*;

#[test]
fn variables_are_filled_in_everywhere() {
    let vars = [("PORT_OF_HUB", "99"), ("KEY", "gsk_1"), ("EMPTY", ""), ("REGION", "eu")];
    let yaml = "server: {port: \"${PORT_OF_HUB}\", queue: '${NONE:-7}', max_concurrent: '${EMPTY:-8}'}\n\
                providers:\n  - id: groq-${REGION}\n    type: groq\n    api_key: ${KEY}\n    models: [\"${MODEL:-a}-$$b\", c$d]\n";
    let loaded = load_with(yaml, &vars).unwrap();
    assert_eq!(loaded.boot.port, 99);
    assert_eq!((loaded.settings.limits.queued, loaded.settings.limits.concurrent), (7, 8));
    let one = connection(&loaded, "groq-eu");
    assert_eq!(one.credential.as_ref().unwrap().expose(), "gsk_1");
    assert_eq!(one.models.listed.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["a-$b", "c$d"]);
}

#[test]
fn an_unset_variable_in_a_key_skips_the_entry_visibly() {
    let loaded = accepted(&entry("type: groq\napi_key: ${GROQ_API_KEY}"));
    assert!(ids(&loaded).is_empty());
    assert_eq!(
        in_words(&loaded.warnings[1]),
        "warning: line 4, providers[0].api_key: `one` is skipped: the environment variable GROQ_API_KEY is not set \
         (set GROQ_API_KEY where the hub is started, or remove the entry)"
    );
    assert!(loaded.warnings[0].message.contains("none of the providers can be used"));
    let empty = load_with(&entry("type: groq\napi_key: ${K}"), &[("K", "")]).unwrap();
    assert!(empty.warnings.iter().any(|one| one.message.contains("its `api_key` is empty")));
}

#[test]
fn an_unset_variable_elsewhere_is_an_error() {
    for yaml in [
        "server: {port: '${NOPE}'}",
        "auth: {api_key: '${NOPE}'}",
        "providers: [{id: '${NOPE}', type: ollama}]",
    ] {
        let words = only(&refused(yaml));
        assert!(
            words.contains(
                "the environment variable NOPE is not set (set it, or give a default: `${NOPE:-default}`)"
            ),
            "{words}"
        );
    }
}

#[test]
fn what_is_off_needs_no_variables() {
    let loaded = accepted(&entry("type: groq\napi_key: ${NOPE}\nenabled: false"));
    assert!(loaded.warnings.iter().all(|one| !one.message.contains("NOPE")));
}

#[test]
fn malformed_references_are_errors() {
    for text in ["${", "${}", "${A", "${1A}", "${A B}", "${A-b}"] {
        let words = only(&refused(&format!("x-note: '{text}'")));
        assert!(words.contains("`$$` for a dollar sign"), "{words}");
    }
}
