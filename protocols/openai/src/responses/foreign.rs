//! What only others can read in requests that pass through: encrypted reasoning of other makers, for which a provider
//! refuses the whole request, and summaries that the hub made.

use canon::Signature;
use serde_json::{Map, Value};

use super::{compaction, item::kind_of};

/// How the id of a reasoning item begins that the hub made for thoughts without encrypted content. A provider would look
/// for it among its own.
const MADE_HERE: &str = "rs_trivium.";

/// The body without the thoughts that another maker had; what the target itself made gets back the text that it wrote,
/// and a compaction of the hub becomes a message with its summary. Items that came with foreign thoughts lose their ids,
/// which ask the provider for those thoughts. `None` where nothing had to be changed.
#[must_use]
pub fn without_foreign_thoughts(body: &[u8], is_own: impl Fn(&Signature) -> bool) -> Option<Vec<u8>> {
    let mut request: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let mut changed = false;
    let mut orphaned = false;
    request.get_mut("input")?.as_array_mut()?.retain_mut(|item| {
        if let Some(told) = own_summary(item) {
            (*item, changed) = (told, true);
        }
        if is_foreign(item, &is_own, &mut changed) {
            (changed, orphaned) = (true, true);
            return false;
        }
        orphaned &= is_of_the_model(item);
        if let Some(item) = item.as_object_mut().filter(|_| orphaned) {
            item.shift_remove("id");
        }
        true
    });
    changed.then(|| serde_json::to_vec(&request).ok())?
}

/// The message in place of a compaction of the hub.
fn own_summary(item: &Value) -> Option<Value> {
    if !compaction::KINDS.contains(&kind_of(item)) {
        return None;
    }
    compaction::summary(item.get("encrypted_content")?.as_str()?).map(|summary| compaction::message(&summary))
}

/// Whether an item holds another maker's thoughts. Own ones get back the text that their maker wrote.
fn is_foreign(item: &mut Value, is_own: &impl Fn(&Signature) -> bool, changed: &mut bool) -> bool {
    if item.get("id").and_then(Value::as_str).is_some_and(|id| id.starts_with(MADE_HERE)) {
        return true;
    }
    let Some(text) = item.get("encrypted_content").and_then(Value::as_str) else { return false };
    let signature = Signature::read(text);
    if !is_own(&signature) {
        return true;
    }
    if signature.maker.is_some() {
        *changed = true;
        item["encrypted_content"] = signature.data.into();
    }
    false
}

/// Whether an item is the model's word, and not the user's or a tool's.
fn is_of_the_model(item: &Value) -> bool {
    let of = |name| item.get(name).and_then(Value::as_str).unwrap_or_default();
    match of("type") {
        "" | "message" => of("role") == "assistant",
        kind => kind.ends_with("_call"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn foreign_reasoning_goes_and_own_gets_its_text_back() {
        let of = |maker: &str| Signature { data: "gAAA".into(), maker: Some(maker.into()) }.written();
        let body = json!({"model": "m", "input": [
            {"type": "reasoning", "summary": [], "encrypted_content": of("anthropic:claude")},
            {"type": "reasoning", "id": "rs_trivium.12ab", "summary": []},
            {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "id": "fco_1", "call_id": "c", "output": "1"},
            {"type": "reasoning", "summary": [], "encrypted_content": of("openai:gpt:a")},
            {"type": "reasoning", "summary": [], "encrypted_content": "gBBB"},
            {"role": "user", "content": "hi"},
        ]});
        let is_own = |signature: &Signature| signature.is_of("openai:gpt:a", true);
        let kept = without_foreign_thoughts(body.to_string().as_bytes(), is_own).unwrap();
        let kept: Value = serde_json::from_slice(&kept).unwrap();
        assert_eq!(
            kept["input"],
            json!([
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "id": "fco_1", "call_id": "c", "output": "1"},
                {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
                {"type": "reasoning", "summary": [], "encrypted_content": "gBBB"},
                {"role": "user", "content": "hi"},
            ])
        );
        assert_eq!(without_foreign_thoughts(kept.to_string().as_bytes(), is_own), None);
    }

    #[test]
    fn summaries_of_the_hub_are_told_and_those_of_others_stay() {
        let others = json!({"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAA"});
        let body = json!({"model": "m", "input": [compaction::item("cmp_2", "we met"), others]});
        let native = |signature: &Signature| signature.is_of("openai:gpt:a", true);
        let told = without_foreign_thoughts(body.to_string().as_bytes(), native).unwrap();
        let told: Value = serde_json::from_slice(&told).unwrap();
        assert_eq!(told["input"], json!([compaction::message("we met"), others]));
    }
}
