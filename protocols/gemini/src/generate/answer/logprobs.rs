//! `logprobsResult`, and the elements that chat writes for the same.

use serde_json::{Map, Value, json};

/// The elements of a `logprobsResult`, token by token.
pub(super) fn read(result: &Value) -> Vec<Value> {
    let list = |name: &str| result.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut tops = list("topCandidates").iter();
    let chosen = list("chosenCandidates").iter();
    chosen
        .filter_map(|chosen| {
            let top = tops.next().and_then(|top| top.get("candidates")).and_then(Value::as_array);
            let mut element = element(chosen)?;
            let top: Vec<Value> =
                top.into_iter().flatten().filter_map(self::element).map(Value::Object).collect();
            element.insert("top_logprobs".into(), top.into());
            Some(Value::Object(element))
        })
        .collect()
}

fn element(candidate: &Value) -> Option<Map<String, Value>> {
    let token = candidate.get("token")?.as_str()?;
    let probability = candidate.get("logProbability")?;
    let fields = [("token", token.into()), ("logprob", probability.clone()), ("bytes", Value::Null)];
    Some(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The `logprobsResult` of elements; `None` without any.
pub(super) fn written(elements: &[Value]) -> Option<Value> {
    if elements.is_empty() {
        return None;
    }
    let candidate =
        |element: &Value| json!({"token": element.get("token"), "logProbability": element.get("logprob")});
    let top = |element: &Value| {
        let top = element.get("top_logprobs").and_then(Value::as_array);
        json!({"candidates": top.into_iter().flatten().map(candidate).collect::<Vec<_>>()})
    };
    let chosen: Vec<Value> = elements.iter().map(candidate).collect();
    let tops: Vec<Value> = elements.iter().map(top).collect();
    Some(json!({"topCandidates": tops, "chosenCandidates": chosen}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let result = json!({"topCandidates": [{"candidates": [{"token": "a", "logProbability": -0.5}]}],
            "chosenCandidates": [{"token": "a", "logProbability": -0.5}]});
        let elements = read(&result);
        let top = json!({"token": "a", "logprob": -0.5, "bytes": null});
        let element = json!({"token": "a", "logprob": -0.5, "bytes": null, "top_logprobs": [top]});
        assert_eq!(elements, [element]);
        assert_eq!(written(&elements), Some(result));
        assert_eq!(written(&read(&json!({"chosenCandidates": "x"}))), None);
    }
}
