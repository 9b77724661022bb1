//! Whose configuration a file is, by what is in it.

use super::{Content, ImportError, Input, SourceKind, part::Part};

/// Keys that only one system writes at the top of its file.
const MARKS: [(SourceKind, &[&str]); 4] = [
    (SourceKind::LiteLlm, &["model_list", "litellm_settings", "router_settings", "general_settings"]),
    (
        SourceKind::CliProxyApi,
        &[
            "auth-dir",
            "openai-compatibility",
            "claude-api-key",
            "codex-api-key",
            "gemini-api-key",
            "generative-language-api-key",
            "vertex-api-key",
            "xai-api-key",
            "remote-management",
        ],
    ),
    (SourceKind::NineRouter, &["providerConnections", "providerNodes"]),
    (SourceKind::MultiRouter, &["providers"]),
];

/// Variables that only one system has.
const VARIABLES: [(SourceKind, &[&str]); 2] = [
    (
        SourceKind::FreeRouter,
        &[
            "GATEWAY_MODEL_NAME",
            "MODEL_CATALOG_PATH",
            "AUTO_ENDPOINT_DIAGNOSIS_ENABLED",
            "SQLITE_BUSY_TIMEOUT_MS",
        ],
    ),
    (SourceKind::MultiVibe, &["OAUTH_STATE_PATH", "CHATGPT_BASE_URL", "PROXY_MODELS", "TRACE_INCLUDE_BODY"]),
];

/// The system that all the files are of.
pub(super) fn kind(inputs: &[Input]) -> Result<SourceKind, ImportError> {
    let mut found: Option<SourceKind> = None;
    for input in inputs {
        let kind = match &input.content {
            Content::Empty => continue,
            Content::Variables(variables) => {
                let has = |names: &[&str]| variables.iter().any(|one| names.contains(&one.name.as_str()));
                let marked = VARIABLES.iter().find(|(_, names)| has(names));
                marked.map_or(SourceKind::Environment, |(kind, _)| *kind)
            }
            Content::Tree(root) => {
                of_tree(Part(root)).ok_or_else(|| ImportError::Unknown(input.path.display().to_string()))?
            }
        };
        found = match found {
            // A file of variables goes with any other.
            None | Some(SourceKind::Environment) => Some(kind),
            Some(before) if kind == before || kind == SourceKind::Environment => Some(before),
            Some(before) => return Err(ImportError::Mixed(before.name(), kind.name())),
        };
    }
    let empty = || inputs.first().map_or_else(String::new, |input| input.path.display().to_string());
    match found {
        None if !inputs.is_empty() => {
            Err(ImportError::Unknown(format!("{} (there is nothing in it)", empty())))
        }
        found => Ok(found.unwrap_or(SourceKind::Environment)),
    }
}

fn of_tree(root: Part<'_>) -> Option<SourceKind> {
    let routes = root.get("data").unwrap_or(root);
    if routes.items().any(|item| item.get("provider_name").is_some() && item.get("model_id").is_some()) {
        return Some(SourceKind::FreeRouter);
    }
    if root.get("accounts").is_some_and(Part::is_list) {
        return Some(SourceKind::MultiVibe);
    }
    let version = root.get("_meta").and_then(|meta| meta.text_at("version"));
    if version.is_some_and(|version| version.starts_with("omniroute")) {
        return Some(SourceKind::OmniRoute);
    }
    let marked = MARKS.iter().find(|(_, names)| root.first(names).is_some());
    let login =
        root.get("type").is_some() && root.first(&["access_token", "refresh_token", "token"]).is_some();
    marked.map(|(kind, _)| *kind).or_else(|| login.then_some(SourceKind::CliProxyApi))
}
