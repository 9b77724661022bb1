//! What only others can read in requests that pass through: encrypted reasoning of other makers, for which a provider
//! refuses the whole request, and summaries that the hub made.

use canon::Signature;
use serde_json::{Map, Value};

use super::{compaction, item::kind_of};

/// The body without the reasoning items whose encrypted content carries another maker's name; what the target itself
/// made gets back the text that it wrote, and a compaction of the hub becomes a message with its summary. `None` where
/// nothing had to be changed.
#[must_use]
pub fn without_foreign_thoughts(body: &[u8], is_own: impl Fn(&Signature) -> bool) -> Option<Vec<u8>> {
    let mut request: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let mut changed = false;
    request.get_mut("input")?.as_array_mut()?.retain_mut(|item| {
        let encrypted = item.get("encrypted_content").and_then(Value::as_str).map(Signature::read);
        let Some(signature) = encrypted.filter(|signature| signature.maker.is_some()) else { return true };
        changed = true;
        if matches!(kind_of(item), "compaction" | "compaction_summary") && compaction::is_ours(&signature) {
            *item = compaction::message(&signature.data);
            return true;
        }
        let own = is_own(&signature);
        if own {
            item["encrypted_content"] = signature.data.into();
        }
        own
    });
    changed.then(|| serde_json::to_vec(&request).ok())?
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
        let told = without_foreign_thoughts(body.to_string().as_bytes(), |_| false).unwrap();
        let told: Value = serde_json::from_slice(&told).unwrap();
        assert_eq!(told["input"], json!([compaction::message("we met"), others]));
    }
}
