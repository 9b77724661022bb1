//! Compaction: a conversation made shorter. Providers that have it give an item back that only they can read. Where
//! there is none, the hub has the model write a summary, and its item holds that: readable for every provider later.

use canon::{Block, DecodeError, Dialect, Fields, Kind, Message, Role, Signature, ToolChoice, Turn};
use serde_json::{Map, Value, json};

use super::{input_items, item::kind_of, output_items};

/// The item with which a client asks for a compaction within a request.
pub const TRIGGER: &str = "compaction_trigger";

/// The types of items that stand for a conversation; the second is an older name.
pub(super) const KINDS: [&str; 2] = ["compaction", "compaction_summary"];

/// Who made an item that the hub made.
const MAKER: &str = "trivium";

/// What a model is asked for.
const REQUEST: &str = "Write a summary of our conversation up to here. It will stand in place of the conversation, \
for whoever continues the work and has seen nothing of it. Keep what they need: what was asked for and which rules were \
set; what was decided, and why; what was found out, with the exact names of files, functions, commands and values; what \
is done; what is still open, and the next step. Leave out what is over and does not matter any more. Do not call tools \
and do not continue the work: answer with the summary alone.";

/// What stands before a summary when it is told.
const PREFACE: &str = "The conversation up to here was replaced by this summary of it:\n\n";

/// The summary in an encrypted content, if the hub wrote it.
pub(super) fn summary(encrypted: &str) -> Option<String> {
    let signature = Signature::read(encrypted);
    (signature.maker.as_deref() == Some(MAKER)).then_some(signature.data)
}

/// A summary as it is told to a model.
pub(super) fn told(summary: &str) -> String {
    format!("{PREFACE}{summary}")
}

/// The same as an item.
pub(super) fn message(summary: &str) -> Value {
    let part = json!({ "type": "input_text", "text": told(summary) });
    json!({ "type": "message", "role": "user", "content": [part] })
}

/// The item that stands for a conversation with this summary.
#[must_use]
pub fn item(id: &str, summary: &str) -> Value {
    let content = Signature { data: summary.to_owned(), maker: Some(MAKER.to_owned()) };
    json!({ "type": "compaction", "id": id, "encrypted_content": content.written() })
}

/// The id of the item in the answer to a request of the hub.
#[must_use]
pub fn id_for(request: &str) -> String {
    let first = canon::names::hash(request);
    let second = canon::names::hash(&format!("{request}/compaction"));
    format!("cmp_{first:016x}{second:016x}")
}

/// Turns a turn that triggers a compaction into one that asks for a summary, and says whether it was one. Tools stay
/// on offer, since the conversation may hold calls of them.
pub fn untriggered(turn: &mut Turn) -> bool {
    let mut found = false;
    for message in &mut turn.messages {
        message.blocks.retain(|block| {
            let trigger = matches!(&block.kind, Kind::Opaque { dialect: Dialect::Responses, value }
                if kind_of(value) == TRIGGER);
            found |= trigger;
            !trigger
        });
    }
    if !found {
        return false;
    }
    turn.messages.retain(|message| !message.blocks.is_empty());
    turn.messages.push(Message::new(Role::User, vec![Block::text(REQUEST)]));
    turn.tool_choice = (!turn.tools.is_empty()).then_some(ToolChoice::None);
    turn.format = None;
    true
}

/// The request for a summary that does for a request for a compaction.
///
/// # Errors
/// When the body is no request.
pub fn in_other_words(body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut input = input_items(body)?;
    input.retain(|item| kind_of(item) != TRIGGER);
    let part = json!({ "type": "input_text", "text": REQUEST });
    input.push(json!({ "type": "message", "role": "user", "content": [part] }));
    let mut request = Fields::parse(body)?.into_map();
    for name in ["stream", "stream_options", "text", "tool_choice", "context_management"] {
        request.shift_remove(name);
    }
    if request.get("tools").and_then(Value::as_array).is_some_and(|tools| !tools.is_empty()) {
        request.insert("tool_choice".to_owned(), "none".into());
    }
    request.insert("input".to_owned(), Value::Array(input));
    request.insert("store".to_owned(), false.into());
    Ok(Value::Object(request).to_string().into_bytes())
}

/// The answer to a request for a compaction: what users said in `input`, and the summary that `answer` holds. `None`
/// where it holds none.
#[must_use]
pub fn object(input: Vec<Value>, answer: &[u8], request: &str) -> Option<Vec<u8>> {
    let summary = text_of(&output_items(answer));
    if summary.trim().is_empty() {
        return None;
    }
    let mut answer = Fields::parse(answer).ok()?;
    let mut output: Vec<Value> = input.into_iter().filter(is_users).collect();
    for (number, said) in output.iter_mut().filter_map(Value::as_object_mut).enumerate() {
        complete(said, request, number);
    }
    output.push(item(&id_for(request), &summary));
    let usage = answer.take("usage").unwrap_or_else(|| super::usage::written(&canon::Usage::default()));
    let object = json!({
        "id": answer.take("id"),
        "object": "response.compaction",
        "created_at": answer.take("created_at"),
        "output": output,
        "usage": usage,
    });
    Some(object.to_string().into_bytes())
}

/// The text of an answer's messages.
fn text_of(output: &[Value]) -> String {
    let messages = output.iter().filter(|item| kind_of(item) == "message");
    let parts = messages.filter_map(|item| item.get("content")?.as_array()).flatten();
    parts
        .filter(|part| kind_of(part) == "output_text")
        .filter_map(|part| part.get("text")?.as_str())
        .collect()
}

fn is_users(item: &Value) -> bool {
    kind_of(item) == "message" && item.get("role").and_then(Value::as_str) == Some("user")
}

/// Gives a message what one in an answer has.
fn complete(message: &mut Map<String, Value>, request: &str, number: usize) {
    let id = || format!("msg_{:016x}{number:04x}", canon::names::hash(request)).into();
    message.entry("id").or_insert_with(id);
    message.entry("status").or_insert_with(|| "completed".into());
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;
    use crate::responses::decode;

    #[test]
    fn a_trigger_becomes_a_request_for_a_summary() {
        let body = json!({"model": "m", "text": {"format": {"type": "json_object"}},
            "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}], "input": [
            {"role": "user", "content": "hi"},
            {"type": "compaction_trigger"},
        ]});
        let mut turn = decode(body.to_string().as_bytes()).unwrap();
        assert!(untriggered(&mut turn));
        let texts: Vec<&str> =
            turn.messages.iter().flat_map(|message| &message.blocks).filter_map(Block::as_text).collect();
        assert_eq!(texts, ["hi", REQUEST]);
        assert_eq!((turn.tool_choice.clone(), turn.format.clone()), (Some(ToolChoice::None), None));
        assert!(!untriggered(&mut turn), "once is enough");
    }

    #[test]
    fn the_hubs_own_item_is_read_again_as_what_the_user_says() {
        let item = item("cmp_1", "we \"met\"\n.");
        let body = json!({"model": "m", "input": [item]});
        let turn = decode(body.to_string().as_bytes()).unwrap();
        assert_eq!(turn.messages[0].role, Role::User);
        assert_eq!(turn.messages[0].blocks[0].as_text(), Some(told("we \"met\"\n.").as_str()));
        let foreign = json!({"model": "m", "input": [{"type": "compaction", "encrypted_content": "gAAA"}]});
        let turn = decode(foreign.to_string().as_bytes()).unwrap();
        assert!(matches!(turn.messages[0].blocks[0].kind, Kind::Opaque { .. }));
    }

    #[test]
    fn a_compaction_is_what_users_said_and_one_item() {
        let body = br#"{"model":"m","input":[{"role":"user","content":"hi"},{"role":"assistant","content":"ho"}],"text":{},"stream":true}"#;
        let request: Value = serde_json::from_slice(&in_other_words(body).unwrap()).unwrap();
        assert_eq!(request["input"][2]["content"][0]["text"], REQUEST);
        assert_eq!((&request["stream"], &request["store"]), (&Value::Null, &json!(false)));
        let answer = br#"{"id":"resp_1","created_at":7,"usage":{"input_tokens":3},"output":[
            {"type":"reasoning"},{"type":"message","content":[{"type":"output_text","text":"short"}]}]}"#;
        let object = object(input_items(body).unwrap(), answer, "req_1").unwrap();
        let object: Value = serde_json::from_slice(&object).unwrap();
        assert_eq!(object["object"], "response.compaction");
        assert_eq!((&object["id"], &object["created_at"]), (&json!("resp_1"), &json!(7)));
        assert_eq!(object["usage"]["input_tokens"], 3);
        assert_eq!(object["output"].as_array().unwrap().len(), 2);
        assert_eq!(object["output"][0]["content"][0]["text"], "hi");
        assert_eq!(object["output"][1], item(&id_for("req_1"), "short"));
        assert_eq!(super::object(Vec::new(), br#"{"output":[]}"#, "req_1"), None);
    }
}
