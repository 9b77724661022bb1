//! The tool loop at the end of a conversation, and the rule on thoughts in it.
//!
//! A loop is one turn of the assistant, interrupted only by the results of its tools. With `thinking.type` `enabled`
//! the API demands that the turn which goes on begins with a `thinking` or `redacted_thinking` block ("Expected
//! `thinking` or `redacted_thinking`, but found `tool_use`"); a turn cannot change its mode on the way, and a turn
//! without thinking holds no thoughts. Earlier turns may lack theirs: the API does not look at those. With `adaptive`
//! the rule does not hold: such turns may begin with anything.

use serde_json::Value;

/// The index of the message with which the loop at the end begins; `None` if the conversation does not end in one.
pub(super) fn start(messages: &[Value]) -> Option<usize> {
    let mut begin = None;
    let mut expects_results = true;
    for (at, message) in messages.iter().enumerate().rev() {
        match role(message) {
            "assistant" if begin.is_none() && expects_results => return None,
            "assistant" => begin = Some(at),
            "user" if has_results(message) => expects_results = false,
            "user" => break,
            // System messages may stand between the results and the next call.
            _ => {}
        }
    }
    begin
}

/// Whether a message begins with a thought.
pub(super) fn begins_with_thought(message: &Value) -> bool {
    blocks(message).first().is_some_and(is_thought)
}

/// Whether a block is a thought.
pub(super) fn is_thought(block: &Value) -> bool {
    matches!(kind(block), "thinking" | "redacted_thinking")
}

/// Whether a loop at the end began without a thought, so that thinking with a budget would be refused.
pub(super) fn lacks_thought(messages: &[Value]) -> bool {
    start(messages).and_then(|at| messages.get(at)).is_some_and(|message| !begins_with_thought(message))
}

/// Takes the thoughts out of the loop at the end, which is to go on without thinking; says whether there were any.
pub(super) fn strip(messages: &mut Vec<Value>) -> bool {
    let Some(begin) = start(messages) else { return false };
    let mut any = false;
    for message in messages.iter_mut().skip(begin) {
        if let Some(content) = message.get_mut("content").and_then(Value::as_array_mut) {
            let before = content.len();
            content.retain(|block| !is_thought(block));
            any |= content.len() < before;
        }
    }
    messages.retain(|message| message.get("content") != Some(&Value::Array(Vec::new())));
    any
}

/// The role of a message.
pub(super) fn role(message: &Value) -> &str {
    message.get("role").and_then(Value::as_str).unwrap_or_default()
}

/// The type of a block.
pub(super) fn kind(block: &Value) -> &str {
    block.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn has_results(message: &Value) -> bool {
    blocks(message).iter().any(|block| kind(block) == "tool_result")
}

fn blocks(message: &Value) -> &[Value] {
    message.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(thoughts: bool) -> Value {
        let call = json!({"type": "tool_use", "id": "a", "name": "t", "input": {}});
        let thought = json!({"type": "thinking", "thinking": "", "signature": "s"});
        json!({"role": "assistant", "content": if thoughts { vec![thought, call] } else { vec![call] }})
    }

    fn result() -> Value {
        json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a"}]})
    }

    fn user() -> Value {
        json!({"role": "user", "content": "go"})
    }

    #[test]
    fn a_loop_begins_behind_the_last_words_of_the_user() {
        let system = json!({"role": "system", "content": "note"});
        assert_eq!(start(&[user(), call(true), result()]), Some(1));
        assert_eq!(start(&[user(), call(true), result(), system, call(false), result()]), Some(1));
        assert_eq!(start(&[user(), call(true), result(), call(false), user()]), None);
        assert_eq!(start(&[user(), json!({"role": "assistant", "content": "x"})]), None);
        assert_eq!(start(&[]), None);
    }

    #[test]
    fn only_the_beginning_of_the_loop_counts() {
        assert!(!lacks_thought(&[user(), call(true), result(), call(false), result()]));
        assert!(lacks_thought(&[user(), call(false), result(), call(true), result()]));
        assert!(!lacks_thought(&[user(), call(false), result(), call(false), user()]));
    }

    #[test]
    fn stripping_leaves_earlier_turns_alone() {
        let mut messages =
            vec![user(), call(true), result(), user(), call(false), result(), call(true), result()];
        strip(&mut messages);
        assert_eq!(messages[1], call(true));
        assert_eq!(messages[6], call(false));
    }
}
