//! The list of providers.

use super::*;

fn accepted_entry(lines: &str) -> Loaded {
    accepted(&entry(lines))
}

fn refused_entry(lines: &str) -> String {
    only(&refused(&entry(lines)))
}

#[test]
fn without_models_a_connection_is_open_and_lists_the_catalogues() {
    let loaded = accepted_entry("type: groq\napi_key: gsk_1");
    let models = &connection(&loaded, "one").models;
    assert!(models.open && !models.listed.is_empty());
    assert_eq!(origin_of(&loaded, "providers[0].models"), Origin::Catalogue);
    assert_eq!(origin_of(&loaded, "providers[0].base_url"), Origin::Catalogue);
}

#[test]
fn priority_orders_and_equals_keep_the_order_of_the_file() {
    let item = |id: &str, more: &str| format!("  - {{id: {id}, type: ollama{more}}}\n");
    let yaml = [
        "providers:\n".to_owned(),
        item("a", ""),
        item("b", ", priority: 2"),
        item("c", ""),
        item("d", ", priority: 2"),
    ];
    assert_eq!(ids(&accepted(&yaml.concat())), ["b", "d", "a", "c"]);
}

#[test]
fn providers_are_found_by_prefix_and_missed_ones_suggested() {
    assert_eq!(connection(&accepted_entry("type: ds\napi_key: k-1a"), "one").provider.id, "deepseek");
    let words = refused_entry("type: gorq\napi_key: k");
    assert!(words.contains("unknown provider `gorq` (did you mean `groq`?"), "{words}");
    let words = refused_entry("type: zzzzzzzzzzzz\napi_key: k");
    assert!(words.contains("type: openai-compatible"), "{words}");
}

#[test]
fn declined_providers_say_why_and_what_instead() {
    for word in ["claude", "cc"] {
        let words = refused_entry(&format!("type: {word}\napi_key: k"));
        assert!(words.contains("which is not supported: Anthropic is reported"), "{words}");
        assert!(words.contains("use instead: Claude models with an API key"), "{words}");
    }
}

#[test]
fn a_dialect_that_is_not_spoken_is_refused_clearly() {
    let words = refused_entry("type: anthropic\napi_key: k");
    assert!(words.contains("`anthropic` speaks messages; this version of Trivium speaks chat"), "{words}");
    let words = refused_entry("type: anthropic-compatible\napi_key: k\nbase_url: http://localhost:1/v1");
    assert!(words.contains("speaks messages"), "{words}");
    let words = refused_entry("type: triton");
    assert!(words.contains("`triton` speaks kserve") && words.contains("OpenAI frontend"), "{words}");
    assert!(ids(&accepted_entry("type: anthropic\napi_key: k\nenabled: false")).is_empty());
    let both = Loader::new(
        Env::new([("X", "")], folders()),
        Overrides::default(),
        catalogue(),
        &[Dialect::Chat, Dialect::Messages],
    );
    assert!(both.load(&text(&entry("type: anthropic\napi_key: k-1"))).is_ok());
}

#[test]
fn keys_are_needed_where_a_provider_needs_them() {
    let loaded = accepted_entry("type: groq");
    assert!(loaded.warnings.iter().any(|one| one.message == "`one` is skipped: it has no `api_key`"));
    for free in [
        "type: ollama",
        "type: openai-compatible\nbase_url: https://a.example/v1",
        "type: ollama\napi_key: ''",
    ] {
        let loaded = accepted_entry(free);
        assert!(connection(&loaded, "one").credential.is_none() && loaded.warnings.is_empty());
    }
    let remote = accepted_entry("type: openai-compatible\nbase_url: https://a.example/v1\napi_key: your-key");
    assert!(ids(&remote).is_empty(), "a placeholder is a mistake at a remote server");
    let local = accepted_entry("type: openai-compatible\nbase_url: http://localhost:1/v1\napi_key: xxx");
    assert_eq!(connection(&local, "one").credential.as_ref().unwrap().expose(), "xxx");
    assert!(refused_entry("type: groq\napi_key: 'Bearer gsk_1'").contains("without `Bearer`"));
}

#[test]
fn base_urls_are_needed_checked_and_cleaned() {
    assert!(refused_entry("type: openai-compatible").contains("needs a `base_url`"));
    assert!(refused_entry("type: openai-compatible\nbase_url: localhost:1").contains("does not start with"));
    let at = |url: &str| accepted_entry(&format!("type: openai-compatible\nbase_url: {url}\napi_key: k1"));
    assert_eq!(chat_url(&at("http://localhost:1/v1/"), "one"), "http://localhost:1/v1");
    let trimmed = at("https://a.example/v1/chat/completions");
    assert_eq!(chat_url(&trimmed, "one"), "https://a.example/v1");
    assert_eq!(count(&trimmed.warnings, Severity::Warning), 1);
    assert_eq!(count(&at("https://a.example").warnings, Severity::Hint), 1);
    let exposed = at("http://a.example/v1");
    assert!(exposed.warnings[0].message.contains("unencrypted"));
}

#[test]
fn a_base_url_replaces_the_providers_own_and_nothing_escapes_it() {
    let loaded = accepted_entry("type: openai\napi_key: sk-1\nbase_url: http://127.0.0.1:9/v1");
    let endpoints = &connection(&loaded, "one").endpoints;
    assert!(
        endpoints.len() >= 2 && endpoints.values().all(|url| url == "http://127.0.0.1:9/v1"),
        "{endpoints:?}"
    );
    let loaded = accepted_entry("type: deepseek\napi_key: sk-1\nbase_url: http://127.0.0.1:9/v1");
    assert_eq!(
        connection(&loaded, "one").endpoints.len(),
        1,
        "its messages URL is another, and must not be used"
    );
}

#[test]
fn variables_fill_urls() {
    let loaded = accepted_entry("type: cloudflare-ai\napi_key: k-1\nvariables: {account_id: abc123}");
    assert_eq!(chat_url(&loaded, "one"), "https://api.cloudflare.com/client/v4/accounts/abc123/ai/v1");
    assert!(refused_entry("type: cloudflare-ai\napi_key: k").contains("needs the variable `account_id`"));
    let problems = refused(&entry("type: cloudflare-ai\napi_key: k\nvariables: {acount_id: a}"));
    assert!(problems.iter().any(|problem| problem.remedy == "did you mean `account_id`?"), "{problems:?}");
    for bad in ["a/b", "..", "'a?'", ".a", "''"] {
        let problems =
            refused(&entry(&format!("type: cloudflare-ai\napi_key: k\nvariables: {{account_id: {bad}}}")));
        assert!(
            problems[0].message.contains("its value cannot be") || problems.len() == 2,
            "{bad}: {problems:?}"
        );
    }
    assert!(
        refused_entry("type: groq\napi_key: k\nvariables: {a: b}").contains("`groq` has none; remove it")
    );
}

#[test]
fn ids_are_needed_valid_and_unique() {
    let yaml =
        "providers:\n  - id: a\n    type: ollama\n  - id: b\n    type: ollama\n  - id: a\n    type: ollama\n";
    assert_eq!(
        only(&refused(yaml)),
        "error: line 6, providers[2].id: the id `a` is given twice, in lines 2 and 6 \
         (give each account an id of its own, such as `a-2`)"
    );
    assert!(only(&refused("providers: [{type: ollama}]")).contains("`id` is missing"));
    assert!(only(&refused("providers: [{id: a}]")).contains("`type` is missing"));
    for bad in ["a/b", "'a b'", "''", "ä", &"x".repeat(65)] {
        assert!(only(&refused(&format!("providers: [{{id: {bad}, type: ollama}}]"))).contains("at most 64"));
    }
    let shadow = accepted("providers: [{id: openai, type: ollama}]");
    assert!(shadow.warnings[0].message.contains("is also the name of OpenAI"));
    assert!(accepted("providers: [{id: ollama, type: ollama}]").warnings.is_empty());
}

#[test]
fn lists_of_models_are_checked() {
    assert!(refused_entry("type: ollama\nmodels: []").contains("the list of models is empty"));
    assert!(
        refused_entry("type: ollama\nmodels: a")
            .contains("expected a list of model names, found the text `a`")
    );
    assert!(refused_entry("type: ollama\nmodels: [a b]").contains("cannot be a model's name"));
    assert!(refused_entry("type: ollama\nmodels: [[a]]").contains("providers[0].models[0]: expected a list"));
    let twice = accepted_entry("type: ollama\nmodels: [a, b, a]");
    assert_eq!(connection(&twice, "one").models.listed.len(), 2);
    assert_eq!(twice.warnings.len(), 1);
}

#[test]
fn the_fingerprint_follows_the_account() {
    let print = |lines: &str| connection(&accepted_entry(lines), "one").fingerprint;
    let first = print("type: groq\napi_key: gsk_1");
    assert_eq!(first, print("type: groq\napi_key: gsk_1\npriority: 3\nmodels: [a]"));
    assert_ne!(first, print("type: groq\napi_key: gsk_2"));
    assert_ne!(first, print("type: groq\napi_key: gsk_1\nbase_url: http://localhost:1/v1"));
}

#[test]
fn more_can_be_said_of_a_model_than_its_name() {
    let loaded = accepted_entry(
        "type: openai\napi_key: k-1a\nmodels:\n  - plain\n  - {id: deep, tags: [web-search, big], max_output: 9000, \
         dialects: [responses]}",
    );
    let models = &connection(&loaded, "one").models;
    assert_eq!(models.listed.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["plain", "deep"]);
    assert!(models.is_tagged("deep", "web-search") && !models.is_tagged("plain", "web-search"));
    let about = &models.about["deep"];
    assert_eq!((about.max_output, about.dialects.as_slice()), (Some(9000), &[Dialect::Responses][..]));
    let words = refused_entry("type: openai\napi_key: k-1a\nmodels: [{tags: [a]}]");
    assert!(words.contains("`id` is missing"), "{words}");
    let words = refused_entry("type: openai\napi_key: k-1a\nmodels: [{id: a, dialects: [morse]}]");
    assert!(words.contains("found `morse`"), "{words}");
    let words = refused_entry("type: openai\napi_key: k-1a\nmodels: [{id: a, tag: [b]}]");
    assert!(words.contains("did you mean `tags`?"), "{words}");
}
