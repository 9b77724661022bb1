//! What the vendors demand of every request, beyond its shape: a request that breaks one of these rules is refused as a
//! whole. Each function panics with the rule that is broken.

use std::collections::HashSet;

use canon::Dialect;
use serde_json::{Map, Value};

/// Checks a request that was translated to a dialect.
pub(crate) fn check(dialect: Dialect, body: &Value) {
    match dialect {
        Dialect::Chat => chat(body),
        Dialect::Responses => responses(body),
        Dialect::Messages => messages(body),
        Dialect::Gemini => gemini(body),
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 64
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn chat(body: &Value) {
    let messages = list(body, "messages");
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        let role = text(message, "role");
        if role == "tool" {
            let id = text(message, "tool_call_id");
            let at = open.iter().position(|call| *call == id);
            open.remove(at.unwrap_or_else(|| panic!("a tool message answers no call before it: {message}")));
            assert!(message.get("content").is_some(), "a tool message has content");
            for part in list(message, "content") {
                assert_eq!(text(part, "type"), "text", "tool messages hold text alone");
            }
            continue;
        }
        assert!(open.is_empty(), "calls are answered directly behind them: {open:?} before {message}");
        for call in list(message, "tool_calls") {
            let id = text(call, "id");
            assert!(!id.is_empty() && id.len() <= 64, "ids of calls have 1 to 64 letters: {id}");
            open.push(id);
        }
        let allowed: &[&str] = match role {
            "assistant" => &["text", "refusal"],
            "system" | "developer" => &["text"],
            _ => &["text", "image_url", "input_audio", "file"],
        };
        for part in list(message, "content") {
            assert!(allowed.contains(&text(part, "type")), "{role} messages hold {allowed:?}: {part}");
            assert_ne!(part.get("text"), Some(&"".into()), "no text is empty");
        }
        let says = message.get("content").is_some_and(|content| !content.is_null());
        let else_says = ["tool_calls", "refusal"].iter().any(|name| message.get(*name).is_some());
        assert!(says || else_says, "a message says something: {message}");
    }
    assert!(open.is_empty(), "every call is answered");
    let tools = !list(body, "tools").is_empty();
    assert!(tools || body.get("tool_choice").is_none(), "no choice without tools");
    assert!(tools || body.get("parallel_tool_calls").is_none(), "nothing of parallel calls without tools");
    assert!(list(body, "stop").len() <= 4, "at most four stop texts");
    assert!(text(body, "user").len() <= 64, "ids of users have at most 64 letters");
}

fn messages(body: &Value) {
    assert!(
        body.get("max_tokens").and_then(Value::as_u64).is_some_and(|most| most > 0),
        "max_tokens is required"
    );
    let messages = list(body, "messages");
    assert_eq!(messages.first().map(|first| text(first, "role")), Some("user"), "the user begins");
    let mut open: Vec<&str> = Vec::new();
    let mut before = "";
    for message in messages {
        let role = text(message, "role");
        assert_ne!(role, before, "roles take turns");
        before = role;
        let content = list(message, "content");
        assert!(!content.is_empty() || !text(message, "content").is_empty(), "a message says something");
        let results = content.iter().take_while(|block| text(block, "type") == "tool_result").count();
        let answered: Vec<&str> =
            content.iter().take(results).map(|block| text(block, "tool_use_id")).collect();
        assert!(same(&open, &answered), "results directly behind their calls: {open:?} {answered:?}");
        open.clear();
        for block in content.iter().skip(results) {
            assert_ne!(text(block, "type"), "tool_result", "results come first");
            if text(block, "type") == "tool_use" {
                assert!(is_id(text(block, "id")), "ids: {block}");
                assert!(block.get("input").is_some_and(Value::is_object), "input is an object: {block}");
                open.push(text(block, "id"));
            }
        }
        content.iter().for_each(no_empty_text);
    }
    assert!(open.is_empty(), "every call is answered");
    list(body, "system").iter().for_each(no_empty_text);
    assert!(count(body, "cache_control") <= 4, "at most four cache marks");
    let tools = !list(body, "tools").is_empty();
    assert!(tools || body.get("tool_choice").is_none(), "no choice without tools");
    for tool in list(body, "tools") {
        let typed = tool.get("type").is_some();
        let object =
            tool.get("input_schema").is_some_and(|schema| schema.get("type") == Some(&"object".into()));
        assert!(typed || object, "schemas of tools are objects': {tool}");
    }
    thinking_of_messages(body, messages);
}

fn thinking_of_messages(body: &Value, messages: &[Value]) {
    let last = messages.last().unwrap_or(&Value::Null);
    if text(last, "role") == "assistant" {
        let end = list(last, "content").last().unwrap_or(&Value::Null);
        assert!(!text(end, "type").ends_with("thinking"), "the last message does not end in thoughts");
        let said = if end.is_null() { text(last, "content") } else { text(end, "text") };
        assert_eq!(said, said.trim_end(), "what is gone on from does not end in white space");
    }
    let Some(thinking) = body.get("thinking") else { return };
    if text(thinking, "type") == "disabled" {
        return;
    }
    let forced = body.get("tool_choice").is_some_and(|choice| matches!(text(choice, "type"), "any" | "tool"));
    assert!(!forced, "no tool is forced beside thinking");
    let temperature = body.get("temperature").and_then(Value::as_f64);
    assert!(temperature.is_none_or(|it| it >= 1.0), "no temperature beside thinking");
    assert!(body.get("top_k").is_none(), "no top_k beside thinking");
    if let Some(budget) = thinking.get("budget_tokens").and_then(Value::as_u64) {
        let most = body.get("max_tokens").and_then(Value::as_u64).unwrap_or(0);
        assert!(
            (1024..most).contains(&budget),
            "a budget is at least 1024 and below max_tokens: {budget} of {most}"
        );
    }
}

fn no_empty_text(block: &Value) {
    if text(block, "type") == "text" {
        assert!(!text(block, "text").is_empty(), "no text is empty");
    }
    list(block, "content").iter().for_each(no_empty_text);
}

fn gemini(body: &Value) {
    let contents = list(body, "contents");
    assert!(!contents.is_empty(), "contents are not empty");
    let mut open: Vec<&str> = Vec::new();
    let mut before = "";
    for content in contents {
        let role = text(content, "role");
        assert!(matches!(role, "user" | "model"), "roles are user and model: {role}");
        assert_ne!(role, before, "roles take turns");
        before = role;
        let parts = list(content, "parts");
        assert!(!parts.is_empty(), "no content is empty");
        let named = |what: &str| -> Vec<&str> {
            parts.iter().filter_map(|part| part.get(what)).map(|call| text(call, "name")).collect()
        };
        let responses = named("functionResponse");
        assert!(open == responses, "as many responses as calls, in their order: {open:?} {responses:?}");
        open = named("functionCall");
        for part in parts {
            let signed = part.get("thoughtSignature").is_some();
            assert!(signed || part.get("text") != Some(&"".into()), "no part is empty: {part}");
            assert!(part.as_object().is_some_and(|part| !part.is_empty()), "no part is empty");
            if let Some(call) = part.get("functionCall") {
                assert!(call.get("args").is_some_and(Value::is_object), "args are an object: {call}");
            }
        }
    }
    assert!(open.is_empty(), "every call is answered");
    let functions = list(body, "tools").iter().any(|tool| tool.get("functionDeclarations").is_some());
    let config = body.get("toolConfig").and_then(|config| config.get("functionCallingConfig"));
    assert!(functions || config.is_none(), "no choice without functions");
    let stops = body.get("generationConfig").map_or(0, |config| list(config, "stopSequences").len());
    assert!(stops <= 5, "at most five stop texts");
}

fn responses(body: &Value) {
    let mut called: HashSet<(&str, bool)> = HashSet::new();
    let mut answered: HashSet<(&str, bool)> = HashSet::new();
    for item in list(body, "input") {
        let kind = text(item, "type");
        let custom = kind.starts_with("custom_");
        let id = text(item, "call_id");
        match kind {
            "function_call" | "custom_tool_call" => {
                assert!(!id.is_empty() && id.len() <= 64, "ids of calls have 1 to 64 letters: {id}");
                assert!(called.insert((id, custom)), "each call has an id of its own: {id}");
            }
            "function_call_output" | "custom_tool_call_output" => {
                assert!(called.contains(&(id, custom)), "an output has its call before it: {id}");
                assert!(answered.insert((id, custom)), "a call has one output: {id}");
                assert!(item.get("output").is_some(), "an output has one");
            }
            "message" | "" => parts_of_responses(item),
            _ => {}
        }
    }
    assert_eq!(called, answered, "every call has its output");
    assert!(text(body, "user").len() <= 64, "ids of users have at most 64 letters");
    let most = body.get("max_output_tokens").and_then(Value::as_u64);
    assert!(most.is_none_or(|most| most >= 16), "at least 16 tokens");
}

fn parts_of_responses(item: &Value) {
    let allowed: &[&str] = match text(item, "role") {
        "assistant" => &["output_text", "refusal"],
        "system" | "developer" => &["input_text"],
        _ => &["input_text", "input_image", "input_file", "input_audio"],
    };
    for part in list(item, "content") {
        assert!(allowed.contains(&text(part, "type")), "{} holds {allowed:?}: {part}", text(item, "role"));
        assert_ne!(part.get("text"), Some(&"".into()), "no text is empty");
    }
}

/// Whether both hold the same ids, in any order.
fn same(left: &[&str], right: &[&str]) -> bool {
    left.len() == right.len() && left.iter().collect::<HashSet<_>>() == right.iter().collect::<HashSet<_>>()
}

/// How often a field occurs.
fn count(value: &Value, name: &str) -> usize {
    let of_map = |map: &Map<String, Value>| {
        usize::from(map.contains_key(name)) + map.values().map(|value| count(value, name)).sum::<usize>()
    };
    match value {
        Value::Object(map) => of_map(map),
        Value::Array(list) => list.iter().map(|value| count(value, name)).sum(),
        _ => 0,
    }
}
