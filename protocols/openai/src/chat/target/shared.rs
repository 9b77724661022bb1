//! Settings that Responses, the vendor's other API, says in the same or nearly the same words.

use canon::{Dialect, Rest};
use serde_json::{Map, Value};

/// Moves what chat can say too from the fields of a Responses request into `body`, and gives the others back.
///
/// Only what every provider of chat can be expected to know: hints for caches, tiers and the like have the same names
/// at the vendor itself, but others refuse requests with fields that they do not know, and clients send them always.
pub(super) fn taken(own: &Map<String, Value>, body: &mut Map<String, Value>) -> Rest {
    let mut left = own.clone();
    include(&mut left, body);
    Rest::new(Dialect::Responses, left)
}

/// What is to stand in the answer beside the text: logprobs have fields of their own here, and encrypted thoughts come
/// without being asked for.
fn include(left: &mut Map<String, Value>, body: &mut Map<String, Value>) {
    let Some(Value::Array(wanted)) = left.get_mut("include") else { return };
    let asked = wanted.len();
    wanted.retain(|what| what != "message.output_text.logprobs");
    let logprobs = wanted.len() < asked;
    wanted.retain(|what| what != "reasoning.encrypted_content");
    if wanted.is_empty() {
        left.shift_remove("include");
    }
    if logprobs {
        body.insert("logprobs".to_owned(), true.into());
        if let Some(top) = left.shift_remove("top_logprobs").filter(Value::is_u64) {
            body.insert("top_logprobs".to_owned(), top);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn what_both_can_say_is_said() {
        let own = json!({"metadata": {"a": "b"}, "top_logprobs": 2, "truncation": "auto",
            "include": ["reasoning.encrypted_content", "message.output_text.logprobs", "file_search_call.results"]});
        let mut body = Map::new();
        let left = taken(own.as_object().unwrap(), &mut body);
        let expected = json!({"logprobs": true, "top_logprobs": 2});
        assert_eq!(Value::Object(body), expected);
        let expected =
            json!({"metadata": {"a": "b"}, "truncation": "auto", "include": ["file_search_call.results"]});
        assert_eq!(Value::Object(left.fields), expected);
    }
}
