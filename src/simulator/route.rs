//! Reads a path: what is asked for, below whatever base path.

use axum::http::{HeaderMap, Method};

use super::oauth::Endpoint;
use super::problem::Voice;

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Something that an account pays for.
    Work(Work),
    /// What a prompt would cost.
    Count(Count),
    /// A response that was stored.
    Stored {
        /// Its id.
        id: String,
        /// What is wanted of it.
        wanted: Wanted,
    },
    /// `GET …/models`
    Models,
    /// `GET …/models/{id}`
    Model(String),
    /// The login server's.
    Login(Endpoint),
    /// The simulator's own log.
    Log,
    /// The simulator's own counts.
    Stats,
    /// The simulator's own script.
    Script,
    /// Nothing that is there.
    Unknown,
}

/// What an account pays for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// `POST …/chat/completions`
    Chat,
    /// `POST …/completions`
    Completions,
    /// `POST …/embeddings`
    Embeddings,
    /// `POST …/messages`
    Messages,
    /// `POST …/models/{model}:generateContent` and `…:streamGenerateContent`
    Generate {
        /// The model, which stands in the path alone.
        model: String,
        /// Whether the verb asks for a stream.
        stream: bool,
    },
    /// `POST …/models/{model}:embedContent` and `…:batchEmbedContents`
    Embed {
        /// The model, which stands in the path alone.
        model: String,
        /// Whether several are asked for.
        several: bool,
    },
    /// `POST …/responses`
    Responses,
    /// `POST …/responses/compact`
    Compact,
}

/// Whose tokens are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// `POST …/messages/count_tokens`
    Messages,
    /// `POST …/models/{model}:countTokens`
    Gemini(String),
    /// `POST …/responses/input_tokens`
    Responses,
}

/// What is wanted of a stored response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// `GET` or `DELETE …/responses/{id}`
    Itself,
    /// `GET …/responses/{id}/input_items`
    Input,
    /// `POST …/responses/{id}/cancel`
    Cancel,
}

impl Route {
    /// What this path asks for.
    pub(super) fn of(path: &str) -> Self {
        match path {
            "/__log" => return Self::Log,
            "/__stats" => return Self::Stats,
            "/__script" => return Self::Script,
            _ => {}
        }
        if let Some(endpoint) = Endpoint::of(path) {
            return Self::Login(endpoint);
        }
        let path = path.trim_end_matches('/');
        // Longer endings first.
        for (ending, route) in [
            ("/chat/completions", Self::Work(Work::Chat)),
            ("/completions", Self::Work(Work::Completions)),
            ("/embeddings", Self::Work(Work::Embeddings)),
            ("/messages/count_tokens", Self::Count(Count::Messages)),
            ("/messages", Self::Work(Work::Messages)),
            ("/responses/input_tokens", Self::Count(Count::Responses)),
            ("/responses/compact", Self::Work(Work::Compact)),
            ("/responses", Self::Work(Work::Responses)),
            ("/models", Self::Models),
        ] {
            if path.ends_with(ending) {
                return route;
            }
        }
        if let Some((_, rest)) = path.rsplit_once("/responses/") {
            return stored(rest);
        }
        // A model's id may have slashes of its own.
        path.split_once("/models/").map_or(Self::Unknown, |(_, id)| model(&percent_decoded(id)))
    }

    /// Whether the route is served under this method.
    pub(super) fn takes(&self, method: &Method) -> bool {
        match self {
            Self::Work(_) | Self::Count(_) | Self::Script | Self::Stored { wanted: Wanted::Cancel, .. } => {
                method == Method::POST
            }
            Self::Models | Self::Model(_) | Self::Stats | Self::Stored { wanted: Wanted::Input, .. } => {
                method == Method::GET
            }
            Self::Log | Self::Stored { wanted: Wanted::Itself, .. } => {
                method == Method::GET || method == Method::DELETE
            }
            Self::Unknown | Self::Login(_) => true,
        }
    }

    /// Whether the route belongs to the simulator and to no provider.
    pub(super) const fn is_own(&self) -> bool {
        matches!(self, Self::Log | Self::Stats | Self::Script)
    }

    /// The vendor who answers. Where several have the same path, the headers tell.
    pub(super) fn voice(&self, path: &str, query: &str, headers: &HeaderMap) -> Voice {
        match self {
            Self::Work(Work::Messages) | Self::Count(Count::Messages) => Voice::Anthropic,
            Self::Work(Work::Generate { .. } | Work::Embed { .. }) | Self::Count(Count::Gemini(_)) => {
                Voice::Gemini
            }
            Self::Models | Self::Model(_) | Self::Unknown => {
                let google = path.starts_with("/v1beta/") || path.contains("/v1beta/");
                if headers.contains_key("anthropic-version") {
                    Voice::Anthropic
                } else if google
                    || headers.contains_key("x-goog-api-key")
                    || query_value(query, "key").is_some()
                {
                    Voice::Gemini
                } else {
                    Voice::Openai
                }
            }
            _ => Voice::Openai,
        }
    }

    /// The model that the path names.
    pub(super) fn model(&self) -> Option<&str> {
        match self {
            Self::Work(Work::Generate { model, .. } | Work::Embed { model, .. })
            | Self::Count(Count::Gemini(model)) => Some(model),
            _ => None,
        }
    }
}

fn stored(rest: &str) -> Route {
    let (id, wanted) = match rest.split_once('/') {
        None => (rest, Wanted::Itself),
        Some((id, "input_items")) => (id, Wanted::Input),
        Some((id, "cancel")) => (id, Wanted::Cancel),
        Some(_) => return Route::Unknown,
    };
    Route::Stored { id: percent_decoded(id), wanted }
}

/// A model alone, or one of Google's verbs on it.
fn model(id: &str) -> Route {
    let Some((model, verb)) = id.rsplit_once(':') else { return Route::Model(id.to_owned()) };
    let model = model.to_owned();
    match verb {
        "generateContent" => Route::Work(Work::Generate { model, stream: false }),
        "streamGenerateContent" => Route::Work(Work::Generate { model, stream: true }),
        "embedContent" => Route::Work(Work::Embed { model, several: false }),
        "batchEmbedContents" => Route::Work(Work::Embed { model, several: true }),
        "countTokens" => Route::Count(Count::Gemini(model)),
        _ => Route::Model(id.to_owned()),
    }
}

/// The value of a name in a query.
pub(super) fn query_value(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| percent_decoded(value)).next()
}

/// The names and values of a form.
pub(super) fn form_decoded(form: &str) -> std::collections::BTreeMap<String, String> {
    let value = |text: &str| percent_decoded(&text.replace('+', " "));
    form.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (value(k), value(v))).collect()
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escape = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_paths_do_not_matter() {
        for base in ["", "/v1", "/openai/v1", "/v1/models"] {
            assert_eq!(Route::of(&format!("{base}/chat/completions")), Route::Work(Work::Chat));
            assert_eq!(Route::of(&format!("{base}/messages")), Route::Work(Work::Messages));
            assert_eq!(Route::of(&format!("{base}/responses/compact")), Route::Work(Work::Compact));
        }
        assert_eq!(Route::of("/v1/models"), Route::Models);
        assert_eq!(Route::of("/v1/models/"), Route::Models);
        assert_eq!(Route::of("/v1/models/meta/llama"), Route::Model("meta/llama".to_owned()));
        assert_eq!(Route::of("/models/meta%2Fllama%"), Route::Model("meta/llama%".to_owned()));
        assert_eq!(Route::of("/v1/completions"), Route::Work(Work::Completions));
        assert_eq!(Route::of("/v1/nothing"), Route::Unknown);
        assert_eq!(Route::of("/__log"), Route::Log);
    }

    #[test]
    fn verbs_and_ids_stand_in_the_path() {
        let generate = |stream| Route::Work(Work::Generate { model: "g-1".to_owned(), stream });
        assert_eq!(Route::of("/v1beta/models/g-1:generateContent"), generate(false));
        assert_eq!(Route::of("/v1/models/g-1%3AstreamGenerateContent"), generate(true));
        assert_eq!(Route::of("/models/g-1:countTokens"), Route::Count(Count::Gemini("g-1".to_owned())));
        assert_eq!(Route::of("/v1/models/llama:free"), Route::Model("llama:free".to_owned()));
        let stored = |wanted| Route::Stored { id: "resp_1".to_owned(), wanted };
        assert_eq!(Route::of("/v1/responses/resp_1"), stored(Wanted::Itself));
        assert_eq!(Route::of("/v1/responses/resp_1/input_items"), stored(Wanted::Input));
        assert_eq!(Route::of("/v1/responses/resp_1/cancel"), stored(Wanted::Cancel));
        assert_eq!(Route::of("/v1/responses/resp_1/else"), Route::Unknown);
    }

    #[test]
    fn queries_are_decoded() {
        assert_eq!(query_value("alt=sse&key=a%2Bb", "key").as_deref(), Some("a+b"));
        assert_eq!(query_value("alt=sse", "key"), None);
    }
}
