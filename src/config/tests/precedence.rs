//! Which layer wins, and what the environment may say.

use super::*;

fn port(yaml: &str, vars: &[(&str, &str)], flag: Option<u16>) -> (u16, String) {
    let overrides = Overrides { port: flag, ..Overrides::default() };
    let loaded = loader_with(vars, overrides).load(&text(yaml)).unwrap();
    (loaded.boot.port, origin_of(&loaded, "server.port").to_string())
}

#[test]
fn the_stronger_layer_wins() {
    let file = "server: {port: 2}";
    let long = ("TRIVIUM__SERVER__PORT", "3");
    let short = ("PORT", "4");
    let empty = vec![("TRIVIUM__SERVER__PORT", ""), ("PORT", " ")];
    let table = [
        ("", vec![], None, 20128, "default"),
        (file, vec![], None, 2, "trivium.yaml:1:16"),
        (file, vec![long], None, 3, "environment variable TRIVIUM__SERVER__PORT"),
        (file, vec![long, short], None, 4, "environment variable PORT"),
        (file, vec![long, short], Some(5), 5, "flag --port"),
        (file, empty, None, 2, "trivium.yaml:1:16"),
    ];
    for (yaml, vars, flag, expected, origin) in table {
        assert_eq!(port(yaml, &vars, flag), (expected, origin.to_owned()));
    }
}

#[test]
fn every_short_name_and_flag_reaches_its_setting() {
    let vars = [
        ("PORT", "1"),
        ("HOST", "0.0.0.0"),
        ("DATA_DIR", "data"),
        ("LOG_LEVEL", "error"),
        ("API_KEY", "12345"),
        ("RATE_LIMIT_MAX", "0"),
    ];
    let boot = load_with("", &vars).unwrap().boot;
    assert_eq!((boot.port, boot.host.to_string()), (1, "0.0.0.0".to_owned()));
    assert_eq!(boot.data_dir.to_str(), Some("/here/data"));
    assert_eq!(boot.api_key.unwrap().expose(), "12345");
    let overrides = Overrides {
        host: Some("127.0.0.2".to_owned()),
        port: Some(2),
        data_dir: Some("/tmp/x".into()),
        log_level: Some("trace".to_owned()),
        log_format: Some("text".to_owned()),
    };
    let loaded = loader_with(&vars, overrides).load(&Source::Nothing).unwrap();
    let flags = loaded.effective.iter().filter(|one| matches!(one.origin, Origin::Flag(_))).count();
    assert_eq!(flags, 5);
    assert_eq!(loaded.boot.host.to_string(), "127.0.0.2");
}

#[test]
fn long_names_nest_and_ignore_case() {
    let vars = [
        ("trivium__routing__Default_Strategy", "round-robin"),
        ("TRIVIUM__SERVER__ALLOWED_HOSTS", "a.example, b.example"),
        ("TRIVIUM__AUTH__API_KEY", "true"),
        ("TRIVIUM_CONFIG", "elsewhere.yaml"),
    ];
    let loaded = load_with("", &vars).unwrap();
    assert_eq!(loaded.settings.routing.default_strategy.as_str(), "round-robin");
    assert_eq!(loaded.boot.allowed_hosts, ["a.example", "b.example"]);
    assert_eq!(loaded.boot.api_key.unwrap().expose(), "true");
}

#[test]
fn unknown_overrides_are_errors_that_name_the_nearest() {
    let table = [
        ("TRIVIUM__SERVER__PROT", "did you mean TRIVIUM__SERVER__PORT?"),
        ("TRIVIUM__PORT", "did you mean TRIVIUM__SERVER__PORT?"),
        ("TRIVIUM__SERVER__LEVEL", "did you mean TRIVIUM__LOG__LEVEL?"),
        ("TRIVIUM__PROVIDERS__0__API_KEY", "declare providers in the file"),
        ("TRIVIUM__ZZZZZZ__QQQQQQQQ", "docs/configuration.md"),
    ];
    for (name, expected) in table {
        let words = only(&load_with("", &[(name, "1")]).unwrap_err());
        assert!(words.contains(expected), "{words}");
    }
    let twice = [("TRIVIUM__SERVER__PORT", "1"), ("trivium__server__port", "2")];
    assert!(only(&load_with("", &twice).unwrap_err()).contains("are the same setting"));
}

#[test]
fn a_bad_override_is_told_by_its_name() {
    let problems = load_with("", &[("PORT", "http"), ("HOST", "my-machine")]).unwrap_err();
    let origins: Vec<String> = problems.iter().map(|problem| problem.origin.to_string()).collect();
    assert_eq!(origins, ["environment variable HOST", "environment variable PORT"]);
    assert!(problems[0].remedy.contains("some shells set HOST"));
}

#[test]
fn relative_folders_are_seen_from_where_they_are_written() {
    let source = Source::Text {
        name: "/etc/trivium/trivium.yaml".to_owned(),
        text: "store: {data_dir: d}".to_owned(),
    };
    let from_file = loader_with(&[], Overrides::default()).load(&source).unwrap();
    assert_eq!(from_file.boot.data_dir.to_str(), Some("/etc/trivium/d"));
    let from_env = load_with("", &[("DATA_DIR", "d")]).unwrap();
    assert_eq!(from_env.boot.data_dir.to_str(), Some("/here/d"));
}

#[test]
fn an_account_without_a_home_must_name_a_folder() {
    let env = Env::new([("X", "y")], Folders::default());
    let loader = Loader::new(env, Overrides::default(), catalogue(), &[Dialect::Chat]);
    let problems = loader.load(&Source::Nothing).unwrap_err();
    assert!(only(&problems).contains("set DATA_DIR"));
}
