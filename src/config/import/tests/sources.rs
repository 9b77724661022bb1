//! Each system's files, and what they become.

use serde_json::json;

use super::{
    super::SourceKind,
    definition, files,
    fixtures::{
        CLIPROXYAPI, CLIPROXYAPI_LOGIN, DOTENV, FREEROUTER, FREEROUTER_ENV, LITELLM, MULTIROUTER, MULTIVIBE,
        NINEROUTER, OMNIROUTE,
    },
    ids, import, loaded, loader, notes, tells,
};
use crate::config::SETTINGS;

/// All fixtures, with the kind that is to be seen from each.
pub(super) const ALL: [(SourceKind, &[(&str, &str)]); 8] = [
    (SourceKind::LiteLlm, &[("config.yaml", LITELLM)]),
    (SourceKind::CliProxyApi, &[("config.yaml", CLIPROXYAPI), ("codex.json", CLIPROXYAPI_LOGIN)]),
    (SourceKind::NineRouter, &[("backup.json", NINEROUTER)]),
    (SourceKind::OmniRoute, &[("export.json", OMNIROUTE)]),
    (SourceKind::FreeRouter, &[("model_catalog.json", FREEROUTER), (".env", FREEROUTER_ENV)]),
    (SourceKind::MultiVibe, &[("accounts.json", MULTIVIBE)]),
    (SourceKind::MultiRouter, &[("providers.yaml", MULTIROUTER)]),
    (SourceKind::Environment, &[(".env", DOTENV)]),
];

pub(super) const VARS: [(&str, &str); 7] = [
    ("OPENAI_API_KEY", "sk-1"),
    ("ANTHROPIC_API_KEY", "sk-ant-1"),
    ("GROQ_ONE", "gsk_1"),
    ("GROQ_TWO", "gsk_2"),
    ("OPENROUTER_API_KEY", "sk-or-1"),
    ("LITELLM_MASTER_KEY", "sk-1234-5678"),
    ("GEMINI_API_KEY", "AIza1"),
];

#[test]
fn every_kind_is_seen_and_what_is_written_loads_without_a_word() {
    for (kind, texts) in ALL {
        let imported = import(texts);
        assert_eq!(imported.kind, kind);
        let loaded = loaded(&imported, &VARS);
        // A group of LiteLLM's may well have the name of its first model.
        let meant = |one: &&crate::config::Problem| one.message.contains("takes the place of the model");
        let said: Vec<_> = loaded.warnings.iter().filter(|one| !meant(one)).collect();
        assert!(said.is_empty(), "{kind:?}: {said:#?}\n{}", imported.yaml());
        assert_eq!(loaded.settings.connections.len(), ids(&imported, "providers").len(), "{kind:?}");
        let again = import(texts);
        assert_eq!(again.documents, imported.documents, "the same source gives the same ids");
    }
}

#[test]
fn secrets_are_in_the_file_alone() {
    for (kind, texts) in ALL {
        let imported = import(texts);
        let told: String = imported.documents.iter().map(|document| document.what.as_str()).collect();
        let told = format!("{told}{}{imported:?}", notes(&imported));
        for secret in [
            "SECRET",
            "gsk_",
            "sk-",
            "az-1a2b",
            "AIza",
            "house$",
            "house-1",
            "secret-db",
            "csk-",
            "ms-fixture",
        ] {
            assert!(!told.contains(secret), "{kind:?} {secret}: {told}");
        }
        // Tokens of logins are nowhere, not even in the file.
        assert!(!imported.yaml().contains("SECRET"), "{kind:?}");
    }
}

#[test]
fn deployments_of_litellm_become_accounts_and_groups_combos() {
    let imported = import(&[("config.yaml", LITELLM)]);
    assert_eq!(
        ids(&imported, "providers"),
        ["openai-1", "azure-1", "anthropic-1", "groq-1", "groq-2", "ollama-1", "node-1", "openrouter-1"],
    );
    assert_eq!(
        definition(&imported, "providers", "openai-1"),
        json!({
            "type": "openai", "api_key": "${OPENAI_API_KEY}",
            "limits": [
                {"per": "minute", "requests": 500, "model": "gpt-4o"},
                {"per": "minute", "tokens": 90000, "model": "gpt-4o"},
            ],
            "models": [
                {"id": "gpt-4o", "context": 128_000, "vision": true, "price": {"input": 2.5, "output": 10.0}},
                "text-embedding-3-small",
            ],
        }),
    );
    let azure = definition(&imported, "providers", "azure-1");
    assert_eq!(
        (&azure["variables"], &azure["api_key"]),
        (&json!({"resource": "contoso"}), &json!("az-1a2b3c"))
    );
    assert_eq!(definition(&imported, "providers", "anthropic-1")["api_key"], "${ANTHROPIC_API_KEY}");
    assert_eq!(definition(&imported, "providers", "ollama-1")["base_url"], "http://localhost:11434/v1");
    assert_eq!(definition(&imported, "providers", "node-1")["api_key"], "house$$key");
    let pool = definition(&imported, "combos", "gpt-4o-pool");
    assert_eq!(pool["strategy"], "weighted");
    assert_eq!(pool["steps"][1], json!({"model": "my-gpt-4o", "connection": "azure-1", "weight": 100}));
    let outer = definition(&imported, "combos", "gpt-4o");
    assert_eq!(
        outer["steps"],
        json!(["combo/gpt-4o-pool", {"model": "claude-sonnet-5", "connection": "anthropic-1"}])
    );
    // They fall back on each other, which is no circle here.
    let claude = definition(&imported, "combos", "claude");
    assert_eq!(claude["steps"][1], "combo/gpt-4o-pool");
    assert_eq!(definition(&imported, "aliases", "house")["targets"], json!(["node-1/house-model"]));
    assert_eq!(definition(&imported, "aliases", "gpt-4")["targets"], json!(["combo/gpt-4o"]));
    assert_eq!(definition(&imported, SETTINGS, "routing.default_strategy"), json!({"value": "random"}));
    assert_eq!(definition(&imported, SETTINGS, "auth.api_key"), json!({"value": "${LITELLM_MASTER_KEY}"}));
    tells(
        &imported,
        &[
            "`picture` is left out",
            "`aws` is left out: Amazon Bedrock",
            "`vague` is left out: nothing is known",
            "`database_url` is not carried over",
            "the alias `lost` leads to no group",
            "fallbacks of `ghost`",
            "not carried over for `claude`: `temperature`",
            "`guardrails` is not carried over",
            "config.yaml:54",
        ],
    );
}

#[test]
fn lists_of_keys_of_cliproxyapi_become_accounts_and_logins_none() {
    let imported = import(&[("config.yaml", CLIPROXYAPI), ("codex.json", CLIPROXYAPI_LOGIN)]);
    assert_eq!(
        ids(&imported, "providers"),
        [
            "gemini-1",
            "second",
            "anthropic-1",
            "anthropic-compatible-1",
            "responses-compatible-1",
            "openrouter",
            "openrouter-2",
            "house",
        ],
    );
    assert_eq!(definition(&imported, "providers", "gemini-1")["proxy"], "direct");
    let relay = definition(&imported, "providers", "anthropic-compatible-1");
    assert_eq!(
        (&relay["base_url"], &relay["proxy"]),
        (&json!("https://relay.example.net/v1"), &json!("socks5://127.0.0.1:1080"))
    );
    assert_eq!(definition(&imported, "providers", "openrouter")["type"], "openrouter");
    assert_eq!(
        definition(&imported, "aliases", "sonnet")["targets"],
        json!(["anthropic-compatible-1/claude-sonnet-5"])
    );
    assert_eq!(definition(&imported, "combos", "pool")["strategy"], "round-robin");
    assert_eq!(
        definition(&imported, "combos", "pool")["steps"][1],
        json!({"model": "glm-5", "connection": "house"})
    );
    assert_eq!(definition(&imported, SETTINGS, "routing.default_strategy"), json!({"value": "exhaust"}));
    assert_eq!(definition(&imported, SETTINGS, "routing.affinity"), json!({"value": "session"}));
    tells(
        &imported,
        &[
            "2 keys of callers",
            "`off` is switched off",
            "the login of the type `codex` is not carried over",
            "`headers` of `responses-compatible-1`",
            "`excluded-models` of `second`",
            "Vertex is not",
            "`payload` is not",
        ],
    );
}

#[test]
fn connections_of_9router_and_omniroute_with_their_combos() {
    let imported = import(&[("backup.json", NINEROUTER)]);
    assert_eq!(ids(&imported, "providers"), ["groq-work", "groq-1", "house", "house-2"]);
    assert_eq!(definition(&imported, "providers", "groq-1")["proxy"], "socks5://127.0.0.1:1080");
    assert_eq!(
        definition(&imported, "combos", "cheap")["steps"],
        json!(["groq/llama-3.3-70b-versatile", "house/big", "house-2/big"]),
    );
    assert_eq!(definition(&imported, "combos", "spread")["strategy"], "round-robin");
    assert_eq!(definition(&imported, "aliases", "quick")["targets"], json!(["groq/llama-3.1-8b-instant"]));
    assert_eq!(
        definition(&imported, "prices", "groq/llama-3.3-70b-versatile")["price"],
        json!({"input": 0.59, "output": 0.79, "cache_read": 0.3}),
    );
    tells(
        &imported,
        &[
            "`claude` is left out: Claude Code",
            "`GLM` is switched off",
            "nothing is known of the provider `nobody`",
            "`minimax` is a login",
            "the combo `nothing` is left out",
            "the alias `gone` is left out",
            "1 keys of callers are not carried over (`laptop`)",
            "prices of `cc`",
            "`customModels`",
        ],
    );
    let imported = import(&[("export.json", OMNIROUTE)]);
    assert_eq!(ids(&imported, "providers"), ["mistral-1", "deepseek-ds"]);
    assert_eq!(
        definition(&imported, "combos", "share")["steps"],
        json!([{"model": "mistral-1/mistral-large-latest", "weight": 70}, {"model": "deepseek-ds/deepseek-chat", "weight": 30}]),
    );
    assert_eq!(definition(&imported, "combos", "outer")["steps"], json!(["combo/share"]));
    tells(&imported, &["the strategy of the combo `outer`"]);
}

#[test]
fn the_catalogue_of_freerouter_with_ranks_and_several_keys() {
    let imported = import(&[("model_catalog.json", FREEROUTER), (".env", FREEROUTER_ENV)]);
    assert_eq!(ids(&imported, "providers"), ["groq-1", "groq-2", "gemini-1", "cerebras-1"]);
    let groq = definition(&imported, "providers", "groq-2");
    assert_eq!((&groq["api_key"], &groq["tier"]), (&json!("gsk_two"), &json!("free")));
    assert_eq!(
        groq["models"][0],
        json!({"id": "groq/compound", "rank": 2, "context": 131_072, "tools": true, "tags": ["text", "tool-use", "web-search"]}),
    );
    assert_eq!(definition(&imported, "providers", "gemini-1")["api_key"], "${GEMINI_API_KEY}");
    assert_eq!(definition(&imported, SETTINGS, "auto.strategy"), json!({"value": "ranked"}));
    tells(
        &imported,
        &["1 models that are switched off", "`x` is left out", "GATEWAY_PORT is not", "holds 2 keys"],
    );
}

#[test]
fn accounts_of_multivibe_and_a_file_of_multirouter() {
    let imported = import(&[("accounts.json", MULTIVIBE)]);
    assert_eq!(ids(&imported, "providers"), ["mistral-1", "openai-compatible-1", "groq-1"]);
    let house = definition(&imported, "providers", "openai-compatible-1");
    assert_eq!((&house["models"], &house["pace"]), (&json!(["big", "small"]), &json!({"concurrent": 4})));
    let small = definition(&imported, "aliases", "small-2");
    assert_eq!(small, json!(null), "an alias and a model may have one name");
    let smart = definition(&imported, "aliases", "smart");
    assert_eq!(smart["targets"][0], "llama-3.3-70b-versatile");
    tells(
        &imported,
        &[
            "`openai` is a login",
            "`small` goes without `gpt-5.1-codex-mini`",
            "conditions of the alias `smart`",
            "`nothing` is left out",
            "(`editor`)",
        ],
    );
    let imported = import(&[("providers.yaml", MULTIROUTER)]);
    assert_eq!(ids(&imported, "providers"), ["groq-1", "at-home"]);
    assert_eq!(definition(&imported, "providers", "groq-1")["api_key"], "${GROQ_ONE}");
    assert_eq!(definition(&imported, SETTINGS, "routing.default_strategy"), json!({"value": "round-robin"}));
    tells(
        &imported,
        &[
            "`at-home` of providers is left out",
            "`wrong` of providers is left out: unknown provider",
            "the section `extra`",
        ],
    );
}

#[test]
fn keys_in_variables_become_accounts_that_refer_to_them() {
    let imported = import(&[(".env", DOTENV)]);
    assert_eq!(ids(&imported, "providers"), ["groq-1", "groq-2", "groq-3", "groq-4", "zai-1"]);
    let keys = ["groq-1", "groq-2", "groq-3", "zai-1"]
        .map(|id| definition(&imported, "providers", id)["api_key"].clone());
    assert_eq!(keys, ["${GROQ_API_KEY}", "${GROQ_API_KEY_2}", "gsk_a1", "${ZAI_API_KEY}"]);
    tells(
        &imported,
        &[
            "OPENAI_BASE_URL is set",
            "ANTHROPIC_API_KEY holds a placeholder",
            "GITHUB_TOKEN is set",
            "reads variables and no files",
        ],
    );
    let vars = [("MISTRAL_API_KEY", "m"), ("PATH", "/bin"), ("GROQ_API_KEY_BACKUP", "no number")];
    let imported = loader(&vars).import(Some(SourceKind::Environment), &[]).unwrap();
    assert_eq!(ids(&imported, "providers"), ["mistral-1"]);
    assert!(
        imported.documents.iter().all(|one| one.place.to_string() == "environment variable MISTRAL_API_KEY")
    );
}

#[test]
fn what_nobody_knows_is_refused_with_words() {
    let refused = |texts: &[(&str, &str)]| loader(&[]).import(None, &files(texts)).unwrap_err().to_string();
    assert!(refused(&[("a.yaml", "a: b")]).contains("--from"));
    assert!(refused(&[("a.yaml", "")]).contains("nothing in it"));
    assert!(refused(&[("a.yaml", "a: [")]).contains("not valid YAML"));
    assert!(refused(&[("a", LITELLM), ("b", CLIPROXYAPI)]).contains("LiteLLM and CLIProxyAPI"));
    let without = loader(&[]).import(Some(SourceKind::LiteLlm), &[]).unwrap_err().to_string();
    assert!(without.contains("trivium import litellm FILE"));
}
