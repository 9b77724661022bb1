//! What the text of the file may look like.

use super::*;

#[test]
fn places_are_those_of_the_file() {
    let loaded = accepted("\u{feff}# ä\nserver:\n    port:   81\nlog: {level: \"debug\"}\n");
    assert_eq!(origin_of(&loaded, "server.port").to_string(), "trivium.yaml:3:13");
    assert_eq!(origin_of(&loaded, "log.level").to_string(), "trivium.yaml:4:14");
}

#[test]
fn a_key_written_twice_names_both_lines() {
    let problems = refused("server:\n  port: 1\n  host: ::1\n  port: 2\nserver: {}\n");
    let words: Vec<String> = problems.iter().map(in_words).collect();
    assert_eq!(
        words,
        [
            "error: line 4, port: the key `port` is written twice, in lines 2 and 4 (remove one of them)",
            "error: line 5, server: the key `server` is written twice, in lines 1 and 5 (remove one of them)",
        ]
    );
}

#[test]
fn broken_yaml_is_told_with_its_line() {
    let table = [
        ("server:\n\tport: 1\n", 2),
        ("server: {port: 1\n", 2),
        ("a: 'b\n", 1),
        ("providers:\n  - id: a\n   type: b\n", 3),
        ("a: b: c\n", 1),
    ];
    for (yaml, line) in table {
        let problems = refused(yaml);
        assert!(problems[0].message.starts_with("this is not valid YAML: "), "{problems:?}");
        assert!(problems[0].origin.line().unwrap().abs_diff(line) <= 1, "{yaml}: {problems:?}");
        assert!(!problems[0].remedy.is_empty());
    }
}

#[test]
fn anchors_aliases_and_merge_keys_work() {
    let yaml = "x-shared: &shared {type: groq, api_key: gsk_1, models: &list [a, b]}\nproviders:\n  \
                - {<<: *shared, id: one}\n  - {id: two, <<: *shared, api_key: gsk_2}\n  - {id: three, type: ollama, models: *list}\n";
    let loaded = accepted(yaml);
    assert_eq!(ids(&loaded), ["one", "two", "three"]);
    assert_eq!(connection(&loaded, "two").credential.as_ref().unwrap().expose(), "gsk_2");
    assert_eq!(connection(&loaded, "three").models.listed.len(), 2);
}

#[test]
fn shapes_that_mean_nothing_here_are_refused() {
    let table = [
        ("a: 1\n---\nb: 2\n", "more than one YAML document"),
        ("server: !secret x", "YAML tags"),
        ("? [a]\n: b\n", "where a key is expected"),
    ];
    for (yaml, expected) in table {
        let problems = refused(yaml);
        assert!(problems.iter().any(|problem| problem.message.contains(expected)), "{yaml}: {problems:?}");
    }
}

#[test]
fn no_file_exhausts_the_stack_or_the_memory() {
    let deep = "[".repeat(100_000);
    assert!(!refused(&deep).is_empty());
    let lines: String = (0..40).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    assert!(refused(&lines)[0].message.contains("nested more than"));
    let compact = "- ".repeat(100_000);
    assert!(!refused(&compact).is_empty());
    let mut bomb = "x-a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..9 {
        let list = vec![format!("*a{}", level - 1); 10].join(",");
        bomb.push_str(&format!("x-a{level}: &a{level} [{list}]\n"));
    }
    assert!(refused(&bomb)[0].message.contains("more than 50000 values"));
}

#[test]
fn numbers_serve_as_text_and_text_as_numbers() {
    let loaded = accepted("server: {port: '80'}\nauth: {api_key: 0123456789}\n");
    assert_eq!(loaded.boot.port, 80);
    assert_eq!(loaded.boot.api_key.unwrap().expose(), "0123456789");
    let loaded = accepted(&entry("type: ollama\nmodels: [4.10, !!str true]"));
    assert_eq!(
        connection(&loaded, "one").models.listed.iter().map(AsRef::as_ref).collect::<Vec<&str>>(),
        ["4.10", "true"]
    );
}
