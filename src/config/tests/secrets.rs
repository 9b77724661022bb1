//! A credential is never shown: not in reports, not in settings, not when something is printed for debugging,
//! wherever and however wrongly it was written.

use super::{
    super::{Style, render_effective, render_problems},
    *,
};

const CANARY: &str = "gsk_cAnary0f4llkeysQQ";

/// Everything that could be printed of this configuration.
fn everything(yaml: &str, vars: &[(&str, &str)]) -> String {
    let loader = loader_with(vars, Overrides::default());
    let source = text(yaml);
    let mut out = format!("{loader:?} {source:?}");
    match loader.load(&source) {
        Ok(loaded) => {
            out += &format!("{loaded:?} {:#?}", loaded.boot);
            out += &render_effective(&loaded.effective, true, Style::Plain);
            out += &render_problems(&loaded.warnings, Style::Plain);
        }
        Err(problems) => {
            out += &format!("{problems:?}");
            out += &render_problems(&problems, Style::Colour);
        }
    }
    out
}

fn assert_hidden(yaml: &str, vars: &[(&str, &str)]) {
    let shown = everything(yaml, vars);
    assert!(!shown.contains(CANARY), "{yaml}\n{shown}");
}

#[test]
fn accepted_secrets_are_redacted() {
    let yaml = format!("auth: {{api_key: {CANARY}}}\nproviders: [{{id: a, type: groq, api_key: {CANARY}}}]");
    assert_hidden(&yaml, &[]);
    let loaded = accepted(&yaml);
    for path in ["auth.api_key", "providers[0].api_key"] {
        assert!(loaded.effective.iter().any(|one| one.path == path && one.value == "[redacted]"));
    }
    let from_env = "providers: [{id: a, type: groq, api_key: '${K}'}]";
    assert_hidden(from_env, &[("K", CANARY), ("API_KEY", CANARY)]);
}

#[test]
fn the_password_of_the_store_is_never_shown() {
    for url in [
        "postgres://hub:KEY@h/d",
        "postgres://hub@h/d?password=KEY",
        "postgres://hub:KEY@h",
        "postgres://hub:KEY@h/d?sslmode=no",
        "postgres://hub:KEY/x@h/d",
        "postgres://hub:KEY#x@h:y/d",
        "mysql://hub:KEY@h/d",
        "KEY",
    ] {
        let url = url.replace("KEY", CANARY);
        assert_hidden(&format!("store: {{url: '{url}'}}"), &[]);
        assert_hidden(&format!("store:\n  url: {url}\n  typo: 1"), &[]);
        assert_hidden("", &[("TRIVIUM__STORE__URL", &url)]);
    }
}

#[test]
fn mistakes_do_not_show_secrets() {
    let lines = [
        "api_key: KEY\n    typo: 1",
        "api_key: [KEY]",
        "api_key:\n      - KEY",
        "api_key:\n    - KEY",
        "api_key: {value: KEY}",
        "api_key: KEY with spaces",
        "api_key: \"KEY",
        "api_key: 'KEY\n  x",
        "api_key:KEY",
        "api_key: KEY: x",
        "api_key: >\n      KEY\n     x: [",
        "api_key: KEY\n    api_key: KEY",
        "apikey: KEY",
        "api-kye: KEY",
        "key: KEY",
        "password: KEY",
        "ap: KEY",
        "models: KEY",
        "models: [KEY KEY]",
        "priority: KEY",
        "enabled: KEY",
        "type: KEY",
        "type: groq\n      api_key:KEY",
        "type: groq\n      api_key KEY",
        "base_url: https://user:KEY@example.com/v1",
        "base_url: https://example.com/v1?key=KEY",
        "base_url: KEY",
        "variables: {token: KEY}",
        "variables: KEY",
        "? api_key KEY",
        "KEY: x",
        "KEY",
        "\tapi_key: KEY",
        "api_key: !tag KEY",
        "api_key: &a KEY\n    models: *a",
        "api_key: ${KEY",
        "api_key: ${KEY}",
        "api_key: ${NAME:-KEY}",
        "api_key: ${NAME}KEY",
        "api_key: ''KEY",
        "# api_key: KEY\n    priority: x # KEY",
    ];
    for line in lines {
        for before in ["id: a\n    type: groq\n    ", "id: a\n    ", ""] {
            let yaml = format!("providers:\n  - {before}{}\n", line.replace("KEY", CANARY));
            assert_hidden(&yaml, &[]);
        }
        let flow = format!("{{providers: [{{id: a, {}, models: 3}}]}}", line.replace("KEY", CANARY));
        assert_hidden(&flow, &[]);
    }
}

#[test]
fn secrets_in_other_sections_and_in_the_environment_are_hidden_too() {
    for line in
        ["auth: KEY", "auth: {key: KEY}", "auth: {api_key: KEY x}", "KEY", "[KEY]", "server: {host: KEY}"]
    {
        assert_hidden(&line.replace("KEY", CANARY), &[]);
    }
    let names =
        ["PORT", "HOST", "LOG_LEVEL", "RATE_LIMIT_MAX", "TRIVIUM__AUTH__REQUIRED", "TRIVIUM__AUTH__KEY"];
    for name in names {
        assert_hidden("", &[(name, CANARY)]);
    }
    assert_hidden("", &[("API_KEY", &format!("{CANARY} {CANARY}"))]);
}

#[test]
fn json_is_yaml_and_hides_as_well() {
    let json = format!(
        "{{\"auth\": {{\"api_key\":\"{CANARY}\"}},\n\"providers\":[\n{{\"id\":\"a\",\"type\":\"groq\",\n\"api_key\":\n\"{CANARY}\",\"x\":1}}]}}"
    );
    assert!(load(&json).is_err());
    assert_hidden(&json, &[]);
}
