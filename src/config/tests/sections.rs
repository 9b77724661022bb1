//! The sections other than `providers`: defaults, types, bounds, unknown keys.

use std::time::Duration;

use super::{
    super::{LogFormat, LogLevel, schema::SECTIONS},
    *,
};
use crate::engine::settings::{BreakerLimits, Keeping, Profile, Resilience, Strategy, Waiting};

#[test]
fn nothing_written_gives_the_defaults() {
    for yaml in ["", "# nothing\n", "---\n", "server:\nproviders:\n", "{}"] {
        let loaded = accepted(yaml);
        assert_eq!(loaded.boot.host.to_string(), "127.0.0.1");
        assert_eq!(loaded.boot.port, 20128);
        assert!(loaded.boot.auth_required);
        assert_eq!(loaded.boot.api_key, None);
        assert_eq!(loaded.boot.log_level, LogLevel::Info);
        assert_eq!(loaded.boot.log_format, LogFormat::Auto);
        assert_eq!(loaded.boot.keep_alive, Duration::from_secs(15));
        assert_eq!(loaded.boot.shutdown_timeout, Duration::from_secs(30));
        assert_eq!(loaded.boot.data_dir.to_str(), Some("/home/me/.local/share/trivium"));
        assert_eq!(loaded.boot.store_url, None);
        assert_eq!(loaded.settings.limits.body_bytes, 10 * 1024 * 1024);
        assert_eq!(loaded.settings.limits.per_address_per_minute, None);
        assert_eq!(loaded.settings.responses, Keeping::default());
        assert!(!loaded.settings.responses.keep);
        assert!(loaded.settings.connections.is_empty() && loaded.warnings.is_empty());
        assert!(loaded.effective.iter().all(|one| one.origin == Origin::Default));
    }
}

#[test]
fn every_key_is_read_and_shown() {
    let yaml = "server: {host: localhost, allowed_hosts: [Hub.example.net]}\nauth: {api_key: k-12ab}\n\
                providers:\n  - {id: cf-1, type: cloudflare-ai, api_key: k, priority: 2, enabled: true, \
                models: [a], variables: {account_id: abc}, \
                limits: [{per: day, requests: 5}], windows: {5h: on}, pace: {preset: steady}, proxy: direct}\n  \
                - {id: b-1, type: openai, oauth: {flow: client-credentials, client_id: a, client_secret: s, token_url: 'https://l.example/t'}}\ncombos: [{id: both, mode: balanced, steps: [a]}]\n\
                aliases: {tiny: [a]}\nmap: [{match: \"gpt-*\", to: both}]\n\
                prices: [{model: a, provider: openai, price: {input: 1, output: 2}}]\n\
                budgets: [{id: b, for: all, limit: 1, mode: soft, over: degrade, degrade_to: free}]\n\
                webhooks: [{id: w, url: \"http://x.example\", events: [\"*\"], secret: 0123456789abcdef}]";
    let loaded = accepted(yaml);
    for section in SECTIONS {
        for key in section.keys {
            let first = match section.name {
                // An account has a key or a login.
                "providers" if key.name == "oauth" => "[1]",
                "providers" | "combos" | "prices" | "budgets" | "map" | "webhooks" => "[0]",
                "aliases" => ".tiny",
                _ => "",
            };
            let path = format!("{}{first}.{}", section.name, key.name);
            let shown = loaded
                .effective
                .iter()
                .any(|one| one.path == path || one.path.starts_with(&format!("{path}.")));
            assert!(shown, "{path}");
        }
    }
    assert_eq!(loaded.boot.allowed_hosts, ["hub.example.net"]);
}

#[test]
fn values_are_taken_over() {
    let yaml = "server:\n  host: 0.0.0.0\n  port: 0\n  body_limit_mb: 2\n  queue: 0\n  rate_limit_per_minute: 60\n\
                log: {level: WARNING, format: json}\nrouting: {default_strategy: fill-first}\n\
                timeouts: {connect_seconds: 0.25, total_seconds: 7200}\nstore: {data_dir: ~/hub}\n\
                responses: {keep: on, ttl_seconds: 3600, max_mb: 2, max_item_mb: 1}";
    let loaded = accepted(yaml);
    assert_eq!(loaded.boot.host.to_string(), "0.0.0.0");
    assert_eq!(loaded.boot.port, 0);
    assert_eq!(loaded.settings.limits.body_bytes, 2 * 1024 * 1024);
    assert_eq!(loaded.settings.limits.queued, 0);
    assert_eq!(loaded.settings.limits.per_address_per_minute, Some(60));
    assert_eq!(loaded.boot.log_level, LogLevel::Warn);
    assert_eq!(loaded.settings.routing.default_strategy, Strategy::Exhaust);
    assert_eq!(loaded.settings.timeouts.connect, Duration::from_millis(250));
    assert_eq!(loaded.settings.timeouts.total, Duration::from_secs(7200));
    assert_eq!(loaded.boot.data_dir.to_str(), Some("/home/me/hub"));
    let megabyte = 1024 * 1024;
    let kept = Keeping {
        keep: true,
        ttl: Duration::from_secs(3600),
        max_bytes: 2 * megabyte,
        max_item_bytes: megabyte,
    };
    assert_eq!(loaded.settings.responses, kept);
    assert!(accepted("responses: {keep: true}").settings.responses.keep);
}

#[test]
fn a_profile_gives_all_numbers_and_each_can_be_set_by_itself() {
    assert_eq!(accepted("").settings.routing.resilience, Resilience::of(Profile::Balanced));
    let of = |yaml: &str| accepted(yaml).settings.routing;
    assert_eq!(of("resilience: {profile: Aggressive}").resilience, Resilience::of(Profile::Aggressive));
    let yaml = "routing: {wait_retries: 2, wait_longest_seconds: 0.5}\n\
                resilience: {profile: conservative, breaker_open: 9, confirmations: 1, retries: 3}";
    let conservative = Resilience::of(Profile::Conservative);
    let expected = Resilience {
        breaker: BreakerLimits { open: 9, ..conservative.breaker },
        confirmations: 1,
        retries: 3,
        ..conservative
    };
    assert_eq!(of(yaml).resilience, expected);
    assert_eq!(of(yaml).wait, Waiting { retries: 2, longest: Duration::from_millis(500) });
}

#[test]
fn the_database_is_a_file_or_an_address_whose_password_is_not_shown() {
    let shown = |loaded: &Loaded| {
        loaded.effective.iter().find(|one| one.path == "store.url").map(|one| one.value.clone()).unwrap()
    };
    for yaml in ["", "store: {url: sqlite}", "store: {url: ''}", "store: {url: '${NONE:-sqlite}'}"] {
        let loaded = accepted(yaml);
        assert_eq!((loaded.boot.store_url.as_ref(), shown(&loaded).as_str()), (None, "sqlite"), "{yaml}");
    }
    let yaml = "store: {url: 'postgres://hub:${PW}@db.example.net:6432/trivium?sslmode=verify-full'}";
    let loaded = load_with(yaml, &[("PW", "s3cret")]).unwrap();
    assert_eq!(
        loaded.boot.store_url.as_ref().unwrap().expose(),
        "postgres://hub:s3cret@db.example.net:6432/trivium?sslmode=verify-full"
    );
    assert_eq!(shown(&loaded), "postgres://hub@db.example.net:6432/trivium");
    let overridden = load_with("", &[("TRIVIUM__STORE__URL", "postgresql:///hub?host=/run/postgresql")]);
    assert_eq!(shown(&overridden.unwrap()), "postgresql:///hub");
}

#[test]
fn wrong_types_say_what_was_found_what_is_expected_and_an_example() {
    let table = [
        (
            "server: {port: abc}",
            "expected a port from 0 to 65535, found the text `abc` (write for example `port: 20128`)",
        ),
        ("server: {port: 70000}", "found the number `70000`"),
        ("server: {port: [1]}", "found a list"),
        ("server: {queue: -1}", "found the number `-1`"),
        ("server: {keep_alive_seconds: 0.5}", "expected seconds from 1 to 3600, found the number `0.5`"),
        ("server: {allowed_hosts: a.example}", "expected a list of host names, found the text `a.example`"),
        ("server: {allowed_hosts: ['http://a']}", "is not a host name"),
        ("server: {host: example.com}", "expected an IP address or `localhost`, found `example.com`"),
        (
            "auth: {required: yes}",
            "expected true or false, found the text `yes` (write for example `required: true`)",
        ),
        ("auth: {api_key: [a]}", "expected a key as text, found a list"),
        ("auth: {api_key: 'Bearer abc'}", "characters that no client can send"),
        ("log: {level: loud}", "expected one of off, error, warn, info, debug, trace, found the text `loud`"),
        ("store: {data_dir: true}", "found true or false (put it in quotes"),
        ("store: {url: [a]}", "expected `sqlite` or an address as text, found a list"),
        ("store: {url: SQLite3}", "this is no address"),
        ("store: {url: 'sqlite:///data/hub.db'}", "a SQLite database has no address here"),
        ("store: {url: 'mysql://h/d'}", "the store is SQLite or PostgreSQL, and this is neither"),
        ("store: {url: 'postgres://h:5432'}", "the address names no database"),
        ("store: {url: 'postgres://u:a/b@h/d'}", "`%2F` for `/`"),
        ("store: {url: 'postgres://h/d?ssl_mode=require'}", "did you mean `sslmode`?"),
        ("store: {url: 'postgres://h/d?sslmode=on'}", "write one of disable, allow, prefer, require"),
        (
            "routing: {default_strategy: fastest}",
            "expected a strategy, such as `priority`, `exhaust` (also called `fill-first`), `round-robin`,",
        ),
        ("responses: {keep: maybe}", "expected `on` or `off`, found the text `maybe`"),
        (
            "responses: {ttl_seconds: 30d}",
            "expected seconds from 60 to 31536000 (a year), found the text `30d`",
        ),
        ("responses: {max_item_mb: 0}", "expected a whole number from 1 to 256, found the number `0`"),
        (
            "resilience: {profile: brave}",
            "expected `aggressive`, `balanced` or `conservative`, found the text",
        ),
        ("resilience: {breaker_open: 0}", "expected a whole number from 1 to 1000, found the number `0`"),
        ("routing: {wait_retries: 11}", "expected a whole number from 0 to 10, found the number `11`"),
        ("timeouts: {idle_seconds: .inf}", "found the"),
        ("timeouts: {idle_seconds: 0}", "found the number `0`"),
        ("server: 5", "expected a mapping of settings, found the number"),
        ("providers: 5", "expected a list of providers, found the number"),
        ("providers: {groq: x}", "expected a list of providers, found a mapping"),
        ("combos: {a: b}", "expected a list of combos, found a mapping"),
        ("- a", "expected sections such as `providers:`, found a list"),
    ];
    for (yaml, expected) in table {
        let words = only(&refused(yaml));
        assert!(words.contains(expected), "{yaml}\n  {words}\n  {expected}");
    }
}

#[test]
fn unknown_keys_suggest_the_nearest_known() {
    let table = [
        ("server: {prot: 1}", "unknown key `prot` in `server` (did you mean `port`?"),
        ("server: {api_key: a}", "this setting is `auth.api_key`"),
        ("server: {zzz: 1}", "(remove it; known here: host, port, "),
        ("port: 1", "unknown section `port` (this setting is `server.port`; sections are server, auth,"),
        ("sevrer: {}", "(did you mean `server`? The sections are"),
        ("logging: {}", "did you mean `log`?"),
        (
            "providers: [{id: a, type: ollama, apiKey: k}]",
            "unknown key `apiKey` in `providers[0]` (did you mean `api_key`?",
        ),
        ("providers: [{id: a, type: ollama, url: k}]", "did you mean `base_url`?"),
    ];
    for (yaml, expected) in table {
        let words = only(&refused(yaml));
        assert!(words.contains(expected), "{yaml}\n  {words}\n  {expected}");
    }
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_the_file() {
    let yaml = "timeouts:\n  idle_second: 1\nserver:\n  port: x\n  host: y\nproviders:\n  - type: groqq\n    models: 3\n";
    let problems = refused(yaml);
    let lines: Vec<_> = problems.iter().filter_map(|problem| problem.origin.line()).collect();
    assert_eq!(lines, [2, 4, 5, 7, 7], "{problems:#?}");
}

#[test]
fn a_public_address_without_authentication_is_refused() {
    let words = only(&refused("server: {host: 0.0.0.0}\nauth: {required: false}"));
    assert!(words.contains("callers need no key, and the hub listens on 0.0.0.0"), "{words}");
    assert!(!accepted("auth: {required: false}").boot.auth_required);
    assert!(!accepted("server: {host: '::1'}\nauth: {required: false}").boot.auth_required);
    let problems = load_with("auth: {required: false}", &[("HOST", "0.0.0.0")]).unwrap_err();
    assert!(only(&problems).contains("(set by: environment variable HOST)"));
}

#[test]
fn a_collector_has_an_address_and_headers_that_stay_secret() {
    for (yaml, path) in [
        ("telemetry: {endpoint: 'ftp://collector.test'}", "telemetry.endpoint"),
        ("telemetry: {endpoint: 'collector.test:4318'}", "telemetry.endpoint"),
        ("telemetry: {endpoint: 'http://me:word@collector.test'}", "telemetry.endpoint"),
        ("telemetry: {headers: nonsense}", "telemetry.headers"),
        ("telemetry: {sample: 2}", "telemetry.sample"),
        ("retention: {receipts_days: -1}", "retention.receipts_days"),
        ("metrics: {enabled: perhaps}", "metrics.enabled"),
    ] {
        assert!(refused(yaml).iter().any(|problem| problem.path == path), "{yaml}");
    }
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.test:4318/"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=s3cret, x-b=c"),
    ];
    let loaded = load_with("retention: {receipts_days: 0, plans_days: 2}", &variables).unwrap();
    let telemetry = &loaded.settings.telemetry;
    assert_eq!(telemetry.endpoint.as_deref(), Some("http://collector.test:4318/v1/traces"));
    assert_eq!(telemetry.headers.len(), 2);
    assert!(loaded.effective.iter().all(|one| !one.value.contains("s3cret")));
    let retention = loaded.settings.retention;
    assert_eq!((retention.receipts_age, retention.plans_age), (None, Some(Duration::from_secs(2 * 86_400))));
}
