//! A `providers.yaml` of MultiRouter's is taken as it is.

use super::*;
use crate::engine::settings::Strategy;

/// The example of MultiRouter's documentation, with its placeholders.
const EXAMPLE: &str = "\
routing:
  default_strategy: exhaust # exhaust | round-robin
  retry_after_seconds: 300 # Re-enable failed providers after 5 min

providers:
  # Free tiers first
  - id: groq-1
    type: groq
    api_key: gsk_your_first_key
    models:
      - llama-3.3-70b-versatile
      - llama-3.1-8b-instant

  - id: groq-2
    type: groq
    api_key: gsk_your_second_key
    models:
      - llama-3.3-70b-versatile

  # Paid providers last
  - id: openai-1
    type: openai
    api_key: sk-your_openai_key
    models:
      - gpt-4o
      - gpt-4o-mini

  # Custom local endpoint
  - id: ollama
    type: openai-compatible
    base_url: http://localhost:11434/v1
    api_key: ollama
    models:
      - llama3.2
";

fn with_keys() -> String {
    EXAMPLE
        .replace("gsk_your_first_key", "gsk_1aZ")
        .replace("gsk_your_second_key", "gsk_2bY")
        .replace("sk-your_openai_key", "sk-3cX")
}

#[test]
fn the_example_loads_unchanged() {
    let loaded = accepted(&with_keys());
    assert_eq!(ids(&loaded), ["groq-1", "groq-2", "openai-1", "ollama"]);
    assert_eq!(loaded.settings.routing.default_strategy, Strategy::Exhaust);
    assert_eq!(loaded.settings.routing.retry_after.as_secs(), 300);
    assert_eq!(chat_url(&loaded, "groq-1"), "https://api.groq.com/openai/v1");
    assert_eq!(chat_url(&loaded, "ollama"), "http://localhost:11434/v1");
    let first = connection(&loaded, "groq-1");
    assert_eq!(first.credential.as_ref().unwrap().expose(), "gsk_1aZ");
    assert_eq!(first.models.listed.len(), 2);
    assert!(!first.models.open);
    assert_eq!(connection(&loaded, "ollama").credential.as_ref().unwrap().expose(), "ollama");
    // `ollama` is a provider of the catalogue too, and this is an `openai-compatible` one.
    assert_eq!(loaded.warnings.len(), 1, "{:#?}", loaded.warnings);
    assert!(loaded.warnings[0].message.contains("is also the name of Ollama"));
}

#[test]
fn placeholders_are_skipped_visibly() {
    let loaded = accepted(EXAMPLE);
    assert_eq!(ids(&loaded), ["ollama"]);
    let skipped: Vec<_> = loaded.warnings.iter().filter(|one| one.message.contains("is skipped")).collect();
    assert_eq!(skipped.len(), 3);
    assert_eq!(
        in_words(skipped[0]),
        "warning: line 9, providers[0].api_key: `groq-1` is skipped: its `api_key` is a placeholder \
         (paste your key for Groq, or write `api_key: ${GROQ_API_KEY}` and set GROQ_API_KEY)"
    );
}

#[test]
fn its_other_strategy_and_its_variables_work() {
    let yaml =
        with_keys().replace("strategy: exhaust", "strategy: round-robin").replace("gsk_1aZ", "${GROQ}");
    let vars = [("GROQ", "gsk_9zZ"), ("PORT", "3000"), ("RATE_LIMIT_MAX", "100"), ("LOG_LEVEL", "debug")];
    let loaded = load_with(&yaml, &vars).unwrap();
    assert_eq!(loaded.settings.routing.default_strategy, Strategy::RoundRobin);
    assert_eq!(connection(&loaded, "groq-1").credential.as_ref().unwrap().expose(), "gsk_9zZ");
    assert_eq!(loaded.boot.port, 3000);
    assert_eq!(loaded.settings.limits.per_address_per_minute, Some(100));
}

#[test]
fn a_priority_of_one_comes_first() {
    let yaml = with_keys().replace("api_key: sk-3cX", "api_key: sk-3cX\n    priority: 1");
    assert_eq!(ids(&accepted(&yaml)), ["openai-1", "groq-1", "groq-2", "ollama"]);
}
