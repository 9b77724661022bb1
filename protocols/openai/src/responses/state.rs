//! What a conversation that the hub remembers is made of: the items of a request and those of an answer. Where they
//! are kept is not decided here.

use canon::{DecodeError, Fields, sse};
use serde_json::{Map, Value, json};

use super::{compaction, item::kind_of};

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
pub fn with_history(body: &[u8], earlier: Vec<Value>) -> Result<Vec<u8>, DecodeError> {
    continued(body, earlier, None)
}

/// The same for earlier items that go on themselves from the response `from`, which somebody else keeps.
///
/// # Errors
/// When the body is no request.
pub fn continued(body: &[u8], mut earlier: Vec<Value>, from: Option<&str>) -> Result<Vec<u8>, DecodeError> {
    let mut fields = Fields::parse(body)?;
    // A trigger asked for something once, and stands at the end or not at all.
    earlier.retain(|item| kind_of(item) != compaction::TRIGGER);
    earlier.extend(own_items(&mut fields)?);
    let mut map = fields.into_map();
    map.shift_remove("previous_response_id");
    if let Some(from) = from {
        map.insert("previous_response_id".to_owned(), from.into());
    }
    map.insert("input".to_owned(), Value::Array(earlier));
    Ok(Value::Object(map).to_string().into_bytes())
}

/// The items of an answer as its maker takes them again when it has not kept it: reasoning that is not encrypted is
/// only a reference to what is gone, and so are then the ids beside it.
#[must_use]
pub fn unkept(mut items: Vec<Value>) -> Vec<Value> {
    let before = items.len();
    items.retain(|item| {
        kind_of(item) != "reasoning" || item.get("encrypted_content").is_some_and(Value::is_string)
    });
    if items.len() < before {
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            item.shift_remove("id");
        }
    }
    items
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

/// The item that an event of a stream, given by its data, says is complete; `None` for every other event.
#[must_use]
pub fn completed_item(data: &[u8]) -> Option<Value> {
    const KIND: &str = "response.output_item.done";
    std::str::from_utf8(data).ok().filter(|text| text.contains(KIND))?;
    let mut fields = Fields::parse(data).ok()?;
    (fields.peek_str("type") == Some(KIND)).then(|| fields.take("item")).flatten()
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
        let whole: Value = serde_json::from_slice(&with_history(body, earlier.to_vec()).unwrap()).unwrap();
        let expected = json!({"model":"m","store":false,"input":[
            {"type":"reasoning","id":"rs_1","summary":[]}, {"type":"item_reference","id":"x"}]});
        assert_eq!(whole, expected);
    }

    #[test]
    fn history_may_go_on_from_elsewhere_and_triggers_are_over() {
        let earlier = vec![json!({"type":"message"}), json!({"type":"compaction_trigger"})];
        let body = br#"{"previous_response_id":"resp_2","input":[{"type":"compaction_trigger"}]}"#;
        let whole: Value =
            serde_json::from_slice(&continued(body, earlier, Some("resp_1")).unwrap()).unwrap();
        let expected = json!({"previous_response_id":"resp_1",
            "input":[{"type":"message"}, {"type":"compaction_trigger"}]});
        assert_eq!(whole, expected);
    }

    #[test]
    fn what_nobody_kept_is_not_referred_to() {
        let signed = json!({"type":"reasoning","id":"rs_1","encrypted_content":"x"});
        let said = json!({"type":"message","id":"msg_1"});
        let both = vec![signed, said.clone()];
        assert_eq!(unkept(both.clone()), both);
        let plain = json!({"type":"reasoning","id":"rs_1","encrypted_content":null});
        assert_eq!(unkept(vec![plain, said]), [json!({"type":"message"})]);
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
