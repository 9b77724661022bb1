//! Counting the tokens of a request without an answer (`POST /v1/messages/count_tokens`).

use canon::{Encoded, Target, Turn};
use serde::{Deserialize, Serialize};

use crate::messages;

pub use crate::messages::{decode, scan};

/// The path below a base URL.
pub const PATH: &str = "/messages/count_tokens";

/// The fields of a Messages request that this one does not take: they are about the answer.
const NOT_TAKEN: [&str; 10] = [
    "max_tokens",
    "stream",
    "stop_sequences",
    "temperature",
    "top_p",
    "top_k",
    "metadata",
    "service_tier",
    "inference_geo",
    "container",
];

/// Writes the request that counts the tokens of `turn`.
#[must_use]
pub fn encode(turn: &Turn, target: &Target<'_>) -> Encoded {
    let (mut object, losses) = messages::encode_object(turn, target);
    object.retain(|name, _| !NOT_TAKEN.contains(&name.as_str()));
    Encoded { body: serde_json::to_vec(&object).unwrap_or_default(), losses }
}

/// The count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Tokens of the whole prompt: system, messages and tools.
    pub input_tokens: u64,
}

impl Count {
    /// Reads what a provider answered; `None` where that is no count.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use canon::{Dialect, Quirks};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_what_counts_is_asked() {
        let body = json!({"model": "m", "max_tokens": 9, "stream": true, "temperature": 0.5, "system": "s",
            "messages": [{"role": "user", "content": "hi"}], "tools": [{"name": "t", "input_schema": {}}]});
        let turn = decode(&serde_json::to_vec(&body).unwrap()).unwrap();
        for source in [Dialect::Messages, Dialect::Chat] {
            let target =
                Target { model: "m", source, maker: "x", quirks: Quirks::default(), max_output: None };
            let asked: Value = serde_json::from_slice(&encode(&turn, &target).body).unwrap();
            let names: Vec<&String> = asked.as_object().unwrap().keys().collect();
            assert_eq!(names, ["model", "system", "messages", "tools"], "{source}");
        }
    }

    #[test]
    fn a_count_is_read_and_written() {
        assert_eq!(Count::read(br#"{"input_tokens":12}"#), Some(Count { input_tokens: 12 }));
        assert_eq!(Count::read(br#"{"error":{}}"#), None);
        assert_eq!(serde_json::to_string(&Count { input_tokens: 3 }).unwrap(), r#"{"input_tokens":3}"#);
    }
}
