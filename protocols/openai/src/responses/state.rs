//! What a conversation that the hub remembers is made of: the items of a request and those of an answer. Where they
//! are kept is not decided here.

use canon::{DecodeError, Fields, sse};
use serde_json::{Map, Value, json};

/// The input of a request as a list of items in full form: each with its type, and messages with a list of parts.
///
/// # Errors
/// When the body is no request.
pub fn input_items(body: &[u8]) -> Result<Vec<Value>, DecodeError> {
    own_items(&mut Fields::parse(body)?)
}

/// The request with the earlier items before its own input, and without the id that stood for them.
///
/// # Errors
/// When the body is no request.
pub fn with_history(body: &[u8], earlier: &[Value]) -> Result<Vec<u8>, DecodeError> {
    let mut fields = Fields::parse(body)?;
    let own = own_items(&mut fields)?;
    let mut items = Vec::with_capacity(earlier.len() + own.len());
    items.extend_from_slice(earlier);
    items.extend(own);
    let mut map = fields.into_map();
    map.shift_remove("previous_response_id");
    map.insert("input".to_owned(), Value::Array(items));
    Ok(Value::Object(map).to_string().into_bytes())
}

/// The items of a unary answer; none where it is no response.
#[must_use]
pub fn output_items(answer: &[u8]) -> Vec<Value> {
    let Ok(mut fields) = Fields::parse(answer) else { return Vec::new() };
    fields.list("output").ok().flatten().unwrap_or_default()
}

/// The whole response that the last event of a stream carries; `None` for every other event.
#[must_use]
pub fn completed_response(event: &[u8]) -> Option<Value> {
    let data = sse::data(event)?;
    // The other events are many, and none of them is worth a parse.
    may_be_last(&data)?;
    let mut fields = Fields::parse(&data).ok()?;
    matches!(fields.peek_str("type"), Some("response.completed" | "response.incomplete"))
        .then(|| fields.take("response"))
        .flatten()
}

/// A cheap look for the words that the last event holds.
fn may_be_last(data: &[u8]) -> Option<()> {
    let text = std::str::from_utf8(data).ok()?;
    (text.contains("response.completed") || text.contains("response.incomplete")).then_some(())
}

fn own_items(fields: &mut Fields) -> Result<Vec<Value>, DecodeError> {
    match fields.take("input") {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![json!({
            "type": "message",
            "role": "user",
            "content": [{ "type": "input_text", "text": text }],
        })]),
        Some(Value::Array(items)) => Ok(items.into_iter().map(full).collect()),
        Some(_) => Err(DecodeError::new("input", "must be a string or an array")),
    }
}

fn full(item: Value) -> Value {
    let Value::Object(mut item) = item else { return item };
    if !item.contains_key("type") && item.contains_key("role") {
        item.insert("type".to_owned(), "message".into());
    }
    if item.get("type").and_then(Value::as_str) == Some("message") {
        spell_out(&mut item);
    }
    Value::Object(item)
}

/// Writes a content that is a text as a list of one part.
fn spell_out(message: &mut Map<String, Value>) {
    let assistant = message.get("role").and_then(Value::as_str) == Some("assistant");
    if let Some(content) = message.get_mut("content")
        && let Value::String(text) = content
    {
        let text = std::mem::take(text);
        *content = if assistant {
            json!([{ "type": "output_text", "text": text, "annotations": [] }])
        } else {
            json!([{ "type": "input_text", "text": text }])
        };
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    #[test]
    fn a_text_and_short_messages_are_spelt_out() {
        let of = |body: &[u8]| Value::Array(input_items(body).unwrap());
        let user = json!([{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}]);
        assert_eq!(of(br#"{"input":"hi"}"#), user);
        assert_eq!(of(br#"{"input":[{"role":"user","content":"hi"}]}"#), user);
        assert_eq!(of(br#"{"previous_response_id":"resp_1"}"#), json!([]));
        let call = br#"{"input":[{"type":"function_call_output","call_id":"c","output":"x"}]}"#;
        assert_eq!(of(call), json!([{"type":"function_call_output","call_id":"c","output":"x"}]));
        assert!(input_items(br#"{"input":7}"#).is_err());
    }

    #[test]
    fn history_stands_before_the_new_input() {
        let earlier = [json!({"type":"reasoning","id":"rs_1","summary":[]})];
        let body = br#"{"model":"m","previous_response_id":"resp_1","input":[{"type":"item_reference","id":"x"}],"store":false}"#;
        let whole: Value = serde_json::from_slice(&with_history(body, &earlier).unwrap()).unwrap();
        let expected = json!({"model":"m","store":false,"input":[
            {"type":"reasoning","id":"rs_1","summary":[]}, {"type":"item_reference","id":"x"}]});
        assert_eq!(whole, expected);
    }

    #[test]
    fn answers_give_their_items() {
        assert_eq!(output_items(br#"{"output":[{"type":"message"}]}"#), [json!({"type":"message"})]);
        assert!(output_items(b"no").is_empty());
        let last = br#"data: {"type":"response.completed","response":{"id":"resp_1","output":[]}}"#;
        assert_eq!(completed_response(last), Some(json!({"id":"resp_1","output":[]})));
        assert_eq!(completed_response(br#"data: {"type":"response.created","response":{}}"#), None);
        assert_eq!(completed_response(b": ping"), None);
    }
}
