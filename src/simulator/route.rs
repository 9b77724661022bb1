//! Reads a path: what is asked for, below whatever base path.

use axum::http::Method;

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `POST …/chat/completions`
    Chat,
    /// `GET …/models`
    Models,
    /// `GET …/models/{id}`
    Model(String),
    /// The simulator's own log.
    Log,
    /// The simulator's own counts.
    Stats,
    /// The simulator's own script.
    Script,
    /// Nothing that is there.
    Unknown,
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
        let path = path.trim_end_matches('/');
        if path.ends_with("/chat/completions") {
            return Self::Chat;
        }
        if path.ends_with("/models") {
            return Self::Models;
        }
        // A model's id may have slashes of its own.
        path.split_once("/models/").map_or(Self::Unknown, |(_, id)| Self::Model(percent_decoded(id)))
    }

    /// Whether the route is served under this method.
    pub(super) fn takes(&self, method: &Method) -> bool {
        match self {
            Self::Chat | Self::Script => method == Method::POST,
            Self::Models | Self::Model(_) | Self::Stats => method == Method::GET,
            Self::Log => method == Method::GET || method == Method::DELETE,
            Self::Unknown => true,
        }
    }

    /// Whether the route belongs to the simulator and to no provider.
    pub(super) const fn is_own(&self) -> bool {
        matches!(self, Self::Log | Self::Stats | Self::Script)
    }
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
            assert_eq!(Route::of(&format!("{base}/chat/completions")), Route::Chat);
        }
        assert_eq!(Route::of("/v1/models"), Route::Models);
        assert_eq!(Route::of("/v1/models/"), Route::Models);
        assert_eq!(Route::of("/v1/models/meta/llama"), Route::Model("meta/llama".to_owned()));
        assert_eq!(Route::of("/models/meta%2Fllama%"), Route::Model("meta/llama%".to_owned()));
        assert_eq!(Route::of("/v1/embeddings"), Route::Unknown);
        assert_eq!(Route::of("/__log"), Route::Log);
    }
}
