//! The closed list of edits that a passed-through body may undergo. Every byte outside of them stays.

use bytes::Bytes;
use canon::{Edit, Facts, patched, rename};
use serde_json::{Map, Value};

const INCLUDE_USAGE: &str = r#"{"include_usage":true}"#;

/// What is to be changed.
#[derive(Debug, Clone, Copy)]
pub struct Changes<'a> {
    /// The model as the provider knows it.
    pub model: &'a str,
    /// Whether a stream's usage is to be asked for where the client did not.
    pub include_usage: bool,
}

/// Applies `changes` and says which of them were needed. The body is shared, not copied, when none was.
#[must_use]
pub fn apply(body: &Bytes, facts: &Facts, changes: Changes<'_>) -> (Bytes, Vec<Edit>) {
    let mut edits = Vec::with_capacity(2);
    let mut patches = Vec::with_capacity(2);
    if let Some(patch) = rename(facts, changes.model) {
        edits.push(Edit::Model);
        patches.push(patch);
    }
    let ask_usage = changes.include_usage && facts.stream && !facts.wants_usage;
    if ask_usage && let Some(patch) = usage_patch(body, facts) {
        edits.push(Edit::IncludeUsage);
        patches.push(patch);
    }
    (patched(body, patches), edits)
}

fn usage_patch(body: &Bytes, facts: &Facts) -> Option<(std::ops::Range<usize>, String)> {
    let Some(span) = facts.spans.stream_options.clone() else {
        let end = body.iter().rposition(|&byte| byte == b'}')?;
        return Some((end..end, format!(r#","stream_options":{INCLUDE_USAGE}"#)));
    };
    // The client wrote options of its own: the others among them are kept.
    let mut options: Map<String, Value> = serde_json::from_slice(&body[span.clone()]).unwrap_or_default();
    options.insert("include_usage".to_owned(), Value::Bool(true));
    Some((span, Value::Object(options).to_string()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use proptest::prelude::*;

    use super::*;
    use crate::chat::scan;

    fn edit(body: &str, model: &str, include_usage: bool) -> (String, Vec<Edit>) {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let facts = scan(&body).unwrap();
        let (edited, edits) = apply(&body, &facts, Changes { model, include_usage });
        (String::from_utf8(edited.to_vec()).unwrap(), edits)
    }

    #[test]
    fn nothing_to_change_shares_the_body() {
        let body = Bytes::from_static(br#"{ "model":"m","messages":[] }"#);
        let facts = scan(&body).unwrap();
        let (same, edits) = apply(&body, &facts, Changes { model: "m", include_usage: true });
        assert_eq!(same.as_ptr(), body.as_ptr());
        assert!(edits.is_empty());
    }

    #[test]
    fn renames_in_place() {
        let (body, edits) = edit(r#"{"z":1, "model" : "groq/m","messages":[], "a":2}"#, "m\"x", false);
        assert_eq!(body, r#"{"z":1, "model" : "m\"x","messages":[], "a":2}"#);
        assert_eq!(edits, [Edit::Model]);
    }

    #[test]
    fn asks_for_usage_beside_the_clients_own_options() {
        let (body, edits) = edit(r#"{"model":"m","messages":[],"stream":true} "#, "m", true);
        assert_eq!(
            body,
            r#"{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}} "#
        );
        assert_eq!(edits, [Edit::IncludeUsage]);
        let own =
            r#"{"stream_options":{"include_usage":false,"x":1},"model":"m","messages":[],"stream":true}"#;
        assert_eq!(
            edit(own, "n", true).0,
            r#"{"stream_options":{"include_usage":true,"x":1},"model":"n","messages":[],"stream":true}"#
        );
        let null = r#"{"model":"m","messages":[],"stream":true,"stream_options":null}"#;
        assert_eq!(
            edit(null, "m", true).0,
            r#"{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#
        );
    }

    #[test]
    fn a_unary_request_is_never_asked_for_usage() {
        assert!(edit(r#"{"model":"m","messages":[]}"#, "m", true).1.is_empty());
    }

    proptest! {
        #[test]
        fn every_other_field_survives_in_order(
            fields in proptest::collection::vec(("[a-z]{1,8}_x", "[ -~]{0,12}"), 0..6),
            at in 0usize..6,
        ) {
            let mut parts: Vec<String> = fields.iter()
                .map(|(name, text)| format!("{name:?} : {}", Value::from(text.as_str())))
                .collect();
            parts.insert(at.min(parts.len()), r#""model":"old""#.to_owned());
            parts.push(r#""messages":[],"stream":true"#.to_owned());
            let body = format!("{{ {} }}", parts.join(" , "));
            let (edited, _) = edit(&body, "new", true);
            let undone = edited
                .replacen(r#""model":"new""#, r#""model":"old""#, 1)
                .replacen(r#","stream_options":{"include_usage":true}"#, "", 1);
            prop_assert_eq!(undone, body);
        }
    }
}
