//! LiteLLM's names of providers, and ours.

use super::super::draft::{Draft, Meant};

/// What LiteLLM writes before the slash, our provider, and the variable in which LiteLLM looks for a key that is not written.
const PROVIDERS: [(&str, &str, &str); 30] = [
    ("aiml", "aimlapi", "AIML_API_KEY"),
    ("azure", "azure", "AZURE_API_KEY"),
    ("azure_text", "azure", "AZURE_API_KEY"),
    ("bedrock", "bedrock", ""),
    ("cloudflare", "cloudflare-ai", "CLOUDFLARE_API_KEY"),
    ("cohere_chat", "cohere", "COHERE_API_KEY"),
    ("dashscope", "alibaba", "DASHSCOPE_API_KEY"),
    ("docker_model_runner", "docker-model-runner", ""),
    ("fireworks_ai", "fireworks", "FIREWORKS_API_KEY"),
    ("friendliai", "friendli", "FRIENDLI_TOKEN"),
    ("gemini", "gemini", "GEMINI_API_KEY"),
    ("github", "github-models", "GITHUB_API_KEY"),
    ("github_copilot", "gh", ""),
    ("hosted_vllm", "vllm", ""),
    ("huggingface", "huggingface", "HF_TOKEN"),
    ("lm_studio", "lm-studio", ""),
    ("meta_llama", "meta-llama", "LLAMA_API_KEY"),
    ("minimax", "minimax", "MINIMAX_API_KEY"),
    ("moonshot", "moonshot", "MOONSHOT_API_KEY"),
    ("nano-gpt", "nanogpt", "NANOGPT_API_KEY"),
    ("nvidia_nim", "nvidia", "NVIDIA_NIM_API_KEY"),
    ("ollama", "ollama", ""),
    ("ollama_chat", "ollama", ""),
    ("perplexity", "perplexity", "PERPLEXITYAI_API_KEY"),
    ("text-completion-openai", "openai", "OPENAI_API_KEY"),
    ("together_ai", "together", "TOGETHERAI_API_KEY"),
    ("vercel_ai_gateway", "vercel", "VERCEL_AI_GATEWAY_API_KEY"),
    ("vertex_ai", "vertex", ""),
    ("volcengine", "volcengine", "VOLCENGINE_API_KEY"),
    ("zai", "zai", "ZAI_API_KEY"),
];

/// Words for any server of OpenAI's dialect.
const COMPATIBLE: [&str; 4] = ["openai_like", "custom_openai", "custom", "litellm_proxy"];

/// How names begin that LiteLLM takes without a provider, and whose they are.
const BARE: [(&str, &str); 9] = [
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("text-embedding-", "openai"),
    ("claude", "anthropic"),
    ("command", "cohere"),
    ("gemini", "vertex"),
];

/// The type of a node that speaks OpenAI's dialect.
pub(super) const NODE: &str = "openai-compatible";

/// Whose model it is.
pub(super) struct Named<'t> {
    /// Our provider's id, or [`NODE`].
    pub(super) provider: String,
    /// The model as the provider spells it.
    pub(super) model: &'t str,
    /// The variable in which LiteLLM looks for a key that is not written.
    pub(super) variable: Option<String>,
}

/// Reads `provider/model`. `word` is `custom_llm_provider`, which goes before; `has_url`: a URL is written beside it.
///
/// # Errors
/// Why it cannot be served, and what to do.
pub(super) fn named<'t>(
    text: &'t str,
    word: Option<&str>,
    has_url: bool,
    draft: &Draft<'_>,
) -> Result<Named<'t>, (String, String)> {
    let split = text.split_once('/').filter(|(_, model)| !model.is_empty());
    let (prefix, model) = match (word, split) {
        (Some(word), Some((prefix, model))) if prefix == word => (Some(word), model),
        (Some(word), _) => (Some(word), text),
        (None, Some((prefix, model))) => (Some(prefix), model),
        (None, None) => (bare(text), text),
    };
    let node = |model| Named { provider: NODE.to_owned(), model, variable: None };
    let Some(prefix) = prefix else {
        return if has_url { Ok(node(text)) } else { Err(unknown()) };
    };
    if COMPATIBLE.contains(&prefix) {
        return if has_url { Ok(node(model)) } else { Err(unknown()) };
    }
    let row = PROVIDERS.iter().find(|(theirs, _, _)| *theirs == prefix);
    let ours = row.map_or_else(|| prefix.replace('_', "-"), |(_, ours, _)| (*ours).to_owned());
    match draft.meant(&ours) {
        // Another server than the vendor's, which speaks its dialect.
        Meant::Provider(found) if found.id == "openai" && has_url => Ok(node(model)),
        Meant::Provider(found) => {
            let theirs = row.map(|(_, _, variable)| *variable).or(found.env.first().map(String::as_str));
            let variable = theirs.filter(|name| !name.is_empty()).map(str::to_owned);
            Ok(Named { provider: found.id.clone(), model, variable })
        }
        Meant::Refused { message, remedy } => Err((message, remedy)),
        Meant::Nothing if has_url => Ok(node(if word.is_some() { model } else { text })),
        Meant::Nothing => Err(unknown()),
    }
}

fn bare(text: &str) -> Option<&'static str> {
    BARE.iter().find(|(start, _)| text.starts_with(start)).map(|(_, provider)| *provider)
}

fn unknown() -> (String, String) {
    let remedy = "write `api_base` if it speaks OpenAI's dialect, or see docs/providers.md for the names";
    ("nothing is known of its provider, and it has no `api_base`".to_owned(), remedy.to_owned())
}
