//! Tests of the catalogue's data and of its page in the documentation. Lookup is tested beside its type.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use canon::Dialect;

use super::*;
use crate::engine::settings::{AuthStyle, PrefixMatch, Terms};

/// Hosted providers that were looked at one by one.
const REVIEWED: &str = "
    ai21 aimlapi alibaba anthropic baseten cerebras chutes cloudflare-ai codestral cohere crof deepinfra
    deepseek fireworks gemini github-models glm glm-cn glmt groq huggingface hyperbolic inference-net
    kilo-gateway kimi-coding-key llm7 longcat meta-llama minimax minimax-cn mistral moonshot morph nanogpt
    nebius nous-research novita nvidia ollama-cloud openai opencode-zen openrouter ovhcloud perplexity poe
    pollinations qianfan requesty sambanova scaleway siliconflow stepfun synthetic tencent together
    upstage v0 venice vercel volcengine wandb xai xiaomi zai
";

/// Cloud platforms.
const PLATFORMS: &str = "
    azure bedrock cloudflare-ai-gateway databricks gigachat heroku sap-ai-core snowflake vertex
    vertex-partner
";

/// Local servers and custom nodes.
const SERVERS: &str = "
    anthropic-compatible atomic-chat docker-model-runner lemonade llama.cpp lm-studio ollama oobabooga
    openai-compatible triton vllm xinference
";

/// The unreviewed rest.
const LONG_TAIL: &str = "
    302ai abacus abliteration-ai aihubmix alibaba-coding-plan alibaba-coding-plan-cn alibaba-token-plan
    alibaba-token-plan-cn ambient anyapi auriko azure-cognitive-services bailing berget clarifai claudinio
    cloudferro-sherlock cortecs digitalocean dinference drun evroc fastrouter freemodel friendli frogbot
    github-copilot gitlab gmicloud helicone hpc-ai iflowcn inception inceptron io-net jiekou
    kuae-cloud-coding-plan lilac llmgateway llmtr lucidquery meganova merge-gateway minimax-cn-coding-plan
    minimax-coding-plan mixlayer moark modelscope nearai neon neuralwatt nova orcarouter perplexity-agent
    poolside privatemode-ai qihang-ai qiniu-ai regolo-ai routing-run sakana sarvam stackit stepfun-ai
    subconscious submodel tencent-coding-plan tencent-tokenhub the-grid-ai tinfoil umans-ai
    umans-ai-coding-plan vivgrid vultr wafer.ai xiaomi-token-plan-ams xiaomi-token-plan-cn
    xiaomi-token-plan-sgp xpersona zeldoc zenmux
";

fn catalogue() -> Catalogue {
    builtin().unwrap()
}

/// The rows of one file.
fn rows_of(file: &str) -> Catalogue {
    let entry = FILES.iter().find(|(name, _)| *name == file).unwrap();
    parse(&[*entry]).unwrap()
}

fn variables_in(url: &str) -> BTreeSet<String> {
    url.split('{').skip(1).map(|rest| rest.split('}').next().unwrap().to_owned()).collect()
}

#[test]
fn every_expected_provider_is_there() {
    let catalogue = catalogue();
    for (list, count) in [(REVIEWED, 64), (PLATFORMS, 10), (SERVERS, 12), (LONG_TAIL, 81)] {
        assert_eq!(list.split_whitespace().count(), count);
        for id in list.split_whitespace() {
            assert!(catalogue.get(id).is_some(), "no row has the id `{id}`");
        }
    }
    assert_eq!(rows_of("long_tail.toml").providers().len(), 81);
}

#[test]
fn ids_and_prefixes_can_stand_before_a_slash() {
    let catalogue = catalogue();
    let words = catalogue
        .providers()
        .iter()
        .flat_map(|row| std::iter::once(&row.id).chain(&row.prefixes))
        .chain(catalogue.declined().iter().flat_map(|row| &row.prefixes));
    for word in words {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        assert!(!word.is_empty() && word.chars().all(plain), "`{word}`");
        assert!(!["auto", "multirouter-auto"].contains(&word.as_str()), "`{word}` is a virtual model's name");
    }
}

#[test]
fn rows_are_sorted_by_id() {
    for file in ["curated.toml", "cloud.toml", "long_tail.toml"] {
        let catalogue = rows_of(file);
        assert!(catalogue.providers().is_sorted_by_key(|row| &row.id), "{file}");
    }
}

#[test]
fn urls_are_complete_and_encrypted() {
    for row in catalogue().providers() {
        for (dialect, url) in &row.endpoints {
            let filled = variables_in(url)
                .iter()
                .fold(url.clone(), |url, name| url.replace(&format!("{{{name}}}"), "x"));
            let uri: http::Uri = filled.parse().unwrap();
            assert!(uri.host().is_some() && uri.query().is_none(), "{}: {url}", row.id);
            assert!(!url.ends_with('/'), "{}: {url} ends in a slash", row.id);
            for path in ["/chat/completions", "/responses", "/messages"] {
                assert!(!url.ends_with(path), "{}: {url} contains the {dialect} dialect's own path", row.id);
            }
            assert_eq!(uri.scheme_str(), Some(if row.local { "http" } else { "https" }), "{}: {url}", row.id);
        }
    }
}

#[test]
fn declared_variables_are_those_in_the_urls() {
    for row in catalogue().providers() {
        let used: BTreeSet<String> = row.endpoints.values().flat_map(|url| variables_in(url)).collect();
        let declared: BTreeSet<String> = row.variables.iter().cloned().collect();
        assert_eq!(used, declared, "{}", row.id);
    }
}

#[test]
fn every_row_can_be_used_or_says_what_is_missing() {
    for row in catalogue().providers() {
        assert!(row.dialects().next().is_some() || !row.other_wires.is_empty(), "{} speaks nothing", row.id);
        assert!(row.endpoints.is_empty() || row.base_url_dialect.is_none(), "{} needs no base URL", row.id);
        if row.dialects().next().is_none() || row.terms == Terms::Restricted {
            assert!(row.notice.is_some(), "{} owes its users a reason", row.id);
        }
    }
}

#[test]
fn keys_have_a_variable_that_names_them() {
    for row in catalogue().providers() {
        let needs_key =
            !matches!(row.auth, AuthStyle::None | AuthStyle::OptionalBearer) && !row.needs_base_url();
        assert!(!needs_key || !row.env.is_empty(), "{} has no variable", row.id);
        for name in &row.env {
            let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            assert!(name.chars().all(plain), "{}: {name}", row.id);
        }
        if let AuthStyle::Header(name) = &row.auth {
            assert!(http::HeaderName::from_bytes(name.as_bytes()).is_ok(), "{}: {name}", row.id);
        }
    }
}

#[test]
fn models_are_ids_and_generate_text() {
    for row in catalogue().providers() {
        let distinct: BTreeSet<&String> = row.models.iter().collect();
        assert_eq!(distinct.len(), row.models.len(), "{} lists a model twice", row.id);
        for model in &row.models {
            assert!(!model.is_empty() && !model.contains([' ', '*', '…', '`']), "{}: `{model}`", row.id);
            assert_ne!(model, "auto", "{}: the name is the hub's", row.id);
            for other in ["embed", "whisper", "-tts", "image", "rerank"] {
                assert!(!model.contains(other), "{}: {model} is no text model", row.id);
            }
        }
    }
}

#[test]
fn no_declined_prefix_hides_a_vendors_model_ids() {
    let catalogue = catalogue();
    for model in catalogue.providers().iter().flat_map(|row| &row.models) {
        let Some((first, _)) = model.split_once('/') else { continue };
        assert!(!matches!(catalogue.by_prefix(first), Some(PrefixMatch::Declined(_))), "{model}");
    }
}

#[test]
fn free_tiers_are_dated() {
    for row in catalogue().providers() {
        let Some(tier) = &row.free_tier else { continue };
        let numbers: Vec<u32> = tier.as_of.split('-').map(|part| part.parse().unwrap()).collect();
        let &[year, month, day] = numbers.as_array().unwrap();
        assert!(
            tier.as_of.len() == 10 && year >= 2026 && (1..=12).contains(&month) && (1..=31).contains(&day)
        );
        assert!(!tier.summary.is_empty() && !tier.summary.ends_with('.'), "{}: {}", row.id, tier.summary);
    }
}

#[test]
fn texts_for_users_are_sentences() {
    let catalogue = catalogue();
    let notices = catalogue.providers().iter().filter_map(|row| row.notice.as_ref());
    let answers = catalogue.declined().iter().flat_map(|row| [&row.reason, &row.instead]);
    for text in notices.chain(answers) {
        assert!(text.ends_with('.') && !text.contains('|') && !text.contains('\n'), "{text}");
    }
}

#[test]
fn what_a_declined_entry_recommends_exists() {
    let catalogue = catalogue();
    for row in catalogue.declined() {
        for word in row.instead.split('`').skip(1).step_by(2) {
            let word = word.split('/').next().unwrap();
            assert!(
                matches!(catalogue.by_prefix(word), Some(PrefixMatch::Provider(_))),
                "{}: {word}",
                row.name
            );
        }
    }
}

#[test]
fn faults_name_the_file_and_the_row() {
    let said = |text: &str| parse(&[("mine.toml", text)]).unwrap_err().to_string();
    let text = said("[[provider]]\nid = \"acme\"\nname = \"Acme\"\nauth = \"bearer\"\nshape = \"round\"\n");
    assert!(text.contains("mine.toml") && text.contains("`acme`") && text.contains("shape"), "{text}");
    let text = said("[[declined]]\nprefixes = []\n");
    assert!(text.contains("mine.toml") && text.contains("number 1"), "{text}");
    let text = said("[[providers]]\n");
    assert!(text.contains("mine.toml") && text.contains("providers"), "{text}");
    let twice = "[[provider]]\nid = \"acme\"\nname = \"Acme\"\nauth = \"bearer\"\n";
    let text = parse(&[("one.toml", twice), ("two.toml", twice)]).unwrap_err().to_string();
    assert!(text.contains("`acme`") && text.contains("two.toml"), "{text}");
}

const BEGIN: &str =
    "<!-- The tables below are generated from src/providers/catalog; see the end of this page. -->\n";
const END: &str = "<!-- End of the generated tables. -->\n";

#[test]
fn the_documentation_shows_the_data() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/providers.md");
    let page = fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(BEGIN).unwrap();
    let (shown, foot) = rest.split_once(END).unwrap();
    let wanted = tables();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{head}{BEGIN}{wanted}{END}{foot}")).unwrap();
    } else {
        let remedy = "docs/providers.md is behind the data: run `UPDATE_DOCS=1 cargo test --lib catalog`";
        assert!(shown == wanted, "{remedy}");
    }
}

fn tables() -> String {
    let mut out = String::new();
    for (title, file) in [
        ("Hosted providers", "curated.toml"),
        ("Cloud platforms", "cloud.toml"),
        ("Local servers and custom nodes", "local.toml"),
        ("Further hosted providers, not reviewed", "long_tail.toml"),
    ] {
        write!(
            out,
            "\n## {title}\n\n| id | also | name | dialects | key in | note |\n|---|---|---|---|---|---|\n"
        )
        .unwrap();
        for row in rows_of(file).providers() {
            let dialects: Vec<&str> = row.dialects().map(Dialect::as_str).collect();
            let dialects = if dialects.is_empty() { "none".to_owned() } else { dialects.join(", ") };
            let (id, also, env) = (&row.id, code_list(&row.prefixes), code_list(&row.env));
            writeln!(out, "| `{id}` | {also} | {} | {dialects} | {env} | {} |", row.name, note(row)).unwrap();
        }
    }
    write!(
        out,
        "\n## Declined prefixes\n\n| prefixes | what it is | why not | instead |\n|---|---|---|---|\n"
    )
    .unwrap();
    for row in rows_of("declined.toml").declined() {
        let prefixes = code_list(&row.prefixes);
        writeln!(out, "| {prefixes} | {} | {} | {} |", row.name, row.reason, row.instead).unwrap();
    }
    out.push('\n');
    out
}

fn code_list(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn note(row: &Provider) -> String {
    let mut parts = Vec::new();
    if row.dialects().next().is_none() {
        parts.push(format!("Not served: speaks only {}.", code_list(&row.other_wires)));
    }
    if !row.variables.is_empty() {
        parts.push(format!("Needs {}.", code_list(&row.variables)));
    }
    if row.terms == Terms::Restricted {
        parts.push("**Restricted terms.**".to_owned());
    }
    parts.extend(row.notice.clone());
    if let Some(tier) = &row.free_tier {
        parts.push(format!("Free tier as of {}: {}.", tier.as_of, tier.summary));
    }
    parts.join(" ")
}
