//! How problems and settings look.

use super::{
    super::{Style, render_effective, render_problems},
    *,
};

#[test]
fn a_problem_looks_like_a_compilers() {
    let problems = refused("server:\n  host: ::1\n  prot: 8080 # mine\n");
    assert_eq!(
        render_problems(&problems, Style::Plain),
        "error: unknown key `prot` in `server`
 --> trivium.yaml:3:3 (server.prot)
  |
3 |   prot: [redacted]
  |   ^^^^
  = help: did you mean `port`? Known here: host, port, allowed_hosts, public_url, trusted_proxies, allow_ips, block_ips, \
         body_limit_mb, max_concurrent, queue, queue_timeout_seconds, rate_limit_per_minute, shutdown_timeout_seconds, keep_alive_seconds, \
         responses_websocket
"
    );
}

#[test]
fn known_and_harmless_values_are_shown_with_a_caret_below() {
    let problems = refused("log:\n  level: loud # why not\n");
    let shown = render_problems(&problems, Style::Plain);
    assert!(shown.contains("2 |   level: loud\n  |          ^^^^\n"), "{shown}");
}

#[test]
fn a_reference_to_a_variable_is_no_secret() {
    let loaded = accepted(&entry("type: groq\napi_key: ${GROQ_API_KEY}"));
    let shown = render_problems(&loaded.warnings, Style::Plain);
    assert!(shown.contains("4 |     api_key: ${GROQ_API_KEY}\n"), "{shown}");
}

#[test]
fn the_environment_is_named_without_a_line() {
    let problems = load_with("", &[("PORT", "x")]).unwrap_err();
    let shown = render_problems(&problems, Style::Plain);
    assert!(shown.contains("\n --> environment variable PORT (server.port)\n  = help: "), "{shown}");
}

#[test]
fn colour_is_only_there_when_asked_for() {
    let problems = refused("log: {level: loud}");
    let plain = render_problems(&problems, Style::Plain);
    let colour = render_problems(&problems, Style::Colour);
    assert!(!plain.contains('\u{1b}') && colour.contains("\u{1b}[1;31merror\u{1b}[0m"));
    let mut bare = String::new();
    let mut rest = colour.as_str();
    while let Some((text, after)) = rest.split_once('\u{1b}') {
        bare.push_str(text);
        rest = after.split_once('m').unwrap().1;
    }
    bare.push_str(rest);
    assert_eq!(bare, plain);
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let problems = refused("log: {level: \"\\e[31mred\"}\nserver: {\"po\\ert\": 1}\n");
    assert!(!render_problems(&problems, Style::Plain).contains('\u{1b}'));
    let problems = load_with("", &[("LOG_LEVEL", "\u{1b}[2J")]).unwrap_err();
    assert!(!render_problems(&problems, Style::Plain).contains('\u{1b}'));
}

#[test]
fn long_lines_are_shown_as_a_window() {
    let models: String = (0..100).map(|index| format!("m{index}, ")).collect();
    let yaml = format!("providers: [{{id: a, type: ollama, models: [{models}], priority: high}}]");
    let shown = render_problems(&refused(&yaml), Style::Plain);
    assert!(shown.lines().all(|line| line.chars().count() < 130), "{shown}");
    assert!(shown.contains("priority: high"), "{shown}");
}

#[test]
fn settings_are_shown_with_their_origins() {
    let yaml = "server: {port: 81}\nproviders: [{id: one, type: ollama}]";
    let loaded = load_with(yaml, &[("LOG_LEVEL", "debug")]).unwrap();
    let shown = render_effective(&loaded.effective, true, Style::Plain);
    let line = |path: &str| {
        let line = shown.lines().find(|line| line.starts_with(&format!("{path} "))).expect(path);
        line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("server.port"), "81 trivium.yaml:1:16");
    assert_eq!(line("server.host"), "127.0.0.1 default");
    assert_eq!(line("log.level"), "debug environment variable LOG_LEVEL");
    assert_eq!(line("auth.api_key"), "not set default");
    assert_eq!(line("providers[0].base_url"), "http://127.0.0.1:11434/v1 catalogue");
    assert_eq!(shown.lines().filter(|line| line.is_empty()).count(), 22, "one between two sections\n{shown}");
    let bare = render_effective(&loaded.effective, false, Style::Plain);
    assert!(bare.lines().any(|line| line.starts_with("server.port") && line.ends_with(" 81")));
}
