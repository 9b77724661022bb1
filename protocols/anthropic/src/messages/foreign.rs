//! Taking another maker's thoughts out of a body that otherwise passes through: the target would refuse them, and
//! the whole request with them.

use canon::Signature;
use serde_json::{Map, Value, json};

use super::tool_loop;

/// The body without the thoughts that the target did not make; `None` if nothing had to go, and for what is no body.
/// The order of fields is kept.
///
/// A block without a signature stays if `is_own` takes the empty signature. Own signatures that crossed dialects lose
/// the maker's name in front, which is the hub's and not the maker's. Citations whose index the hub made up go too.
///
/// An assistant message that becomes empty disappears, and neighbours of one role become one message. If the tool
/// loop at the end lost the thought that it began with (see [`tool_loop`]), thinking with a budget is switched off for
/// this request, and what depends on it goes with it.
#[must_use]
pub fn without_foreign_thoughts(body: &[u8], is_own: impl Fn(&Signature) -> bool) -> Option<Vec<u8>> {
    let mut body: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let messages = body.get_mut("messages")?.as_array_mut()?;
    let mut changed = false;
    let mut emptied = false;
    for message in messages.iter_mut() {
        let Some(content) = message.get_mut("content").and_then(Value::as_array_mut) else { continue };
        let before = content.len();
        content.retain_mut(|block| {
            let (stays, touched) = judge(block, &is_own);
            changed |= touched || !stays;
            stays
        });
        emptied |= content.is_empty() && before > 0;
    }
    if !changed {
        return None;
    }
    if emptied {
        *messages = closed_up(std::mem::take(messages));
    }
    if thinks_by_budget(&body) {
        mend_the_loop(&mut body);
    }
    serde_json::to_vec(&body).ok()
}

/// Whether a block stays, and whether it was touched.
fn judge(block: &mut Value, is_own: &impl Fn(&Signature) -> bool) -> (bool, bool) {
    let name = match tool_loop::kind(block) {
        "thinking" => "signature",
        "redacted_thinking" => "data",
        "text" => return (true, uncite(block)),
        _ => return (true, false),
    };
    let text = block.get(name).and_then(Value::as_str).unwrap_or_default();
    let signature = Signature::read(text);
    if !is_own(&signature) {
        return (false, true);
    }
    let named = signature.maker.is_some();
    if named && let Some(field) = block.get_mut(name) {
        *field = Value::String(signature.data);
    }
    (true, named)
}

/// Takes out citations that the hub made for a client of this dialect; the vendor knows nothing of them.
fn uncite(block: &mut Value) -> bool {
    let Some(citations) = block.get_mut("citations").and_then(Value::as_array_mut) else { return false };
    let before = citations.len();
    citations.retain(|citation| !is_made_up(citation));
    let touched = citations.len() < before;
    if touched
        && citations.is_empty()
        && let Some(block) = block.as_object_mut()
    {
        block.shift_remove("citations");
    }
    touched
}

/// Whether a citation was made up by the hub.
pub(super) fn is_made_up(citation: &Value) -> bool {
    let index = citation.get("encrypted_index").and_then(Value::as_str);
    index.is_some_and(|index| Signature::read(index).maker.is_some())
}

/// The messages without the empty ones, neighbours of one role put together.
fn closed_up(messages: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::with_capacity(messages.len());
    let mut gap = false;
    for message in messages {
        if message.get("content").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            gap = true;
            continue;
        }
        match kept.last_mut() {
            Some(last) if gap && tool_loop::role(last) == tool_loop::role(&message) => append(last, message),
            _ => kept.push(message),
        }
        gap = false;
    }
    kept
}

fn append(last: &mut Value, mut message: Value) {
    let more = as_blocks(message.get_mut("content").map(Value::take).unwrap_or_default());
    if let Some(content) = last.get_mut("content") {
        let mut blocks = as_blocks(content.take());
        blocks.extend(more);
        *content = Value::Array(blocks);
    }
}

fn as_blocks(content: Value) -> Vec<Value> {
    match content {
        Value::Array(blocks) => blocks,
        Value::String(text) => vec![json!({"type": "text", "text": text})],
        _ => Vec::new(),
    }
}

fn thinks_by_budget(body: &Map<String, Value>) -> bool {
    body.get("thinking").is_some_and(|thinking| tool_loop::kind(thinking) == "enabled")
}

/// Switches thinking off if the loop at the end cannot go on with it.
fn mend_the_loop(body: &mut Map<String, Value>) {
    let Some(messages) = body.get_mut("messages").and_then(Value::as_array_mut) else { return };
    if !tool_loop::lacks_thought(messages) {
        return;
    }
    tool_loop::strip(messages);
    body.insert("thinking".to_owned(), json!({"type": "disabled"}));
    clear_no_thoughts(body);
}

/// Takes out what clears old thoughts, which is refused where thinking is off.
pub(super) fn clear_no_thoughts(body: &mut Map<String, Value>) {
    let Some(edits) = body.get_mut("context_management").and_then(|manage| manage.get_mut("edits")) else {
        return;
    };
    if let Some(edits) = edits.as_array_mut() {
        edits.retain(|edit| !tool_loop::kind(edit).starts_with("clear_thinking"));
        if edits.is_empty() {
            body.shift_remove("context_management");
        }
    }
}
